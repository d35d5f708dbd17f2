/* query - query parameters of the API, checked: the unknown are refused, the bad are named; and the
 * few ways to answer. A function that returns false has answered the request. */
#ifndef MOMENT_REPORTING_QUERY_H
#define MOMENT_REPORTING_QUERY_H

#include "base/id.h"
#include "io/bus.h"
#include "io/http.h"

must_check bool query_only(struct http_request *request, const char *const *known, size_t count);
/* Null when absent; borrowed from the request. An empty value is refused. */
must_check bool query_text(struct http_request *request, const char *name, const char **ret_text);
/* One of the words; null when absent. */
must_check bool query_word(struct http_request *request, const char *name, const char *const *words,
                           size_t count, const char **ret_word);
/* A value of an enumeration, as told by is_value; null when absent. */
must_check bool query_value(struct http_request *request, const char *name,
                            int (*is_value)(const char *name, int *ret_number),
                            const char **ret_name, int *ret_number);
must_check bool query_integer(struct http_request *request, const char *name, int64_t min,
                              int64_t max, int64_t fallback, int64_t *ret_value);
/* RFC 3339, cut to milliseconds; 0 when absent. */
must_check bool query_time(struct http_request *request, const char *name, int64_t *ret_us);
must_check bool query_flag(struct http_request *request, const char *name, bool fallback,
                           bool *ret_flag);
/* An IANA name; "UTC" when absent. Whether it exists, the database knows. */
must_check bool query_time_zone(struct http_request *request, const char **ret_tz);
/* Content-Type application/json, else 415. */
must_check bool query_is_json(struct http_request *request);

/* 200 with no-store; null json is 503. Takes the reference. */
void query_reply(struct http_request *request, json_t *json);
void query_reply_problem(struct http_request *request, const struct problem *problem);
json_t *query_problem_json(const struct problem *problem);

#endif
