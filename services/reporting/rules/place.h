/* place - positions in the live feed ("<epoch>-<seq>") as text that goes through clients unread.
 * Pure. */
#ifndef MOMENT_REPORTING_PLACE_H
#define MOMENT_REPORTING_PLACE_H

#include "base/macros.h"

#include <stdint.h>

#define PLACE_POSITION_SIZE 40

const char *place_print_position(uint32_t epoch, uint64_t seq, char text[PLACE_POSITION_SIZE]);
/* -EINVAL */
must_check int place_parse_position(const char *text, uint32_t *ret_epoch, uint64_t *ret_seq);

#endif
