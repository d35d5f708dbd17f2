#include "io/http.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/seal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    HEADER_BYTES_MAX = 16 * 1024,
    /* Larger than the header limit, so that our own 431 with problem+json is the usual one. */
    CONNECTION_BYTES = 64 * 1024,
    IDLE_S = 30,
    /* From the connection, or the answer before, to the end of a request: a byte now and then keeps
     * no connection from others. */
    REQUEST_S = 30,
    SWEEP_MS = 1000,
    BACKLOG = 512,
    PARAMETERS_MAX = 8,
    HEADERS_MAX = 24,
    SEGMENTS_MAX = 30,
    /* What is read and thrown away so that a client that sends too much hears why. */
    DISCARD_BYTES_MAX = 1024 * 1024,
    FILE_BYTES_MAX = 16 * 1024 * 1024,
    PING_MS = 15000,
    RETRY_MS = 1000,
    SSE_BLOCK_BYTES = 16 * 1024,
};

static struct metric request_seconds = {
    .name = "moment_http_request_seconds",
    .kind = METRIC_HISTOGRAM,
    .help = "From a request's header to its answer, by route.",
    .label = "route",
};
static struct metric responses_total = {
    .name = "moment_http_responses_total",
    .kind = METRIC_COUNTER,
    .help = "Answers, by status code.",
    .label = "status",
};
static struct metric sse_clients = {
    .name = "moment_http_sse_clients",
    .kind = METRIC_GAUGE,
    .help = "Open event streams.",
};
struct metric *const http_metrics[] = {&request_seconds, &responses_total, &sse_clients};
const size_t http_metric_count = countof(http_metrics);

enum stage {
    STARTING, /* the header is here */
    READING,  /* the body comes in */
    WAITING,  /* the route's handler has it */
    ANSWERED, /* a response is queued */
};

struct parameter {
    struct slice name; /* borrowed from the route */
    char *value;       /* owned */
};

struct header {
    char *name;  /* owned */
    char *value; /* owned */
};

/* Freed when the connection is done with it and the owner has replied, whichever is later. */
struct http_request {
    struct http *http;                 /* null once the server is closed */
    struct MHD_Connection *connection; /* null once the connection is done with it */
    struct http_request *next;         /* in http->requests */
    struct http_request **link;        /* what points here */
    enum stage stage;
    bool is_in_handler;
    bool is_suspended;
    bool is_replied;
    size_t discarded;
    char *path; /* owned; raw, without query */
    char method[24];
    char remote[INET6_ADDRSTRLEN];
    int64_t began_us;
    const struct http_route *route; /* null: none found */
    struct parameter parameters[PARAMETERS_MAX];
    size_t parameter_count;
    struct header headers[HEADERS_MAX];
    size_t header_count;
    struct buf body;
    struct MHD_Response *response; /* owned until queued */
    unsigned status;
    struct sse *sse; /* owned; null: an ordinary answer */
};

/* A connection, whether or not it has ever asked for anything. MHD's. */
struct client {
    struct client *next; /* in http->clients */
    struct client **link;
    int64_t waiting_since_us; /* for the rest of a request; 0: it has been answered or is in work */
    int fd;
};

struct http {
    struct loop *loop;
    const struct http_route *routes; /* borrowed */
    size_t route_count;
    void *state; /* borrowed */
    struct MHD_Daemon *daemon;
    struct http_request *requests;
    struct client *clients;
    struct timer *timer; /* what MHD_get_timeout asked for */
    struct timer *ping;
    struct timer *sweep;
    uv_poll_t poll;
    uv_idle_t kick; /* runs MHD once, from the loop and never from inside MHD */
    unsigned open_handles;
    int port;
    bool is_draining;
    bool is_running; /* inside MHD_run */
};

struct sse {
    struct http_request *request;
    struct buf backlog;
    uv_poll_t *gone; /* tells when the client leaves while MHD does not listen */
    bool is_suspended;
    bool is_ending;  /* after the backlog */
    bool is_aborted; /* at once */
    bool was_full;
    void (*on_close)(void *arg);
    void *on_close_arg;
    void (*on_drain)(void *arg);
    void *on_drain_arg;
};

/* --- driving libmicrohttpd from the loop --------------------------------------------------- */

static void on_kick(uv_idle_t *idle);

/* A resumed connection is served only by the next MHD_run, and that must not be nested. */
static void kick(struct http *http)
{
    uv_idle_start(&http->kick, on_kick);
}

static void tell_drained(struct http *http)
{
    for (struct http_request *request = http->requests, *next; request; request = next) {
        next = request->next;
        struct sse *sse = request->sse;
        if (!sse || !sse->was_full || sse->is_ending || sse->is_aborted ||
            sse->backlog.len > SSE_BACKLOG_MAX / 2)
            continue;
        sse->was_full = false;
        if (sse->on_drain)
            sse->on_drain(sse->on_drain_arg);
    }
}

