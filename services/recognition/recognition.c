/* recognition - see the header. */
#include "recognition/recognition.h"

#include "base/log.h"
#include "io/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u

struct metric recognition_candidates_total = {
    .name = "moment_candidates_total",
    .kind = METRIC_COUNTER,
    .help = "Revisions of caught-right candidates, by what they are.",
    .label = "change",
};

/* A moment whose records are loaded and not yet applied. */
struct entry {
    struct entry *next;
    struct id id;
    struct stored_sighting stored; /* owned */
    uint32_t pins;
    bool is_loaded;
};

struct recognition {
    struct service *service;
    struct entry *buckets[BUCKETS];
    struct detect_limits limits;
};

static void need(int error)
{
    if (error != 0) {
        log_error("out_of_memory", "error=%d", error);
        abort();
    }
}

/* --- entries --- */

static struct entry **place_of(struct recognition *recognition, const struct id *id)
{
    struct entry **link;
    uint32_t hash;

    memcpy(&hash, id->bytes, sizeof(hash)); /* ids are hashes themselves */
    link = &recognition->buckets[hash % BUCKETS];
    while (*link != NULL && memcmp(&(*link)->id, id, sizeof(*id)) != 0) {
        link = &(*link)->next;
    }
    return link;
}

static void free_entry(struct entry *entry)
{
    codec_free((ProtobufCMessage *)entry->stored.moment);
    codec_free((ProtobufCMessage *)entry->stored.evaluation);
    codec_free((ProtobufCMessage *)entry->stored.candidate);
    free(entry);
}

static void unpin(struct recognition *recognition, const struct id *id)
{
    struct entry **link = place_of(recognition, id);
    struct entry *entry = *link;

    if (entry != NULL && --entry->pins == 0) {
        *link = entry->next;
        free_entry(entry);
    }
}

void recognition_forget(void *state)
{
    struct recognition *recognition = state;

    for (size_t i = 0; i < BUCKETS; i++) {
        while (recognition->buckets[i] != NULL) {
            struct entry *entry = recognition->buckets[i];

            recognition->buckets[i] = entry->next;
            free_entry(entry);
        }
    }
}

/* --- load --- */

static void on_sighting(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error unused_arg)
{
    struct entry *entry = arg;

    if (status != 0) {
        return; /* the transaction fails and forget drops everything */
    }
    entry->is_loaded = true;
    if (db_count(rows) == 1 && store_read_sighting(rows, 0, &entry->stored) != 0) {
        entry->is_loaded = false;
    }
}

static bool is_ours(const struct record *record, struct id *ret_id)
{
    return (strcmp(record->type, "MomentChanged") == 0 ||
            strcmp(record->type, "EvaluationMade") == 0) &&
           id_parse(record->key, ret_id) == 0;
}

void recognition_load(void *state, struct txn *txn, const struct record *record)
{
    struct recognition *recognition = state;
    struct entry **link, *entry;
    struct id id;

    if (!is_ours(record, &id)) {
        return;
    }
    link = place_of(recognition, &id);
    if (*link != NULL) {
        (*link)->pins++;
        return;
    }
    entry = calloc(1, sizeof(*entry));
    need(entry != NULL ? 0 : -ENOMEM);
    entry->id = id;
    entry->pins = 1;
    *link = entry;
    store_load_sighting(txn, &id, on_sighting, entry);
}

/* --- the two halves --- */

/* True if the moment's half is now this one. Consumes *moment. */
static bool take_moment(struct txn *txn, struct entry *entry, Moment__V1__Moment **moment)
{
    Moment__V1__Moment *taken = *moment;
    struct sighting sighting;

    if (entry->stored.moment != NULL && taken->revision <= entry->stored.moment->revision) {
        return false; /* an older one, redriven */
    }
    codec_sighting(taken, &sighting);
    if (!sighting.is_ended && !sighting.is_merged && entry->stored.moment == NULL) {
        return false; /* in progress: nothing to praise yet */
    }
    *moment = NULL;
    codec_strip(taken);
    need(store_save_moment(txn, &entry->id, taken));
    codec_free((ProtobufCMessage *)entry->stored.moment);
    entry->stored.moment = taken;
    return true;
}

