/* POST to a server of this machine: a thread that takes one request after the other and answers
 * what the test says. A watchdog ends a test that hangs. */
#include "io/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ANSWER "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static struct {
    struct loop *loop;
    struct timer *watchdog;
    struct fetcher *fetcher;
    struct fetch *fetch;
    int listener;
    pthread_t server;
    bool is_late;
    /* The server's, read after it was joined: */
    const char *answer; /* null: none, the connection is kept open until the end */
    size_t flood;       /* bytes of body after the answer */
    char request[4096];
    int requests;
    /* What came: */
    char url[64];
    int answers;
    struct fetch_answer last;
} t;

/* --- the server --- */

static bool is_whole(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *length = strcasestr(request, "content-length:");

    return body && (!length || strlen(body + 4) >= strtoul(length + 15, NULL, 10));
}

static void read_request(int peer)
{
    size_t len = 0;

    memset(t.request, 0, sizeof(t.request));
    while (len + 1 < sizeof(t.request) && !is_whole(t.request)) {
        ssize_t got = recv(peer, t.request + len, sizeof(t.request) - 1 - len, 0);

        if (got <= 0) {
            return;
        }
        len += (size_t)got;
    }
    t.requests++;
}

static void send_flood(int peer)
{
    static const char bytes[4096] = "x";

    for (size_t sent = 0; sent < t.flood; sent += sizeof(bytes)) {
        if (send(peer, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0) {
            return;
        }
    }
}

static void *serve(void *arg)
{
    int peer;

    (void)arg;
    while ((peer = accept(t.listener, NULL, NULL)) >= 0) {
        read_request(peer);
        if (t.answer) {
            (void)send(peer, t.answer, strlen(t.answer), MSG_NOSIGNAL);
            send_flood(peer);
        } else {
            char byte;
            (void)recv(peer, &byte, 1, 0); /* until the other side hangs up */
        }
        close(peer);
    }
    return NULL;
}

static void on_watchdog(void *arg)
{
    (void)arg;
    t.is_late = true;
    loop_stop(t.loop);
}

static void open_fetcher(size_t in_flight_max, bool allows_private)
{
    const struct fetcher_options options = {
        .in_flight_max = in_flight_max, .allows_private = allows_private, .ca_file = ""};

    fetcher_close(&t.fetcher);
    assert_int_equal(fetcher_open(t.loop, &options, &t.fetcher), 0);
}

static int start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    (void)state;
    memset(&t, 0, sizeof(t));
    t.answer = ANSWER;
    t.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(t.listener, (struct sockaddr *)&address, len) < 0 || listen(t.listener, 5) < 0 ||
        getsockname(t.listener, (struct sockaddr *)&address, &len) < 0) {
        return -1;
    }
    snprintf(t.url, sizeof(t.url), "http://127.0.0.1:%u/hook?a=b", ntohs(address.sin_port));
    if (loop_new(&t.loop) < 0 || timer_new(t.loop, on_watchdog, NULL, &t.watchdog) < 0) {
        return -1;
    }
    timer_start(t.watchdog, 30000, 0);
    open_fetcher(4, true);
    return pthread_create(&t.server, NULL, serve, NULL);
}

static void end_server(void)
{
    if (t.listener >= 0) {
        shutdown(t.listener, SHUT_RDWR);
        pthread_join(t.server, NULL);
        close(t.listener);
    }
    t.listener = -1;
}

static int stop(void **state)
{
    (void)state;
    fetcher_close(&t.fetcher);
    end_server();
    timer_free(&t.watchdog);
    loop_free(&t.loop);
    return t.is_late ? -1 : 0;
}

/* --- in the tests --- */

static void on_answer(void *arg, const struct fetch_answer *answer)
{
    (void)arg;
    t.answers++;
    t.last = *answer;
    t.fetch = NULL;
    loop_stop(t.loop);
}

static int post(const char *url, const char *body)
{
    static const char *const headers[] = {"content-type: application/json", "webhook-id: w1"};
    const struct fetch_request request = {
        .url = url, .headers = headers, .header_count = countof(headers), .body = slice_of(body)};

    return fetch_post(t.fetcher, &request, on_answer, NULL, &t.fetch);
}

static void expect_status(uint32_t status)
{
    assert_int_equal(post(t.url, "{}"), 0);
    loop_run(t.loop);
    assert_int_equal(t.answers, 1);
    assert_int_equal(t.last.status, status);
}

