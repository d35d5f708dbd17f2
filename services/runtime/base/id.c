#include "base/id.h"

#include "base/clock.h"
#include "base/seal.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define COUNTER_MAX UINT32_C(0xfff)

static_assert(sizeof((struct id *)0)->bytes >= crypto_generichash_BYTES_MIN, "hash fits an id");

static void set_version(struct id *id, uint8_t version)
{
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | (version << 4));
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
}

struct id id_v7(void)
{
    static uint64_t last_ms;
    static uint32_t counter;
    struct id id = {{0}};
    seal_random(id.bytes, sizeof id.bytes);

    uint64_t now_ms = (uint64_t)(clock_wall_us() / US_PER_MS);
    if (now_ms > last_ms) {
        last_ms = now_ms;
        /* Half the range is left for ids of the same millisecond. */
        counter = (uint32_t)(id.bytes[6] << 8 | id.bytes[7]) & (COUNTER_MAX >> 1);
    } else if (counter < COUNTER_MAX) {
        counter++;
    } else {
        /* Run ahead of the clock rather than go back or repeat. */
        last_ms++;
        counter = 0;
    }
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(last_ms >> (8 * (5 - i)));
    id.bytes[6] = (uint8_t)(counter >> 8);
    id.bytes[7] = (uint8_t)counter;
    set_version(&id, 7);
    return id;
}

struct id id_of(const char *const *parts, size_t count)
{
    struct id id;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof id.bytes);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, (const unsigned char *)parts[i], strlen(parts[i]) + 1);
    crypto_generichash_final(&state, id.bytes, sizeof id.bytes);
    set_version(&id, 8);
    return id;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool has_hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int id_parse(const char *text, struct id *ret_id)
{
    struct id id = {0};
    if (!text || strlen(text) != ID_TEXT_SIZE - 1)
        return -EINVAL;
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        if (has_hyphen_before(i) && *text++ != '-')
            return -EINVAL;
        int high = hex_value(text[0]);
        int low = hex_value(text[1]);
        if (high < 0 || low < 0)
            return -EINVAL;
        id.bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    *ret_id = id;
    return 0;
}

const char *id_print(const struct id *id, char text[ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        if (has_hyphen_before(i))
            *at++ = '-';
        *at++ = digits[id->bytes[i] >> 4];
        *at++ = digits[id->bytes[i] & 0xf];
    }
    *at = 0;
    return text;
}
