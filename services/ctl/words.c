/* words - see words.h. */
#include "ctl/words.h"

#include <stdio.h>
#include <string.h>

bool words_add(struct words *words, char *word)
{
    if (words->count == WORDS_MAX)
        return false;
    words->items[words->count++] = word;
    return true;
}

const char *words_cell(char *const *items, size_t count, char cell[WORDS_CELL_SIZE])
{
    size_t len = 0;
    cell[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (len + strlen(items[i]) + 8 > WORDS_CELL_SIZE) {
            memcpy(cell + len, " ...", sizeof(" ..."));
            break;
        }
        len += (size_t)snprintf(cell + len, WORDS_CELL_SIZE - len, "%s%s", i > 0 ? ", " : "",
                                items[i]);
    }
    return cell;
}
