/* place - positions in the live feed ("<epoch>-<seq>") and places in a list (the cursor of a page)
 * as text that goes through clients unread. Pure. */
#ifndef MOMENT_REPORTING_PLACE_H
#define MOMENT_REPORTING_PLACE_H

#include "base/macros.h"

#include <stdint.h>

#define PLACE_POSITION_SIZE 40
#define PLACE_CURSOR_SIZE 56

const char *place_print_position(uint32_t epoch, uint64_t seq, char text[PLACE_POSITION_SIZE]);
/* -EINVAL */
must_check int place_parse_position(const char *text, uint32_t *ret_epoch, uint64_t *ret_seq);

/* A row by (time, UUID): the last one of the page before. */
const char *place_print_cursor(int64_t at_us, const uint8_t id[16], char text[PLACE_CURSOR_SIZE]);
/* -EINVAL */
must_check int place_parse_cursor(const char *text, int64_t *ret_at_us, uint8_t ret_id[16]);

#endif
