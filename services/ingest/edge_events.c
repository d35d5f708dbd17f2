/* edge_events - see the header. authenticate -> read -> allow -> submit -> answer after commit. */
#include "ingest/edge_events.h"

#include "base/clock.h"
#include "ingest/counters.h"
#include "ingest/rules/webhook_signature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_RETRY_S "1"

struct waiting_request {
    struct waiting_request *next;
    struct http_request *request;
};

/* A request whose events are being committed. */
struct post {
    struct post *next, **link;    /* in ingest->posts while it waits for the commit */
    struct http_request *request; /* null: answered already */
    struct source *source;
    uint32_t ignored;
};

static void count_status(unsigned status)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", status);
    metric_add(&counter_requests, text, 1);
}

static void answer_problem(struct http_request *request, const struct problem *problem)
{
    count_status(problem->status);
    http_problem(request, problem->status, problem->type,
                 problem->field[0] != '\0' ? problem->field : NULL, "%s", problem->detail);
}

static void answer_busy(struct http_request *request, const char *why)
{
    count_status(503);
    http_add_header(request, "Retry-After", BUSY_RETRY_S);
    http_problem(request, 503, "busy", NULL, "%s", why);
}

static void answer_accepted(struct http_request *request, uint32_t accepted, uint32_t duplicate,
                            uint32_t ignored)
{
    json_t *json = json_object();

    json_object_set_new(json, "accepted", json_integer(accepted));
    json_object_set_new(json, "duplicate", json_integer(duplicate));
    if (ignored > 0)
        json_object_set_new(json, "ignored", json_integer(ignored));
    count_status(202);
    http_reply_json(request, 202, json);
}

/* --- who sends ---------------------------------------------------------------------------------
 */

static struct source *by_token(const struct registry *registry, const char *authorization)
{
    for (struct source *source = registry->all; source; source = source->next)
        if (!source->removed && source->token_count > 0 &&
            webhook_bearer_fits(slice_of(authorization),
                                (const uint8_t(*)[SEAL_HASH_SIZE])source->tokens,
                                source->token_count, NULL))
            return source;
    return NULL;
}

static bool is_signed(const struct http_request *request)
{
    return http_header(request, "webhook-signature")[0] != '\0';
}

static struct source *by_signature(const struct registry *registry,
                                   const struct http_request *request)
{
    const char *name = http_header(request, "x-moment-source");
    const struct webhook_headers headers = {
        .id = slice_of(http_header(request, "webhook-id")),
        .timestamp = slice_of(http_header(request, "webhook-timestamp")),
        .signature = slice_of(http_header(request, "webhook-signature")),
    };
    const char *secrets[SOURCE_SECRETS_MAX];
    struct source *source;

    source = registry_find(registry, name[0] != '\0' ? name : http_query(request, "source"));
    if (!source || source->webhook_count == 0)
        return NULL;
    for (size_t i = 0; i < source->webhook_count; i++)
        secrets[i] = source->webhooks[i];
    return webhook_verify(&headers, http_body(request), secrets, source->webhook_count,
                          clock_wall_us()) == WEBHOOK_OK
               ? source
               : NULL;
}

static struct source *authenticate(const struct ingest *ingest, const struct http_request *request)
{
    const char *authorization = http_header(request, "authorization");

    if (authorization[0] != '\0')
        return by_token(&ingest->registry, authorization);
    return is_signed(request) ? by_signature(&ingest->registry, request) : NULL;
}

/* --- binary mode -------------------------------------------------------------------------------
 */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A ce- header: percent-decoded once, quotes taken off. "" for absent, null for broken. */
static const char *ce_header(const struct http_request *request, const char *name,
                             struct event_list *list)
{
    const char *from = http_header(request, name);
    size_t len = strlen(from), used = 0;
    char text[2048];

    if (len >= sizeof(text))
        return NULL;
    if (len >= 2 && from[0] == '"' && from[len - 1] == '"') {
        from++;
        len -= 2;
    }
    for (size_t i = 0; i < len; i++) {
        int high = -1, low = -1;

        if (from[i] == '%' && i + 2 < len) {
            high = hex_value(from[i + 1]);
            low = high < 0 ? -1 : hex_value(from[i + 2]);
        }
        if (low >= 0) {
            text[used++] = (char)(high * 16 + low);
            i += 2;
        } else if (from[i] == '\\' && i + 1 < len) {
            text[used++] = from[++i];
        } else {
            text[used++] = from[i];
        }
    }
    text[used] = '\0';
    return text_is_utf8(text, used) ? event_list_text(list, text) : NULL;
}