/* Of one evaluation the later revision counts; of two, the one that was made later and holds. */
static bool is_newer(const Moment__V1__Evaluation *evaluation, const Moment__V1__Evaluation *stored)
{
    if (stored == NULL) {
        return true;
    }
    if (strcmp(evaluation->evaluation_id, stored->evaluation_id) == 0) {
        return evaluation->revision > stored->revision;
    }
    if (evaluation->withdrawn) {
        return false;
    }
    return stored->withdrawn || evaluation->evaluated_at >= stored->evaluated_at;
}

static bool take_evaluation(struct txn *txn, struct entry *entry,
                            Moment__V1__Evaluation **evaluation)
{
    Moment__V1__Evaluation *taken = *evaluation;

    if (!is_newer(taken, entry->stored.evaluation)) {
        return false;
    }
    *evaluation = NULL;
    need(store_save_evaluation(txn, &entry->id, taken));
    codec_free((ProtobufCMessage *)entry->stored.evaluation);
    entry->stored.evaluation = taken;
    return true;
}

/* --- the candidate --- */

static Moment__V1__Candidate *look(const struct recognition *recognition, const struct entry *entry)
{
    struct evidence evidence[DETECT_EVIDENCE_MAX];
    Moment__V1__Candidate *candidate;
    struct appraisal appraisal;
    struct sighting sighting;
    struct result *results;
    char moment_id[ID_TEXT_SIZE];
    size_t count;

    codec_sighting(entry->stored.moment, &sighting);
    need(codec_appraisal(entry->stored.evaluation, &appraisal, &results));
    count = detect(&sighting, &appraisal, &recognition->limits, evidence);
    need(codec_candidate(id_print(&entry->id, moment_id), entry->stored.moment, evidence, count,
                         &candidate));
    free(results);
    return candidate;
}

static bool is_settled(const Moment__V1__Candidate *candidate)
{
    return candidate->state == MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PRAISED ||
           candidate->state == MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_DISMISSED;
}

static void emit(struct recognition *recognition, struct txn *txn, Moment__V1__Candidate *candidate)
{
    Moment__V1__CandidateChanged changed;
    uint8_t *bytes;
    size_t len;

    moment__v1__candidate_changed__init(&changed);
    changed.candidate = candidate;
    need(protobuf_write(&changed.base, &bytes, &len));
    (void)txn_emit(
        txn, candidate->site[0] != '\0' ? candidate->site : service_site(recognition->service),
        candidate->moment_id, "CandidateChanged", txn_now_us(txn), bytes, len);
    free(bytes);
}

static const char *change_of(const Moment__V1__Candidate *before, const Moment__V1__Candidate *now)
{
    if (now->state == MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_WITHDRAWN) {
        return "withdrawn";
    }
    return before == NULL ? "proposed" : "revised";
}

static void update_candidate(struct recognition *recognition, struct txn *txn, struct entry *entry)
{
    Moment__V1__Candidate *before = entry->stored.candidate;
    Moment__V1__Candidate *now = look(recognition, entry);
    bool is_nothing = before == NULL && now->n_evidence == 0;

    /* What people decided stays. */
    if (is_nothing ||
        (before != NULL && (is_settled(before) || codec_is_same_candidate(before, now)))) {
        codec_free(&now->base);
        return;
    }
    now->revision = before != NULL ? before->revision + 1 : 1;
    now->proposed_at = before != NULL ? before->proposed_at : txn_now_us(txn);
    need(store_save_candidate(txn, now));
    emit(recognition, txn, now);
    metric_add(&recognition_candidates_total, change_of(before, now), 1);
    codec_free((ProtobufCMessage *)before);
    entry->stored.candidate = now;
}

