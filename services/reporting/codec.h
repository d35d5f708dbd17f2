/* codec - the streams' messages as plain facts for the tables, live updates, and JSON for the API.
 *
 * A fact borrows its strings from the decoded message that it owns; fact_free frees both. Unknown
 * text is "", unknown durations -1, unknown times 0. JSON made here has null for every unknown:
 * also for an empty text. Thread safe for separate values. */
#ifndef MOMENT_REPORTING_CODEC_H
#define MOMENT_REPORTING_CODEC_H

#include "base/id.h"
#include "io/json.h"
#include "io/stream.h"
#include "reporting/rules/visibility.h"
#include "reporting/rules/visit_class.h"

#define CODEC_ENUM_SIZE 40

enum fact_kind {
    FACT_OTHER, /* a record that is none of ours */
    FACT_MOMENT,
    FACT_AGENT,
    FACT_GAP,
    FACT_SITE,
    FACT_TEAM,
    FACT_PERSON,
    FACT_QUEUE,
    FACT_EVALUATION,
    FACT_ALERT,
    FACT_CANDIDATE,
    FACT_NOTE,
    FACT_COACHING,
    FACT_POST,
    FACT_STANDARD,
    FACT_SAMPLE,
    FACT_RHYTHM,
    FACT_CALIBRATION,
    FACT_ALERT_RULE,
};

struct visit_fact {
    const char *queue;
    const char *agent;
    const char *person_id;
    enum visit_class class;
    char outcome[CODEC_ENUM_SIZE];
    int64_t entered_at;
    bool has_ended;
    bool is_transfer;
    int64_t wait_ms, talk_ms, hold_ms, wrap_ms, hold_count;
    bool has_csat;
    double csat;
};

struct moment_fact {
    struct id moment_id;
    const char *source;
    char channel[CODEC_ENUM_SIZE];
    char state[CODEC_ENUM_SIZE];
    char outcome[CODEC_ENUM_SIZE];
    int64_t listed_at; /* never 0 */
    int64_t ended_at;
    const char *queue_now;
    int64_t queue_since;
    bool is_open;
    bool is_merged;
    uint32_t revision;
    const char *queue;
    const char *agent;
    struct visit_fact *visits; /* owned */
    size_t visit_count;        /* 0 when merged */
};

struct fact {
    enum fact_kind kind;
    /* Who it is about: borrowed. */
    const char *id; /* moment_id, alert_id, agent, site_id ... */
    const char *name;
    const char *site;
    const char *team;
    const char *person_id;
    const char *author_id;       /* the user who made it */
    enum audience audience;      /* of its live update */
    struct moment_fact moment;   /* FACT_MOMENT */
    const char *moment_id;       /* alerts, candidates, evaluations */
    const char *source;          /* agents */
    char state[CODEC_ENUM_SIZE]; /* presence of an agent */
    int32_t state_number;        /* alerts, candidates */
    bool is_open;                /* alerts */
    uint32_t revision;           /* candidates */
    const char *time_zone;       /* sites */
    const char *role, *coach_id; /* people */
    int64_t at_us;               /* since, raised, proposed */
    /* The message as it is kept and sent on. */
    ProtobufCMessage *record;        /* owned */
    const ProtobufCMessage *subject; /* the Moment, Alert, ... in it; borrowed */
};

/* -EBADMSG when the record can not be read or lacks its id. FACT_OTHER is no error. */
must_check int fact_read(const struct record *record, struct fact **ret_fact);
void fact_free(struct fact **fact);
/* The subject packed; free() the bytes. */
must_check int fact_pack(const struct fact *fact, uint8_t **ret_bytes, size_t *ret_len);
/* A packed LiveUpdate; -ENOENT for facts that nobody watches. person_ids: see live_subject. */
must_check int fact_pack_live(const struct fact *fact, const char *team, const char *name,
                              uint8_t **ret_bytes, size_t *ret_len);

/* A live update as sent to pages, and who it is about. Borrows nothing. */
struct live_item {
    char *json; /* owned, one line */
    struct subject subject;
    void *owner; /* what subject borrows from */
};
must_check int live_item_read(struct slice body, struct live_item *ret_item);
void live_item_done(struct live_item *item);

/* Snapshots as kept in the tables. Null when unreadable. */
json_t *codec_moment_json(struct slice bytes);
json_t *codec_agent_json(struct slice bytes, const char *name, const char *team);
json_t *codec_alert_json(struct slice bytes);
json_t *codec_candidate_json(struct slice bytes);
/* Any message, nulls for unknowns. */
json_t *codec_json(const ProtobufCMessage *message);
/* Is name a value of that enumeration? Number in ret_number. -EINVAL. */
must_check int codec_channel(const char *name, int *ret_number);
must_check int codec_outcome(const char *name, int *ret_number);
must_check int codec_moment_state(const char *name, int *ret_number);

#endif