struct emotion_search {
    bool found;
    char name[64];
};

static void look_at_header(void *arg, const char *name, const char *value)
{
    struct emotion_search *search = arg;
    json_t *pair cleanup_with(json_unref) = NULL;
    struct problem problem;

    (void)value;
    if (search->found || strncasecmp(name, "ce-", 3) != 0)
        return;
    pair = json_object();
    json_object_set_new(pair, name + 3, json_null());
    if (neutral_has_agent_emotion(pair, "", &problem)) {
        search->found = true;
        text_copy(search->name, sizeof(search->name), name);
    }
}

static int refuse_header(const char *name, const char *detail, struct problem *problem)
{
    problem_set(problem, 422, "invalid-field", name, "%s", detail);
    return -EINVAL;
}

static int read_binary(const struct http_request *request, const json_t *data,
                       const struct codec_sender *sender, struct neutral_result *result,
                       struct problem *problem)
{
    struct neutral_attributes attributes = {.data = data};
    struct emotion_search search = {.found = false};
    const struct {
        const char *name;
        const char **value;
        bool required;
    } headers[] = {
        {"ce-id", &attributes.id, true},      {"ce-source", &attributes.source, true},
        {"ce-type", &attributes.type, true},  {"ce-subject", &attributes.subject, false},
        {"ce-time", &attributes.time, false},
    };

    if (strcmp(http_header(request, "ce-specversion"), "1.0") != 0)
        return refuse_header("ce-specversion", "Only 1.0 is understood.", problem);
    for (size_t i = 0; i < countof(headers); i++) {
        *headers[i].value = ce_header(request, headers[i].name, result->list);
        if (!*headers[i].value)
            return refuse_header(headers[i].name, "Not percent-encoded UTF-8.", problem);
        if (headers[i].required && (*headers[i].value)[0] == '\0')
            return refuse_header(headers[i].name, "Required.", problem);
    }
    /* A signature covers the body alone; the id at least ties the headers to it. */
    if (is_signed(request) && http_header(request, "authorization")[0] == '\0' &&
        strcmp(http_header(request, "webhook-id"), attributes.id) != 0)
        return refuse_header("webhook-id", "Must equal ce-id in the binary mode.", problem);
    http_each_header(request, look_at_header, &search);
    if (search.found) {
        problem_set(problem, 422, "agent-emotion-refused", search.name,
                    "An agent's emotion or mood is not taken, wherever it was inferred from.");
        return -EINVAL;
    }
    return neutral_read(&attributes, "", sender, result, problem);
}

/* --- the body ----------------------------------------------------------------------------------
 */

enum mode { MODE_UNSUPPORTED, MODE_STRUCTURED, MODE_BATCH, MODE_BINARY, MODE_PLAIN };

static bool type_is(struct slice type, const char *name)
{
    return slice_is_nocase(type, name);
}

static bool type_is_json(struct slice type)
{
    return type_is(type, "application/json") ||
           (type.len > 5 && slice_is_nocase((struct slice){type.at + type.len - 5, 5}, "+json"));
}

static enum mode mode_of(const struct http_request *request)
{
    struct slice type = slice_of(http_header(request, "content-type"));
    const char *end = memchr(type.at, ';', type.len);

    if (end)
        type.len = (size_t)(end - type.at);
    type = slice_trim(type);
    if (type_is(type, "application/cloudevents+json"))
        return MODE_STRUCTURED;
    if (type_is(type, "application/cloudevents-batch+json"))
        return MODE_BATCH;
    if (type.len >= 23 && slice_is_nocase((struct slice){type.at, 23}, "application/cloudevents"))
        return MODE_UNSUPPORTED;
    if (http_header(request, "ce-specversion")[0] != '\0')
        return type.len == 0 || type_is_json(type) ? MODE_BINARY : MODE_UNSUPPORTED;
    return type_is_json(type) ? MODE_PLAIN : MODE_UNSUPPORTED;
}