static void run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    assert(!http->is_running);
    http->is_running = true;
    MHD_run(http->daemon);
    http->is_running = false;
    if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
        timer_stop(http->timer);
    else if (timeout_ms == 0)
        kick(http);
    else
        timer_start(http->timer, timeout_ms, 0);
    tell_drained(http);
}

static void on_kick(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    run(idle->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status; /* MHD finds out itself what is wrong */
    (void)events;
    run(poll->data);
}

static void on_timer(void *arg)
{
    run(arg);
}

static void on_mhd_log(void *arg, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void on_mhd_log(void *arg, const char *format, va_list args)
{
    char text[256];
    char quoted[300];
    (void)arg;
    vsnprintf(text, sizeof text, format, args);
    log_debug("http_library", "message=%s", log_quote(text, quoted, sizeof quoted));
}

/* --- routes -------------------------------------------------------------------------------- */

/* Takes "segment" off "/segment/rest"; false at the end. */
static bool next_segment(const char **at, struct slice *ret_segment)
{
    if (**at != '/')
        return false;
    const char *start = *at + 1;
    size_t len = strcspn(start, "/");
    *ret_segment = (struct slice){start, len};
    *at = start + len;
    return true;
}

static bool is_parameter(struct slice segment)
{
    return segment.len > 2 && segment.at[0] == '{' && segment.at[segment.len - 1] == '}';
}

static bool is_rest(struct slice segment)
{
    return is_parameter(segment) && segment.len > 5 &&
           memcmp(segment.at + segment.len - 4, "...}", 4) == 0;
}

static struct slice parameter_name(struct slice segment)
{
    size_t around = is_rest(segment) ? 5 : 2;
    return (struct slice){segment.at + 1, segment.len - around};
}

/* 0: no match. Otherwise two bits a segment, from the left: literal 3, parameter 2, rest 1. */
static uint64_t rank_of(const char *pattern, const char *path)
{
    uint64_t rank = 0;
    struct slice wanted, given;
    for (unsigned shift = 62; next_segment(&pattern, &wanted); shift -= 2) {
        if (!next_segment(&path, &given))
            return 0;
        if (is_rest(wanted))
            return rank | UINT64_C(1) << shift;
        bool is_literal = !is_parameter(wanted);
        if (is_literal ? wanted.len != given.len || memcmp(wanted.at, given.at, given.len) != 0
                       : given.len == 0)
            return 0;
        rank |= (is_literal ? UINT64_C(3) : UINT64_C(2)) << shift;
    }
    return *path ? 0 : rank;
}

static bool takes_method(const struct http_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void list_method(char *list, size_t size, const char *method)
{
    size_t len = strlen(list);
    if (len && len + 2 < size) {
        text_copy(list + len, size - len, ", ");
        len += 2;
    }
    text_copy(list + len, size - len, method);
}

/* The route of the best pattern for this method; if there is none, allow lists the other ones. */
static const struct http_route *find_route(const struct http *http, const char *method,
                                           const char *path, char *allow, size_t allow_size)
{
    uint64_t best = 0;
    const struct http_route *found = NULL;
    for (size_t i = 0; i < http->route_count; i++) {
        uint64_t rank = rank_of(http->routes[i].path, path);
        best = rank > best ? rank : best;
    }
    allow[0] = 0;
    for (size_t i = 0; best && i < http->route_count; i++) {
        const struct http_route *route = &http->routes[i];
        if (rank_of(route->path, path) != best)
            continue;
        if (!found && takes_method(route, method))
            found = route;
        list_method(allow, allow_size, route->method);
        if (strcmp(route->method, "GET") == 0)
            list_method(allow, allow_size, "HEAD");
    }
    return found;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Percent-decoded copy; null if it is not UTF-8, holds a NUL, or memory is short. */
static char *decode(struct slice raw)
{
    char *text = malloc(raw.len + 1);
    size_t len = 0;
    for (size_t i = 0; text && i < raw.len; i++) {
        int high = raw.at[i] == '%' && i + 2 < raw.len ? hex_value(raw.at[i + 1]) : -1;
        int low = high >= 0 ? hex_value(raw.at[i + 2]) : -1;
        if (low >= 0)
            i += 2;
        text[len++] = low >= 0 ? (char)(high << 4 | low) : raw.at[i];
    }
    if (!text || !text_is_utf8(text, len)) {
        free(text);
        return NULL;
    }
    text[len] = 0;
    return text;
}

static bool take_parameters(struct http_request *request)
{
    const char *pattern = request->route->path;
    const char *path = request->path;
    struct slice wanted, given;
    while (next_segment(&pattern, &wanted)) {
        if (!next_segment(&path, &given))
            return false;
        if (!is_parameter(wanted))
            continue;
        if (is_rest(wanted))
            given.len = strlen(given.at);
        assert(request->parameter_count < PARAMETERS_MAX);
        struct parameter *parameter = &request->parameters[request->parameter_count++];
        parameter->name = parameter_name(wanted);
        parameter->value = decode(given);
        if (!parameter->value)
            return false;
    }
    return true;
}

/* --- connections --------------------------------------------------------------------------- */

static void client_begin(struct http *http, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct client *client = info ? calloc(1, sizeof *client) : NULL;
    *context = client;
    if (!client)
        return; /* MHD's own limits hold for it */
    client->fd = info->connect_fd;
    client->waiting_since_us = clock_mono_us();
    client->next = http->clients;
    client->link = &http->clients;
    if (client->next)
        client->next->link = &client->next;
    http->clients = client;
}

static void client_end(struct client *client)
{
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    free(client);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        client_begin(arg, connection, context);
        return;
    }
    if (*context)
        client_end(*context);
    /* At the limit MHD listens no more, and looks whether it may again only when it runs. */
    kick(arg);
}

/* since_us 0: nothing is expected of the client. */
static void client_waits(struct MHD_Connection *connection, int64_t since_us)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct client *client = info ? info->socket_context : NULL;
    if (client)
        client->waiting_since_us = since_us;
}

/* MHD counts only how long nothing at all has come. */
static void on_sweep(void *arg)
{
    const struct http *http = arg;
    int64_t oldest_us = clock_mono_us() - REQUEST_S * US_PER_S;
    for (const struct client *client = http->clients; client; client = client->next)
        if (client->waiting_since_us && client->waiting_since_us < oldest_us)
            shutdown(client->fd, SHUT_RDWR); /* MHD sees the end and closes it */
}

/* --- the life of a request ----------------------------------------------------------------- */

static void link_request(struct http *http, struct http_request *request)
{
    request->http = http;
    request->next = http->requests;
    request->link = &http->requests;
    if (request->next)
        request->next->link = &request->next;
    http->requests = request;
}

static void unlink_request(struct http_request *request)
{
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    request->next = NULL;
    request->link = NULL;
    request->http = NULL;
}

static void free_request(struct http_request *request)
{
    for (size_t i = 0; i < request->parameter_count; i++)
        free(request->parameters[i].value);
    for (size_t i = 0; i < request->header_count; i++) {
        free(request->headers[i].name);
        free(request->headers[i].value);
    }
    if (request->response)
        MHD_destroy_response(request->response);
    buf_done(&request->body);
    free(request->path);
    free(request);
}

/* The first that MHD tells of a request, and the only time it shows the URI as it was sent. What
 * it returns comes back as *context. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
    struct http *http = arg;
    struct http_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    if (strncmp(uri, "http://", 7) == 0)
        uri = uri + 7 + strcspn(uri + 7, "/?");
    request->path = strndup(uri, strcspn(uri, "?"));
    if (!request->path) {
        free(request);
        return NULL;
    }
    request->connection = connection;
    request->began_us = clock_mono_us();
    link_request(http, request);
    return request;
}

static void on_sse_done(struct sse *sse);

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct http_request *request = *context;
    (void)arg;
    (void)why;
    if (!request)
        return;
    *context = NULL;
    client_waits(connection, clock_mono_us());
    unlink_request(request);
    request->connection = NULL;
    struct sse *sse = request->sse;
    request->sse = NULL;
    /* Nobody has it unless a handler does: that one will still reply. */
    if (request->is_replied || request->stage != WAITING)
        free_request(request);
    if (sse)
        on_sse_done(sse);
}

static void count_answer(const struct http_request *request)
{
    char status[16];
    snprintf(status, sizeof status, "%u", request->status);
    metric_add(&responses_total, status, 1);
    metric_observe(&request_seconds, request->route ? request->route->path : "none",
                   (double)(clock_mono_us() - request->began_us) / 1e6);
}

static enum MHD_Result queue_response(struct http_request *request)
{
    assert(request->response);
    request->stage = ANSWERED;
    if (request->http->is_draining)
        MHD_add_response_header(request->response, "Connection", "close");
    enum MHD_Result result =
        MHD_queue_response(request->connection, request->status, request->response);
    MHD_destroy_response(request->response); /* the queue has its own reference */
    request->response = NULL;
    count_answer(request);
    return result;
}

/* The one way to answer: takes the response (null: memory is short, the connection is cut). */
static void answer(struct http_request *request, unsigned status, struct MHD_Response *response)
{
    assert(!request->is_replied);
    request->is_replied = true;
    request->status = status;
    request->response = response;
    bool has_cache = false;
    for (size_t i = 0; response && i < request->header_count; i++) {
        has_cache =
            has_cache || slice_is_nocase(slice_of(request->headers[i].name), "Cache-Control");
        MHD_add_response_header(response, request->headers[i].name, request->headers[i].value);
    }
    if (response && !has_cache)
        MHD_add_response_header(response, "Cache-Control", "no-store");
    if (response)
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");

    if (!request->connection) {
        free_request(request);
        return;
    }
    if (request->is_suspended) {
        request->is_suspended = false;
        MHD_resume_connection(request->connection);
        kick(request->http);
    }
}

static uint64_t content_length(const struct http_request *request)
{
    int64_t len;
    const char *text = http_header(request, "Content-Length");
    return text_to_i64(slice_of(text), 0, INT64_MAX, &len) == 0 ? (uint64_t)len : 0;
}

static enum MHD_Result check_query(void *arg, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    bool *is_good = arg;
    (void)kind;
    *is_good =
        *is_good && text_is_utf8(name, name_len) && (!value || text_is_utf8(value, value_len));
    return MHD_YES;
}

struct lengths {
    unsigned lengths;
    unsigned encodings;
    bool is_chunked;
};

static enum MHD_Result count_length(void *arg, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct lengths *found = arg;
    (void)kind;
    if (slice_is_nocase(slice_of(name), "Content-Length"))
        found->lengths++;
    if (slice_is_nocase(slice_of(name), "Transfer-Encoding")) {
        found->encodings++;
        found->is_chunked = value && slice_is_nocase(slice_of(value), "chunked");
    }
    return MHD_YES;
}

/* Whoever stands in front of us may read such a header in another way, and what is the body of one
 * request to it would be the next request to us. */
static bool has_one_length(const struct http_request *request)
{
    struct lengths found = {0};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_length, &found);
    return found.lengths + found.encodings <= 1 && (!found.encodings || found.is_chunked);
}

