/* pg - a PostgreSQL of few statements: those of the runtime and of the two toy services.
 *
 * One struct pg is a server with one schema. A sync (everything between two syncs of a connection)
 * runs at one moment, so there are no half transactions to be seen; what is uncertain is whether it
 * runs, and whether its end is heard. What commits goes to a log of row changes: a failover cuts
 * the log back to what was certainly replicated, a restore cuts it back further. */
#ifndef MOMENT_SIM_PG_H
#define MOMENT_SIM_PG_H

#include "sim.h"

enum table {
    TABLE_STREAM,     /* numbers: seq, epoch, at; texts: site, key, type; body, hash */
    TABLE_EPOCH,      /* epoch, start_seq */
    TABLE_MARK,       /* epoch, batch */
    TABLE_CURSOR,     /* from_seq, to_seq, epoch; consumer, producer */
    TABLE_ATTEMPT,    /* from_seq, is_alone */
    TABLE_QUARANTINE, /* seq, epoch, at, id, is_settled; site, key, type, sqlstate, error; body */
    TABLE_SEEN,       /* source, key; answer in body */
    TABLE_TOY,        /* seq, count; text */
    TABLES,
};

#define ROW_NUMBERS 5
#define ROW_TEXTS 5
struct row {
    enum table table;
    int64_t numbers[ROW_NUMBERS];
    const char *texts[ROW_TEXTS];
    const uint8_t *body;
    size_t len;
    uint8_t hash[32];
};

struct change {
    const struct row *row;
    bool is_delete;
    bool is_last; /* of its transaction */
    bool is_warned;
};

struct table_rows {
    const struct row **rows;
    size_t count;
    size_t capacity;
};

struct pg {
    const char *name;
    struct table_rows tables[TABLES];
    struct change *log;
    size_t log_count;
    size_t log_capacity;
    size_t replicated; /* changes that a failover keeps */
    struct session *sessions;
    struct session *lock; /* who holds the stream's advisory lock */
    bool is_down;
    int64_t last_id;
    int restores;
    size_t failovers;
    /* After each commit, with what it changed. */
    void (*on_commit)(struct pg *pg, const struct change *changes, size_t count);
};

void pg_begin(struct pg *pg, const char *name);
/* All connections end; the server is back after the time. */
void pg_restart(struct pg *pg, int64_t down_us);
void pg_failover(struct pg *pg);
/* Back to an earlier state: to where keep of its changes are left, at the end of a transaction. */
void pg_restore(struct pg *pg, size_t keep);
/* One connection breaks. */
void pg_fault(struct pg *pg);

/* The server to which a node's connections go is that of world.current. */

#endif