/* application/json alone: whatever it turns out to be. */
static int read_plain(const struct http_request *request, const json_t *json,
                      const struct codec_sender *sender, struct neutral_result *result,
                      struct problem *problem)
{
    const char *webhook_id = http_header(request, "webhook-id");

    if (json_is_array(json))
        return neutral_read_batch(json, sender, result, problem);
    if (webhook_id[0] != '\0' && !json_object_get(json, "specversion"))
        return neutral_read_webhook(json, webhook_id, sender, result, problem);
    return neutral_read_cloudevent(json, "", sender, result, problem);
}

static int read_body(const struct http_request *request, enum mode mode,
                     const struct codec_sender *sender, struct neutral_result *result,
                     struct problem *problem)
{
    json_t *json cleanup_with(json_unref) = NULL;
    struct json_error error;

    if (json_parse(http_body(request), &json, &error) < 0) {
        problem_set(problem, 400, "malformed", error.path, "Not JSON that can be read: %s",
                    error.message);
        return -EINVAL;
    }
    switch (mode) {
    case MODE_STRUCTURED:
        return neutral_read_cloudevent(json, "", sender, result, problem);
    case MODE_BATCH:
        return neutral_read_batch(json, sender, result, problem);
    case MODE_BINARY:
        return read_binary(request, json, sender, result, problem);
    case MODE_PLAIN:
        return read_plain(request, json, sender, result, problem);
    case MODE_UNSUPPORTED:
    default:
        return -EINVAL;
    }
}

/* --- how much ----------------------------------------------------------------------------------
 */

/* A token bucket: events_per_s in the long run, events_burst at once. Returns seconds to wait, 0
 * for now.
 */
static unsigned take_allowance(const struct ingest *ingest, struct source *source, size_t events)
{
    double rate = (double)conf_integer(ingest->conf, "events_per_s");
    double burst = (double)conf_integer(ingest->conf, "events_burst");
    int64_t now_us = clock_mono_us();
    double missing;

    if (rate <= 0)
        return 0;
    if (source->allowance < 0)
        source->allowance = burst;
    else
        source->allowance += rate * (double)(now_us - source->allowance_at) / (double)US_PER_S;
    if (source->allowance > burst)
        source->allowance = burst;
    source->allowance_at = now_us;
    missing = (double)events - source->allowance;
    /* A batch larger than the burst passes with a full bucket, and the debt is paid off. */
    if (missing > 0 && source->allowance < burst)
        return (unsigned)(missing / rate) + 1;
    source->allowance = missing > 0 ? 0 : source->allowance - (double)events;
    return 0;
}

/* --- the request -------------------------------------------------------------------------------
 */

static void link_post(struct ingest *ingest, struct post *post)
{
    post->next = ingest->posts;
    post->link = &ingest->posts;
    if (post->next)
        post->next->link = &post->next;
    ingest->posts = post;
}

static void unlink_post(struct post *post)
{
    *post->link = post->next;
    if (post->next)
        post->next->link = post->link;
}

/* The events stay in the queue and will be stored, but nobody knows when: the sender comes again
 * and is told that they are duplicates. */
void edge_events_give_up(struct ingest *ingest)
{
    for (struct post *post = ingest->posts; post; post = post->next) {
        if (!post->request)
            continue;
        answer_busy(post->request, "The database is away; come again.");
        post->request = NULL;
    }
}

static void on_applied(struct event_work *work, int status, const struct db_error *error)
{
    struct post *post = work->arg;

    unlink_post(post);
    if (status == 0) {
        source_count(post->source, work->accepted, work->duplicate, 0);
        if (post->ignored > 0)
            metric_add(&counter_ignored, post->source->name, post->ignored);
    }
    if (!post->request) {
        free(post);
        return;
    }
    if (status == 0) {
        answer_accepted(post->request, work->accepted, work->duplicate, post->ignored);
    } else if (status == -ESHUTDOWN || status == -ECANCELED || status == -ENOBUFS) {
        answer_busy(post->request, "Shutting down.");
    } else {
        count_status(500);
        http_problem(post->request, 500, "not-stored", NULL, "The events could not be stored (%s).",
                     error ? error->sqlstate : "");
    }
    free(post);
}

/* Refused requests count at least one event. */
static void refuse(const struct post *post, const struct problem *problem)
{
    source_count(post->source, 0, 0, 1);
    answer_problem(post->request, problem);
}

