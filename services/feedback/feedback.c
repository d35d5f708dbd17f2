/* feedback - see the header. */
#include "feedback/feedback.h"

#include "base/clock.h"
#include "base/log.h"
#include "feedback/calibrations.h"
#include "feedback/coaching.h"
#include "feedback/notes.h"
#include "feedback/rhythms.h"
#include "feedback/sampling.h"
#include "feedback/store_evaluations.h"
#include "feedback/store_standards.h"
#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Contacts that are over are kept this many before they are dropped from memory. */
#define IDLE_MAX 2000
#define DRAFTS_HELD_BYTES ((size_t)4 * 1024 * 1024)

_Noreturn void feedback_no_memory(int error)
{
    log_error("out_of_memory", "error=%d", error);
    abort();
}

void feedback_emit(struct feedback *feedback, struct txn *txn, const char *site, const char *key,
                   const char *type, const ProtobufCMessage *message)
{
    uint8_t *bytes;
    size_t len;

    feedback_need(protobuf_write(message, &bytes, &len));
    (void)txn_emit(txn, site[0] != '\0' ? site : service_site(feedback->service), key, type,
                   txn_now_us(txn), bytes, len);
    free(bytes);
}

/* --- what is kept in memory --- */

static void done_rules(struct held_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        codec_rule_done(&rules[i]);
    }
    free(rules);
}

static void drop_rules(struct feedback *feedback)
{
    done_rules(feedback->rules, feedback->rule_count);
    feedback->rules = NULL;
    feedback->rule_count = 0;
}

static void on_rules(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    struct feedback *feedback = arg;

    if (status != 0) {
        return; /* the transaction fails and forget drops everything */
    }
    feedback->rules = calloc(db_count(rows) + 1, sizeof(*feedback->rules));
    feedback_need(feedback->rules != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows); i++) {
        int failure = store_read_rule(rows, i, &feedback->rules[feedback->rule_count]);

        if (failure == 0) {
            feedback->rule_count++;
        } else {
            log_error("alert_rule_unreadable", "row=%zu error=%d", i, failure);
        }
    }
    feedback->floor.rule_count = feedback->rule_count;
}

static bool says_the_same(const struct held_rule *a, const struct held_rule *b)
{
    uint8_t *of_a, *of_b;
    size_t a_len, b_len;
    bool is_same;

    feedback_need(protobuf_write(&a->message->base, &of_a, &a_len));
    feedback_need(protobuf_write(&b->message->base, &of_b, &b_len));
    is_same = a_len == b_len && memcmp(of_a, of_b, a_len) == 0;
    free(of_a);
    free(of_b);
    return is_same;
}

/* Marks the rules that are not as they were. */
static void mark_changed(struct feedback *feedback, const struct held_rule *before, size_t count)
{
    for (size_t i = 0; i < feedback->rule_count; i++) {
        struct held_rule *rule = &feedback->rules[i];

        rule->is_changed = true;
        for (size_t j = 0; j < count; j++) {
            if (strcmp(before[j].message->rule_id, rule->message->rule_id) == 0) {
                rule->is_changed = before[j].is_changed || !says_the_same(&before[j], rule);
            }
        }
        feedback->has_new_rules |= rule->is_changed;
    }
}

/* SIGHUP: other rules from now on. Contacts and queues stay; where each queue's alarms stand comes
 * from their last alerts. */
static void on_rules_again(void *arg, int status, const struct db_rows *rows,
                           const struct db_error *error)
{
    struct feedback *feedback = arg;
    struct held_rule *before;
    size_t count;

    if (status != 0) {
        return;
    }
    before = feedback->rules;
    count = feedback->rule_count;
    feedback->rules = NULL;
    feedback->rule_count = 0;
    on_rules(arg, status, rows, error);
    mark_changed(feedback, before, count);
    done_rules(before, count);
    feedback_need(floor_reset_alarms(&feedback->floor));
}

static void on_queue_alerts(void *arg, int status, const struct db_rows *rows,
                            const struct db_error *error unused_arg)
{
    struct feedback *feedback = arg;

    for (size_t i = 0; status == 0 && i < db_count(rows); i++) {
        struct stored_alert stored;

        if (store_read_alert(rows, i, &stored) != 0) {
            log_error("alert_unreadable", "row=%zu", i);
            continue;
        }
        watch_restore_alarm(feedback, &stored);
    }
}

static void on_standards(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct feedback *feedback = arg;

    for (size_t i = 0; status == 0 && i < db_count(rows); i++) {
        Moment__V1__Standard *message;

        if (store_read_standard(rows, i, &message) != 0) {
            log_error("standard_unreadable", "row=%zu", i);
            continue;
        }
        feedback_need(standards_add(feedback, &message));
    }
}

