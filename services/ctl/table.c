/* table - see table.h. */
#include "ctl/table.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_row(struct table *table, const char *const *texts)
{
    size_t size = (table->count + table->columns) * sizeof(char *);
    char **cells = realloc(table->cells, size);
    assert(cells != NULL);
    table->cells = cells;
    for (size_t i = 0; i < table->columns; i++) {
        const char *text = texts[i] != NULL && texts[i][0] != '\0' ? texts[i] : "-";
        cells[table->count] = strdup(text);
        assert(cells[table->count] != NULL);
        table->count++;
    }
}

void table_init(struct table *table, size_t columns, const char *const *headings)
{
    assert(columns <= TABLE_COLUMNS_MAX);
    *table = (struct table){.columns = columns};
    add_row(table, headings);
}

void table_add(struct table *table, const char *const *cells)
{
    add_row(table, cells);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0U) != 0x80U ? 1 : 0;
    return width;
}

static void print_row(const struct table *table, size_t row, const int *widths)
{
    for (size_t i = 0; i < table->columns; i++) {
        const char *text = table->cells[row * table->columns + i];
        int padding = i + 1 < table->columns ? widths[i] - width_of(text) + 2 : 0;
        (void)printf("%s%*s", text, padding, "");
    }
    (void)putchar('\n');
}

void table_print(struct table *table, const char *empty)
{
    int widths[TABLE_COLUMNS_MAX] = {0};
    size_t rows = table->count / table->columns;
    for (size_t i = 0; i < table->count; i++) {
        int width = width_of(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    if (rows == 1)
        (void)puts(empty);
    for (size_t row = 0; rows > 1 && row < rows; row++)
        print_row(table, row, widths);
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}

const char *table_time(int64_t wall_us, char text[TABLE_TIME_SIZE])
{
    char when[CLOCK_RFC3339_SIZE];
    int64_t age_s = (clock_wall_us() - wall_us) / US_PER_S;
    if (wall_us == 0)
        return "-";
    (void)clock_to_rfc3339(wall_us, when);
    if (age_s < 0 || age_s >= 86400)
        (void)snprintf(text, TABLE_TIME_SIZE, "%.19sZ", when);
    else
        (void)snprintf(text, TABLE_TIME_SIZE, "%.8sZ (%lld s ago)", when + 11, (long long)age_s);
    return text;
}