/* Everything that can be refused before a byte of the body is read. True: go on. */
static bool admit(struct http_request *request)
{
    char allow[128];
    bool is_query_good = true;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, check_query,
                                &is_query_good);
    request->route = find_route(request->http, request->method, request->path, allow, sizeof allow);

    if (info && info->header_size > HEADER_BYTES_MAX) {
        http_problem(request, 431, "header-too-large", NULL, "The header is larger than %d bytes.",
                     HEADER_BYTES_MAX);
    } else if (!has_one_length(request)) {
        http_add_header(request, "Connection", "close");
        http_problem(request, 400, "ambiguous-length", NULL,
                     "A body has one Content-Length, or is sent as Transfer-Encoding: chunked.");
    } else if (!request->route && allow[0]) {
        http_add_header(request, "Allow", allow);
        http_problem(request, 405, "method-not-allowed", NULL, "This path takes %s.", allow);
    } else if (!request->route) {
        http_problem(request, 404, "not-found", NULL, "There is nothing at this path.");
    } else if (!is_query_good || !take_parameters(request)) {
        http_problem(request, 400, "invalid-text", NULL, "The address is not valid UTF-8 text.");
    } else if (content_length(request) > request->route->body_max) {
        http_problem(request, 413, "body-too-large", NULL, "The body may have %zu bytes.",
                     request->route->body_max);
    } else {
        buf_init(&request->body, request->route->body_max);
        return true;
    }
    return false;
}