static struct source *source_of(struct feedback *feedback, const Moment__V1__Moment *message)
{
    struct source *source = floor_source(&feedback->floor, message->source);

    feedback_need(source != NULL ? 0 : -ENOMEM);
    return source;
}

static struct contact *contact_of(struct feedback *feedback, const struct id *id)
{
    struct contact *contact = floor_find_or_add(&feedback->floor, id);

    feedback_need(contact != NULL ? 0 : -ENOMEM);
    return contact;
}

static void on_open_moments(void *arg, int status, const struct db_rows *rows,
                            const struct db_error *error unused_arg)
{
    struct feedback *feedback = arg;

    for (size_t i = 0; status == 0 && i < db_count(rows); i++) {
        struct stored_moment stored;
        struct snapshot snapshot;
        struct contact *contact;
        struct id id;

        if (store_read_moment(rows, i, &stored) != 0 ||
            codec_snapshot(&stored.message, stored.changed_at, &snapshot) != 0) {
            log_error("moment_unreadable", "row=%zu", i);
            continue;
        }
        feedback_need(id_parse(snapshot.plain.moment_id, &id));
        contact = contact_of(feedback, &id);
        codec_snapshot_done(&contact->snapshot);
        contact->snapshot = snapshot;
        contact->revision = snapshot.message->revision;
        contact->next_source_at = 0; /* whatever happened meanwhile */
        source_clock_seed(&source_of(feedback, snapshot.message)->clock, stored.skew_us);
        for (size_t v = 0; v < snapshot.plain.visit_count; v++) {
            (void)floor_queue(&feedback->floor, snapshot.plain.site, snapshot.visits[v].queue);
        }
    }
}

static void take_contact_alert(struct feedback *feedback, struct stored_alert *stored)
{
    struct contact *contact;
    struct id id;

    if (id_parse(stored->message->moment_id, &id) != 0) {
        codec_free(&stored->message->base);
        return;
    }
    contact = contact_of(feedback, &id);
    contact->next_at = 0;
    feedback_need(
        contact_add_alert(contact, &stored->message, stored->crossing, stored->escalate_at));
}

static void on_live_alerts(void *arg, int status, const struct db_rows *rows,
                           const struct db_error *error unused_arg)
{
    struct feedback *feedback = arg;

    for (size_t i = 0; status == 0 && i < db_count(rows); i++) {
        struct stored_alert stored;

        if (store_read_alert(rows, i, &stored) != 0) {
            log_error("alert_unreadable", "row=%zu", i);
        } else if (stored.message->moment_id[0] != '\0') {
            take_contact_alert(feedback, &stored);
        } else {
            watch_restore_alarm(feedback, &stored);
        }
    }
}

/* The last answer of feedback_load_all: time may be looked at again. */
static void on_served(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error unused_arg)
{
    struct feedback *feedback = arg;

    if (status != 0) {
        return;
    }
    for (size_t i = 0; i < db_count(rows); i++) {
        struct stored_served stored;
        struct served_visit visit;
        struct queue *queue;
        bool is_changed;

        store_read_served(rows, i, &stored);
        queue = floor_queue(&feedback->floor, stored.site, stored.queue);
        feedback_need(queue != NULL ? 0 : -ENOMEM);
        visit = (struct served_visit){.moment_id = stored.moment_id, .visit = stored.visit};
        feedback_need(queue_put_served(queue, &visit, &stored.served, &is_changed));
    }
    for (struct queue *queue = feedback->floor.queues; queue != NULL; queue = queue->next) {
        queue->next_at = 0;
    }
    feedback->is_loading = false;
    feedback->is_loaded = true;
}

void feedback_load_all(struct feedback *feedback, struct txn *txn)
{
    directory_load(feedback->directory, txn);
    if (feedback->is_loaded && feedback->wants_rules) {
        feedback->wants_rules = false;
        store_load_rules(txn, on_rules_again, feedback);
        store_load_queue_alerts(txn, on_queue_alerts, feedback);
    }
    if (feedback->is_loaded || feedback->is_loading) {
        return;
    }
    feedback->is_loading = true;
    feedback->wants_rules = false;
    store_load_rules(txn, on_rules, feedback);
    store_load_standards(txn, on_standards, feedback);
    store_load_open_moments(txn, on_open_moments, feedback);
    store_load_live_alerts(txn, on_live_alerts, feedback);
    store_load_served(txn, clock_wall_us() - FEEDBACK_SERVED_KEPT_US, on_served, feedback);
}

