/* keyset - a place in a list that is ordered by (time, id): the last row of the page before, as
 * text that goes through clients unread. Pure. */
#ifndef MOMENT_BASE_KEYSET_H
#define MOMENT_BASE_KEYSET_H

#include "base/id.h"

#define KEYSET_TEXT_SIZE 49

const char *keyset_print(int64_t at_us, const struct id *id, char text[KEYSET_TEXT_SIZE]);
/* -EINVAL; nothing is set then. at_us is above 0. */
must_check int keyset_parse(const char *text, int64_t *ret_at_us, struct id *ret_id);

#endif
