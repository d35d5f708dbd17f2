/* A directory as CSV, and its parts: never a crash; what is taken without an error holds what the
 * header promises. */
#include "fuzz.h"
#include "ingest/rules/directory.h"

#define ENTRIES_MAX 64

struct taken {
    struct directory_entry entries[ENTRIES_MAX];
    const struct directory_entry *pointers[ENTRIES_MAX];
    size_t count;
    size_t errors;
};

static void check_entry(const struct directory_entry *entry)
{
    const char *const texts[] = {entry->id,   entry->name,     entry->site_id,  entry->team_id,
                                 entry->role, entry->coach_id, entry->time_zone};

    for (size_t i = 0; i < countof(texts); i++)
        FUZZ_CHECK(text_is_utf8(texts[i], strlen(texts[i])));
    FUZZ_CHECK(entry->id[0] && strlen(entry->id) <= DIRECTORY_ID_MAX);
    FUZZ_CHECK(strlen(entry->name) <= DIRECTORY_NAME_MAX);
    FUZZ_CHECK(directory_hours_are_valid(entry->hours, entry->hours_count));
    for (size_t i = 0; i < entry->holiday_count; i++)
        FUZZ_CHECK(directory_date_is_valid(entry->holidays[i].date));
}

static void on_entry(void *context, const struct directory_entry *entry)
{
    struct taken *taken = context;

    check_entry(entry);
    if (taken->count < ENTRIES_MAX) {
        taken->entries[taken->count] = *entry;
        taken->pointers[taken->count] = &taken->entries[taken->count];
        taken->count++;
    }
}

static void on_error(void *context, uint32_t line, const char *field, const char *message)
{
    struct taken *taken = context;

    (void)line;
    FUZZ_CHECK(text_is_utf8(field, strlen(field)));
    FUZZ_CHECK(text_is_utf8(message, strlen(message)));
    taken->errors++;
}

static bool is_known(void *context, enum directory_kind kind, const char *id)
{
    (void)context;
    return kind == DIRECTORY_SITE && id[0] == 'm';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct taken taken;
    const struct directory_sinks sinks = {on_entry, on_error, &taken};
    char *text = calloc(1, size + 1);

    FUZZ_CHECK(text);
    if (size)
        memcpy(text, data, size);
    taken.count = taken.errors = 0;
    FUZZ_CHECK(directory_parse_csv(text, size, &sinks) == taken.errors);
    (void)directory_check_references(taken.pointers, taken.count, is_known, &sinks);
    free(text);
    return 0;
}
