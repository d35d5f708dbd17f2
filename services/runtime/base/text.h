/* text - bounded strings: copying, checking, parsing numbers. Pure; no allocation; thread safe. */
#ifndef MOMENT_BASE_TEXT_H
#define MOMENT_BASE_TEXT_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes, not NUL-terminated. */
struct slice {
    const char *at;
    size_t len;
};

struct slice slice_of(const char *text);
bool slice_is(struct slice slice, const char *text);
/* ASCII case-insensitive. */
bool slice_is_nocase(struct slice slice, const char *text);
struct slice slice_trim(struct slice slice);

/* Copy with truncation at a UTF-8 boundary; always terminates. Returns false if cut. */
bool text_copy(char *to, size_t size, const char *from);
bool text_copy_slice(char *to, size_t size, struct slice from);
bool text_is(const char *a, const char *b); /* null equals "" */
/* Valid UTF-8 without NUL (RFC 3629: no surrogates, shortest form). */
bool text_is_utf8(const void *bytes, size_t len);
/* How many characters (code points) a text of valid UTF-8 has: what a limit told to people counts.
 */
size_t text_characters(const char *text);
/* Every byte that is no part of a valid character becomes '?', so that what a foreign system wrote
 * in another encoding can still be kept. Returns how many. */
size_t text_repair_utf8(char *text, size_t len);
/* Decimal in [min, max], nothing after it. -EINVAL, -ERANGE. */
must_check int text_to_i64(struct slice text, int64_t min, int64_t max, int64_t *ret_value);
must_check int text_to_double(struct slice text, double *ret_value);

#endif
