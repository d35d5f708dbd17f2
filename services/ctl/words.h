/* words - a bounded list of an option's values, for options that may be given several times, and
 * lists printed as one cell. */
#ifndef MOMENT_CTL_WORDS_H
#define MOMENT_CTL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 32

struct words {
    char *items[WORDS_MAX]; /* borrowed from argv */
    size_t count;
};

bool words_add(struct words *words, char *word); /* false: full */

#define WORDS_CELL_SIZE 128
/* "leader, coach"; cut with "..." */
const char *words_cell(char *const *items, size_t count, char cell[WORDS_CELL_SIZE]);

#endif