static void note_client(struct http_request *request, const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    text_copy(request->method, sizeof request->method, method);
    if (info && info->client_addr)
        uv_ip_name(info->client_addr, request->remote, sizeof request->remote);
}

/* A response can be queued before the body or after it, but not in between. */
static enum MHD_Result take_body(struct http_request *request, const char *bytes, size_t len)
{
    if (!request->discarded && buf_append(&request->body, bytes, len) == 0)
        return MHD_YES;
    request->discarded += len;
    return request->discarded <= DISCARD_BYTES_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result dispatch(struct http_request *request)
{
    request->stage = WAITING;
    client_waits(request->connection, 0);
    request->is_in_handler = true;
    if (request->discarded)
        http_problem(request, 413, "body-too-large", NULL, "The body may have %zu bytes.",
                     request->route->body_max);
    else
        request->route->handler(request->http->state, request);
    request->is_in_handler = false;
    if (request->is_replied)
        return request->response ? queue_response(request) : MHD_NO;
    request->is_suspended = true;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *len, void **context)
{
    struct http_request *request = *context;
    (void)arg;
    (void)connection;
    (void)url;
    (void)version;
    if (!request)
        return MHD_NO;
    switch (request->stage) {
    case STARTING:
        note_client(request, method);
        request->stage = READING;
        if (admit(request))
            return MHD_YES;
        return request->response ? queue_response(request) : MHD_NO;
    case READING:
        if (*len) {
            enum MHD_Result result = take_body(request, bytes, *len);
            *len = 0;
            return result;
        }
        return dispatch(request);
    case WAITING:
        /* Resumed: with an answer, or because the server closes. */
        return request->response ? queue_response(request) : MHD_NO;
    case ANSWERED:
        break;
    }
    return MHD_YES;
}

/* --- what a handler sees ------------------------------------------------------------------- */

const struct http_route *http_route_of(const struct http_request *request)
{
    return request->route;
}

const char *http_method(const struct http_request *request)
{
    return request->method;
}

const char *http_path(const struct http_request *request)
{
    return request->path;
}

const char *http_remote(const struct http_request *request)
{
    return request->remote;
}

struct slice http_body(const struct http_request *request)
{
    return (struct slice){request->body.data ? (const char *)request->body.data : "",
                          request->body.len};
}

const char *http_parameter(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++)
        if (slice_is(request->parameters[i].name, name))
            return request->parameters[i].value;
    return "";
}

