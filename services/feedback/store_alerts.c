/* store_alerts - see the header. */
#include "feedback/store_alerts.h"

#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Between the items of a text array that is read as one text. */
#define UNIT "\x1f"

/* --- rules --- */

static int read_names(const char *joined, size_t *ret_count, char ***ret_names)
{
    char *copy, *rest, *name;
    char **names;
    size_t count = 0;

    if (joined[0] == '\0') {
        return 0;
    }
    names = calloc(ALERT_NAMES_MAX, sizeof(*names));
    copy = strdup(joined);
    if (names == NULL || copy == NULL) {
        free(names);
        free(copy);
        return -ENOMEM;
    }
    /* From here the names belong to the message, which frees what it has of them on failure. */
    *ret_names = names;
    for (rest = copy; count < ALERT_NAMES_MAX && (name = strsep(&rest, UNIT)) != NULL; count++) {
        names[count] = strdup(name);
        if (names[count] == NULL) {
            break;
        }
        *ret_count = count + 1;
    }
    free(copy);
    return *ret_count == count ? 0 : -ENOMEM;
}

#define RULE_COLUMNS                                                                               \
    "rule_id, title, subject, threshold, clear_threshold, cooldown_ms, minimum_count, severity,"   \
    " array_to_string(sites, e'" UNIT "'), array_to_string(queues, e'" UNIT "'),"                  \
    " array_to_string(teams, e'" UNIT "'), escalate_after_ms, enabled, window_ms, target_ms,"      \
    " revision, edited_by, edited_by_name, edited_at, removed, signal"

static int read_rule_texts(const struct db_rows *rows, size_t row, Moment__V1__AlertRule *rule)
{
    const struct {
        size_t column;
        char **text;
    } texts[] = {{0, &rule->rule_id},
                 {1, &rule->title},
                 {16, &rule->edited_by},
                 {17, &rule->edited_by_name},
                 {20, &rule->signal}};
    int error = 0;

    for (size_t i = 0; i < countof(texts) && error == 0; i++) {
        error = codec_set(texts[i].text, db_get_text(rows, row, texts[i].column));
    }
    if (error == 0) {
        error = read_names(db_get_text(rows, row, 8), &rule->n_sites, &rule->sites);
    }
    if (error == 0) {
        error = read_names(db_get_text(rows, row, 9), &rule->n_queues, &rule->queues);
    }
    if (error == 0) {
        error = read_names(db_get_text(rows, row, 10), &rule->n_teams, &rule->teams);
    }
    return error;
}

int store_read_rule(const struct db_rows *rows, size_t row, struct held_rule *ret_rule)
{
    Moment__V1__AlertRule *rule = calloc(1, sizeof(*rule));
    int error;

    if (rule == NULL) {
        return -ENOMEM;
    }
    moment__v1__alert_rule__init(rule);
    rule->subject = (Moment__V1__AlertSubject)db_get_i64(rows, row, 2);
    rule->threshold = db_get_double(rows, row, 3);
    if (!db_is_null(rows, row, 4)) {
        rule->clear_known_case = MOMENT__V1__ALERT_RULE__CLEAR_KNOWN_CLEAR_THRESHOLD;
        rule->clear_threshold = db_get_double(rows, row, 4);
    }
    rule->cooldown_ms = (uint32_t)db_get_i64(rows, row, 5);
    rule->minimum_count = (uint32_t)db_get_i64(rows, row, 6);
    rule->severity = (Moment__V1__Severity)db_get_i64(rows, row, 7);
    rule->escalate_after_ms = (uint32_t)db_get_i64(rows, row, 11);
    rule->enabled = db_get_bool(rows, row, 12);
    rule->window_ms = (uint32_t)db_get_i64(rows, row, 13);
    rule->target_ms = (uint32_t)db_get_i64(rows, row, 14);
    rule->revision = (uint32_t)db_get_i64(rows, row, 15);
    rule->edited_at = db_get_time(rows, row, 18);
    rule->removed = db_get_bool(rows, row, 19);
    error = read_rule_texts(rows, row, rule);
    if (error != 0) {
        codec_free(&rule->base);
        return error;
    }
    return codec_rule(&rule, ret_rule);
}

void store_load_rules(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, "select " RULE_COLUMNS " from alert_rule order by rule_id", &args, on_rows, arg);
}

