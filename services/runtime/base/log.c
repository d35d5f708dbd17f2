#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, REPEATS_MAX = 20, REPEAT_SLOTS = 64, EVENT_SIZE = 48 };
#define REPEAT_WINDOW_US (10 * US_PER_S)

/* How often an event was logged in its current window. */
struct repeat {
    char event[EVENT_SIZE]; /* "": free */
    enum log_level level;
    int64_t since_us;
    uint64_t count;
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static struct {
    char service[32];
    enum log_level level;
    struct repeat repeats[REPEAT_SLOTS];
    int64_t swept_us;
    void (*sink)(void *arg, enum log_level level, const char *line);
    void *sink_arg;
} state = {.service = "-", .level = LOG_INFO};

void log_setup(const char *service, enum log_level level)
{
    text_copy(state.service, sizeof state.service, service);
    state.level = level;
}

enum log_level log_level(void)
{
    return state.level;
}

void log_set_level(enum log_level level)
{
    state.level = level;
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < countof(level_names); i++) {
        if (text_is(name, level_names[i])) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
    assert((size_t)level < countof(level_names));
    return level_names[level];
}

void log_to(void (*sink)(void *arg, enum log_level level, const char *line), void *arg)
{
    state.sink = sink;
    state.sink_arg = arg;
    memset(state.repeats, 0, sizeof state.repeats);
}

static void put_line(enum log_level level, char *line)
{
    /* What a field carries must not be able to forge another line. */
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
    if (state.sink) {
        state.sink(state.sink_arg, level, line);
        return;
    }
    size_t len = strlen(line);
    line[len] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len + 1);
    (void)written; /* there is nobody left to tell */
}

static void format_line(enum log_level level, const char *event, const char *fields, va_list args)
    __attribute__((format(printf, 3, 0)));

static void format_line(enum log_level level, const char *event, const char *fields, va_list args)
{
    char line[LINE_SIZE];
    char time[CLOCK_RFC3339_SIZE];
    size_t room = sizeof line - 1; /* one for the newline */
    int start = snprintf(line, room, "%s %s %s %.*s ", clock_to_rfc3339(clock_wall_us(), time),
                         level_names[level], state.service, EVENT_SIZE - 1, event);
    assert(start > 0);
    int rest = vsnprintf(line + start, room - (size_t)start, fields, args);
    size_t len = strlen(line);
    if (rest >= 0 && (size_t)rest >= room - (size_t)start) {
        /* Cut: say so, and not in the middle of a character. */
        len = room - 5;
        while (len && ((unsigned char)line[len] & 0xc0) == 0x80)
            len--;
        memcpy(line + len, "...", 4);
        len += 3;
    }
    while (len && line[len - 1] == ' ')
        line[--len] = 0;
    put_line(level, line);
}

static void format_parts(enum log_level level, const char *event, const char *fields, ...)
    printf_like(3, 4);

static void format_parts(enum log_level level, const char *event, const char *fields, ...)
{
    va_list args;
    va_start(args, fields);
    format_line(level, event, fields, args);
    va_end(args);
}

static void close_window(struct repeat *repeat)
{
    if (repeat->count > REPEATS_MAX)
        format_parts(repeat->level, repeat->event, "repeated=%llu",
                     (unsigned long long)(repeat->count - REPEATS_MAX));
    repeat->event[0] = 0;
}

static void close_old_windows(int64_t now_us)
{
    /* Once a second is enough to sum up. */
    if (now_us - state.swept_us < US_PER_S)
        return;
    state.swept_us = now_us;
    for (size_t i = 0; i < REPEAT_SLOTS; i++) {
        struct repeat *repeat = &state.repeats[i];
        if (repeat->event[0] && now_us - repeat->since_us >= REPEAT_WINDOW_US)
            close_window(repeat);
    }
}

/* The window of this event; the oldest one is given up when all are taken. */
static struct repeat *find_window(enum log_level level, const char *event, int64_t now_us)
{
    struct repeat *oldest = NULL;
    for (size_t i = 0; i < REPEAT_SLOTS; i++) {
        struct repeat *repeat = &state.repeats[i];
        if (!repeat->event[0]) {
            if (!oldest || oldest->event[0])
                oldest = repeat;
        } else if (repeat->level == level && strncmp(repeat->event, event, EVENT_SIZE - 1) == 0) {
            if (now_us - repeat->since_us < REPEAT_WINDOW_US)
                return repeat;
            oldest = repeat;
            break;
        } else if (!oldest || (oldest->event[0] && repeat->since_us < oldest->since_us)) {
            oldest = repeat;
        }
    }
    if (oldest->event[0])
        close_window(oldest);
    *oldest = (struct repeat){.level = level, .since_us = now_us};
    snprintf(oldest->event, sizeof oldest->event, "%.*s", EVENT_SIZE - 1, event);
    return oldest;
}

void log_event(enum log_level level, const char *event, const char *fields, ...)
{
    if (level < state.level)
        return;
    int64_t now_us = clock_mono_us();
    close_old_windows(now_us);
    struct repeat *repeat = find_window(level, event, now_us);
    if (++repeat->count > REPEATS_MAX)
        return;
    va_list args;
    va_start(args, fields);
    format_line(level, event, fields, args);
    va_end(args);
}

/* The escaped form of c; at most four characters. */
static size_t escape(unsigned char c, char to[5])
{
    const char *named = c == '"'    ? "\\\""
                        : c == '\\' ? "\\\\"
                        : c == '\n' ? "\\n"
                        : c == '\r' ? "\\r"
                        : c == '\t' ? "\\t"
                                    : NULL;
    if (named)
        return (size_t)snprintf(to, 5, "%s", named);
    if (c < 0x20 || c == 0x7f)
        return (size_t)snprintf(to, 5, "\\x%02x", c);
    to[0] = (char)c;
    to[1] = 0;
    return 1;
}

const char *log_quote(const char *text, char *to, size_t size)
{
    assert(size >= 3);
    size_t len = 0;
    to[len++] = '"';
    for (const char *at = text ? text : ""; *at; at++) {
        char escaped[5];
        size_t more = escape((unsigned char)*at, escaped);
        if (len + more + 2 > size) {
            while (len > 1 && ((unsigned char)*at & 0xc0) == 0x80) {
                at--;
                len--;
            }
            break;
        }
        memcpy(to + len, escaped, more);
        len += more;
    }
    to[len++] = '"';
    to[len] = 0;
    return to;
}
