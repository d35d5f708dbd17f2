/* log - one line per event on stderr: time level service event key=value ...
 *
 * `fields` is a printf format that writes "key=value key=value"; values that may hold spaces go
 * through %s inside double quotes or log_quote. The same event more than 20 times in 10 s is
 * counted and summed up in one line (repeated=n). Not thread safe except log_to. */
#ifndef MOMENT_BASE_LOG_H
#define MOMENT_BASE_LOG_H

#include "base/macros.h"

#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_setup(const char *service, enum log_level level);
enum log_level log_level(void);
void log_set_level(enum log_level level);
must_check int log_level_parse(const char *name, enum log_level *ret_level);
const char *log_level_name(enum log_level level);

void log_event(enum log_level level, const char *event, const char *fields, ...) printf_like(3, 4);
#define log_debug(...) log_event(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_event(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_event(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__)

/* text as a double-quoted value with ", \ and control characters escaped; cut to size. */
const char *log_quote(const char *text, char *to, size_t size);

/* Tests: send lines to a function instead of stderr; null gives stderr back. */
void log_to(void (*sink)(void *arg, enum log_level level, const char *line), void *arg);

#endif