int store_list_rules(struct db *db, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    return db_query(db,
                    "select " RULE_COLUMNS " from alert_rule where not removed order by rule_id",
                    &args, on_rows, arg);
}

static void add_rule(struct db_args *args, const Moment__V1__AlertRule *rule)
{
    db_text(args, rule->rule_id);
    db_text(args, rule->title);
    db_i32(args, (int32_t)rule->subject);
    db_double(args, rule->threshold);
    if (rule->clear_known_case != 0) {
        db_double(args, rule->clear_threshold);
    } else {
        db_null(args);
    }
    db_i32(args, (int32_t)rule->cooldown_ms);
    db_i32(args, (int32_t)rule->minimum_count);
    db_i32(args, (int32_t)rule->severity);
    db_texts(args, (const char *const *)rule->sites, rule->n_sites);
    db_texts(args, (const char *const *)rule->queues, rule->n_queues);
    db_texts(args, (const char *const *)rule->teams, rule->n_teams);
    db_i32(args, (int32_t)rule->escalate_after_ms);
    db_bool(args, rule->enabled);
    db_i32(args, (int32_t)rule->window_ms);
    db_i32(args, (int32_t)rule->target_ms);
    db_i32(args, (int32_t)rule->revision);
    db_text(args, rule->edited_by);
    db_text(args, rule->edited_by_name);
    db_time(args, rule->edited_at);
    db_bool(args, rule->removed);
    db_text(args, rule->signal);
}

void store_save_rule(struct txn *txn, const Moment__V1__AlertRule *rule)
{
    struct db_args args;

    db_args_init(&args);
    add_rule(&args, rule);
    txn_write(txn,
              "insert into alert_rule (rule_id, title, subject, threshold, clear_threshold,"
              " cooldown_ms, minimum_count, severity, sites, queues, teams, escalate_after_ms,"
              " enabled, window_ms, target_ms, revision, edited_by, edited_by_name, edited_at,"
              " removed, signal) values ($1, $2, $3, $4, $5::double precision, $6, $7, $8, $9,"
              " $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
              " on conflict (rule_id) do update set title = excluded.title,"
              " subject = excluded.subject, threshold = excluded.threshold,"
              " clear_threshold = excluded.clear_threshold, cooldown_ms = excluded.cooldown_ms,"
              " minimum_count = excluded.minimum_count, severity = excluded.severity,"
              " sites = excluded.sites, queues = excluded.queues, teams = excluded.teams,"
              " escalate_after_ms = excluded.escalate_after_ms, enabled = excluded.enabled,"
              " window_ms = excluded.window_ms, target_ms = excluded.target_ms,"
              " revision = excluded.revision, edited_by = excluded.edited_by,"
              " edited_by_name = excluded.edited_by_name, edited_at = excluded.edited_at,"
              " removed = excluded.removed, signal = excluded.signal",
              &args);
}

/* --- alerts --- */

#define ALERT_COLUMNS "body, subject, crossing, escalate_at"

int store_read_alert(const struct db_rows *rows, size_t row, struct stored_alert *ret_alert)
{
    ProtobufCMessage *message;
    int error = protobuf_read(&moment__v1__alert__descriptor, db_get_bytes(rows, row, 0), &message);

    if (error == 0) {
        ret_alert->message = (Moment__V1__Alert *)message;
        ret_alert->subject = db_get_text(rows, row, 1);
        ret_alert->crossing = (uint32_t)db_get_i64(rows, row, 2);
        ret_alert->escalate_at = db_get_time(rows, row, 3);
    }
    return error;
}

void store_load_live_alerts(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn,
             "select " ALERT_COLUMNS " from alert where state in (1, 2)"
             " union all"
             " select " ALERT_COLUMNS " from alert where state not in (1, 2)"
             " and moment_id in (select moment_id from moment where is_open)"
             " union all"
             " (select distinct on (rule_id, subject) " ALERT_COLUMNS " from alert"
             " where state not in (1, 2) and moment_id is null"
             " order by rule_id, subject, crossing desc)",
             &args, on_rows, arg);
}

void store_load_queue_alerts(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn,
             "select distinct on (rule_id, subject) " ALERT_COLUMNS " from alert"
             " where moment_id is null order by rule_id, subject, crossing desc",
             &args, on_rows, arg);
}

