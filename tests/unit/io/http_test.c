#include "base/buf.h"
#include "base/clock.h"
#include "io/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The client is a blocking socket on a worker thread of the same loop; it only collects, and the
 * test judges when it is done. A receive that waits 5 s gives up, so that nothing hangs. */
enum { GOT_MAX = 4 * 1024 * 1024 };

static struct {
    struct loop *loop;
    struct http *http;
    struct timer *timer;
    struct timer *tick;
    struct http_request *pending;
    struct sse *sse;
    int closed;
    int drained;
    int sent;
    bool was_refused;
    char root[64];
} t;

struct client {
    int port;
    const char *request;
    size_t len;
    const char *until; /* hang up when this has come; null: read to the end */
    char *got;
    size_t got_len;
    bool has_timed_out;
};

/* --- the server of the tests ----------------------------------------------------------------- */

static void on_echo(void *state, struct http_request *request)
{
    struct buf text;
    struct slice body = http_body(request);
    assert_ptr_equal(state, &t);
    buf_init(&text, 100000);
    assert_int_equal(
        buf_printf(&text, "%s %s id=%s rest=%s q=%s has=%d header=%s cookie=%s remote=%s body=%.*s",
                   http_method(request), http_path(request), http_parameter(request, "id"),
                   http_parameter(request, "path"), http_query(request, "q"),
                   http_has_query(request, "flag"), http_header(request, "x-THING"),
                   http_cookie(request, "session"), http_remote(request), (int)body.len, body.at),
        0);
    http_reply(request, 200, "text/plain", text.data, text.len);
    buf_done(&text);
}

static void on_literal(void *state, struct http_request *request)
{
    (void)state;
    http_add_header(request, "Cache-Control", "max-age=5");
    http_add_header(request, "Set-Cookie", "a=1");
    http_add_header(request, "Set-Cookie", "b=2");
    http_reply_json(request, 201, json_pack("{s:s}", "literal", http_route_of(request)->about));
}

static void on_later_time(void *arg)
{
    (void)arg;
    struct http_request *request = t.pending;
    t.pending = NULL;
    http_problem(request, 409, "not-now", "field[0].x", "Come %s.", "later");
}

static void on_later(void *state, struct http_request *request)
{
    (void)state;
    t.pending = request;
    timer_start(t.timer, 5, 0);
}

static void on_keep(void *state, struct http_request *request)
{
    (void)state;
    t.pending = request;
}

static void on_file(void *state, struct http_request *request)
{
    (void)state;
    http_file(request, t.root, http_parameter(request, "path"), "no-cache");
}

static void on_sse_closed(void *arg)
{
    (void)arg;
    t.closed++;
    t.sse = NULL;
}

static void on_sse(void *state, struct http_request *request)
{
    (void)state;
    t.sse = sse_open(request, on_sse_closed, NULL);
    if (!t.sse)
        return;
    assert_true(sse_send(t.sse, "1-1", "moment", "{\"a\":1}"));
    assert_true(sse_send(t.sse, NULL, NULL, "plain"));
    sse_comment(t.sse, "note");
}

static void on_sse_end(void *state, struct http_request *request)
{
    on_sse(state, request);
    sse_close(t.sse);
    assert_int_equal(t.closed, 1); /* at once; the stream still delivers what was queued */
}

static void fill_stream(void)
{
    static char data[10001];
    memset(data, 'x', sizeof data - 1);
    while (t.sent < 300) {
        char id[16];
        snprintf(id, sizeof id, "%d", t.sent++);
        if (!sse_send(t.sse, id, NULL, data)) {
            t.was_refused = true;
            return;
        }
    }
    sse_close(t.sse);
}

static void on_drained(void *arg)
{
    (void)arg;
    t.drained++;
    fill_stream();
}

static void on_sse_flood(void *state, struct http_request *request)
{
    (void)state;
    t.sse = sse_open(request, on_sse_closed, NULL);
    sse_on_drain(t.sse, on_drained, NULL);
    fill_stream();
}