static bool look_up(const struct http_request *request, enum MHD_ValueKind kind, const char *name,
                    const char **ret_value)
{
    const char *value = NULL;
    bool is_there =
        request->connection && MHD_lookup_connection_value_n(request->connection, kind, name,
                                                             strlen(name), &value, NULL) == MHD_YES;
    *ret_value = is_there && value ? value : "";
    return is_there;
}

const char *http_query(const struct http_request *request, const char *name)
{
    const char *value;
    look_up(request, MHD_GET_ARGUMENT_KIND, name, &value);
    return value;
}

bool http_has_query(const struct http_request *request, const char *name)
{
    const char *value;
    return look_up(request, MHD_GET_ARGUMENT_KIND, name, &value);
}

const char *http_header(const struct http_request *request, const char *name)
{
    const char *value;
    look_up(request, MHD_HEADER_KIND, name, &value);
    return value;
}

const char *http_cookie(const struct http_request *request, const char *name)
{
    const char *value;
    look_up(request, MHD_COOKIE_KIND, name, &value);
    return value;
}

struct visitor {
    void (*visit)(void *arg, const char *name, const char *value);
    void *arg;
};

static enum MHD_Result on_value(void *arg, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    const struct visitor *visitor = arg;
    (void)kind;
    visitor->visit(visitor->arg, name, value ? value : "");
    return MHD_YES;
}

static void each(const struct http_request *request, enum MHD_ValueKind kind,
                 struct visitor visitor)
{
    if (request->connection)
        MHD_get_connection_values(request->connection, kind, on_value, &visitor);
}

void http_each_query(const struct http_request *request,
                     void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
    each(request, MHD_GET_ARGUMENT_KIND, (struct visitor){visit, arg});
}

void http_each_header(const struct http_request *request,
                      void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
    each(request, MHD_HEADER_KIND, (struct visitor){visit, arg});
}

/* --- answers ------------------------------------------------------------------------------- */

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    assert(!request->is_replied);
    assert(request->header_count < HEADERS_MAX);
    struct header header = {strdup(name), strdup(value)};
    if (!header.name || !header.value) {
        free(header.name);
        free(header.value);
        return;
    }
    request->headers[request->header_count++] = header;
}

/* Takes body (malloc'd). */
static void answer_with(struct http_request *request, unsigned status, const char *content_type,
                        char *body, size_t len)
{
    struct MHD_Response *response =
        body ? MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response)
        free(body);
    if (response && content_type)
        MHD_add_response_header(response, "Content-Type", content_type);
    answer(request, status, response);
}

void http_reply(struct http_request *request, unsigned status, const char *content_type,
                const void *body, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy && len)
        memcpy(copy, body, len);
    answer_with(request, status, content_type, copy, len);
}

static void answer_json(struct http_request *request, unsigned status, const char *content_type,
                        json_t *json)
{
    char *text = json ? json_text(json) : NULL;
    json_unref(&json);
    answer_with(request, status, content_type, text, text ? strlen(text) : 0);
}

void http_reply_json(struct http_request *request, unsigned status, json_t *json)
{
    answer_json(request, status, "application/json", json);
}

void http_problem(struct http_request *request, unsigned status, const char *type,
                  const char *field, const char *detail, ...)
{
    char uri[96];
    char title[64];
    char text[512];
    va_list args;
    va_start(args, detail);
    vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    for (size_t len = strlen(text); len && !text_is_utf8(text, len);)
        text[--len] = 0;
    snprintf(uri, sizeof uri, "/problems/%s", type);
    text_copy(title, sizeof title, type);
    for (char *at = title; *at; at++)
        if (*at == '-')
            *at = ' ';
    if (title[0] >= 'a' && title[0] <= 'z')
        title[0] = (char)(title[0] - 'a' + 'A');

    json_t *json = json_pack("{s:s, s:s, s:i, s:s}", "type", uri, "title", title, "status",
                             (int)status, "detail", text);
    if (json && field && json_object_set_new(json, "field", json_string(field)) < 0)
        (void)json_object_set_new(json, "field", json_null());
    answer_json(request, status, "application/problem+json", json);
}

