#include "reporting/query.h"

#include "base/clock.h"
#include "base/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct known {
    const char *const *names;
    size_t count;
    char unknown[64];
};

static void look_up(void *arg, const char *name, const char *value)
{
    struct known *known = arg;

    (void)value;
    for (size_t i = 0; i < known->count; i++) {
        if (strcmp(known->names[i], name) == 0)
            return;
    }
    text_copy(known->unknown, sizeof(known->unknown), name[0] != '\0' ? name : "(empty)");
}

bool query_only(struct http_request *request, const char *const *names, size_t count)
{
    struct known known = {names, count, ""};

    http_each_query(request, look_up, &known);
    if (known.unknown[0] == '\0')
        return true;
    http_problem(request, 400, "unknown-parameter", known.unknown,
                 "There is no query parameter %s here.", known.unknown);
    return false;
}

static bool refuse(struct http_request *request, const char *name, const char *what)
{
    http_problem(request, 400, "invalid-field", name, "%s %s.", name, what);
    return false;
}

bool query_text(struct http_request *request, const char *name, const char **ret_text)
{
    *ret_text = NULL;
    if (!http_has_query(request, name))
        return true;
    const char *text = http_query(request, name);

    if (text[0] == '\0' || strlen(text) > 256)
        return refuse(request, name, "must be a text of 1 to 256 bytes");
    if (!text_is_utf8(text, strlen(text)))
        return refuse(request, name, "is not UTF-8");
    *ret_text = text;
    return true;
}

bool query_word(struct http_request *request, const char *name, const char *const *words,
                size_t count, const char **ret_word)
{
    char list[160] = "must be one of";
    size_t used = strlen(list);

    if (!query_text(request, name, ret_word))
        return false;
    if (*ret_word == NULL)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], *ret_word) == 0)
            return true;
        int more = snprintf(list + used, sizeof(list) - used, " %s", words[i]);

        if (more > 0 && (size_t)more < sizeof(list) - used)
            used += (size_t)more;
    }
    return refuse(request, name, list);
}

bool query_value(struct http_request *request, const char *name,
                 int (*is_value)(const char *name, int *ret_number), const char **ret_name,
                 int *ret_number)
{
    if (!query_text(request, name, ret_name))
        return false;
    if (*ret_name != NULL && is_value(*ret_name, ret_number) < 0)
        return refuse(request, name, "has a value that the API description does not list");
    return true;
}

bool query_integer(struct http_request *request, const char *name, int64_t min, int64_t max,
                   int64_t fallback, int64_t *ret_value)
{
    char what[96];

    *ret_value = fallback;
    if (!http_has_query(request, name))
        return true;
    if (text_to_i64(slice_of(http_query(request, name)), min, max, ret_value) == 0)
        return true;
    (void)snprintf(what, sizeof(what), "must be a whole number from %lld to %lld", (long long)min,
                   (long long)max);
    return refuse(request, name, what);
}

bool query_time(struct http_request *request, const char *name, int64_t *ret_us)
{
    *ret_us = 0;
    if (!http_has_query(request, name))
        return true;
    if (clock_from_rfc3339(slice_of(http_query(request, name)), ret_us) < 0 || *ret_us <= 0)
        return refuse(request, name, "must be an RFC 3339 time like 2026-03-02T14:06:05.000Z");
    *ret_us -= *ret_us % US_PER_MS;
    return true;
}

bool query_flag(struct http_request *request, const char *name, bool fallback, bool *ret_flag)
{
    static const char *const words[] = {"true", "false"};
    const char *word;

    if (!query_word(request, name, words, countof(words), &word))
        return false;
    *ret_flag = word != NULL ? strcmp(word, "true") == 0 : fallback;
    return true;
}

/* PostgreSQL would take "FOO3" for an offset of its own making; names of zones have digits only
 * after Etc/GMT. */
static bool may_be_time_zone(const char *name)
{
    bool may_have_digits = strncmp(name, "Etc/", 4) == 0;

    if (strlen(name) > 64)
        return false;
    for (const char *c = name; *c != '\0'; c++) {
        if (isdigit((unsigned char)*c) && !may_have_digits)
            return false;
        if (!isalnum((unsigned char)*c) && strchr("/_+-", *c) == NULL)
            return false;
    }
    return isalpha((unsigned char)name[0]) != 0;
}

/* What PostgreSQL would refuse as well, but as an error in its log. */
static bool is_time_zone(const char *name)
{
    struct zone *zone;

    if (!may_be_time_zone(name) || zone_open(name, &zone) < 0)
        return false;
    zone_close(&zone);
    return true;
}

bool query_time_zone(struct http_request *request, const char **ret_tz)
{
    if (!query_text(request, "tz", ret_tz))
        return false;
    if (*ret_tz == NULL)
        *ret_tz = "UTC";
    return is_time_zone(*ret_tz) ||
           refuse(request, "tz", "must be an IANA time zone like Europe/Paris");
}

bool query_is_json(struct http_request *request)
{
    const char *type = http_header(request, "Content-Type");
    size_t len = strcspn(type, "; ");

    if (slice_is_nocase((struct slice){type, len}, "application/json"))
        return true;
    http_problem(request, 415, "unsupported-media-type", NULL, "Send application/json.");
    return false;
}

void query_reply(struct http_request *request, json_t *json)
{
    if (json == NULL) {
        http_problem(request, 503, "unavailable", NULL, "Out of memory; try again.");
        return;
    }
    http_add_header(request, "Cache-Control", "no-store");
    http_reply_json(request, 200, json);
}

void query_reply_problem(struct http_request *request, const struct problem *problem)
{
    if (problem->status == 503)
        http_add_header(request, "Retry-After", "1");
    http_problem(request, problem->status, problem->type,
                 problem->field[0] != '\0' ? problem->field : NULL, "%s", problem->detail);
}

/* As http_problem writes it. */
json_t *query_problem_json(const struct problem *problem)
{
    char type[64];

    (void)snprintf(type, sizeof(type), "/problems/%s", problem->type);
    return json_pack("{s:s,s:s,s:i,s:o,s:o}", "type", type, "title",
                     problem->title[0] != '\0' ? problem->title : problem->type, "status",
                     (int)problem->status, "detail", json_text_or_null(problem->detail), "field",
                     json_text_or_null(problem->field));
}
