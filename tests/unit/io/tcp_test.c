#include "io/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The other side is a blocking socket of the same process, used from inside the callbacks: what is
 * small enough for the kernel's buffers never blocks. A watchdog ends a test that hangs. */
static struct {
    struct loop *loop;
    struct timer *watchdog;
    struct timer *poke;
    struct tcp *tcp;
    int listener;
    int peer;
    uint16_t port;
    char received[256];
    size_t received_len;
    int opened;
    int resumed;
    int closed;
    int error;
    bool is_late;
} t;

static void on_watchdog(void *arg)
{
    (void)arg;
    t.is_late = true;
    loop_stop(t.loop);
}

static int start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    (void)state;
    memset(&t, 0, sizeof t);
    t.peer = -1;
    t.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(t.listener, (struct sockaddr *)&address, len) < 0 || listen(t.listener, 5) < 0 ||
        getsockname(t.listener, (struct sockaddr *)&address, &len) < 0)
        return -1;
    t.port = ntohs(address.sin_port);
    if (loop_new(&t.loop) < 0 || timer_new(t.loop, on_watchdog, NULL, &t.watchdog) < 0)
        return -1;
    timer_start(t.watchdog, 10000, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bool is_late = t.is_late;
    tcp_close(&t.tcp);
    timer_free(&t.watchdog);
    timer_free(&t.poke);
    loop_free(&t.loop);
    if (t.listener >= 0)
        close(t.listener);
    if (t.peer >= 0)
        close(t.peer);
    return is_late ? -1 : 0;
}

static void on_open(void *arg)
{
    (void)arg;
    t.opened++;
    t.peer = accept(t.listener, NULL, NULL);
}

static void on_data(void *arg, struct slice bytes)
{
    (void)arg;
    assert_true(t.received_len + bytes.len < sizeof t.received);
    memcpy(t.received + t.received_len, bytes.at, bytes.len);
    t.received_len += bytes.len;
}

static void on_close(void *arg, int error)
{
    (void)arg;
    t.closed++;
    t.error = error;
    loop_stop(t.loop);
}

static const struct tcp_ops ops = {on_open, on_data, on_close};

static void on_open_greet(void *arg)
{
    on_open(arg);
    assert_int_equal(send(t.peer, "hello", 5, 0), 5);
    assert_int_equal(tcp_send(t.tcp, slice_of("answer")), 0);
    assert_int_equal(tcp_send(t.tcp, slice_of("")), 0);
}

static void on_data_then_hang_up(void *arg, struct slice bytes)
{
    char heard[16] = "";
    on_data(arg, bytes);
    assert_int_equal(recv(t.peer, heard, sizeof heard - 1, 0), 6);
    assert_string_equal(heard, "answer");
    close(t.peer);
    t.peer = -1;
}

static void bytes_go_both_ways_and_a_hang_up_is_no_error(void **state)
{
    static const struct tcp_ops talk = {on_open_greet, on_data_then_hang_up, on_close};
    (void)state;
    assert_int_equal(tcp_open(t.loop, "127.0.0.1", t.port, &talk, NULL, &t.tcp), 0);
    assert_int_equal(tcp_send(t.tcp, slice_of("too early")), -ENOTCONN);
    assert_int_equal(t.opened, 0); /* never from inside tcp_open */
    loop_run(t.loop);
    assert_int_equal(t.opened, 1);
    assert_memory_equal(t.received, "hello", 5);
    assert_int_equal(t.closed, 1);
    assert_int_equal(t.error, 0);
    assert_int_equal(tcp_send(t.tcp, slice_of("too late")), -ENOTCONN);
}

static void a_refused_connection_says_so(void **state)
{
    (void)state;
    close(t.listener);
    t.listener = -1;
    assert_int_equal(tcp_open(t.loop, "127.0.0.1", t.port, &ops, NULL, &t.tcp), 0);
    loop_run(t.loop);
    assert_int_equal(t.opened, 0);
    assert_int_equal(t.closed, 1);
    assert_int_equal(t.error, -ECONNREFUSED);
}

static void a_name_with_two_addresses_tries_both(void **state)
{
    (void)state;
    /* Nobody listens on ::1; where localhost has only one address this is the plain case. */
    assert_int_equal(tcp_open(t.loop, "localhost", t.port, &ops, NULL, &t.tcp), 0);
    timer_start(t.watchdog, 10000, 0);
    while (!t.opened && !t.closed && !t.is_late) {
        timer_stop(t.watchdog);
        assert_int_equal(timer_new(t.loop, on_watchdog, NULL, &t.poke), 0);
        timer_start(t.poke, 20, 5);
        loop_run(t.loop);
        t.is_late = false;
        timer_free(&t.poke);
    }
    assert_int_equal(t.opened, 1);
}

