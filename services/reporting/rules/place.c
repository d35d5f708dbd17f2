#include "reporting/rules/place.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *place_print_position(uint32_t epoch, uint64_t seq, char text[PLACE_POSITION_SIZE])
{
    (void)snprintf(text, PLACE_POSITION_SIZE, "%" PRIu32 "-%" PRIu64, epoch, seq);
    return text;
}

int place_parse_position(const char *text, uint32_t *ret_epoch, uint64_t *ret_seq)
{
    const char *dash = strchr(text, '-');
    int64_t epoch = 0;
    int64_t seq = 0;

    if (dash == NULL)
        return -EINVAL;
    struct slice first = {text, (size_t)(dash - text)};
    struct slice second = slice_of(dash + 1);

    if (text_to_i64(first, 0, UINT32_MAX, &epoch) < 0 ||
        text_to_i64(second, 0, INT64_MAX, &seq) < 0)
        return -EINVAL;
    *ret_epoch = (uint32_t)epoch;
    *ret_seq = (uint64_t)seq;
    return 0;
}

const char *place_print_cursor(int64_t at_us, const uint8_t id[16], char text[PLACE_CURSOR_SIZE])
{
    int used = snprintf(text, PLACE_CURSOR_SIZE, "%016" PRIx64, (uint64_t)at_us);

    for (size_t i = 0; i < 16; i++)
        used += snprintf(text + used, PLACE_CURSOR_SIZE - (size_t)used, "%02x", id[i]);
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -EINVAL;
}

int place_parse_cursor(const char *text, int64_t *ret_at_us, uint8_t ret_id[16])
{
    uint8_t bytes[24];
    uint64_t at = 0;

    if (strlen(text) != 2 * sizeof(bytes))
        return -EINVAL;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    for (size_t i = 0; i < 8; i++)
        at = at << 8 | bytes[i];
    *ret_at_us = (int64_t)at;
    memcpy(ret_id, bytes + 8, 16);
    return 0;
}
