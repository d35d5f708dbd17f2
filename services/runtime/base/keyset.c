#include "base/keyset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *keyset_print(int64_t at_us, const struct id *id, char text[KEYSET_TEXT_SIZE])
{
    int used = snprintf(text, KEYSET_TEXT_SIZE, "%016" PRIx64, (uint64_t)at_us);

    for (size_t i = 0; i < sizeof(id->bytes); i++) {
        used += snprintf(text + used, KEYSET_TEXT_SIZE - (size_t)used, "%02x", id->bytes[i]);
    }
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -EINVAL;
}

int keyset_parse(const char *text, int64_t *ret_at_us, struct id *ret_id)
{
    uint8_t bytes[24];
    uint64_t at = 0;

    if (strlen(text) != 2 * sizeof(bytes)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return -EINVAL;
        }
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    for (size_t i = 0; i < 8; i++) {
        at = at << 8 | bytes[i];
    }
    if (at == 0 || at > INT64_MAX) {
        return -EINVAL;
    }
    *ret_at_us = (int64_t)at;
    memcpy(ret_id->bytes, bytes + 8, sizeof(ret_id->bytes));
    return 0;
}