static void drop_memory(struct feedback *feedback)
{
    directory_forget(feedback->directory);
    notes_forget(feedback->notes);
    coaching_forget(feedback->coaching);
    rhythms_forget(feedback->rhythms);
    calibrations_forget(feedback->calibrations);
    sampling_forget(feedback->sampling);
    floor_clear(&feedback->floor);
    standards_clear(feedback);
    entities_forget(feedback->standard_drafts);
    drop_rules(feedback);
    feedback->has_new_rules = false;
    feedback->is_loaded = false;
    feedback->is_loading = false;
}

void feedback_forget(void *state)
{
    struct feedback *feedback = state;

    drop_memory(feedback);
    watch_soon(feedback);
}

/* --- one moment's rows --- */

static void on_revision(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error unused_arg)
{
    if (status == 0 && db_count(rows) == 1) {
        struct contact *contact = arg;

        contact->revision = (uint32_t)db_get_i64(rows, 0, 0);
    }
}

static void on_alerts_of(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct contact *contact = arg;

    if (status != 0) {
        return;
    }
    contact_drop_alerts(contact);
    for (size_t i = 0; i < db_count(rows); i++) {
        struct stored_alert stored;

        if (store_read_alert(rows, i, &stored) != 0) {
            log_error("alert_unreadable", "row=%zu", i);
            continue;
        }
        feedback_need(
            contact_add_alert(contact, &stored.message, stored.crossing, stored.escalate_at));
    }
}

static void on_evaluations_of(void *arg, int status, const struct db_rows *rows,
                              const struct db_error *error unused_arg)
{
    struct contact *contact = arg;

    if (status != 0) {
        return;
    }
    contact_drop_evaluations(contact);
    for (size_t i = 0; i < db_count(rows); i++) {
        Moment__V1__Evaluation *message;

        if (store_read_evaluation(rows, i, &message) != 0) {
            log_error("evaluation_unreadable", "row=%zu", i);
            continue;
        }
        feedback_need(contact_put_evaluation(contact, &message));
    }
    contact->is_full = true;
}

static bool is_directory_record(const struct record *record)
{
    return strcmp(record->type, "DirectoryChanged") == 0;
}

static bool is_moment_record(const struct record *record, struct id *ret_id)
{
    return strcmp(record->type, "MomentChanged") == 0 && id_parse(record->key, ret_id) == 0;
}

void feedback_load_contact(struct feedback *feedback, struct txn *txn, const struct id *id)
{
    struct contact *contact;

    feedback_load_all(feedback, txn);
    if (feedback->floor.idle_count > IDLE_MAX) {
        floor_tidy(&feedback->floor, txn_serial(txn));
    }
    contact = contact_of(feedback, id);
    contact->used_by = txn_serial(txn);
    if (contact->is_full || contact->is_wanted) {
        return;
    }
    contact->is_wanted = true;
    feedback->floor.idle_count += contact->snapshot.message == NULL;
    store_load_revision_of(txn, id, on_revision, contact);
    store_load_alerts_of(txn, id, on_alerts_of, contact);
    store_load_evaluations_of(txn, id, on_evaluations_of, contact);
}

void feedback_load(void *state, struct txn *txn, const struct record *record)
{
    struct feedback *feedback = state;
    struct id id;

    if (is_directory_record(record)) {
        feedback_load_all(feedback, txn);
    }
    if (!is_moment_record(record, &id)) {
        return;
    }
    feedback_load_contact(feedback, txn, &id);
}

/* --- one moment's change --- */

static void note_visit(struct feedback *feedback, struct txn *txn, const struct contact *contact,
                       uint32_t index, int64_t skew)
{
    const struct moment *moment = &contact->snapshot.plain;
    const struct visit *visit = &moment->visits[index];
    struct queue *queue = floor_queue(&feedback->floor, moment->site, visit->queue);
    struct stored_served stored = {
        .moment_id = contact->id, .visit = index, .site = moment->site, .queue = visit->queue};
    struct served_visit key = {.moment_id = contact->id, .visit = index};
    bool is_changed;

    feedback_need(queue != NULL ? 0 : -ENOMEM);
    if (!alert_came_out(visit, &stored.served) ||
        stored.served.at + skew < clock_wall_us() - FEEDBACK_SERVED_KEPT_US) {
        return;
    }
    stored.served.at += skew;
    feedback_need(queue_put_served(queue, &key, &stored.served, &is_changed));
    if (is_changed) {
        store_save_served(txn, &stored);
    }
}