static bool read_events(struct post *post, struct event_work *work)
{
    enum mode mode = mode_of(post->request);
    struct codec_sender sender = {
        .source = post->source->name,
        .system = post->source->system,
        .site = post->source->site,
        .now_us = clock_wall_us(),
    };
    struct neutral_result result = {.list = &work->events};
    struct problem problem = {.status = 0};

    if (mode == MODE_UNSUPPORTED) {
        problem_set(&problem, 415, "unsupported-media-type", "content-type",
                    "CloudEvents 1.0 in JSON (structured, batch or binary) is understood.");
        refuse(post, &problem);
        return false;
    }
    if (read_body(post->request, mode, &sender, &result, &problem) < 0) {
        if (problem.status == 0)
            problem_set(&problem, 503, "busy", NULL, "Out of memory.");
        refuse(post, &problem);
        return false;
    }
    post->ignored = result.ignored;
    return true;
}

static bool is_allowed(const struct ingest *ingest, const struct post *post,
                       const struct event_work *work)
{
    unsigned wait_s = take_allowance(ingest, post->source, work->events.count);
    char text[16];

    if (wait_s == 0)
        return true;
    snprintf(text, sizeof(text), "%u", wait_s > 60 ? 60 : wait_s);
    count_status(429);
    http_add_header(post->request, "Retry-After", text);
    http_problem(post->request, 429, "too-many-requests", NULL,
                 "This source sends more events than it may.");
    return false;
}

static void take(struct ingest *ingest, struct post *post)
{
    struct event_work *work = event_work_new(ingest->moments, on_applied, post);

    if (!work) {
        answer_busy(post->request, "Out of memory.");
        free(post);
        return;
    }
    if (!read_events(post, work) || !is_allowed(ingest, post, work)) {
        event_work_free(work);
        free(post);
        return;
    }
    /* Also a request without a single new event waits for a commit: see moments.h. */
    if (event_work_submit(ingest->stream, work) < 0) {
        answer_busy(post->request, "Too much is waiting to be stored; come again.");
        event_work_free(work);
        free(post);
        return;
    }
    link_post(ingest, post);
}

static void handle(struct ingest *ingest, struct http_request *request)
{
    struct source *source;
    struct post *post;

    if (ingest->is_draining || !stream_is_ready(ingest->stream)) {
        answer_busy(request, "Not ready to store anything; come again.");
        return;
    }
    source = authenticate(ingest, request);
    if (!source) {
        count_status(401);
        http_add_header(request, "WWW-Authenticate", "Bearer");
        http_problem(request, 401, "unauthorised", NULL,
                     "A bearer token or a valid signature of a source is required.");
        return;
    }
    post = calloc(1, sizeof(*post));
    if (!post) {
        answer_busy(request, "Out of memory.");
        return;
    }
    post->request = request;
    post->source = source;
    take(ingest, post);
}

void edge_events_post(void *state, struct http_request *request)
{
    struct ingest *ingest = state;
    struct waiting_request *waiting;

    if (!ingest || ingest->is_draining || !ingest->registry.is_loading) {
        if (ingest)
            handle(ingest, request);
        else
            answer_busy(request, "Not ready to store anything; come again.");
        return;
    }
    waiting = calloc(1, sizeof(*waiting));
    if (!waiting) {
        answer_busy(request, "Out of memory.");
        return;
    }
    waiting->request = request;
    waiting->next = ingest->waiting;
    ingest->waiting = waiting;
}

void edge_events_go_on(struct ingest *ingest)
{
    struct waiting_request *list = ingest->waiting;

    ingest->waiting = NULL;
    while (list) {
        struct waiting_request *next = list->next;

        handle(ingest, list->request);
        free(list);
        list = next;
    }
}

/* CloudEvents HTTP webhooks, abuse protection: may you send? With a token, yes. */
void edge_events_options(void *state, struct http_request *request)
{
    const char *origin = http_header(request, "webhook-request-origin");

    (void)state;
    if (origin[0] != '\0') {
        http_add_header(request, "WebHook-Allowed-Origin", origin);
        http_add_header(request, "WebHook-Allowed-Rate", "*");
    }
    http_add_header(request, "Allow", "OPTIONS, POST");
    http_reply(request, 204, NULL, NULL, 0);
}