static void on_open_reset(void *arg)
{
    const struct linger hard = {1, 0};
    on_open(arg);
    setsockopt(t.peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(t.peer);
    t.peer = -1;
}

static void a_reset_is_an_error(void **state)
{
    static const struct tcp_ops reset = {on_open_reset, on_data, on_close};
    (void)state;
    assert_int_equal(tcp_open(t.loop, "127.0.0.1", t.port, &reset, NULL, &t.tcp), 0);
    loop_run(t.loop);
    assert_int_equal(t.closed, 1);
    assert_int_equal(t.error, -ECONNRESET);
}

static void on_open_flood(void *arg)
{
    on_open(arg);
    size_t len = 256 * 1024;
    char *bytes = calloc(1, len);
    int rc = 0;
    int sent = 0;
    /* The peer reads nothing: the kernel's buffers fill first, then our own megabyte. */
    while (rc == 0 && sent < 200) {
        rc = tcp_send(t.tcp, (struct slice){bytes, len});
        sent += rc == 0;
    }
    assert_int_equal(rc, -ENOBUFS);
    assert_in_range(sent, 4, 199);
    assert_int_equal(tcp_send(t.tcp, (struct slice){bytes, 2 * 1024 * 1024}), -ENOBUFS);
    free(bytes);
    tcp_close(&t.tcp);
    loop_stop(t.loop);
}

static void what_a_slow_peer_leaves_unsent_is_bounded(void **state)
{
    static const struct tcp_ops flood = {on_open_flood, on_data, on_close};
    (void)state;
    assert_int_equal(tcp_open(t.loop, "127.0.0.1", t.port, &flood, NULL, &t.tcp), 0);
    loop_run(t.loop);
    assert_int_equal(t.opened, 1);
    assert_int_equal(t.closed, 0);
}

static void on_resume(void *arg)
{
    (void)arg;
    assert_int_equal(t.received_len, 0);
    t.resumed++;
    tcp_resume(t.tcp);
}

static void on_open_paused(void *arg)
{
    on_open(arg);
    assert_int_equal(send(t.peer, "late", 4, 0), 4);
    shutdown(t.peer, SHUT_WR);
    timer_start(t.poke, 5, 0);
}

static void a_paused_connection_hears_nothing_until_it_is_resumed(void **state)
{
    static const struct tcp_ops paused = {on_open_paused, on_data, on_close};
    (void)state;
    assert_int_equal(timer_new(t.loop, on_resume, NULL, &t.poke), 0);
    assert_int_equal(tcp_open(t.loop, "127.0.0.1", t.port, &paused, NULL, &t.tcp), 0);
    tcp_pause(t.tcp);
    loop_run(t.loop);
    assert_int_equal(t.resumed, 1);
    assert_int_equal(t.received_len, 4);
    assert_int_equal(t.closed, 1);
}

static void on_data_close(void *arg, struct slice bytes)
{
    on_data(arg, bytes);
    tcp_close(&t.tcp);
    assert_null(t.tcp);
    loop_stop(t.loop);
}

static void it_may_be_closed_from_its_own_callback(void **state)
{
    static const struct tcp_ops closing = {on_open_greet, on_data_close, on_close};
    (void)state;
    assert_int_equal(tcp_open(t.loop, "127.0.0.1", t.port, &closing, NULL, &t.tcp), 0);
    loop_run(t.loop);
    assert_int_equal(t.received_len, 5);
    assert_int_equal(t.closed, 0);
}

static void it_may_be_closed_while_it_resolves(void **state)
{
    (void)state;
    assert_int_equal(tcp_open(t.loop, "localhost", t.port, &ops, NULL, &t.tcp), 0);
    tcp_close(&t.tcp);
    tcp_close(&t.tcp); /* null is fine */
    timer_free(&t.watchdog);
    loop_run(t.loop);
    assert_int_equal(t.opened, 0);
    assert_int_equal(t.closed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_both_ways_and_a_hang_up_is_no_error, start, stop),
        cmocka_unit_test_setup_teardown(a_refused_connection_says_so, start, stop),
        cmocka_unit_test_setup_teardown(a_name_with_two_addresses_tries_both, start, stop),
        cmocka_unit_test_setup_teardown(a_reset_is_an_error, start, stop),
        cmocka_unit_test_setup_teardown(what_a_slow_peer_leaves_unsent_is_bounded, start, stop),
        cmocka_unit_test_setup_teardown(a_paused_connection_hears_nothing_until_it_is_resumed,
                                        start, stop),
        cmocka_unit_test_setup_teardown(it_may_be_closed_from_its_own_callback, start, stop),
        cmocka_unit_test_setup_teardown(it_may_be_closed_while_it_resolves, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