static void a_request_is_posted_as_it_was_given(void **state)
{
    (void)state;
    assert_int_equal(post(t.url, "{\"a\": 1}"), 0);
    assert_int_equal(t.answers, 0); /* never from inside fetch_post */
    loop_run(t.loop);
    end_server();
    assert_int_equal(t.last.status, 204);
    assert_int_equal(t.last.retry_after_s, 0);
    assert_string_equal(t.last.trouble, "");
    assert_non_null(strstr(t.request, "POST /hook?a=b HTTP/1.1\r\n"));
    assert_non_null(strstr(t.request, "\r\nwebhook-id: w1\r\n"));
    assert_non_null(strstr(t.request, "\r\ncontent-type: application/json\r\n"));
    assert_null(strstr(t.request, "Expect"));
    assert_string_equal(strstr(t.request, "\r\n\r\n") + 4, "{\"a\": 1}");
}

static void a_server_says_when_to_come_again(void **state)
{
    (void)state;
    t.answer = "HTTP/1.1 503 Busy\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n";
    expect_status(503);
    assert_int_equal(t.last.retry_after_s, 17);
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    t.answer = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n";
    expect_status(302);
    end_server();
    assert_int_equal(t.requests, 1);
}

static void an_endless_answer_is_heard_as_far_as_it_counts(void **state)
{
    (void)state;
    t.answer = "HTTP/1.1 200 OK\r\n\r\n";
    t.flood = SIZE_MAX / 2;
    expect_status(200);
}

static void endless_headers_are_no_answer_worth_waiting_for(void **state)
{
    (void)state;
    t.answer = "HTTP/1.1 200 OK\r\nx-long: ";
    t.flood = SIZE_MAX / 2;
    assert_int_equal(post(t.url, "{}"), 0);
    loop_run(t.loop);
    assert_int_equal(t.answers, 1);
}

static void what_is_no_http_has_no_status(void **state)
{
    (void)state;
    t.answer = "220 mail.example.com ESMTP\r\n";
    expect_status(0);
    assert_string_not_equal(t.last.trouble, "");
}

static void a_refused_connection_says_so(void **state)
{
    (void)state;
    end_server();
    expect_status(0);
    assert_non_null(strcasestr(t.last.trouble, "connect"));
    assert_false(t.last.was_private);
}

static void a_private_address_is_not_connected_to(void **state)
{
    (void)state;
    open_fetcher(4, false);
    expect_status(0);
    assert_true(t.last.was_private);
    end_server();
    assert_int_equal(t.requests, 0);
}

static void a_name_that_leads_inside_is_not_connected_to(void **state)
{
    char url[64];

    (void)state;
    open_fetcher(4, false);
    snprintf(url, sizeof(url), "http://localhost:%s", strrchr(t.url, ':') + 1);
    assert_int_equal(post(url, "{}"), 0);
    loop_run(t.loop);
    assert_int_equal(t.last.status, 0);
    assert_true(t.last.was_private);
    end_server();
    assert_int_equal(t.requests, 0);
}

static void no_more_than_said_are_under_way(void **state)
{
    struct fetch *first;

    (void)state;
    t.answer = NULL;
    open_fetcher(1, true);
    assert_int_equal(post(t.url, "{}"), 0);
    first = t.fetch;
    assert_int_equal(post(t.url, "{}"), -EBUSY);
    fetch_cancel(&first);
    assert_null(first);
    assert_int_equal(post(t.url, "{}"), 0);
}

static void on_poke(void *arg)
{
    (void)arg;
    loop_stop(t.loop);
}

static void a_cancelled_one_is_not_heard_of_again(void **state)
{
    struct timer *poke = NULL;

    (void)state;
    assert_int_equal(timer_new(t.loop, on_poke, NULL, &poke), 0);
    assert_int_equal(post(t.url, "{}"), 0);
    fetch_cancel(&t.fetch);
    fetch_cancel(&t.fetch);
    timer_start(poke, 100, 0);
    loop_run(t.loop);
    assert_int_equal(t.answers, 0);
    timer_free(&poke);
}

static void the_fetcher_may_be_closed_with_one_under_way(void **state)
{
    struct timer *poke = NULL;

    (void)state;
    t.answer = NULL;
    assert_int_equal(timer_new(t.loop, on_poke, NULL, &poke), 0);
    assert_int_equal(post(t.url, "{}"), 0);
    timer_start(poke, 100, 0);
    loop_run(t.loop);
    timer_free(&poke);
    fetcher_close(&t.fetcher);
    assert_int_equal(t.answers, 0);
}

