/* id - UUIDs: time-ordered (RFC 9562 version 7) and derived from content (version 8).
 *
 * id_v7 is monotonic within the process, also across clock steps. Not thread safe. */
#ifndef MOMENT_BASE_ID_H
#define MOMENT_BASE_ID_H

#include "base/macros.h"

#include <stddef.h>
#include <stdint.h>

#define ID_TEXT_SIZE 37

struct id {
    uint8_t bytes[16];
};

struct id id_v7(void);
/* The same parts give the same id for ever: BLAKE2b-128 over the parts, each followed by a NUL. */
struct id id_of(const char *const *parts, size_t count);
must_check int id_parse(const char *text, struct id *ret_id); /* -EINVAL */
const char *id_print(const struct id *id, char text[ID_TEXT_SIZE]);

#endif
