/* store - all SQL of feedback: one function per statement.
 *
 * store_load_* add reads to a transaction's load step, store_save_* writes to its apply step,
 * store_list_* ask on the reading connection. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_H
#define MOMENT_FEEDBACK_STORE_H

#include "feedback/codec.h"
#include "io/listing.h"
#include "io/stream.h"

/* A stored moment. */
struct stored_moment {
    Moment__V1__Moment *message; /* owned by who reads it */
    int64_t changed_at;
    int64_t skew_us;
};

struct stored_alert {
    Moment__V1__Alert *message; /* owned by who reads it */
    const char *subject;
    uint32_t crossing;
    int64_t escalate_at; /* 0: climbs no more */
};

struct stored_served {
    struct id moment_id;
    uint32_t visit;
    const char *site;
    const char *queue;
    struct served served;
};

/* Rows to plain structs. -EBADMSG for a body that can't be read, -ENOMEM. */
must_check int store_read_rule(const struct db_rows *rows, size_t row, struct held_rule *ret_rule);
must_check int store_read_standard(const struct db_rows *rows, size_t row,
                                   Moment__V1__Standard **ret_message);
must_check int store_read_moment(const struct db_rows *rows, size_t row,
                                 struct stored_moment *ret_moment);
must_check int store_read_alert(const struct db_rows *rows, size_t row,
                                struct stored_alert *ret_alert);
must_check int store_read_evaluation(const struct db_rows *rows, size_t row,
                                     Moment__V1__Evaluation **ret_message);
void store_read_served(const struct db_rows *rows, size_t row, struct stored_served *ret_served);

void store_load_rules(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_load_standards(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_load_open_moments(struct txn *txn, db_result_fn *on_rows, void *arg);
/* Open alerts of any subject, every alert of moments in progress, the last one of each queue. */
void store_load_live_alerts(struct txn *txn, db_result_fn *on_rows, void *arg);
/* The last alert of each rule and queue. */
void store_load_queue_alerts(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_load_served(struct txn *txn, int64_t since_us, db_result_fn *on_rows, void *arg);
/* The revision that was applied last; no row: none. */
void store_load_revision_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                            void *arg);
/* For store_read_moment: what is known of it, in progress or over. */
void store_load_moment_body(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                            void *arg);
void store_load_alerts_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                          void *arg);
/* The last revision of each evaluation of a moment. */
void store_load_evaluations_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                               void *arg);

/* All take a message that is borrowed; -ENOMEM. */
must_check int store_save_standard(struct txn *txn, const Moment__V1__Standard *message,
                                   const char *published_by);
must_check int store_save_evaluation(struct txn *txn, const Moment__V1__Evaluation *message);
/* The newest state of a moment with what it is searched by. */
must_check int store_save_moment(struct txn *txn, const Moment__V1__Moment *message, bool is_open,
                                 int64_t changed_at, int64_t skew_us);
must_check int store_save_alert(struct txn *txn, const struct stored_alert *alert);
void store_save_served(struct txn *txn, const struct stored_served *served);
void store_drop_served_of(struct txn *txn, const struct id *moment_id);
void store_drop_served_before(struct txn *txn, int64_t before_us);

struct evaluation_filter {
    struct listing page;
    struct id moment_id;
    bool history; /* older revisions too */
};

struct alert_filter {
    struct listing page;
    const char *moment_id; /* "" any; a UUID */
    const char *queue;
    const char *site;
    int state; /* 0 any */
    bool open_only;
};

must_check int store_list_rules(struct db *db, db_result_fn *on_rows, void *arg);
/* The rest answers the call, with what its caller may see; newest first. */
void store_list_standards(struct db *db, struct call *call);
void store_list_evaluations(struct db *db, struct call *call,
                            const struct evaluation_filter *filter);
void store_list_alerts(struct db *db, struct call *call, const struct alert_filter *filter);

#endif