static void on_sse_hopeless(void *state, struct http_request *request)
{
    static char data[100001];
    (void)state;
    memset(data, 'x', sizeof data - 1);
    t.sse = sse_open(request, on_sse_closed, NULL);
    for (int i = 0; i < 20; i++)
        t.was_refused = !sse_send(t.sse, NULL, NULL, data);
}

static const struct http_route routes[] = {
    {"GET", "/things/{id}", 0, on_echo, NULL},
    {"GET", "/things/special", 0, on_literal, "yes"},
    {"POST", "/things/{id}", 100, on_echo, NULL},
    {"POST", "/only-post", 100, on_echo, NULL},
    {"GET", "/later", 0, on_later, NULL},
    {"GET", "/keep", 0, on_keep, NULL},
    {"GET", "/sse", 0, on_sse, NULL},
    {"GET", "/sse-end", 0, on_sse_end, NULL},
    {"GET", "/sse-flood", 0, on_sse_flood, NULL},
    {"GET", "/sse-hopeless", 0, on_sse_hopeless, NULL},
    {"GET", "/files/{path...}", 0, on_file, NULL},
    {"GET", "/api/{path...}", 0, on_echo, NULL},
};

static void on_tick(void *arg)
{
    (void)arg;
    loop_stop(t.loop);
}

/* A few turns of the loop. */
static void turn(void)
{
    timer_start(t.tick, 2, 0);
    loop_run(t.loop);
}

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    strcpy(t.root, "/tmp/http_test.XXXXXX");
    if (!mkdtemp(t.root) || loop_new(&t.loop) < 0 ||
        timer_new(t.loop, on_later_time, NULL, &t.timer) < 0 ||
        timer_new(t.loop, on_tick, NULL, &t.tick) < 0)
        return -1;
    return http_open(t.loop, "127.0.0.1:0", routes, sizeof routes / sizeof *routes, &t, 10,
                     &t.http);
}

static int stop(void **state)
{
    (void)state;
    char command[100];
    http_close(&t.http);
    timer_free(&t.timer);
    timer_free(&t.tick);
    loop_free(&t.loop);
    snprintf(command, sizeof command, "rm -rf '%s'", t.root);
    return system(command);
}

/* --- the client ------------------------------------------------------------------------------ */

static void converse(void *arg)
{
    struct client *client = arg;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)client->port)};
    const struct timeval patience = {5, 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ssize_t len = connect(fd, (struct sockaddr *)&address, sizeof address) < 0
                      ? -1
                      : send(fd, client->request, client->len, MSG_NOSIGNAL);
    while (len > 0 && client->got_len < GOT_MAX) {
        len = recv(fd, client->got + client->got_len, GOT_MAX - client->got_len, 0);
        client->got_len += len > 0 ? (size_t)len : 0;
        client->got[client->got_len] = 0;
        if (client->until && strstr(client->got, client->until))
            break;
    }
    client->has_timed_out = len < 0 && (errno == EAGAIN);
    close(fd);
}

static void on_conversed(void *arg)
{
    (void)arg;
    loop_stop(t.loop);
}

/* What the server says to these bytes; the caller frees it. */
static char *talk_until(const char *request, size_t len, const char *until)
{
    struct client client = {
        .port = http_port(t.http), .request = request, .len = len, .until = until};
    client.got = calloc(1, GOT_MAX + 1);
    assert_int_equal(loop_work(t.loop, converse, on_conversed, &client), 0);
    loop_run(t.loop);
    assert_false(client.has_timed_out);
    return client.got;
}

static char *talk(const char *request)
{
    return talk_until(request, strlen(request), NULL);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%.2000s", part, text);
}

static void assert_says(const char *request, const char *const *parts)
{
    char *got = talk(request);
    for (; *parts; parts++)
        assert_has(got, *parts);
    assert_has(got, "X-Content-Type-Options: nosniff\r\n");
    free(got);
}

