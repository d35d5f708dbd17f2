/* toy - the three processes of a schedule, on production's stream, bus, consumer and commands.
 *
 * "ingest" answers toy.Emit: it counts the command in its table toy and appends its records.
 * "feedback" applies those records to its own table toy. Both keep the count of that table in
 * memory, as services keep what they know, so that a forget which is not called shows. "reporting"
 * asks: each command of the ledger until it has an answer, and now and then once more.
 *
 * How a text begins says what becomes of it: "m": done. "no": ingest refuses. "bad", "dup": the
 * database refuses it to ingest. "cbad", "cdup", "crefuse", "ccrash": the same to feedback, or it
 * ends the process; such a record belongs in quarantine. */
#ifndef MOMENT_SIM_TOY_H
#define MOMENT_SIM_TOY_H

#include "pg.h"

#define COMMANDS_MAX 64

/* What the asker knows; it outlives its process. */
struct asked_command {
    char text[24];
    uint32_t copies;
    bool is_asked; /* at least once */
    bool is_answered;
    bool is_refused;
    bool is_forgiven; /* a restore took it back, or may have */
    char answer[64];
};

struct ledger {
    struct asked_command commands[COMMANDS_MAX];
    size_t count;
    size_t answered;
    bool is_reporter_emitting; /* feedback appends records of its own */
};
extern struct ledger ledger;

void toy_service_start(struct node *node);
void toy_reporter_start(struct node *node);
/* "": the node is down, or has no consumer. */
const char *toy_consumer_state(const struct node *node);

#endif
