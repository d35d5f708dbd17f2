/* alert - when a moment in progress or a queue crosses a line: pure decisions.
 *
 * A moment's crossings follow from its facts alone, so that the same facts always give the same
 * crossings with the same numbers, live, late and after a restart. A crossing belongs to an
 * episode: one stay in a queue (waiting), one ringing, one hold, one conversation (talking: since
 * that visit was answered, holds included). Its number is derived from the episode, which is what
 * makes it once only:
 *
 *   number = (visit index + 1) * 1000 + ordinal within the visit; 1 for subjects of a whole moment.
 *
 * Waiting and talking episodes are remembered by the moment for ever. A hold or a ringing is only
 * seen while it lasts; afterwards its visit keeps the longest hold and the last ring, which make a
 * trace: it counts only if no crossing of that visit is known yet.
 *
 * Crossed means: value >= threshold (durations, counts), value <= threshold (low survey), value <
 * threshold (service level, with at least minimum_count moments). A moment's alert ends with its
 * episode. A queue's alert ends only when the value is past the clear threshold (below it; for the
 * service level at or above it). After a crossing the same rule stays quiet on the same moment or
 * queue for its cooldown; what is still crossed then is raised then.
 *
 * Times are microseconds by the source's clock. Allocates nothing; thread safe. */
#ifndef MOMENT_FEEDBACK_ALERT_H
#define MOMENT_FEEDBACK_ALERT_H

#include "feedback/rules/moment.h"

#define ALERT_CROSSINGS_MAX 72
#define ALERT_NEVER INT64_MAX

enum alert_subject {
    ALERT_UNKNOWN,
    ALERT_WAITING,
    ALERT_RINGING,
    ALERT_HELD,
    ALERT_TALKING,
    ALERT_TRANSFERS,
    ALERT_REPEAT_CONTACT,
    ALERT_LOW_SURVEY,
    ALERT_QUEUE_LENGTH,
    ALERT_LONGEST_WAIT,
    ALERT_SERVICE_LEVEL,
    ALERT_SUBJECTS
};

struct alert_rule {
    enum alert_subject subject;
    double threshold; /* milliseconds, a count, a score or per cent */
    double clear;     /* = threshold where none was given */
    int64_t cooldown_us;
    uint32_t minimum_count;
    int64_t window_us, target_us; /* service level */
    /* Borrowed; count 0: everywhere. */
    const char *const *sites, *const *queues, *const *teams;
    size_t site_count, queue_count, team_count;
};

bool alert_is_about_queue(const struct alert_rule *rule);
bool alert_covers(const struct alert_rule *rule, const char *site, const char *queue,
                  const char *team);

/* --- moments --- */

struct crossing {
    uint32_t number;
    bool is_trace;
    int64_t crossed_at;
    int64_t over_at;           /* 0: not over */
    double actual;             /* now, or when it was over */
    const char *queue, *agent; /* borrowed from the moment */
};

/* Every crossing of a rule by a moment up to now, in order of number. ret_crossings has room for
 * ALERT_CROSSINGS_MAX. ret_next_at: when the next one comes if nothing happens, or ALERT_NEVER. */
size_t alert_crossings(const struct alert_rule *rule, const struct moment *moment, int64_t now,
                       struct crossing *ret_crossings, int64_t *ret_next_at);

/* An alert that exists for a rule and a moment. */
struct alerted {
    uint32_t number;
    int64_t crossed_at;
    bool is_open;
};

struct verdict {
    /* Indexes into crossings: to be raised. One that is over is raised and cleared at once. */
    uint8_t raise[ALERT_CROSSINGS_MAX];
    size_t raise_count;
    /* Indexes into alerted: to be cleared, and since when. */
    uint8_t clear[ALERT_CROSSINGS_MAX];
    int64_t clear_at[ALERT_CROSSINGS_MAX];
    size_t clear_count;
    /* When a crossing kept quiet by the cooldown is due, or ALERT_NEVER. */
    int64_t next_at;
};

/* What has to change so that the alerts agree with the crossings. alerted_count <=
 * ALERT_CROSSINGS_MAX. */
void alert_decide(const struct alert_rule *rule, const struct moment *moment,
                  const struct crossing *crossings, size_t count, const struct alerted *alerted,
                  size_t alerted_count, int64_t now, struct verdict *ret_verdict);

/* --- queues --- */

/* The value that a queue rule looks at. */
struct level {
    bool is_known;
    double value;
    int64_t crossed_at; /* when it reached the threshold, as far as is known; else now */
    /* When it will cross or may change if nothing happens, or ALERT_NEVER. */
    int64_t next_at;
};

/* A visit that came out: the material of the service level. */
struct served {
    int64_t at; /* answered or abandoned */
    int64_t wait_us;
    bool answered; /* false: abandoned */
};

struct level alert_queue_length(size_t waiting, int64_t now);
/* oldest_entered_at 0: nobody waits, and the wait is nothing. */
struct level alert_longest_wait(const struct alert_rule *rule, int64_t oldest_entered_at,
                                int64_t now);
/* answered in time / (answered + abandoned - abandoned in time), in per cent, of what came out
 * within the window; unknown below minimum_count. */
struct level alert_service_level(const struct alert_rule *rule, const struct served *served,
                                 size_t count, int64_t now);

/* Where a queue rule stands. */
struct alarm {
    bool is_raised;
    int64_t crossed_at; /* of the last crossing; 0: there was none */
};

enum alarm_step { ALARM_STAY, ALARM_RAISE, ALARM_CLEAR };
/* ret_next_at: when to ask again if nothing happens, or ALERT_NEVER. */
enum alarm_step alert_step(const struct alert_rule *rule, const struct alarm *alarm,
                           const struct level *level, int64_t now, int64_t *ret_next_at);

#endif
