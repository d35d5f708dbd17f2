/* The event queue, chance, nodes, and loop.h on virtual time. */
#include "base/metric.h"
#include "base/seal.h"
#include "io/loop.h"
#include "sim.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct event {
    int64_t at_us;
    uint64_t order; /* among those of the same time: drawn, then counted */
    struct node *node;
    uint32_t life;
    event_fn *run;
    void *arg;
    uint64_t number;
};

struct world world;
static struct event *heap;
static size_t heap_count;
static size_t heap_capacity;

/* --- chance: splitmix64 ----------------------------------------------------------------------- */

uint64_t chance_next(void)
{
    uint64_t z = world.random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t chance_below(uint64_t end)
{
    return end ? chance_next() % end : 0;
}

int64_t chance_us(int64_t from_us, int64_t to_us)
{
    return from_us + (int64_t)chance_below((uint64_t)(to_us - from_us + 1));
}

bool chance_fault(uint32_t per_million)
{
    return per_million && world.now_us < world.faults_end_us && chance_below(1000000) < per_million;
}

/* What production draws from the kernel. */
void __wrap_seal_random(void *to, size_t len);
void __wrap_seal_random(void *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)to)[i] = (uint8_t)chance_next();
}

/* --- what is seen ----------------------------------------------------------------------------- */

void trace(const char *format, ...)
{
    if (!world.is_tracing)
        return;
    va_list list;
    printf("%11.6f %-10s ", (double)world.now_us / 1e6, world.current ? world.current->name : "-");
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
}

/* --- the queue: a binary heap ----------------------------------------------------------------- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void sift_up(size_t at)
{
    struct event event = heap[at];
    for (; at > 0 && is_before(&event, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = event;
}

static void sift_down(size_t at)
{
    struct event event = heap[at];
    for (size_t child; (child = 2 * at + 1) < heap_count; at = child) {
        if (child + 1 < heap_count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &event))
            break;
        heap[at] = heap[child];
    }
    heap[at] = event;
}

void event_after(int64_t delay_us, struct node *node, event_fn *run, void *arg, uint64_t number)
{
    static uint64_t serial;
    if (heap_count == heap_capacity) {
        heap_capacity = heap_capacity ? heap_capacity * 2 : 256;
        heap = realloc(heap, heap_capacity * sizeof *heap);
        assert(heap);
    }
    heap[heap_count++] = (struct event){
        .at_us = world.now_us + delay_us,
        .order = (chance_next() << 32) | (++serial & UINT32_MAX),
        .node = node,
        .life = node ? node->life : 0,
        .run = run,
        .arg = arg,
        .number = number,
    };
    sift_up(heap_count - 1);
}

int64_t event_next_us(void)
{
    return heap_count ? heap[0].at_us : INT64_MAX;
}

static void set_clock(int64_t now_us)
{
    /* 2026-01-01, so that no time is one of the past. */
    world.now_us = now_us;
    clock_set_for_test(INT64_C(1767225600000000) + now_us + world.wall_offset_us,
                       INT64_C(1000000000) + now_us);
}

static void run_in_node(const struct event *event)
{
    struct node *node = event->node;
    if (!node->is_up || node->life != event->life)
        return;
    world.current = node;
    if (setjmp(node->end) == 0)
        event->run(event->arg, event->number);
    world.current = NULL;
}

bool event_run_next(void)
{
    if (heap_count == 0)
        return false;
    struct event event = heap[0];
    heap[0] = heap[--heap_count];
    if (heap_count)
        sift_down(0);
    set_clock(event.at_us);
    world.events++;
    if (event.node)
        run_in_node(&event);
    else
        event.run(event.arg, event.number);
    return true;
}

void world_begin(uint64_t seed, bool is_tracing)
{
    world = (struct world){.seed = seed, .random = seed, .is_tracing = is_tracing};
    heap_count = 0;
    set_clock(0);
    net_begin();
}

void world_end(void)
{
    heap_count = 0;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void ended(struct node *node, const char *why)
{
    trace("%s ends: %s", node->name, why);
    node->is_up = false;
    node->life++;
    node->state = NULL;
    world.crashes++;
    net_node_ended(node);
    pg_node_ended(node);
}

void crash_now(const char *label)
{
    struct node *node = world.current;
    ended(node, label);
    node_start_after(node, chance_us(1000, 3 * US_PER_S));
    longjmp(node->end, 1);
}

void crash_point(const char *label)
{
    if (world.current && chance_fault(world.rates.crash))
        crash_now(label);
}

void node_kill(struct node *node, const char *why)
{
    assert(world.current != node);
    if (node->is_up)
        ended(node, why);
}

static void on_start(void *arg, uint64_t number unused_arg)
{
    struct node *node = arg;
    trace("%s starts", node->name);
    node->start(node);
}

static void on_birth(void *arg, uint64_t number unused_arg)
{
    struct node *node = arg;
    if (node->is_up || node->is_dead)
        return;
    node->life++;
    node->is_up = true;
    event_after(0, node, on_start, node, 0);
}

void node_start_after(struct node *node, int64_t delay_us)
{
    event_after(delay_us, NULL, on_birth, node, 0);
}

/* --- loop.h ----------------------------------------------------------------------------------- */

struct loop {
    struct node *node;
};

struct timer {
    struct node *node;
    timer_fn *on_time;
    void *arg;
    uint64_t setting; /* events of an older one count for nothing */
    uint64_t repeat_ms;
    size_t pending; /* events that will still come */
    bool is_active;
    bool is_freed;
};

int loop_new(struct loop **ret_loop)
{
    *ret_loop = calloc(1, sizeof **ret_loop);
    assert(*ret_loop);
    (*ret_loop)->node = world.current;
    return 0;
}

int timer_new(struct loop *loop, timer_fn *on_time, void *arg, struct timer **ret_timer)
{
    struct timer *timer = calloc(1, sizeof *timer);
    assert(timer);
    timer->node = loop->node;
    timer->on_time = on_time;
    timer->arg = arg;
    *ret_timer = timer;
    return 0;
}

static void on_timer(void *arg, uint64_t setting)
{
    struct timer *timer = arg;
    timer->pending--;
    if (timer->is_freed) {
        if (timer->pending == 0)
            free(timer);
        return;
    }
    if (!timer->is_active || timer->setting != setting)
        return;
    if (timer->repeat_ms)
        timer_start(timer, timer->repeat_ms, timer->repeat_ms);
    else
        timer->is_active = false;
    timer->on_time(timer->arg);
}

void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
    timer->setting++;
    timer->is_active = true;
    timer->repeat_ms = repeat_ms;
    timer->pending++;
    event_after((int64_t)delay_ms * US_PER_MS, timer->node, on_timer, timer, timer->setting);
}

void timer_stop(struct timer *timer)
{
    timer->is_active = false;
}

bool timer_is_active(const struct timer *timer)
{
    return timer->is_active;
}

void timer_free(struct timer **timer_at)
{
    struct timer *timer = *timer_at;
    *timer_at = NULL;
    if (!timer)
        return;
    timer->is_freed = true;
    if (timer->pending == 0)
        free(timer);
}

/* --- metric.h: nobody looks ------------------------------------------------------------------- */

void metric_register(struct metric *const *rows unused_arg, size_t count unused_arg)
{
}

void metric_add(struct metric *metric unused_arg, const char *label unused_arg,
                double by unused_arg)
{
}

void metric_set(struct metric *metric unused_arg, const char *label unused_arg,
                double value unused_arg)
{
}

void metric_observe(struct metric *metric unused_arg, const char *label unused_arg,
                    double value unused_arg)
{
}