static const char *type_by_suffix(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/vnd.microsoft.icon"},
        {".woff2", "font/woff2"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".txt", "text/plain; charset=utf-8"},
        {".csv", "text/csv; charset=utf-8"},
        {".xml", "application/xml"},
        {".yaml", "application/yaml"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < countof(types); i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* Segment by segment and never through a link, so that no path leads out. Returns a descriptor. */
static int open_below(const char *root, const char *path)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0) {
        char name[NAME_MAX + 1];
        size_t len = strcspn(path, "/");
        bool is_last = path[len] == 0;
        bool is_bad = len == 0 || path[0] == '.' ||
                      !text_copy_slice(name, sizeof name, (struct slice){path, len});
        int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (is_last ? 0 : O_DIRECTORY);
        int inner = is_bad ? -1 : openat(fd, name, flags);
        close(fd);
        fd = inner;
        if (is_last)
            break;
        path += len + 1;
    }
    return fd;
}

static char *read_below(const char *root, const char *path, size_t *ret_len)
{
    struct stat status;
    int fd = open_below(root, path);
    if (fd < 0)
        return NULL;
    bool is_file =
        fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_BYTES_MAX;
    size_t size = is_file ? (size_t)status.st_size : 0;
    char *bytes = is_file ? malloc(size + 1) : NULL;
    size_t len = 0;
    while (bytes && len < size) {
        ssize_t more = read(fd, bytes + len, size - len);
        if (more <= 0)
            break;
        len += (size_t)more;
    }
    close(fd);
    *ret_len = len;
    return bytes;
}

/* Weak comparison, RFC 9110 section 13.1.2. */
bool http_is_known(const struct http_request *request, const char *etag)
{
    const char *list = http_header(request, "If-None-Match");
    while (*list) {
        size_t len = strcspn(list, ",");
        struct slice item = slice_trim((struct slice){list, len});
        if (item.len > 2 && memcmp(item.at, "W/", 2) == 0)
            item = (struct slice){item.at + 2, item.len - 2};
        if (slice_is(item, "*") || slice_is(item, etag))
            return true;
        list += len + (list[len] == ',');
    }
    return false;
}

void http_file(struct http_request *request, const char *root, const char *path, const char *cache)
{
    size_t len = 0;
    path = path[0] ? path : "index.html";
    char *bytes = read_below(root, path, &len);
    if (!bytes) {
        http_problem(request, 404, "not-found", NULL, "There is no such file.");
        return;
    }
    /* Of the content, not of the time: builds and images set all times alike. */
    uint8_t hash[SEAL_HASH_SIZE];
    char hex[33];
    char etag[40];
    seal_hash(&(struct slice){bytes, len}, 1, hash);
    seal_hex(hash, 16, hex, sizeof hex);
    snprintf(etag, sizeof etag, "\"%s\"", hex);
    http_add_header(request, "ETag", etag);
    if (cache)
        http_add_header(request, "Cache-Control", cache);
    if (http_is_known(request, etag)) {
        free(bytes);
        http_reply(request, 304, NULL, NULL, 0);
        return;
    }
    answer_with(request, 200, type_by_suffix(path), bytes, len);
}

/* --- server-sent events -------------------------------------------------------------------- */

static void wake(struct sse *sse)
{
    if (!sse->is_suspended)
        return;
    sse->is_suspended = false;
    MHD_resume_connection(sse->request->connection);
    kick(sse->request->http);
}

static ssize_t on_sse_read(void *arg, uint64_t position, char *to, size_t max)
{
    struct sse *sse = arg;
    (void)position;
    if (sse->is_aborted)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t len = sse->backlog.len < max ? sse->backlog.len : max;
    if (len) {
        memcpy(to, sse->backlog.data, len);
        buf_consume(&sse->backlog, len);
        return (ssize_t)len;
    }
    if (sse->is_ending)
        return MHD_CONTENT_READER_END_OF_STREAM;
    /* Otherwise MHD would ask again and again. */
    sse->is_suspended = true;
    MHD_suspend_connection(sse->request->connection);
    return 0;
}

static void abort_sse(struct sse *sse)
{
    sse->is_aborted = true;
    wake(sse);
}

