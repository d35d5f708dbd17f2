/* redact - takes card numbers and national ids out of free text before it is first written.
 *
 * Card numbers: 13 to 19 digits, single spaces or dashes between them allowed, that pass Luhn's
 * check. National ids: POSIX extended regular expressions from the settings, matched in bytes.
 * A match becomes "[redacted]". redact_text may be called from several threads; init and done not.
 */
#ifndef MOMENT_INGEST_REDACT_H
#define MOMENT_INGEST_REDACT_H

#include "base/macros.h"

#include <regex.h>
#include <stddef.h>

#define REDACT_PATTERNS_MAX 16

struct redact {
    regex_t patterns[REDACT_PATTERNS_MAX];
    size_t count;
};

/* patterns: one expression per line, empty lines skipped, null for none. -EINVAL for an expression
 * that cannot be compiled or that matches the empty text (its number, from 1, in *ret_bad), -E2BIG
 * for too many. On failure nothing needs redact_done. */
must_check int redact_init(struct redact *redact, const char *patterns, size_t *ret_bad);
void redact_done(struct redact *redact);

/* Redacts the NUL-terminated UTF-8 text in place; size is its buffer. A text that grows past the
 * buffer is cut at a character. Returns how many places were redacted. */
size_t redact_text(const struct redact *redact, char *text, size_t size);

#endif
