/* fold - what two texts have in common when only their words count. Pure; thread safe. */
#ifndef MOMENT_BASE_FOLD_H
#define MOMENT_BASE_FOLD_H

#include <stddef.h>

/* Characters (code points) of a valid UTF-8 text, without the white space around it. */
size_t fold_characters(const char *text);
/* Writes text (valid UTF-8) without difference of case, without white space, punctuation and
 * control characters; at most size - 1 bytes, whole characters, terminated. Letters, digits, marks
 * and symbols (also emoji) stay. 4 bytes for each character and 1 are always enough. Returns `to`.
 */
const char *fold_words(const char *text, char *to, size_t size);

#endif
