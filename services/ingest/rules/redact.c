#include "ingest/rules/redact.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CARD_DIGITS_MIN 13
#define CARD_DIGITS_MAX 19

static const char mark[] = "[redacted]";

static int add_pattern(struct redact *redact, const char *at, size_t len)
{
    char pattern[1024];
    if (redact->count == REDACT_PATTERNS_MAX || len >= sizeof(pattern))
        return -E2BIG;
    memcpy(pattern, at, len);
    pattern[len] = 0;
    regex_t *regex = &redact->patterns[redact->count];
    if (regcomp(regex, pattern, REG_EXTENDED))
        return -EINVAL;
    redact->count++;
    return regexec(regex, "", 0, NULL, 0) == 0 ? -EINVAL : 0;
}

int redact_init(struct redact *redact, const char *patterns, size_t *ret_bad)
{
    memset(redact, 0, sizeof(*redact));
    size_t number = 0;
    for (const char *at = patterns ? patterns : ""; *at;) {
        size_t len = strcspn(at, "\r\n");
        if (len > 0) {
            number++;
            int error = add_pattern(redact, at, len);
            if (error) {
                *ret_bad = number;
                redact_done(redact);
                return error;
            }
        }
        at += len;
        if (*at)
            at++;
    }
    return 0;
}

void redact_done(struct redact *redact)
{
    for (size_t i = 0; i < redact->count; i++)
        regfree(&redact->patterns[i]);
    redact->count = 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Cuts text so that it ends with a whole character. */
static void end_at_character(char *text, size_t len)
{
    while (len > 0 && ((uint8_t)text[len] & 0xC0) == 0x80)
        len--;
    text[len] = 0;
}

/* Replaces len bytes at `at` by the mark; returns what follows the mark. */
static char *replace(char *text, size_t size, char *at, size_t len)
{
    size_t before = (size_t)(at - text);
    size_t rest = strlen(at + len);
    size_t mark_len = sizeof(mark) - 1;
    if (before + mark_len + 1 > size) { /* no room even for the mark */
        end_at_character(text, before);
        return text + strlen(text);
    }
    size_t kept = rest;
    if (before + mark_len + kept + 1 > size)
        kept = size - before - mark_len - 1;
    while (kept < rest && kept > 0 && ((uint8_t)at[len + kept] & 0xC0) == 0x80)
        kept--;
    memmove(at + mark_len, at + len, kept);
    memcpy(at, mark, mark_len);
    char *after = at + mark_len;
    after[kept] = 0;
    return after;
}

/* Digits that are longer than any card are no card: the whole run is looked at. Returns the length
 * of the run of digits with single separators; *ret_digits how many digits it has. */
static size_t digit_run(const char *at, size_t *ret_digits)
{
    size_t len = 0;
    size_t digits = 0;
    while (is_digit(at[len])) {
        len++;
        digits++;
        if ((at[len] == ' ' || at[len] == '-') && is_digit(at[len + 1]))
            len++;
    }
    *ret_digits = digits;
    return len;
}

static bool passes_luhn(const char *at, size_t len)
{
    unsigned sum = 0;
    bool is_doubled = false;
    for (size_t i = len; i-- > 0;) {
        if (!is_digit(at[i]))
            continue;
        unsigned digit = (unsigned)(at[i] - '0');
        if (is_doubled)
            digit = digit > 4 ? digit * 2 - 9 : digit * 2;
        sum += digit;
        is_doubled = !is_doubled;
    }
    return sum % 10 == 0;
}

/* The longest card number that begins at `at` and ends with a group of digits, within a run of len
 * bytes; 0 for none. */
static size_t card_at(const char *at, size_t len)
{
    size_t digits = 0;
    size_t found = 0;
    for (size_t i = 0; i < len && digits < CARD_DIGITS_MAX; i++) {
        if (!is_digit(at[i]))
            continue;
        digits++;
        if (digits >= CARD_DIGITS_MIN && !is_digit(at[i + 1]) && passes_luhn(at, i + 1))
            found = i + 1;
    }
    return found;
}

/* A card may stand among other digits ("ref 12 4111 1111 1111 1111"), so every start in the run is
 * tried, but only at the beginning of a group: not every long number contains a card. */
static size_t redact_cards(char *text, size_t size)
{
    size_t count = 0;
    for (char *at = text; *at;) {
        if (!is_digit(*at)) {
            at++;
            continue;
        }
        size_t digits;
        size_t len = digit_run(at, &digits);
        char *end = at + len;
        bool replaced = false;
        for (char *start = at; digits >= CARD_DIGITS_MIN && start < end && !replaced; start++) {
            if (!is_digit(*start) || (start > at && is_digit(start[-1])))
                continue;
            size_t card = card_at(start, (size_t)(end - start));
            if (card == 0)
                continue;
            at = replace(text, size, start, card);
            replaced = true;
            count++;
        }
        if (!replaced)
            at = end;
    }
    return count;
}

static size_t redact_pattern(const regex_t *regex, char *text, size_t size)
{
    size_t count = 0;
    char *at = text;
    regmatch_t match;
    while (*at && regexec(regex, at, 1, &match, at == text ? 0 : REG_NOTBOL) == 0) {
        char *start = at + match.rm_so;
        size_t len = (size_t)(match.rm_eo - match.rm_so);
        if (len == 0) {
            at = start + 1;
            if (start[0] == 0)
                break;
            continue;
        }
        at = replace(text, size, start, len);
        count++;
    }
    return count;
}

size_t redact_text(const struct redact *redact, char *text, size_t size)
{
    size_t count = redact_cards(text, size);
    for (size_t i = 0; i < redact->count; i++)
        count += redact_pattern(&redact->patterns[i], text, size);
    return count;
}