#define says(request, ...) assert_says(request, (const char *const[]){__VA_ARGS__, NULL})
#define END " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* --- routes ---------------------------------------------------------------------------------- */

static void a_route_gets_what_the_client_sent(void **state)
{
    (void)state;
    says("GET /things/a%20b%2Fc?q=x+y%26z&flag HTTP/1.1\r\nHost: x\r\nX-Thing: yes\r\n"
         "Cookie: other=1; session=abc\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 200 OK\r\n", "Content-Type: text/plain\r\n", "Cache-Control: no-store\r\n",
         "GET /things/a%20b%2Fc id=a b/c rest= q=x y&z has=1 header=yes cookie=abc "
         "remote=127.0.0.1 body=");
    says("GET /api/v1/a%20b/c" END, "rest=v1/a b/c q= has=0");
    says("GET /api/" END, "rest= q=");
}

static void the_most_literal_route_wins(void **state)
{
    (void)state;
    says("GET /things/special" END, "HTTP/1.1 201 Created\r\n", "{\"literal\":\"yes\"}",
         "Content-Type: application/json\r\n", "Cache-Control: max-age=5\r\n",
         "Set-Cookie: a=1\r\n", "Set-Cookie: b=2\r\n");
    says("GET /things/specialx" END, "id=specialx");
    char *got = talk("GET /things/special" END);
    assert_null(strstr(got, "no-store"));
    free(got);
}

static void head_works_where_get_does(void **state)
{
    (void)state;
    char *got = talk("HEAD /things/special" END);
    assert_has(got, "HTTP/1.1 201 Created\r\n");
    assert_has(got, "Content-Length: 17\r\n");
    assert_null(strstr(got, "literal"));
    free(got);
}

static void an_unknown_path_is_a_problem(void **state)
{
    (void)state;
    says("GET /nowhere" END, "HTTP/1.1 404 Not Found\r\n",
         "Content-Type: application/problem+json\r\n",
         "{\"type\":\"/problems/not-found\",\"title\":\"Not found\",\"status\":404,"
         "\"detail\":\"There is nothing at this path.\"}");
    says("GET /things/" END, "HTTP/1.1 404 ");
    says("GET /things/a/b" END, "HTTP/1.1 404 ");
    says("GET /things" END, "HTTP/1.1 404 ");
}

static void a_known_path_says_which_methods_it_takes(void **state)
{
    (void)state;
    says("DELETE /things/1" END, "HTTP/1.1 405 ", "Allow: GET, HEAD, POST\r\n",
         "application/problem+json");
    says("GET /only-post" END, "HTTP/1.1 405 ", "Allow: POST\r\n");
}

static void text_that_is_no_text_is_refused(void **state)
{
    (void)state;
    says("GET /things/%ff" END, "HTTP/1.1 400 ");
    says("GET /things/a%00b" END, "HTTP/1.1 400 ");
    says("GET /things/a?q=%c3%28" END, "HTTP/1.1 400 ");
    says("GET /things/a?q=a%00b" END, "HTTP/1.1 400 ");
    says("GET /things/%zz%4" END, "id=%zz%4");
}

static void each_value_is_visited(void *arg, const char *name, const char *value)
{
    char *text = arg;
    strcat(text, name);
    strcat(text, "=");
    strcat(text, value);
    strcat(text, ";");
}

static void on_each(void *state, struct http_request *request)
{
    char text[512] = "";
    (void)state;
    http_each_query(request, each_value_is_visited, text);
    http_each_header(request, each_value_is_visited, text);
    http_reply(request, 200, "text/plain", text, strlen(text));
}

