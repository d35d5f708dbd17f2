/* fuzz - what the targets share: the entry, a check that holds in every build, and reading choices
 * out of the input. A target takes the bytes as they would come from outside and says with
 * FUZZ_CHECK what must hold whatever they are. */
#ifndef MOMENT_TESTS_FUZZ_H
#define MOMENT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct fuzz_input {
    const uint8_t *at;
    size_t len;
};

/* The next byte of the input; 0 at its end. */
static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (!input->len)
        return 0;
    input->len--;
    return *input->at++;
}

/* The rest up to the next NUL, as a copy with a NUL of its own; free() it. An exact allocation lets
 * the sanitizer see one byte too many. */
static inline char *fuzz_text(struct fuzz_input *input)
{
    const uint8_t *end = input->len ? memchr(input->at, 0, input->len) : NULL;
    size_t len = end ? (size_t)(end - input->at) : input->len;
    char *text = malloc(len + 1);

    FUZZ_CHECK(text);
    if (len)
        memcpy(text, input->at, len);
    text[len] = 0;
    input->at += end ? len + 1 : len;
    input->len -= end ? len + 1 : len;
    return text;
}

#endif
