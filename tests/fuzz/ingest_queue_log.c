/* The text of a queue_log: never a crash, every event can be stored, and the lines before a place
 * prime the reader as reading them would. */
#include "fuzz_event.h"
#include "ingest/rules/asterisk_queue_log.h"

static void on_event(void *context, const struct event *event)
{
    uint64_t *told = context;

    fuzz_check_event(event);
    for (size_t i = 0; i < sizeof(event->event_id.bytes); i++)
        *told = *told * 1099511628211u + event->event_id.bytes[i];
}

/* What the lines from number first on tell; those before only prime. */
static uint64_t read_from(const char *text, size_t len, size_t first, size_t *ret_lines)
{
    struct asterisk_queue_log *reader = malloc(sizeof(*reader));
    struct slice rest = {text, len};
    struct slice line;
    uint64_t told = 0;
    uint64_t unused = 0;

    FUZZ_CHECK(reader);
    asterisk_queue_log_init(reader, "pbx-log", "pbx", "");
    for (*ret_lines = 0; asterisk_queue_log_next(&rest, &line); ++*ret_lines) {
        FUZZ_CHECK(line.at >= text && line.at + line.len <= text + len);
        if (*ret_lines < first)
            asterisk_queue_log_prime(reader, line);
        else if (asterisk_queue_log_line(reader, line, (uint64_t)(line.at - text), 1, on_event,
                                         &told) < 0)
            unused++;
    }
    FUZZ_CHECK(reader->malformed >= unused);
    free(reader);
    return told;
}

/* The same events, those of the lines before told to nobody. */
static uint64_t read_all(const char *text, size_t len, size_t first)
{
    struct asterisk_queue_log *reader = malloc(sizeof(*reader));
    struct slice rest = {text, len};
    struct slice line;
    uint64_t before = 0;
    uint64_t told = 0;

    FUZZ_CHECK(reader);
    asterisk_queue_log_init(reader, "pbx-log", "pbx", "");
    for (size_t i = 0; asterisk_queue_log_next(&rest, &line); i++)
        if (asterisk_queue_log_line(reader, line, (uint64_t)(line.at - text), 1, on_event,
                                    i < first ? &before : &told) < 0)
            continue;
    free(reader);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    size_t lines;

    FUZZ_CHECK(text);
    if (size)
        memcpy(text, data, size);
    (void)read_from(text, size, 0, &lines);
    FUZZ_CHECK(read_from(text, size, lines / 2, &lines) == read_all(text, size, lines / 2));
    free(text);
    return 0;
}