static void all_parameters_and_headers_can_be_seen(void **state)
{
    static const struct http_route each[] = {{"GET", "/", 0, on_each, NULL}};
    (void)state;
    http_close(&t.http);
    assert_int_equal(http_open(t.loop, "127.0.0.1:0", each, 1, &t, 10, &t.http), 0);
    says("GET /?a=1&b&a=2" END, "a=1;b=;a=2;Host=x;Connection=close;");
}

/* --- limits ---------------------------------------------------------------------------------- */

static void bodies_come_whole_whatever_their_framing(void **state)
{
    (void)state;
    says("POST /only-post HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nConnection: close\r\n\r\n"
         "hello world",
         "body=hello world");
    says("POST /only-post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
         "Connection: close\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
         "body=hello world");
}

static void a_declared_length_over_the_limit_is_refused_unread(void **state)
{
    (void)state;
    /* The body never comes: an answer proves that nobody waited for it. */
    says("POST /only-post HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 413 ",
         "application/problem+json", "The body may have 100 bytes.");
    says("GET /things/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 413 ");
}

static void a_chunked_body_over_the_limit_is_refused_too(void **state)
{
    char request[600];
    (void)state;
    int head = snprintf(request, sizeof request,
                        "POST /only-post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                        "Connection: close\r\n\r\n65\r\n");
    memset(request + head, 'x', 0x65);
    strcpy(request + head + 0x65, "\r\n0\r\n\r\n");
    says(request, "HTTP/1.1 413 ");
    memcpy(request + head - 4, "64", 2);
    strcpy(request + head + 0x64, "\r\n0\r\n\r\n");
    says(request, "HTTP/1.1 200 ", "body=xxxx");
}

static void a_header_over_the_limit_is_refused(void **state)
{
    char *request = calloc(1, 100000);
    (void)state;
    strcpy(request, "GET /things/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ");
    size_t head = strlen(request);
    memset(request + head, 'x', 15000);
    strcpy(request + head + 15000, "\r\n\r\n");
    says(request, "HTTP/1.1 200 ");
    memset(request + head, 'x', 20000);
    strcpy(request + head + 20000, "\r\n\r\n");
    says(request, "HTTP/1.1 431 ", "application/problem+json");
    memset(request + head, 'x', 90000);
    strcpy(request + head + 90000, "\r\n\r\n");
    char *got = talk(request);
    assert_has(got, "HTTP/1.1 431 ");
    free(got);
    free(request);
}

static void two_lengths_are_refused(void **state)
{
    (void)state;
    says("POST /only-post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400 ");
}

/* --- now or later ---------------------------------------------------------------------------- */

static void an_answer_may_come_later(void **state)
{
    (void)state;
    says("GET /later" END, "HTTP/1.1 409 Conflict\r\n",
         "{\"type\":\"/problems/not-now\",\"title\":\"Not now\",\"status\":409,"
         "\"detail\":\"Come later.\",\"field\":\"field[0].x\"}");
}

static void requests_of_one_connection_are_answered_in_order(void **state)
{
    (void)state;
    char *got = talk("GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
                     "GET /things/2 HTTP/1.1\r\nHost: x\r\n\r\n"
                     "POST /only-post HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                     "GET /things/4" END);
    const char *first = strstr(got, "Come later.");
    const char *second = strstr(got, "id=2 ");
    const char *third = strstr(got, "body=abc");
    const char *fourth = strstr(got, "id=4 ");
    assert_non_null(first);
    assert_true(first < second && second < third && third < fourth);
    free(got);
}

static void a_reply_after_the_server_closed_is_dropped(void **state)
{
    static const char request[] = "GET /keep" END;
    struct client client = {.port = http_port(t.http), .request = request, .len = strlen(request)};
    (void)state;
    client.got = calloc(1, GOT_MAX + 1);
    assert_int_equal(loop_work(t.loop, converse, on_conversed, &client), 0);
    while (!t.pending)
        turn();
    assert_int_equal(http_connections(t.http), 1);
    http_close(&t.http);
    assert_string_equal(http_header(t.pending, "Host"), "");
    assert_string_equal(http_path(t.pending), "/keep");
    http_reply(t.pending, 200, "text/plain", "x", 1);
    timer_stop(t.tick);
    loop_run(t.loop); /* the client sees the end */
    assert_false(client.has_timed_out);
    assert_int_equal(client.got_len, 0);
    free(client.got);
}

static void addresses_are_checked(void **state)
{
    (void)state;
    struct http *other = NULL;
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%d", http_port(t.http));
    assert_int_equal(http_open(t.loop, taken, routes, 1, &t, 10, &other), -EADDRINUSE);
    assert_int_equal(http_open(t.loop, "127.0.0.1", routes, 1, &t, 10, &other), -EINVAL);
    assert_int_equal(http_open(t.loop, "nohost.invalid:80", routes, 1, &t, 10, &other), -EINVAL);
    assert_int_equal(http_open(t.loop, "127.0.0.1:x", routes, 1, &t, 10, &other), -EINVAL);
    assert_null(other);
}

/* --- files ----------------------------------------------------------------------------------- */

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", t.root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void files_have_types_and_tags(void **state)
{
    (void)state;
    char request[300];
    char path[128];
    put("index.html", "<p>hello");
    put("app.js", "let a");
    put("a.css", "");
    put("a.svg", "<svg/>");
    put("a.woff2", "x");
    put("a.json", "{}");
    snprintf(path, sizeof path, "%s/assets", t.root);
    mkdir(path, 0700);
    put("assets/deep.js", "deep");
    says("GET /files/" END, "200 OK", "text/html; charset=utf-8", "<p>hello",
         "Cache-Control: no-cache\r\n");
    says("GET /files/app.js" END, "Content-Type: text/javascript; charset=utf-8", "let a");
    says("GET /files/a.css" END, "Content-Type: text/css; charset=utf-8", "Content-Length: 0");
    says("GET /files/a.svg" END, "Content-Type: image/svg+xml");
    says("GET /files/a.woff2" END, "Content-Type: font/woff2");
    says("GET /files/a.json" END, "Content-Type: application/json");
    says("GET /files/assets/deep.js" END, "deep");

    char *got = talk("GET /files/app.js" END);
    char *etag = strstr(got, "ETag: \"");
    assert_non_null(etag);
    snprintf(request, sizeof request,
             "GET /files/app.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             "If-None-Match: \"zzz\", W/%.34s\r\n\r\n",
             etag + 6);
    says(request, "HTTP/1.1 304 Not Modified\r\n", "ETag: \"");
    put("app.js", "let b"); /* as long, as old: still another file */
    says(request, "HTTP/1.1 200 OK\r\n", "let b");
    free(got);
}

static void no_path_leads_out_of_the_root(void **state)
{
    (void)state;
    char path[128];
    put("index.html", "hello");
    put(".hidden", "secret");
    snprintf(path, sizeof path, "%s/inside", t.root);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/link", t.root);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(path, sizeof path, "%s/passwd", t.root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    static const char *const bad[] = {"../../etc/passwd",  "..%2f..%2fetc%2fpasswd",
                                      "%2e%2e/etc/passwd", "/etc/passwd",
                                      "%2fetc/passwd",     "inside/../../x",
                                      "link/passwd",       "passwd",
                                      ".hidden",           "inside",
                                      "inside/",           "nothing.js",
                                      "index.html/",       "./index.html"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char request[200];
        snprintf(request, sizeof request, "GET /files/%s" END, bad[i]);
        says(request, "HTTP/1.1 404 ");
    }
}

/* --- server-sent events ---------------------------------------------------------------------- */

/* The payload of a chunked response. */
static char *unchunk(const char *got)
{
    char *text = calloc(1, strlen(got) + 1);
    const char *at = strstr(got, "\r\n\r\n");
    size_t len = 0;
    assert_non_null(at);
    at += 4;
    for (char *end; *at; at += 2) {
        size_t more = strtoul(at, &end, 16);
        if (!more || strncmp(end, "\r\n", 2) != 0 || strlen(end + 2) < more)
            break;
        memcpy(text + len, end + 2, more);
        len += more;
        at = end + 2 + more;
    }
    return text;
}

static void a_stream_has_its_headers_and_events(void **state)
{
    (void)state;
    char *got = talk("GET /sse-end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char *text = unchunk(got);
    assert_has(got, "HTTP/1.1 200 OK\r\n");
    assert_has(got, "Content-Type: text/event-stream\r\n");
    assert_has(got, "Cache-Control: no-store\r\n");
    assert_has(got, "X-Accel-Buffering: no\r\n");
    assert_memory_equal(text, "retry: ", 7);
    assert_has(text, "\n\nid: 1-1\nevent: moment\ndata: {\"a\":1}\n\ndata: plain\n\n: note\n\n");
    assert_int_equal(t.closed, 1);
    free(text);
    free(got);
}

static void on_live(void *arg)
{
    (void)arg;
    assert_true(sse_send(t.sse, "1-2", NULL, "live"));
}

static void an_event_reaches_a_client_that_waits(void **state)
{
    (void)state;
    struct timer *live = NULL;
    struct client client = {.port = http_port(t.http),
                            .request = "GET /sse" END,
                            .len = strlen("GET /sse" END),
                            .until = "data: live\n\n"};
    client.got = calloc(1, GOT_MAX + 1);
    assert_int_equal(loop_work(t.loop, converse, on_conversed, &client), 0);
    while (!t.sse)
        turn();
    for (int i = 0; i < 5; i++)
        turn(); /* now it is suspended */
    assert_int_equal(timer_new(t.loop, on_live, NULL, &live), 0);
    timer_start(live, 0, 0);
    timer_stop(t.tick);
    loop_run(t.loop);
    assert_false(client.has_timed_out);
    assert_has(client.got, "id: 1-2\ndata: live\n\n");
    free(client.got);
    timer_free(&live);
}

/* What is the body to whoever stands in front of us must not be the next request to us. */
static void a_body_has_one_length(void **state)
{
    (void)state;
    static const char *const lengths[] = {
        "Content-Length: 3\r\nContent-Length: 40\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\nContent-Length: 3\r\n",
    };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char request[512];
        snprintf(request, sizeof request,
                 "POST /things/a HTTP/1.1\r\nHost: x\r\n%s\r\nabcGET /things/special" END,
                 lengths[i]);
        char *got = talk(request);
        assert_has(got, "HTTP/1.1 400 ");
        assert_has(got, "ambiguous-length");
        assert_null(strstr(got, "literal"));
        free(got);
    }
}

/* The listener must come back when there is room, even if nothing else happens. */
static void after_a_crowd_the_next_one_is_served(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)http_port(t.http))};
    int fds[13];
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof address), 0);
    }
    for (int i = 0; i < 1000 && http_connections(t.http) < 10; i++)
        turn();
    assert_int_equal(http_connections(t.http), 10);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    for (int i = 0; i < 1000 && http_connections(t.http) > 0; i++)
        turn();
    says("GET /things/special" END, "HTTP/1.1 201 ");
}