static void on_answer_close(void *arg, const struct fetch_answer *answer)
{
    on_answer(arg, answer);
    fetcher_close(&t.fetcher);
}

static void or_when_it_hears(void **state)
{
    const struct fetch_request request = {.url = t.url, .body = slice_of("{}")};

    (void)state;
    assert_int_equal(fetch_post(t.fetcher, &request, on_answer_close, NULL, &t.fetch), 0);
    loop_run(t.loop);
    assert_int_equal(t.last.status, 204);
    assert_null(t.fetcher);
}

static void on_answer_count(void *arg, const struct fetch_answer *answer)
{
    t.answers++;
    t.last = *answer;
    if (t.answers == *(const int *)arg) {
        loop_stop(t.loop);
    }
}

static void several_end_each_by_itself(void **state)
{
    const struct fetch_request request = {.url = t.url, .body = slice_of("{}")};
    const int count = 4;

    (void)state;
    for (int i = 0; i < count; i++) {
        assert_int_equal(
            fetch_post(t.fetcher, &request, on_answer_count, (void *)(uintptr_t)&count, &t.fetch),
            0);
    }
    loop_run(t.loop);
    assert_int_equal(t.answers, count);
}

static void the_body_is_bounded(void **state)
{
    const struct fetch_request request = {.url = t.url,
                                          .body = {.at = "", .len = FETCH_BODY_MAX + 1}};

    (void)state;
    assert_int_equal(fetch_post(t.fetcher, &request, on_answer, NULL, &t.fetch), -EMSGSIZE);
    assert_int_equal(post("ftp://127.0.0.1/", "{}"), -EINVAL);
}

static void urls_are_looked_at_with_the_same_eyes(void **state)
{
    static const char *const good[] = {"https://example.com/hook", "http://example.com:8080",
                                       "https://1.1.1.1/", "https://[2606:4700::1111]/x"};
    static const char *const bad[] = {"",
                                      "example.com",
                                      "/hook",
                                      "ftp://example.com/",
                                      "file:///etc/passwd",
                                      "gopher://example.com/",
                                      "https://",
                                      "https://user:secret@example.com/",
                                      "https://user@example.com/",
                                      "https://exa mple.com/",
                                      "https://example.com:99999/"};
    static const char *const inside[] = {
        "http://127.0.0.1/",  "http://localhost/",  "http://LOCALHOST/",
        "http://[::1]:80/",   "http://10.0.0.1/",   "http://127.1/",
        "http://0x7f000001/", "http://2130706433/", "http://169.254.169.254/latest/meta-data"};

    (void)state;
    for (size_t i = 0; i < countof(good); i++) {
        assert_null(fetch_url_fault(good[i], false));
    }
    for (size_t i = 0; i < countof(bad); i++) {
        if (!fetch_url_fault(bad[i], true)) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    for (size_t i = 0; i < countof(inside); i++) {
        assert_null(fetch_url_fault(inside[i], true));
        if (!fetch_url_fault(inside[i], false)) {
            fail_msg("taken: %s", inside[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_posted_as_it_was_given, start, stop),
        cmocka_unit_test_setup_teardown(a_server_says_when_to_come_again, start, stop),
        cmocka_unit_test_setup_teardown(a_redirect_is_not_followed, start, stop),
        cmocka_unit_test_setup_teardown(an_endless_answer_is_heard_as_far_as_it_counts, start,
                                        stop),
        cmocka_unit_test_setup_teardown(endless_headers_are_no_answer_worth_waiting_for, start,
                                        stop),
        cmocka_unit_test_setup_teardown(what_is_no_http_has_no_status, start, stop),
        cmocka_unit_test_setup_teardown(a_refused_connection_says_so, start, stop),
        cmocka_unit_test_setup_teardown(a_private_address_is_not_connected_to, start, stop),
        cmocka_unit_test_setup_teardown(a_name_that_leads_inside_is_not_connected_to, start, stop),
        cmocka_unit_test_setup_teardown(no_more_than_said_are_under_way, start, stop),
        cmocka_unit_test_setup_teardown(a_cancelled_one_is_not_heard_of_again, start, stop),
        cmocka_unit_test_setup_teardown(the_fetcher_may_be_closed_with_one_under_way, start, stop),
        cmocka_unit_test_setup_teardown(or_when_it_hears, start, stop),
        cmocka_unit_test_setup_teardown(several_end_each_by_itself, start, stop),
        cmocka_unit_test_setup_teardown(the_body_is_bounded, start, stop),
        cmocka_unit_test(urls_are_looked_at_with_the_same_eyes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