static void on_gone(uv_poll_t *poll, int status, int events)
{
    struct sse *sse = poll->data;
    if (status < 0 || (events & UV_DISCONNECT)) {
        uv_poll_stop(poll);
        abort_sse(sse);
    }
}

static void on_gone_closed(uv_handle_t *handle)
{
    free(handle);
}

/* A suspended connection is in nobody's epoll set, so a client that leaves would stay for ever. */
static void watch_for_leaving(struct sse *sse)
{
    struct http_request *request = sse->request;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    uv_poll_t *gone = calloc(1, sizeof *gone);
    if (!info || !gone || uv_poll_init(loop_uv(request->http->loop), gone, info->connect_fd) < 0) {
        free(gone);
        return; /* the next ping finds out */
    }
    gone->data = sse;
    sse->gone = gone;
    uv_poll_start(gone, UV_DISCONNECT, on_gone);
}

/* Once: the owner is gone after it. */
static void tell_closed(struct sse *sse)
{
    void (*on_close)(void *arg) = sse->on_close;
    sse->on_close = NULL;
    sse->on_drain = NULL;
    if (on_close)
        on_close(sse->on_close_arg);
}

static void on_sse_done(struct sse *sse)
{
    if (sse->gone)
        uv_close((uv_handle_t *)sse->gone, on_gone_closed);
    metric_add(&sse_clients, NULL, -1);
    tell_closed(sse);
    buf_done(&sse->backlog);
    free(sse);
}

static void append(struct sse *sse, struct buf *event)
{
    if (sse->is_ending || sse->is_aborted)
        return;
    if (buf_append(&sse->backlog, event->data, event->len) < 0)
        abort_sse(sse);
    else
        wake(sse);
}

/* When to come back: spread, so that a restart is not followed by a stampede. */
static void append_retry(struct sse *sse, uint32_t spread_ms)
{
    uint32_t random;
    struct buf event;
    seal_random(&random, sizeof random);
    buf_init(&event, 64);
    if (buf_printf(&event, "retry: %u\n\n", RETRY_MS + random % spread_ms) == 0)
        append(sse, &event);
    buf_done(&event);
}

struct sse *sse_open(struct http_request *request, void (*on_close)(void *arg), void *arg)
{
    if (!request->connection || request->http->is_draining) {
        http_problem(request, 503, "draining", NULL, "The service is going down.");
        return NULL;
    }
    struct sse *sse = calloc(1, sizeof *sse);
    struct MHD_Response *response =
        sse ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, SSE_BLOCK_BYTES, on_sse_read, sse,
                                                NULL)
            : NULL;
    if (!response) {
        free(sse);
        answer(request, 500, NULL);
        return NULL;
    }
    *sse = (struct sse){.request = request, .on_close = on_close, .on_close_arg = arg};
    buf_init(&sse->backlog, SSE_BACKLOG_MAX * 4);
    request->sse = sse;
    metric_add(&sse_clients, NULL, 1);
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    append_retry(sse, RETRY_MS);
    watch_for_leaving(sse);
    answer(request, 200, response);
    return sse;
}

bool sse_send(struct sse *sse, const char *id, const char *event, const char *data)
{
    struct buf text;
    assert(!strchr(data, '\n'));
    buf_init(&text, SSE_BACKLOG_MAX * 4);
    int rc = id ? buf_printf(&text, "id: %s\n", id) : 0;
    if (rc == 0 && event)
        rc = buf_printf(&text, "event: %s\n", event);
    if (rc == 0)
        rc = buf_printf(&text, "data: %s\n\n", data);
    if (rc == 0)
        append(sse, &text);
    else
        abort_sse(sse);
    buf_done(&text);
    if (sse->backlog.len > SSE_BACKLOG_MAX)
        sse->was_full = true;
    return sse->backlog.len <= SSE_BACKLOG_MAX;
}

void sse_comment(struct sse *sse, const char *text)
{
    struct buf event;
    assert(!strchr(text, '\n'));
    buf_init(&event, SSE_BACKLOG_MAX);
    if (buf_printf(&event, ": %s\n\n", text) == 0)
        append(sse, &event);
    buf_done(&event);
}

void sse_on_drain(struct sse *sse, void (*on_drain)(void *arg), void *arg)
{
    sse->on_drain = on_drain;
    sse->on_drain_arg = arg;
}

void sse_close(struct sse *sse)
{
    sse->is_ending = true;
    wake(sse);
    tell_closed(sse);
}

static void on_ping(void *arg)
{
    struct http *http = arg;
    for (struct http_request *request = http->requests; request; request = request->next)
        if (request->sse)
            sse_comment(request->sse, "ping");
}

/* --- opening and closing ------------------------------------------------------------------- */

