/* sim - the world of one schedule: virtual time, one source of chance, nodes that die, a trace.
 *
 * Everything that the real world decides (when something arrives, whether a frame is lost, where a
 * process ends) is drawn from one seeded generator, and everything that happens is an event of one
 * queue. So a seed is a whole run, and gives the same run again.
 *
 * A node is a process of Moment: its code is that of production, its loop, its sockets and its
 * database connections are those of world.c, net.c and pg.c. It ends by a longjmp out of whatever
 * it was doing to the event that ran it. Its memory is not given back, just as nothing of it is
 * used again: the runner starts a process per block of schedules. */
#ifndef MOMENT_SIM_H
#define MOMENT_SIM_H

#include "base/clock.h"
#include "base/macros.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODES_MAX 5

struct pg;
struct node;

/* How often what goes wrong, drawn for each schedule: some know no faults of a kind at all. */
struct rates {
    uint32_t frame_drop; /* of a million, as all below */
    uint32_t frame_repeat;
    uint32_t frame_delay;
    uint32_t net_cut;
    uint32_t db_cut;     /* at each step of a conversation with the database */
    uint32_t db_warning; /* a COMMIT that is not replicated and says so */
    uint32_t db_serialization;
    uint32_t crash; /* at each crash point */
};

struct world {
    uint64_t seed;
    uint64_t random;
    int64_t now_us;
    int64_t wall_offset_us; /* what somebody set the clock to */
    int64_t faults_end_us;
    struct rates rates;
    size_t ring_bytes;
    bool is_tracing;
    struct node *current; /* whose code runs; null: nobody's */
    uint64_t crashes;
    uint64_t events;
};
extern struct world world;

/* --- chance --- */
uint64_t chance_next(void);
uint64_t chance_below(uint64_t end); /* 0 .. end - 1 */
int64_t chance_us(int64_t from_us, int64_t to_us);
/* Did it happen this time? Never after the faults have ended. */
bool chance_fault(uint32_t per_million);

/* --- events --- */
typedef void event_fn(void *arg, uint64_t number);
/* node not null: only if that very process still runs then. */
void event_after(int64_t delay_us, struct node *node, event_fn *run, void *arg, uint64_t number);
/* False: nothing left to do. */
bool event_run_next(void);
int64_t event_next_us(void); /* INT64_MAX: none */
void world_begin(uint64_t seed, bool is_tracing);
void world_end(void);

/* --- what is seen --- */
void trace(const char *format, ...) printf_like(1, 2);
/* Something that must never be: says so and ends this process. */
_Noreturn void violated(const char *format, ...) printf_like(1, 2);

/* --- nodes --- */
struct node {
    const char *name;    /* of the instance, for the trace */
    const char *service; /* two instances of one service have different names */
    struct pg *pg;       /* null: it has none */
    void (*start)(struct node *node);
    uint32_t life; /* changes with each start and end */
    bool is_up;
    bool is_dead; /* for good */
    jmp_buf end;
    void *state;
};
/* A place between two side effects of the node that runs: it may end here. */
void crash_point(const char *label);
/* The end of the node that runs, here. */
_Noreturn void crash_now(const char *label);
/* The end of a node that does not run now. */
void node_kill(struct node *node, const char *why);
void node_start_after(struct node *node, int64_t delay_us);

/* net.c */
void net_begin(void);
void net_node_ended(const struct node *node);
void net_fault(void); /* cuts or mutes one connection */
/* pg.c */
void pg_node_ended(const struct node *node);

#endif
