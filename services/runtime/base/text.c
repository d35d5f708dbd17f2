#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct slice slice_of(const char *text)
{
    return (struct slice){text ? text : "", text ? strlen(text) : 0};
}

bool slice_is(struct slice slice, const char *text)
{
    size_t len = strlen(text);
    return slice.len == len && (len == 0 || memcmp(slice.at, text, len) == 0);
}

/* Not tolower(3): that depends on the locale. */
static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool slice_is_nocase(struct slice slice, const char *text)
{
    if (slice.len != strlen(text))
        return false;
    for (size_t i = 0; i < slice.len; i++)
        if (lower(slice.at[i]) != lower(text[i]))
            return false;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice slice)
{
    while (slice.len && is_space(slice.at[0])) {
        slice.at++;
        slice.len--;
    }
    while (slice.len && is_space(slice.at[slice.len - 1]))
        slice.len--;
    return slice;
}

bool text_copy_slice(char *to, size_t size, struct slice from)
{
    assert(size > 0);
    size_t len = from.len;
    if (len >= size) {
        len = size - 1;
        /* Step back over continuation bytes: never leave half a character behind. */
        while (len && ((unsigned char)from.at[len] & 0xc0) == 0x80)
            len--;
    }
    if (len)
        memmove(to, from.at, len);
    to[len] = 0;
    return len == from.len;
}

bool text_copy(char *to, size_t size, const char *from)
{
    return text_copy_slice(to, size, slice_of(from));
}

bool text_is(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Length of the well-formed character at `at`, 0 if there is none (RFC 3629, table of section 4).
 */
static size_t utf8_step(const unsigned char *at, size_t left)
{
    unsigned char c = at[0];
    if (c == 0)
        return 0;
    if (c < 0x80)
        return 1;
    size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c < 0xc2 || c > 0xf4 || left < len)
        return 0;
    /* The second byte carries the limits against long forms, surrogates and > U+10FFFF. */
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool text_is_utf8(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    size_t done = 0;
    while (done < len) {
        size_t step = utf8_step(at + done, len - done);
        if (!step)
            return false;
        done += step;
    }
    return true;
}

size_t text_repair_utf8(char *text, size_t len)
{
    size_t repaired = 0;
    size_t done = 0;
    while (done < len) {
        size_t step = utf8_step((const unsigned char *)text + done, len - done);
        if (!step) {
            text[done] = '?';
            repaired++;
            step = 1;
        }
        done += step;
    }
    return repaired;
}

int text_to_i64(struct slice text, int64_t min, int64_t max, int64_t *ret_value)
{
    bool is_negative = text.len && text.at[0] == '-';
    size_t at = is_negative ? 1 : 0;
    if (at == text.len)
        return -EINVAL;
    for (size_t i = at; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return -EINVAL;
    /* Accumulated below zero, where the range is larger by one. */
    int64_t value = 0;
    for (; at < text.len; at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text.at[at] - '0', &value))
            return -ERANGE;
    }
    if (!is_negative && __builtin_sub_overflow(INT64_C(0), value, &value))
        return -ERANGE;
    if (value < min || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

/* [-]digits[.digits][e[+-]digits]: strtod alone also takes hex, inf, nan and leading space. */
static bool is_decimal(struct slice text)
{
    size_t at = text.len && text.at[0] == '-' ? 1 : 0;
    size_t digits = 0;
    for (; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++)
        digits++;
    if (!digits)
        return false;
    if (at < text.len && text.at[at] == '.') {
        size_t start = ++at;
        while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
            at++;
        if (at == start)
            return false;
    }
    if (at < text.len && lower(text.at[at]) == 'e') {
        at++;
        if (at < text.len && (text.at[at] == '+' || text.at[at] == '-'))
            at++;
        size_t start = at;
        while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
            at++;
        if (at == start)
            return false;
    }
    return at == text.len;
}

size_t text_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

int text_to_double(struct slice text, double *ret_value)
{
    char copy[64];
    if (!is_decimal(text))
        return -EINVAL;
    if (!text_copy_slice(copy, sizeof copy, text))
        return -ERANGE;
    double value = strtod(copy, NULL);
    if (!isfinite(value))
        return -ERANGE;
    *ret_value = value;
    return 0;
}