/* "127.0.0.1:80", "[::1]:80", "localhost:80": numbers only, names are not resolved here. */
static int parse_address(const char *address, struct sockaddr_storage *ret_address,
                         socklen_t *ret_len)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(address, ':');
    if (!colon)
        return -EINVAL;
    struct slice name = {address, (size_t)(colon - address)};
    if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
        name = (struct slice){name.at + 1, name.len - 2};
    if (slice_is(name, "localhost"))
        name = slice_of("127.0.0.1");
    if (!text_copy_slice(host, sizeof host, name) ||
        getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return -EINVAL;
    memcpy(ret_address, found->ai_addr, found->ai_addrlen);
    *ret_len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int listen_at(const char *address, int *ret_fd, int *ret_port)
{
    struct sockaddr_storage bound = {0};
    socklen_t len = 0;
    int on = 1;
    int rc = parse_address(address, &bound, &len);
    if (rc < 0)
        return rc;
    int fd = socket(bound.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&bound, len) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &len) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    /* The port is at the same place in both families. */
    *ret_port = ntohs(((struct sockaddr_in *)(void *)&bound)->sin_port);
    *ret_fd = fd;
    return 0;
}

static struct MHD_Daemon *start_daemon(struct http *http, int fd, size_t connections_max)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
        http, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_uri, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, http, MHD_OPTION_END);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http *http = handle->data;
    if (--http->open_handles == 0)
        free(http);
}

static int attach(struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return -EIO;
    int rc = timer_new(http->loop, on_timer, http, &http->timer);
    if (rc == 0)
        rc = timer_new(http->loop, on_ping, http, &http->ping);
    if (rc == 0)
        rc = timer_new(http->loop, on_sweep, http, &http->sweep);
    if (rc == 0)
        rc = uv_poll_init(loop_uv(http->loop), &http->poll, info->epoll_fd);
    if (rc < 0)
        return rc;
    uv_idle_init(loop_uv(http->loop), &http->kick);
    http->open_handles = 2;
    http->poll.data = http;
    http->kick.data = http;
    rc = uv_poll_start(&http->poll, UV_READABLE, on_poll);
    timer_start(http->ping, PING_MS, PING_MS);
    timer_start(http->sweep, SWEEP_MS, SWEEP_MS);
    kick(http);
    return rc;
}

static void check_routes(const struct http_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t segments = 0;
        assert(routes[i].path[0] == '/');
        for (const char *at = routes[i].path; *at; at++)
            segments += *at == '/';
        assert(segments <= SEGMENTS_MAX);
    }
}

int http_open(struct loop *loop, const char *address, const struct http_route *routes, size_t count,
              void *state, size_t connections_max, struct http **ret_http)
{
    int fd = -1;
    check_routes(routes, count);
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return -ENOMEM;
    http->loop = loop;
    http->routes = routes;
    http->route_count = count;
    http->state = state;
    int rc = listen_at(address, &fd, &http->port);
    if (rc < 0) {
        free(http);
        return rc;
    }
    metric_register(http_metrics, countof(http_metrics));
    http->daemon = start_daemon(http, fd, connections_max);
    if (!http->daemon) {
        close(fd);
        free(http);
        return -EIO;
    }
    rc = attach(http);
    if (rc < 0) {
        http_close(&http);
        return rc;
    }
    *ret_http = http;
    return 0;
}

int http_port(const struct http *http)
{
    return http->port;
}

size_t http_connections(const struct http *http)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

void http_drain(struct http *http)
{
    if (http->is_draining)
        return;
    http->is_draining = true;
    int fd = MHD_quiesce_daemon(http->daemon);
    if (fd >= 0)
        close(fd);
    for (struct http_request *request = http->requests; request; request = request->next) {
        if (!request->sse)
            continue;
        append_retry(request->sse, RETRY_MS * 4);
        sse_close(request->sse);
    }
}

/* MHD must not be stopped while a connection is suspended. */
static void resume_all(struct http *http)
{
    for (struct http_request *request = http->requests; request; request = request->next) {
        if (request->sse)
            abort_sse(request->sse);
        if (request->is_suspended)
            MHD_resume_connection(request->connection);
        request->is_suspended = false;
    }
}

void http_close(struct http **http_)
{
    struct http *http = *http_;
    if (!http)
        return;
    *http_ = NULL;
    if (http->open_handles)
        uv_close((uv_handle_t *)&http->poll, on_handle_closed);
    assert(!http->is_running);
    resume_all(http);
    MHD_run(http->daemon);
    MHD_stop_daemon(http->daemon);
    /* Last, because closing a connection may still kick. */
    timer_free(&http->timer);
    timer_free(&http->ping);
    timer_free(&http->sweep);
    if (http->open_handles)
        uv_close((uv_handle_t *)&http->kick, on_handle_closed);
    else
        free(http);
}
