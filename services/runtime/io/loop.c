#include "io/loop.h"

#include "base/log.h"
#include "base/metric.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

static struct metric loop_lag_seconds = {
    .name = "moment_loop_lag_seconds",
    .kind = METRIC_HISTOGRAM,
    .help = "How long one turn of the event loop kept everything else waiting.",
};
struct metric *const loop_metrics[] = {&loop_lag_seconds};
const size_t loop_metric_count = countof(loop_metrics);

struct loop {
    uv_loop_t uv;
    uv_prepare_t turn; /* unreferenced: it alone keeps no loop running */
    uint64_t turn_began_ns;
    uint64_t turn_idle_ns;
};

struct timer {
    uv_timer_t handle;
    timer_fn *on_time;
    void *arg; /* borrowed */
};

/* The time between two turns that was not spent waiting in the kernel was spent in callbacks. */
static void on_turn(uv_prepare_t *turn)
{
    struct loop *loop = turn->data;
    uint64_t now_ns = uv_hrtime();
    uint64_t idle_ns = uv_metrics_idle_time(&loop->uv);
    uint64_t whole_ns = now_ns - loop->turn_began_ns;
    uint64_t waited_ns = idle_ns - loop->turn_idle_ns;
    uint64_t busy_ns = whole_ns > waited_ns ? whole_ns - waited_ns : 0;
    metric_observe(&loop_lag_seconds, NULL, (double)busy_ns / 1e9);
    loop->turn_began_ns = now_ns;
    loop->turn_idle_ns = idle_ns;
}

int loop_new(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return -ENOMEM;
    /* One worker: what goes there (a password hash, a name look-up) is rare, and a hash takes 19
     * MiB that must not be taken four times at once. */
    (void)setenv("UV_THREADPOOL_SIZE", "1", 0);
    int rc = uv_loop_init(&loop->uv);
    if (rc < 0) {
        free(loop);
        return rc;
    }
    rc = uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
    assert(rc == 0);
    uv_prepare_init(&loop->uv, &loop->turn);
    loop->turn.data = loop;
    uv_prepare_start(&loop->turn, on_turn);
    uv_unref((uv_handle_t *)&loop->turn);
    /* A peer that has gone is an error of the write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    metric_register(loop_metrics, countof(loop_metrics));
    *ret_loop = loop;
    return 0;
}

static void count_open(uv_handle_t *handle, void *arg)
{
    size_t *open = arg;
    if (uv_is_closing(handle))
        return;
    (*open)++;
    log_error("loop_handle_left_open", "type=%s", uv_handle_type_name(handle->type));
}

void loop_free(struct loop **loop)
{
    if (!*loop)
        return;
    size_t open = 0;
    uv_close((uv_handle_t *)&(*loop)->turn, NULL);
    /* What is closing gets its last callbacks; what is not would never end. */
    uv_walk(&(*loop)->uv, count_open, &open);
    assert(open == 0);
    while (uv_loop_alive(&(*loop)->uv))
        uv_run(&(*loop)->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&(*loop)->uv);
    assert(rc == 0);
    free(*loop);
    *loop = NULL;
}

void loop_run(struct loop *loop)
{
    loop->turn_began_ns = uv_hrtime();
    loop->turn_idle_ns = uv_metrics_idle_time(&loop->uv);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

/* --- timers -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    timer->on_time(timer->arg);
}

int timer_new(struct loop *loop, timer_fn *on_time, void *arg, struct timer **ret_timer)
{
    struct timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return -ENOMEM;
    uv_timer_init(&loop->uv, &timer->handle);
    timer->handle.data = timer;
    timer->on_time = on_time;
    timer->arg = arg;
    *ret_timer = timer;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void timer_free(struct timer **timer)
{
    if (!*timer)
        return;
    uv_close((uv_handle_t *)&(*timer)->handle, on_timer_closed);
    *timer = NULL;
}

void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
    /* The loop's idea of now is as old as its turn; a delay counts from this call. */
    uv_update_time(timer->handle.loop);
    int rc = uv_timer_start(&timer->handle, on_timer, delay_ms, repeat_ms);
    assert(rc == 0);
}

void timer_stop(struct timer *timer)
{
    uv_timer_stop(&timer->handle);
}

bool timer_is_active(const struct timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->handle) != 0;
}

/* --- work off the loop --------------------------------------------------------------------- */

struct job {
    uv_work_t request;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg; /* borrowed */
};

static void on_work(uv_work_t *request)
{
    struct job *job = request->data;
    job->work(job->arg);
}

static void on_work_done(uv_work_t *request, int status)
{
    struct job *job = request->data;
    assert(status == 0); /* jobs are never cancelled */
    void (*done)(void *arg) = job->done;
    void *arg = job->arg;
    free(job);
    done(arg);
}

int loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return -ENOMEM;
    *job = (struct job){.work = work, .done = done, .arg = arg};
    job->request.data = job;
    int rc = uv_queue_work(&loop->uv, &job->request, on_work, on_work_done);
    if (rc < 0)
        free(job);
    return rc;
}
