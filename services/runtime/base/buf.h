/* buf - growable bytes with a hard limit.
 *
 * Ownership: a struct buf is embedded by its owner; buf_done frees the bytes. Not thread safe.
 * Errors: -ENOMEM, or -EMSGSIZE when the limit given to buf_init would be passed; the content is
 * then what it was before the call. */
#ifndef MOMENT_BASE_BUF_H
#define MOMENT_BASE_BUF_H

#include "base/macros.h"

#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data; /* owned; kept NUL-terminated one past len by buf_printf and buf_text */
    size_t len;
    size_t cap;
    size_t max; /* hard limit in bytes */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_done(struct buf *buf);
void buf_clear(struct buf *buf);
must_check int buf_append(struct buf *buf, const void *bytes, size_t len);
must_check int buf_printf(struct buf *buf, const char *format, ...) printf_like(2, 3);
/* Drop len bytes from the front. */
void buf_consume(struct buf *buf, size_t len);
/* The content as a C string, valid until the next change; "" when empty. */
const char *buf_text(struct buf *buf);

#endif