void store_load_alerts_of(struct txn *txn, const struct id *moment_id, db_result_fn *on_rows,
                          void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, moment_id->bytes);
    txn_read(txn, "select " ALERT_COLUMNS " from alert where moment_id = $1", &args, on_rows, arg);
}

int store_save_alert(struct txn *txn, const struct stored_alert *alert)
{
    const Moment__V1__Alert *message = alert->message;
    struct db_args args;

    db_args_init(&args);
    db_id(&args, message->alert_id);
    db_text(&args, message->rule_id);
    db_text(&args, alert->subject);
    db_i32(&args, (int32_t)alert->crossing);
    db_i32(&args, (int32_t)message->state);
    db_id(&args, message->moment_id);
    db_text(&args, message->site);
    db_text(&args, message->queue);
    db_text(&args, message->person_id);
    db_text(&args, message->team_id);
    db_time(&args, message->crossed_at);
    db_time(&args, message->raised_at);
    db_time(&args, alert->escalate_at);
    db_text(&args, message->owner);
    return txn_write_body(txn,
                          "insert into alert (alert_id, rule_id, subject, crossing, state,"
                          " moment_id, site, queue, person_id, team_id, crossed_at, raised_at,"
                          " escalate_at, owner, body) values ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
                          " $10, $11, $12, $13, $14, $15) on conflict (alert_id) do update set"
                          " state = excluded.state, crossed_at = excluded.crossed_at,"
                          " raised_at = excluded.raised_at, escalate_at = excluded.escalate_at,"
                          " owner = excluded.owner, body = excluded.body",
                          &args, &message->base);
}

int store_add_step(struct txn *txn, const char *alert_id, const Moment__V1__AlertStep *step)
{
    struct db_args args;

    db_args_init(&args);
    db_id(&args, alert_id);
    db_time(&args, step->at);
    return txn_write_body(txn,
                          "insert into alert_step (alert_id, step, at, body)"
                          " select $1, coalesce(max(step), 0) + 1, $2, $3"
                          " from alert_step where alert_id = $1",
                          &args, &step->base);
}

/* --- lists --- */

/* Who waits has no team yet, and a queue never has: every team of the site looks after them. */
#define IS_VISIBLE STORE_IS_VISIBLE_WITH(" team_id = '' or")

void store_list_alerts(struct db *db, struct call *call, const struct alert_filter *filter)
{
    struct reach reach = call_reach(call);
    struct db_args args;

    db_args_init(&args);
    listing_push(&args, &filter->page);
    listing_push_reach(&args, &reach);
    db_id(&args, filter->moment_id);
    db_text(&args, filter->queue);
    db_text(&args, filter->site);
    db_i32(&args, filter->state);
    db_bool(&args, filter->open_only);
    db_text(&args, filter->rule_id);
    db_text(&args, filter->owner);
    listing_answer(call, db,
                   "select body, raised_at, alert_id from alert where" IS_VISIBLE
                   " and ($1::timestamptz is null or (raised_at, alert_id) < ($1, $2::uuid))"
                   " and ($8::uuid is null or moment_id = $8::uuid)"
                   " and ($9 = '' or queue = $9) and ($10 = '' or site = $10)"
                   " and ($11 = 0 or state = $11) and (not $12 or state in (1, 2))"
                   " and ($13 = '' or rule_id = $13) and ($14 = '' or owner = $14)"
                   " order by raised_at desc, alert_id desc limit $3",
                   &args, &filter->page, NULL);
}

int store_list_steps(struct db *db, const struct id *alert_id, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_uuid(&args, alert_id->bytes);
    return db_query(db,
                    "select a.site, a.team_id, a.person_id, s.body from alert a"
                    " left join alert_step s using (alert_id) where a.alert_id = $1"
                    " order by s.step limit 1000",
                    &args, on_rows, arg);
}

int store_list_past(struct db *db, const struct past_page *page, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    db_time(&args, page->since_at);
    db_time(&args, page->before_at);
    db_uuid(&args, page->before_id.bytes);
    db_i32(&args, (int32_t)page->limit);
    return db_query(db,
                    "select body, changed_at, skew_us, ended_at, moment_id,"
                    " (select min(ended_at) from moment) from moment"
                    " where ended_at >= $1"
                    " and ($2::timestamptz is null or (ended_at, moment_id) < ($2, $3::uuid))"
                    " order by ended_at desc, moment_id desc limit $4",
                    &args, on_rows, arg);
}