/* --- apply --- */

static int apply_moment(struct recognition *recognition, struct txn *txn, struct entry *entry,
                        const struct record *record)
{
    Moment__V1__MomentChanged *changed;
    ProtobufCMessage *message;
    int error = protobuf_read(&moment__v1__moment_changed__descriptor, record->body, &message);

    if (error != 0) {
        return error;
    }
    changed = (Moment__V1__MomentChanged *)message;
    if (changed->moment == NULL || strcmp(changed->moment->moment_id, record->key) != 0) {
        error = -EBADMSG;
    } else if (take_moment(txn, entry, &changed->moment)) {
        update_candidate(recognition, txn, entry);
    }
    codec_free(message);
    return error;
}

static int apply_evaluation(struct recognition *recognition, struct txn *txn, struct entry *entry,
                            const struct record *record)
{
    Moment__V1__EvaluationMade *made;
    ProtobufCMessage *message;
    int error = protobuf_read(&moment__v1__evaluation_made__descriptor, record->body, &message);

    if (error != 0) {
        return error;
    }
    made = (Moment__V1__EvaluationMade *)message;
    if (made->evaluation == NULL || strcmp(made->evaluation->moment_id, record->key) != 0) {
        error = -EBADMSG;
    } else if (take_evaluation(txn, entry, &made->evaluation)) {
        update_candidate(recognition, txn, entry);
    }
    codec_free(message);
    return error;
}

int recognition_apply(void *state, struct txn *txn, const char *producer unused_arg,
                      const struct record *record)
{
    struct recognition *recognition = state;
    bool is_moment = strcmp(record->type, "MomentChanged") == 0;
    struct entry *entry;
    struct id id;
    int error;

    if (!is_moment && strcmp(record->type, "EvaluationMade") != 0) {
        return 0;
    }
    if (!is_ours(record, &id)) {
        return -EBADMSG;
    }
    entry = *place_of(recognition, &id);
    if (entry == NULL) {
        return -EAGAIN;
    }
    if (!entry->is_loaded) {
        error = -EBADMSG;
    } else {
        error = is_moment ? apply_moment(recognition, txn, entry, record)
                          : apply_evaluation(recognition, txn, entry, record);
    }
    unpin(recognition, &id);
    return error;
}

/* --- ListCandidates --- */

void recognition_list_candidates(void *state, struct call *call)
{
    struct recognition *recognition = state;
    const Moment__V1__ListCandidatesRequest *request =
        (const Moment__V1__ListCandidatesRequest *)call_request(call);
    struct candidate_filter filter = {.moment_id = request->moment_id,
                                      .person_id = request->person_id};
    struct id id;

    if (request->moment_id[0] != '\0' && id_parse(request->moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
    } else if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_candidates(service_reader(recognition->service), call, &filter);
    }
}

/* --- life --- */

void recognition_reload(void *state)
{
    struct recognition *recognition = state;
    const struct conf *conf = service_conf(recognition->service);

    recognition->limits = (struct detect_limits){
        .hard_wait_ms = conf_integer(conf, "hard_wait_ms"),
        .hard_hold_ms = conf_integer(conf, "hard_hold_ms"),
        .hard_transfers = (uint32_t)conf_integer(conf, "hard_transfers"),
        .hard_repeat_contacts = (uint32_t)conf_integer(conf, "hard_repeat_contacts"),
        .top_survey = (double)conf_integer(conf, "top_survey"),
        .low_survey = (double)conf_integer(conf, "low_survey"),
    };
}

int recognition_start(struct service *service, void **ret_state)
{
    struct recognition *recognition = calloc(1, sizeof(*recognition));

    if (recognition == NULL) {
        return -ENOMEM;
    }
    recognition->service = service;
    recognition_reload(recognition);
    *ret_state = recognition;
    return 0;
}

void recognition_stop(void *state)
{
    recognition_forget(state);
    free(state);
}