static void note_visits(struct feedback *feedback, struct txn *txn, const struct contact *contact)
{
    int64_t skew = floor_skew(&feedback->floor, contact, feedback->trust_us);

    if (codec_is_merged(&contact->snapshot)) {
        for (struct queue *queue = feedback->floor.queues; queue != NULL; queue = queue->next) {
            (void)queue_drop_served_of(queue, &contact->id);
        }
        store_drop_served_of(txn, &contact->id);
        return;
    }
    for (size_t i = 0; i < contact->snapshot.plain.visit_count; i++) {
        note_visit(feedback, txn, contact, (uint32_t)i, skew);
    }
}

/* Looks at the queues of a moment's visits. */
static void watch_queues_of(struct feedback *feedback, struct txn *txn, const struct moment *moment,
                            int64_t now)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        struct queue *queue = floor_queue(&feedback->floor, moment->site, moment->visits[i].queue);

        feedback_need(queue != NULL ? 0 : -ENOMEM);
        watch_queue(feedback, txn, queue, now);
    }
}

static void hear_clock(struct feedback *feedback, const Moment__V1__MomentChanged *changed)
{
    const Moment__V1__Event *event = changed->event;

    /* What ingest itself made up when a contact was lost has our time, not the source's. */
    if (event != NULL && event->occurred_at != 0 && event->received_at != 0 &&
        event->type != MOMENT__V1__EVENT_TYPE__EVENT_TYPE_CONTACT_LOST) {
        struct source *source = source_of(feedback, changed->moment);
        int64_t before = source_clock_skew(&source->clock, feedback->trust_us);

        source_clock_hear(&source->clock, event->occurred_at, event->received_at);
        if (source_clock_skew(&source->clock, feedback->trust_us) - before < -US_PER_S) {
            watch_soon(feedback); /* the source's now jumped ahead: more may be due */
        }
    }
}

static void save_moment(struct feedback *feedback, struct txn *txn, const struct contact *contact,
                        bool is_open)
{
    const struct source *source = source_of(feedback, contact->snapshot.message);

    feedback_need(store_save_moment(txn, contact->snapshot.message, is_open,
                                    contact->snapshot.plain.changed_at,
                                    source_clock_difference(&source->clock)));
}

/* The snapshot takes the place of the one before; everything that follows from it is done. */
static void apply_snapshot(struct feedback *feedback, struct txn *txn, struct contact *contact,
                           struct snapshot *snapshot, int64_t at)
{
    bool is_open = snapshot->plain.state != STATE_ENDED && !codec_is_merged(snapshot);

    codec_snapshot_done(&contact->snapshot);
    codec_free((ProtobufCMessage *)contact->over);
    contact->over = NULL;
    contact->snapshot = *snapshot;
    *snapshot = (struct snapshot){0};
    contact->revision = contact->snapshot.message->revision;
    save_moment(feedback, txn, contact, is_open);
    note_visits(feedback, txn, contact);
    watch_contact(feedback, txn, contact, at);
    watch_queues_of(feedback, txn, &contact->snapshot.plain, at);
    evaluations_update(feedback, txn, contact);
    if (!is_open) {
        contact->over = contact->snapshot.message;
        contact->snapshot.message = NULL;
        codec_snapshot_done(&contact->snapshot);
        feedback->floor.idle_count++;
    }
}

/* When that happened by our clock; a record is never from before what it tells of. */
static int64_t happened_at(struct feedback *feedback, const Moment__V1__MomentChanged *changed,
                           int64_t at)
{
    const struct source *source = source_of(feedback, changed->moment);
    int64_t happened = changed->event != NULL ? changed->event->occurred_at : 0;

    if (happened == 0) {
        return at;
    }
    happened += source_clock_skew(&source->clock, feedback->trust_us);
    return happened < at ? happened : at;
}

static int apply_moment(struct feedback *feedback, struct txn *txn, const struct record *record,
                        Moment__V1__MomentChanged *changed)
{
    int64_t changed_at = changed->event != NULL ? changed->event->occurred_at : 0;
    struct snapshot snapshot;
    struct contact *contact;
    int64_t happened;
    struct id id;
    int error;

    if (changed->moment == NULL || strcmp(changed->moment->moment_id, record->key) != 0 ||
        id_parse(record->key, &id) != 0) {
        return -EBADMSG;
    }
    contact = floor_find(&feedback->floor, &id);
    if (contact == NULL || !contact->is_full) {
        return -EAGAIN;
    }
    if (changed->moment->revision <= contact->revision) {
        return 0; /* redriven from quarantine after a newer one: that one says it all */
    }
    hear_clock(feedback, changed);
    happened = happened_at(feedback, changed, record->at_us);
    error = codec_snapshot(&changed->moment, changed_at, &snapshot);
    if (error != 0) {
        return error;
    }
    /* First what time alone had done to these queues before this happened. */
    watch_queues_of(feedback, txn, &snapshot.plain, happened);
    apply_snapshot(feedback, txn, contact, &snapshot, record->at_us);
    return 0;
}