static void on_half_a_minute_later(void *arg)
{
    (void)arg;
    clock_set_for_test(clock_wall_us(), clock_mono_us() + 31 * US_PER_S);
}

/* Otherwise as many of them as there may be connections would keep everybody else out. */
static void a_request_that_never_ends_is_cut_off(void **state)
{
    (void)state;
    struct timer *later;
    static const char *const endless[] = {
        "GET /la", "GET /later HTTP/1.1\r\nHost: x\r\nX: y",
        "POST /things/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        "GET /things/special HTTP/1.1\r\nHost: x\r\n\r\nGET /l"};
    assert_int_equal(timer_new(t.loop, on_half_a_minute_later, NULL, &later), 0);
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        timer_start(later, 30, 0);
        char *got = talk(endless[i]);
        assert_int_equal(strlen(got) > 0, i == 3);
        free(got);
        clock_set_for_test(-1, 0);
    }
    timer_free(&later);
}

static void on_answer_late(void *arg)
{
    (void)arg;
    struct http_request *request = t.pending;
    t.pending = NULL;
    http_reply(request, 200, "text/plain", "late", 4);
}

static void an_answer_may_take_longer_than_a_request(void **state)
{
    (void)state;
    struct timer *later;
    struct timer *answer;
    assert_int_equal(timer_new(t.loop, on_half_a_minute_later, NULL, &later), 0);
    assert_int_equal(timer_new(t.loop, on_answer_late, NULL, &answer), 0);
    timer_start(later, 30, 0);
    timer_start(answer, 1200, 0); /* the sweep comes before it */
    char *got = talk("GET /keep" END);
    assert_has(got, "late");
    free(got);
    clock_set_for_test(-1, 0);
    timer_free(&later);
    timer_free(&answer);
}

