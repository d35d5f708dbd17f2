/* http - routes, bounded requests, responses, server-sent events; the only file that includes
 * libmicrohttpd. Its epoll fd lives in the loop; nothing blocks.
 *
 * A handler gets a complete, size-checked request and answers now or later with exactly one of
 * http_reply*, http_problem, http_file or sse_open. Request data are valid until then. Limits:
 * header block 16 KiB (431), body per route (413, checked against Content-Length before reading and
 * while reading), connections http_connections_max, 30 s idle. HEAD works where GET does. Unknown
 * path 404, known path with another method 405 with Allow, all as problem+json. Loop thread only.
 */
#ifndef MOMENT_IO_HTTP_H
#define MOMENT_IO_HTTP_H

#include "base/text.h"
#include "io/json.h"
#include "io/loop.h"

struct metric;

/* For the list of all counters. */
extern struct metric *const http_metrics[];
extern const size_t http_metric_count;

struct http;
struct http_request;
struct sse;

struct http_route {
    const char *method;
    /* "/api/v1/moments/{id}"; a trailing "{path...}" takes the rest, also none. Of several that
     * match, the one with the most literal beginning counts, whatever its method. */
    const char *path;
    size_t body_max; /* bytes; 0: no body allowed */
    void (*handler)(void *state, struct http_request *request);
    const void *about; /* what a handler of several routes must know of this one; may be null */
};

/* address "127.0.0.1:8080", "[::1]:8080" or "0.0.0.0:8080"; port 0 picks one, see http_port.
 * -EADDRINUSE ... */
must_check int http_open(struct loop *loop, const char *address, const struct http_route *routes,
                         size_t count, void *state, size_t connections_max, struct http **ret_http);
int http_port(const struct http *http);
/* Stop accepting; open SSE streams get a last "retry" and are closed. */
void http_drain(struct http *http);
size_t http_connections(const struct http *http);
void http_close(struct http **http);

/* The row that the request came in by. */
const struct http_route *http_route_of(const struct http_request *request);
const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request);
/* "" if absent. */
const char *http_parameter(const struct http_request *request, const char *name); /* of the path */
const char *http_query(const struct http_request *request, const char *name);     /* decoded */
bool http_has_query(const struct http_request *request, const char *name);
const char *http_header(const struct http_request *request, const char *name);
const char *http_cookie(const struct http_request *request, const char *name);
/* Does If-None-Match list this ETag ("\"...\"")? Then 304 is all that the client needs. */
bool http_is_known(const struct http_request *request, const char *etag);
struct slice http_body(const struct http_request *request);
const char *http_remote(const struct http_request *request);
/* Calls visit for each query parameter / header, so that unknown ones can be refused. */
void http_each_query(const struct http_request *request,
                     void (*visit)(void *arg, const char *name, const char *value), void *arg);
void http_each_header(const struct http_request *request,
                      void (*visit)(void *arg, const char *name, const char *value), void *arg);

/* Before the reply; may repeat. Every response has X-Content-Type-Options: nosniff, and
 * Cache-Control: no-store unless one is added here. */
void http_add_header(struct http_request *request, const char *name, const char *value);
void http_reply(struct http_request *request, unsigned status, const char *content_type,
                const void *body, size_t len);
/* Takes the reference of json. application/json. */
void http_reply_json(struct http_request *request, unsigned status, json_t *json);
/* RFC 9457: {type, title, status, detail, field}. type is the last part of the URI; field may be
 * null; detail is a printf format. */
void http_problem(struct http_request *request, unsigned status, const char *type,
                  const char *field, const char *detail, ...) printf_like(5, 6);
/* A file below root, with type by suffix, ETag, 304, and no way out of root, not even by symbolic
 * link; "" is index.html. cache: Cache-Control. 404 if there is none. */
void http_file(struct http_request *request, const char *root, const char *path, const char *cache);

#define SSE_BACKLOG_MAX ((size_t)256 * 1024)

/* The request becomes an event stream: "retry:" first, a comment every 15 s, a jittered "retry:"
 * last. on_close is called exactly once: when the client has gone, by http_drain and http_close, or
 * inside sse_close; the sse must not be used after that. Never inside sse_open. Null while
 * draining: the request was answered with 503 (on_close is not called then). */
struct sse *sse_open(struct http_request *request, void (*on_close)(void *arg), void *arg);
/* id, event may be null. data must not hold a newline. The event is queued in any case; false: more
 * than SSE_BACKLOG_MAX bytes wait for this client, slow down until on_drain. A client for which
 * four times that much waits is cut off; it comes back with Last-Event-ID. */
must_check bool sse_send(struct sse *sse, const char *id, const char *event, const char *data);
void sse_comment(struct sse *sse, const char *text);
/* Called when half of SSE_BACKLOG_MAX is free again after sse_send said false. */
void sse_on_drain(struct sse *sse, void (*on_drain)(void *arg), void *arg);
/* Ends the stream after what is queued, and calls on_close now. */
void sse_close(struct sse *sse);

#endif
