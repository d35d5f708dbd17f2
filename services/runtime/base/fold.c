#include "base/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <unicode/uchar.h>

/* The next character of valid UTF-8; -1 at the end. */
static UChar32 next(const char **at)
{
    const uint8_t *bytes = (const uint8_t *)*at;
    int more = bytes[0] < 0xc0 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
    UChar32 character = more == 0 ? bytes[0] : bytes[0] & (0x3f >> more);

    if (bytes[0] == 0) {
        return -1;
    }
    for (int i = 1; i <= more && bytes[i] != 0; i++) {
        character = character << 6 | (bytes[i] & 0x3f);
        (*at)++;
    }
    (*at)++;
    return character;
}

/* How many bytes were written; 0: there is no room. */
static size_t append(UChar32 character, char *to, size_t room)
{
    uint32_t rest = (uint32_t)character;
    size_t len = rest < 0x80 ? 1 : rest < 0x800 ? 2 : rest < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (len > room) {
        return 0;
    }
    for (size_t i = len - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (rest & 0x3f));
        rest >>= 6;
    }
    to[0] = (char)(leads[len] | rest);
    return len;
}

size_t fold_characters(const char *text)
{
    size_t count = 0, until_last = 0;

    for (UChar32 character; (character = next(&text)) >= 0;) {
        if (!u_isUWhiteSpace(character)) {
            until_last = ++count;
        } else if (count > 0) {
            count++;
        }
    }
    return until_last;
}

static bool is_of_a_word(UChar32 character)
{
    return (U_GET_GC_MASK(character) & (U_GC_Z_MASK | U_GC_P_MASK | U_GC_C_MASK)) == 0;
}

const char *fold_words(const char *text, char *to, size_t size)
{
    size_t used = 0;

    for (UChar32 character; (character = next(&text)) >= 0;) {
        size_t len;

        if (!is_of_a_word(character)) {
            continue;
        }
        len = append(u_foldCase(character, U_FOLD_CASE_DEFAULT), to + used, size - 1 - used);
        if (len == 0) {
            break;
        }
        used += len;
    }
    to[used] = '\0';
    return to;
}