static void a_client_that_leaves_is_noticed_without_a_ping(void **state)
{
    (void)state;
    free(talk_until("GET /sse" END, strlen("GET /sse" END), ": note"));
    for (int i = 0; i < 1000 && !t.closed; i++)
        turn();
    assert_int_equal(t.closed, 1);
    assert_int_equal(http_connections(t.http), 0);
}

static void a_slow_client_slows_the_sender_and_gets_everything(void **state)
{
    (void)state;
    char *got = talk("GET /sse-flood" END);
    char *text = unchunk(got);
    const char *at = text;
    assert_true(t.was_refused);
    assert_in_range(t.drained, 1, 100);
    for (int i = 0; i < 300; i++) {
        char id[32];
        snprintf(id, sizeof id, "id: %d\n", i);
        at = strstr(at, id);
        assert_non_null(at);
    }
    assert_int_equal(t.closed, 1);
    free(text);
    free(got);
}

static void a_client_too_far_behind_is_cut_off(void **state)
{
    (void)state;
    free(talk("GET /sse-hopeless" END));
    assert_true(t.was_refused);
    assert_int_equal(t.closed, 1);
}

static void draining_ends_streams_and_takes_no_more(void **state)
{
    (void)state;
    struct client client = {
        .port = http_port(t.http), .request = "GET /sse" END, .len = strlen("GET /sse" END)};
    client.got = calloc(1, GOT_MAX + 1);
    assert_int_equal(loop_work(t.loop, converse, on_conversed, &client), 0);
    while (!t.sse)
        turn();
    turn();
    http_drain(t.http);
    http_drain(t.http);
    timer_stop(t.tick);
    loop_run(t.loop);
    assert_false(client.has_timed_out);
    char *text = unchunk(client.got);
    const char *last = strstr(text, ": note\n\nretry: ");
    assert_non_null(last);
    assert_in_range(strtoul(last + 15, NULL, 10), 1000, 5000);
    assert_int_equal(t.closed, 1);
    free(text);
    free(client.got);

    char *got = talk("GET /things/1" END);
    assert_string_equal(got, ""); /* refused by the kernel: nobody listens */
    free(got);
}

