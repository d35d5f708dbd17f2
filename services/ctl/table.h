/* table - rows of text printed in columns as wide as their widest cell. */
#ifndef MOMENT_CTL_TABLE_H
#define MOMENT_CTL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS_MAX 12

struct table {
    size_t columns;
    char **cells; /* owned, row by row; the first row holds the headings */
    size_t count;
};

/* headings: columns texts. */
void table_init(struct table *table, size_t columns, const char *const *headings);
/* columns texts, copied; null is "-". */
void table_add(struct table *table, const char *const *cells);
/* On stdout; a table without rows says `empty` instead. Frees everything. */
void table_print(struct table *table, const char *empty);

/* "14:06:05 (12 s ago)" and the like; "-" for 0. */
#define TABLE_TIME_SIZE 48
const char *table_time(int64_t wall_us, char text[TABLE_TIME_SIZE]);

#endif
