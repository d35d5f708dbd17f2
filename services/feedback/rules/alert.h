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
 * threshold (service level, with at least minimum_count moments). A customer's signal counts each
 * different one, or only the one that the rule names. A moment's alert ends with its
 * episode. A queue's alert ends only when the value is past the clear threshold (below it; for the
 * service level at or above it). After a crossing the same rule stays quiet on the same moment or
 * queue for its cooldown; what is still crossed then is raised then.
 *
 * A rule that was changed counts from then on. What no longer crosses is cleared as withdrawn: that
 * alert was never there for the rule as it is now, so the same crossing raises it again when it
 * crosses again, and it keeps nothing quiet. What was over before the change raises nothing new.
 *
 * Times are microseconds by the source's clock. Allocates nothing; thread safe. */
#ifndef MOMENT_FEEDBACK_ALERT_H
#define MOMENT_FEEDBACK_ALERT_H

#include "feedback/rules/moment.h"
#include "feedback/rules/standard.h"

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
    ALERT_CUSTOMER_SIGNAL,
    ALERT_SUBJECTS
};

/* What a rule may hold. */
#define ALERT_ID_MAX 63
#define ALERT_TITLE_MAX 200 /* characters */
#define ALERT_SIGNAL_MAX 64 /* characters */
#define ALERT_NAMES_MAX 64
#define ALERT_NAME_BYTES_MAX 256
#define ALERT_COUNT_MAX 100000
#define ALERT_SIGNALS_MAX 16

struct alert_rule {
    enum alert_subject subject;
    double threshold; /* milliseconds, a count, a score or per cent */
    bool has_clear;
    double clear; /* = threshold where none was given */
    int64_t cooldown_us;
    uint32_t minimum_count;
    int64_t window_us, target_us; /* service level */
    const char *signal;           /* never null; "": any */
    int64_t changed_at;           /* 0: never */
    /* Borrowed; count 0: everywhere. */
    const char *const *sites, *const *queues, *const *teams;
    size_t site_count, queue_count, team_count;
    /* Of no use to a decision, but checked. */
    const char *rule_id, *title;
    int severity;
    int64_t escalate_us;
};

/* The first of what is wrong with a rule that somebody wrote; field is "rule.threshold". */
bool alert_is_sound(const struct alert_rule *rule, struct objection *ret_objection);

bool alert_is_about_queue(const struct alert_rule *rule);
/* About somebody who waits, or about a queue: no team has them yet. */
bool alert_is_before_team(const struct alert_rule *rule);
bool alert_covers(const struct alert_rule *rule, const char *site, const char *queue,
                  const char *team);
/* Does that value cross the rule's threshold? */
bool alert_is_beyond(const struct alert_rule *rule, double value);

/* --- moments --- */

struct crossing {
    uint32_t number;
    bool is_trace;
    int64_t crossed_at;
    int64_t over_at;           /* 0: not over */
    double actual;             /* now, or when it was over */
    const char *queue, *agent; /* borrowed from the moment */
    const char *signal;        /* "" but for a customer's; borrowed */
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
    bool is_withdrawn; /* cleared as the rule was changed */
};

struct verdict {
    /* Indexes into crossings: to be raised, a withdrawn one again. One that is over is raised and
     * cleared at once. */
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

/* A visit that came out: answered, or given up. False: it says nothing about a service level. */
bool alert_came_out(const struct visit *visit, struct served *ret_served);

struct level alert_queue_length(size_t waiting, int64_t now);
/* oldest_entered_at 0: nobody waits, and the wait is nothing. */
struct level alert_longest_wait(const struct alert_rule *rule, int64_t oldest_entered_at,
                                int64_t now);
/* answered in time / (answered + abandoned - abandoned in time), in per cent, of what came out
 * within the window; unknown below minimum_count. */
struct level alert_service_level(const struct alert_rule *rule, const struct served *served,
                                 size_t count, int64_t now);
/* The same, counted one by one by who walks through time. */
struct served_count {
    uint64_t in_time, counted, seen;
};
void alert_count_served(const struct alert_rule *rule, const struct served *served,
                        struct served_count *count);
void alert_uncount_served(const struct alert_rule *rule, const struct served *served,
                          struct served_count *count);
/* next_at: when the first of them leaves the window, or ALERT_NEVER. */
struct level alert_service_level_of(const struct alert_rule *rule, const struct served_count *count,
                                    int64_t now, int64_t next_at);

/* Where a queue rule stands. */
struct alarm {
    bool is_raised;
    int64_t crossed_at; /* of the last crossing; 0: there was none */
};

/* The level as it is now is beyond the threshold, whatever was before. */
bool alert_is_crossed(const struct alert_rule *rule, const struct level *level);

enum alarm_step { ALARM_STAY, ALARM_RAISE, ALARM_CLEAR };
/* ret_next_at: when to ask again if nothing happens, or ALERT_NEVER. */
enum alarm_step alert_step(const struct alert_rule *rule, const struct alarm *alarm,
                           const struct level *level, int64_t now, int64_t *ret_next_at);

#endif