static void a_draining_server_opens_no_stream(void **state)
{
    (void)state;
    struct client client = {
        .port = http_port(t.http), .request = "GET /keep" END, .len = strlen("GET /keep" END)};
    client.got = calloc(1, GOT_MAX + 1);
    assert_int_equal(loop_work(t.loop, converse, on_conversed, &client), 0);
    while (!t.pending)
        turn();
    http_drain(t.http);
    assert_null(sse_open(t.pending, on_sse_closed, NULL));
    timer_stop(t.tick);
    loop_run(t.loop);
    assert_has(client.got, "HTTP/1.1 503 ");
    assert_int_equal(t.closed, 0);
    free(client.got);
}

static void closing_the_server_closes_its_streams(void **state)
{
    (void)state;
    struct client client = {
        .port = http_port(t.http), .request = "GET /sse" END, .len = strlen("GET /sse" END)};
    client.got = calloc(1, GOT_MAX + 1);
    assert_int_equal(loop_work(t.loop, converse, on_conversed, &client), 0);
    while (!t.sse)
        turn();
    turn();
    http_close(&t.http);
    assert_int_equal(t.closed, 1);
    timer_stop(t.tick);
    loop_run(t.loop);
    assert_false(client.has_timed_out);
    free(client.got);
}

static void draining_answers_what_is_under_way_and_then_hangs_up(void **state)
{
    (void)state;
    struct client client = {.port = http_port(t.http),
                            .request = "GET /keep HTTP/1.1\r\nHost: x\r\n\r\n",
                            .len = strlen("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n")};
    client.got = calloc(1, GOT_MAX + 1);
    assert_int_equal(loop_work(t.loop, converse, on_conversed, &client), 0);
    while (!t.pending)
        turn();
    http_drain(t.http);
    http_reply(t.pending, 200, "text/plain", "done", 4);
    timer_stop(t.tick);
    loop_run(t.loop);
    assert_false(client.has_timed_out);
    assert_has(client.got, "Connection: close\r\n");
    assert_has(client.got, "\r\n\r\ndone");
    free(client.got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_route_gets_what_the_client_sent, start, stop),
        cmocka_unit_test_setup_teardown(the_most_literal_route_wins, start, stop),
        cmocka_unit_test_setup_teardown(head_works_where_get_does, start, stop),
        cmocka_unit_test_setup_teardown(an_unknown_path_is_a_problem, start, stop),
        cmocka_unit_test_setup_teardown(a_known_path_says_which_methods_it_takes, start, stop),
        cmocka_unit_test_setup_teardown(text_that_is_no_text_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(all_parameters_and_headers_can_be_seen, start, stop),
        cmocka_unit_test_setup_teardown(bodies_come_whole_whatever_their_framing, start, stop),
        cmocka_unit_test_setup_teardown(a_declared_length_over_the_limit_is_refused_unread, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_chunked_body_over_the_limit_is_refused_too, start, stop),
        cmocka_unit_test_setup_teardown(a_header_over_the_limit_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(two_lengths_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(an_answer_may_come_later, start, stop),
        cmocka_unit_test_setup_teardown(requests_of_one_connection_are_answered_in_order, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_reply_after_the_server_closed_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(addresses_are_checked, start, stop),
        cmocka_unit_test_setup_teardown(files_have_types_and_tags, start, stop),
        cmocka_unit_test_setup_teardown(no_path_leads_out_of_the_root, start, stop),
        cmocka_unit_test_setup_teardown(a_stream_has_its_headers_and_events, start, stop),
        cmocka_unit_test_setup_teardown(an_event_reaches_a_client_that_waits, start, stop),
        cmocka_unit_test_setup_teardown(a_body_has_one_length, start, stop),
        cmocka_unit_test_setup_teardown(after_a_crowd_the_next_one_is_served, start, stop),
        cmocka_unit_test_setup_teardown(a_request_that_never_ends_is_cut_off, start, stop),
        cmocka_unit_test_setup_teardown(an_answer_may_take_longer_than_a_request, start, stop),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_is_noticed_without_a_ping, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_slow_client_slows_the_sender_and_gets_everything, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_client_too_far_behind_is_cut_off, start, stop),
        cmocka_unit_test_setup_teardown(draining_ends_streams_and_takes_no_more, start, stop),
        cmocka_unit_test_setup_teardown(a_draining_server_opens_no_stream, start, stop),
        cmocka_unit_test_setup_teardown(closing_the_server_closes_its_streams, start, stop),
        cmocka_unit_test_setup_teardown(draining_answers_what_is_under_way_and_then_hangs_up, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
