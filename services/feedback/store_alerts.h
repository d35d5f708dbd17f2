/* store_alerts - the SQL of alerts, of their steps and of alert rules; see store.h. Loop thread
 * only. */
#ifndef MOMENT_FEEDBACK_STORE_ALERTS_H
#define MOMENT_FEEDBACK_STORE_ALERTS_H

#include "feedback/store.h"

/* An alert with what is kept beside it. */
struct stored_alert {
    Moment__V1__Alert *message; /* owned by who reads it */
    const char *subject;
    uint32_t crossing;
    int64_t escalate_at; /* 0: climbs no more */
};

/* Rows to structs: -EBADMSG, -EINVAL for what can't be read, -ENOMEM. */
must_check int store_read_rule(const struct db_rows *rows, size_t row, struct held_rule *ret_rule);
must_check int store_read_alert(const struct db_rows *rows, size_t row,
                                struct stored_alert *ret_alert);

/* Removed rules too. */
void store_load_rules(struct txn *txn, db_result_fn *on_rows, void *arg);
/* Open alerts of any subject, every alert of moments in progress, the last one of each queue. */
void store_load_live_alerts(struct txn *txn, db_result_fn *on_rows, void *arg);
/* The last alert of each rule and queue. */
void store_load_queue_alerts(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_load_alerts_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                          void *arg);

void store_save_rule(struct txn *txn, const Moment__V1__AlertRule *rule);
/* The messages are borrowed; -ENOMEM. */
must_check int store_save_alert(struct txn *txn, const struct stored_alert *alert);
/* The next step of an alert. */
must_check int store_add_step(struct txn *txn, const char *alert_id,
                              const Moment__V1__AlertStep *step);

struct alert_filter {
    struct listing page;
    const char *moment_id; /* "" any; a UUID */
    const char *queue;
    const char *site;
    const char *rule_id;
    const char *owner;
    int state; /* 0 any */
    bool open_only;
};

/* Without removed ones; for store_read_rule. */
must_check int store_list_rules(struct db *db, db_result_fn *on_rows, void *arg);
/* Answers the call with what its caller may see; newest first. */
void store_list_alerts(struct db *db, struct call *call, const struct alert_filter *filter);
/* Columns: site, team_id, person_id of the alert, body of a step; one row with a null body for an
 * alert without steps. */
must_check int store_list_steps(struct db *db, const struct id *alert_id, db_result_fn *on_rows,
                                void *arg);

/* A page of the moments that are over, newest first. */
struct past_page {
    int64_t since_at;  /* ended at or after */
    int64_t before_at; /* and before this one in the order of the pages; 0: from the start */
    struct id before_id;
    uint32_t limit;
};
/* Columns: those of store_read_moment, ended_at, moment_id, and when the oldest that is kept ended.
 * What turned out to be part of another moment is not among them, nor what was over before moments
 * were kept. */
must_check int store_list_past(struct db *db, const struct past_page *page, db_result_fn *on_rows,
                               void *arg);

#endif
