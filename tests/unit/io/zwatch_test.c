/* zwatch: a readable socket is always served, whatever swallowed the edge. */
#include "io/zwatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <uv.h>
#include <zmq.h>

#include <cmocka.h>

struct fixture {
    struct loop *loop;
    void *context;
    void *ours;
    void *theirs;
    struct zwatch *watch;
    struct timer *timer;
    struct timer *guard;
    int received;
    int wanted;
    int turns;
    uv_prepare_t prepare;
};

static void *pair(struct fixture *fixture, bool binds)
{
    void *socket = zmq_socket(fixture->context, ZMQ_PAIR);
    int none = 0;

    assert_non_null(socket);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof(none));
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof(none));
    assert_int_equal(
        binds ? zmq_bind(socket, "inproc://pair") : zmq_connect(socket, "inproc://pair"), 0);
    return socket;
}

static void finish(struct fixture *fixture)
{
    zwatch_close(&fixture->watch);
    timer_free(&fixture->timer);
    timer_free(&fixture->guard);
    loop_stop(fixture->loop);
}

static void on_guard(void *arg)
{
    finish(arg); /* the test finds that received is too small */
}

static void receive_one(void *arg)
{
    struct fixture *fixture = arg;
    char byte;

    if (zmq_recv(fixture->ours, &byte, 1, ZMQ_DONTWAIT) >= 0 &&
        ++fixture->received == fixture->wanted) {
        finish(fixture);
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_int_equal(loop_new(&fixture->loop), 0);
    fixture->context = zmq_ctx_new();
    fixture->ours = pair(fixture, true);
    fixture->theirs = pair(fixture, false);
    assert_int_equal(timer_new(fixture->loop, on_guard, fixture, &fixture->guard), 0);
    timer_start(fixture->guard, 2000, 0);
    assert_int_equal(
        zwatch_open(fixture->loop, fixture->ours, receive_one, fixture, &fixture->watch), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    loop_free(&fixture->loop);
    zmq_close(fixture->ours);
    zmq_close(fixture->theirs);
    zmq_ctx_term(fixture->context);
    free(fixture);
    return 0;
}

static void send_many(struct fixture *fixture, int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(zmq_send(fixture->theirs, "x", 1, ZMQ_DONTWAIT), 1);
    }
}

static void one_message_per_callback_still_delivers_all(void **state)
{
    struct fixture *fixture = *state;

    fixture->wanted = 1000;
    send_many(fixture, fixture->wanted);
    loop_run(fixture->loop);
    assert_int_equal(fixture->received, 1000);
}

/* A reply is queued; then something else uses the socket, which reads the mailbox behind ZMQ_FD. */
static void swallow_the_edge(void *arg)
{
    struct fixture *fixture = arg;
    int events = 0;
    size_t len = sizeof(events);

    send_many(fixture, 1);
    assert_int_equal(zmq_send(fixture->ours, "y", 1, ZMQ_DONTWAIT), 1);
    /* A send does this too, but only every few milliseconds. */
    assert_int_equal(zmq_getsockopt(fixture->ours, ZMQ_EVENTS, &events, &len), 0);
    assert_true(events & ZMQ_POLLIN);
}

static void a_send_in_a_timer_does_not_swallow_the_read_edge(void **state)
{
    struct fixture *fixture = *state;

    fixture->wanted = 1;
    assert_int_equal(timer_new(fixture->loop, swallow_the_edge, fixture, &fixture->timer), 0);
    timer_start(fixture->timer, 10, 0);
    loop_run(fixture->loop);
    assert_int_equal(fixture->received, 1);
}

static void close_at_once(void *arg)
{
    struct fixture *fixture = arg;

    fixture->received++;
    finish(fixture);
}

static void the_watch_may_be_closed_from_inside(void **state)
{
    struct fixture *fixture = *state;

    zwatch_close(&fixture->watch);
    assert_int_equal(
        zwatch_open(fixture->loop, fixture->ours, close_at_once, fixture, &fixture->watch), 0);
    send_many(fixture, 5);
    loop_run(fixture->loop);
    assert_int_equal(fixture->received, 1);
    assert_null(fixture->watch);
}

static void count_turn(uv_prepare_t *prepare)
{
    struct fixture *fixture = prepare->data;

    fixture->turns++;
}

static void an_idle_socket_does_not_turn_the_loop(void **state)
{
    struct fixture *fixture = *state;

    uv_prepare_init(loop_uv(fixture->loop), &fixture->prepare);
    fixture->prepare.data = fixture;
    uv_prepare_start(&fixture->prepare, count_turn);
    timer_start(fixture->guard, 50, 0);
    loop_run(fixture->loop);
    uv_close((uv_handle_t *)&fixture->prepare, NULL);
    assert_in_range(fixture->turns, 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_message_per_callback_still_delivers_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_send_in_a_timer_does_not_swallow_the_read_edge, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_watch_may_be_closed_from_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_socket_does_not_turn_the_loop, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("zwatch", tests, NULL, NULL);
}
