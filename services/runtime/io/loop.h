/* loop - one libuv loop per process: timers, work off the loop, signals, lag.
 *
 * Everything in io/ and in the services runs on the thread that calls loop_run. Callbacks must not
 * block: more than 5 ms shows in moment_loop_lag_seconds. */
#ifndef MOMENT_IO_LOOP_H
#define MOMENT_IO_LOOP_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct uv_loop_s;
struct metric;

/* For the list of all counters. */
extern struct metric *const loop_metrics[];
extern const size_t loop_metric_count;

must_check int loop_new(struct loop **ret_loop);
/* Asserts that no handle was left open. */
void loop_free(struct loop **loop);
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* For io/ only. */
struct uv_loop_s *loop_uv(struct loop *loop);

/* A timer lives on the heap until timer_free; its callback may free it. Delays are monotonic. */
struct timer;
typedef void timer_fn(void *arg);
must_check int timer_new(struct loop *loop, timer_fn *on_time, void *arg, struct timer **ret_timer);
void timer_free(struct timer **timer);
/* repeat_ms 0: once. Starting again replaces the old setting. */
void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void timer_stop(struct timer *timer);
bool timer_is_active(const struct timer *timer);

/* Run work on a worker thread, then done on the loop thread. Both get arg, which must live. */
must_check int loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg),
                         void *arg);

#endif