int feedback_apply(void *state, struct txn *txn, const char *producer unused_arg,
                   const struct record *record)
{
    struct feedback *feedback = state;
    ProtobufCMessage *message;
    int error;

    if (record->at_us > feedback->applied_at) {
        feedback->applied_at = record->at_us;
    }
    if (is_directory_record(record)) {
        return directory_apply(feedback->directory, txn, record);
    }
    if (strcmp(record->type, "MomentChanged") != 0) {
        return 0;
    }
    error = protobuf_read(&moment__v1__moment_changed__descriptor, record->body, &message);
    if (error != 0) {
        return error;
    }
    error = apply_moment(feedback, txn, record, (Moment__V1__MomentChanged *)message);
    codec_free(message);
    return error;
}

/* --- life --- */

static void read_settings(struct feedback *feedback)
{
    const struct conf *conf = service_conf(feedback->service);

    feedback->history_us = conf_integer(conf, "alert_history_ms") * US_PER_MS;
    feedback->trust_us = conf_integer(conf, "clock_trust_ms") * US_PER_MS;
    feedback->grace_us = conf_integer(conf, "alert_grace_ms") * US_PER_MS;
    feedback->escalation_levels = (uint32_t)conf_integer(conf, "escalation_levels");
    feedback->praise_text_min = (uint32_t)conf_integer(conf, "praise_text_min");
    feedback->sampling_every_ms = (uint64_t)conf_integer(conf, "sampling_every_s") * 1000;
    feedback->dispute_working_days = (uint32_t)conf_integer(conf, "dispute_working_days");
}

int feedback_start(struct service *service, void **ret_state)
{
    struct feedback *feedback = calloc(1, sizeof(*feedback));
    int error;

    if (feedback == NULL) {
        return -ENOMEM;
    }
    feedback->service = service;
    read_settings(feedback);
    error = directory_new(service, &feedback->directory);
    if (error == 0) {
        error = notes_new(&feedback->notes);
    }
    if (error == 0) {
        error = coaching_new(&feedback->coaching);
    }
    if (error == 0) {
        error = rhythms_new(&feedback->rhythms);
    }
    if (error == 0) {
        error = calibrations_new(feedback, &feedback->calibrations);
    }
    if (error == 0) {
        error = sampling_new(feedback, &feedback->sampling);
    }
    if (error == 0) {
        error = entities_new(&store_standard_drafts, DRAFTS_HELD_BYTES, &feedback->standard_drafts);
    }
    if (error == 0) {
        error = floor_init(&feedback->floor);
    }
    if (error == 0) {
        error = watch_start(feedback);
    }
    if (error != 0) {
        entities_free(&feedback->standard_drafts);
        sampling_free(&feedback->sampling);
        calibrations_free(&feedback->calibrations);
        rhythms_free(&feedback->rhythms);
        coaching_free(&feedback->coaching);
        notes_free(&feedback->notes);
        directory_free(&feedback->directory);
        floor_done(&feedback->floor);
        free(feedback);
        return error;
    }
    *ret_state = feedback;
    watch_soon(feedback);
    return 0;
}

/* Rules are edited in their table; SIGHUP makes them count. They are read by the next work: there
 * may be a transaction between its load and its apply right now. */
void feedback_reload(void *state)
{
    struct feedback *feedback = state;

    read_settings(feedback);
    feedback->wants_rules = true;
    watch_soon(feedback);
}

void feedback_drain(void *state)
{
    struct feedback *feedback = state;

    watch_stop(feedback);
    previews_drop(feedback);
    calibrations_stop(feedback->calibrations);
    sampling_stop(feedback->sampling);
    directory_stop(feedback->directory);
}

void feedback_stop(void *state)
{
    struct feedback *feedback = state;

    watch_stop(feedback);
    drop_memory(feedback);
    floor_done(&feedback->floor);
    entities_free(&feedback->standard_drafts);
    sampling_free(&feedback->sampling);
    calibrations_free(&feedback->calibrations);
    rhythms_free(&feedback->rhythms);
    coaching_free(&feedback->coaching);
    notes_free(&feedback->notes);
    directory_free(&feedback->directory);
    free(feedback);
}

const char *feedback_not_ready(void *state)
{
    const struct feedback *feedback = state;

    return feedback->is_loaded ? NULL : "standards and open moments are not loaded yet";
}
