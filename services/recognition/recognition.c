/* recognition - see the header. */
#include "recognition/recognition.h"

#include "base/log.h"
#include "io/json.h"
#include "recognition/candidates.h"
#include "recognition/rules/post.h"
#include "recognition/wall.h"
#include "recognition/webhooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who evaluates by the facts alone. */
#define SERVICE_EVALUATOR "moment"

#define CANDIDATES_BYTES_MAX (8 * 1024 * 1024)

/* A moment whose records are loaded and not yet applied. */
struct entry {
    struct entry *next;
    struct id id;
    struct stored_sighting stored; /* owned */
    uint32_t pins;
    bool is_loaded;
};

/* --- for the parts --- */

void recognition_need(int error)
{
    if (error != 0) {
        log_error("out_of_memory", "error=%d", error);
        abort();
    }
}

void *recognition_new(size_t size)
{
    void *memory = calloc(1, size);

    recognition_need(memory != NULL ? 0 : -ENOMEM);
    return memory;
}

uint64_t recognition_emit(struct recognition *recognition, struct txn *txn, const char *site,
                          const char *key, const ProtobufCMessage *message)
{
    uint64_t seq;
    uint8_t *bytes;
    size_t len;

    recognition_need(protobuf_write(message, &bytes, &len));
    seq = txn_emit(txn, site[0] != '\0' ? site : service_site(recognition->service), key,
                   message->descriptor->short_name, txn_now_us(txn), bytes, len);
    free(bytes);
    return seq;
}

bool recognition_check_id(struct call *call, const char *field, const char *id, const char *what)
{
    struct problem problem;
    char canonical[ID_TEXT_SIZE];
    struct id parsed;

    if (id_parse(id, &parsed) == 0 && strcmp(id_print(&parsed, canonical), id) == 0) {
        return true;
    }
    (void)call_not_found(&problem, field, what);
    call_fail(call, &problem);
    return false;
}

int recognition_refuse(struct problem *problem, const struct refusal *refusal)
{
    problem_set(problem, refusal->status, refusal->type, refusal->field, "%s", refusal->detail);
    return -EPERM;
}

bool recognition_refused(struct call *call, const struct refusal *refusal)
{
    struct problem problem;

    if (refusal == NULL) {
        return false;
    }
    (void)recognition_refuse(&problem, refusal);
    call_fail(call, &problem);
    return true;
}

void recognition_command(struct recognition *recognition, struct call *call, command_load_fn *load,
                         command_apply_fn *apply)
{
    command_start(service_bus(recognition->service),
                  command_new(sizeof(struct command), call, recognition, load, apply));
}

/* --- entries --- */

static struct entry **place_of(struct recognition *recognition, const struct id *id)
{
    struct entry **link;
    uint32_t hash;

    memcpy(&hash, id->bytes, sizeof(hash)); /* ids are hashes themselves */
    link = &recognition->entries[hash % RECOGNITION_BUCKETS];
    while (*link != NULL && memcmp(&(*link)->id, id, sizeof(*id)) != 0) {
        link = &(*link)->next;
    }
    return link;
}

static void free_entry(struct entry *entry)
{
    codec_free((ProtobufCMessage *)entry->stored.moment);
    codec_free((ProtobufCMessage *)entry->stored.evaluation);
    codec_free((ProtobufCMessage *)entry->stored.praise);
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

static void forget_entries(struct recognition *recognition)
{
    for (size_t i = 0; i < RECOGNITION_BUCKETS; i++) {
        while (recognition->entries[i] != NULL) {
            struct entry *entry = recognition->entries[i];

            recognition->entries[i] = entry->next;
            free_entry(entry);
        }
    }
}

void recognition_forget(void *state)
{
    struct recognition *recognition = state;

    forget_entries(recognition);
    entities_forget(recognition->candidates);
    wall_forget(recognition->wall);
    webhooks_forget(recognition->webhooks);
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

/* *ret_note: a note that everybody may see, owned; null: another one. -EBADMSG, -ENOMEM. */
static int praise_of(const struct record *record, Moment__V1__Note **ret_note)
{
    Moment__V1__NoteChanged *changed;
    ProtobufCMessage *message;
    const Moment__V1__Note *note;
    struct id id;
    int error = protobuf_read(&moment__v1__note_changed__descriptor, record->body, &message);

    *ret_note = NULL;
    if (error != 0) {
        return error;
    }
    changed = (Moment__V1__NoteChanged *)message;
    note = changed->note;
    if (note == NULL || id_parse(note->note_id, &id) != 0) {
        error = -EBADMSG;
    } else if (note->kind == MOMENT__V1__NOTE_KIND__NOTE_KIND_PRAISE && !note->is_private) {
        *ret_note = changed->note;
        changed->note = NULL;
    }
    codec_free(message);
    return error;
}

static void load_entry(struct recognition *recognition, struct txn *txn, const struct id *id)
{
    struct entry **link = place_of(recognition, id), *entry;

    candidates_load(recognition, txn, id);
    if (*link != NULL) {
        (*link)->pins++;
        return;
    }
    entry = recognition_new(sizeof(*entry));
    entry->id = *id;
    entry->pins = 1;
    *link = entry;
    store_load_sighting(txn, id, on_sighting, entry);
}

static void load_note(struct recognition *recognition, struct txn *txn, const struct record *record)
{
    Moment__V1__Note *note;
    struct id id;

    if (praise_of(record, &note) != 0 || note == NULL) {
        return;
    }
    wall_load_praise(recognition, txn, note);
    if (id_parse(note->moment_id, &id) == 0) {
        load_entry(recognition, txn, &id);
    }
    codec_free(&note->base);
}

static bool is_of_moment(const struct record *record)
{
    return strcmp(record->type, "MomentChanged") == 0 ||
           strcmp(record->type, "EvaluationMade") == 0;
}

static bool is_note(const struct record *record)
{
    return strcmp(record->type, "NoteChanged") == 0;
}

void recognition_load(void *state, struct txn *txn, const struct record *record)
{
    struct id id;

    if (is_note(record)) {
        load_note(state, txn, record);
    } else if (is_of_moment(record) && id_parse(record->key, &id) == 0) {
        load_entry(state, txn, &id);
    }
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
    recognition_need(store_save_moment(txn, &entry->id, taken));
    codec_free((ProtobufCMessage *)entry->stored.moment);
    entry->stored.moment = taken;
    return true;
}

static bool is_by_people(const Moment__V1__Evaluation *evaluation)
{
    return strcmp(evaluation->evaluator, SERVICE_EVALUATOR) != 0;
}

/* Of one evaluation the later revision counts; of two that hold, what a person said before what was
 * only measured, else the one that was made later. */
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
    if (stored->withdrawn || is_by_people(evaluation) != is_by_people(stored)) {
        return stored->withdrawn || is_by_people(evaluation);
    }
    return evaluation->evaluated_at >= stored->evaluated_at;
}

static bool take_evaluation(struct txn *txn, struct entry *entry,
                            Moment__V1__Evaluation **evaluation)
{
    Moment__V1__Evaluation *taken = *evaluation;

    if (!is_newer(taken, entry->stored.evaluation)) {
        return false;
    }
    *evaluation = NULL;
    recognition_need(store_save_evaluation(txn, &entry->id, taken));
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
    recognition_need(codec_appraisal(entry->stored.evaluation, &appraisal, &results));
    count = detect(&sighting, &appraisal, &recognition->limits, evidence);
    recognition_need(codec_candidate(id_print(&entry->id, moment_id), entry->stored.moment,
                                     evidence, count, &candidate));
    free(results);
    return candidate;
}

static void update_candidate(struct recognition *recognition, struct txn *txn, struct entry *entry)
{
    candidates_update(recognition, txn, look(recognition, entry), entry->stored.praise);
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

static int apply_to_moment(struct recognition *recognition, struct txn *txn,
                           const struct record *record)
{
    struct entry *entry;
    struct id id;
    int error;

    if (id_parse(record->key, &id) != 0) {
        return -EBADMSG;
    }
    entry = *place_of(recognition, &id);
    if (entry == NULL) {
        return -EAGAIN;
    }
    if (!entry->is_loaded) {
        error = -EBADMSG;
    } else {
        error = strcmp(record->type, "MomentChanged") == 0
                    ? apply_moment(recognition, txn, entry, record)
                    : apply_evaluation(recognition, txn, entry, record);
    }
    unpin(recognition, &id);
    return error;
}

/* The first praise of a moment counts; it may have come before the moment's other halves. */
static void take_praise(struct recognition *recognition, struct txn *txn, struct entry *entry,
                        const Moment__V1__Note *note)
{
    ProtobufCMessage *copy;

    if (entry->stored.praise == NULL) {
        recognition_need(codec_copy(&note->base, &copy));
        entry->stored.praise = (Moment__V1__Note *)copy;
        recognition_need(store_save_praise(txn, &entry->id, note));
    }
    candidates_praise(recognition, txn, &entry->id, note);
}

static int apply_praise(struct recognition *recognition, struct txn *txn,
                        const Moment__V1__Note *note)
{
    struct entry *entry;
    struct id id;

    if (id_parse(note->moment_id, &id) != 0) {
        wall_praise(recognition, txn, note);
        return 0;
    }
    entry = *place_of(recognition, &id);
    if (entry == NULL) {
        return -EAGAIN;
    }
    if (entry->is_loaded) {
        wall_praise(recognition, txn, note);
        take_praise(recognition, txn, entry, note);
    }
    int error = entry->is_loaded ? 0 : -EBADMSG;
    unpin(recognition, &id);
    return error;
}

static int apply_note(struct recognition *recognition, struct txn *txn, const struct record *record)
{
    Moment__V1__Note *note;
    int error = praise_of(record, &note);

    if (note != NULL) {
        error = apply_praise(recognition, txn, note);
        codec_free(&note->base);
    }
    return error;
}

int recognition_apply(void *state, struct txn *txn, const char *producer unused_arg,
                      const struct record *record)
{
    if (is_note(record)) {
        return apply_note(state, txn, record);
    }
    return is_of_moment(record) ? apply_to_moment(state, txn, record) : 0;
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
    int error;

    if (recognition == NULL) {
        return -ENOMEM;
    }
    recognition->service = service;
    recognition_reload(recognition);
    error = entities_new(&candidate_kind, CANDIDATES_BYTES_MAX, &recognition->candidates);
    if (error == 0) {
        error = wall_open(&recognition->wall);
    }
    if (error == 0) {
        error = webhooks_open(recognition, &recognition->webhooks);
    }
    if (error != 0) {
        recognition_stop(recognition);
        return error;
    }
    *ret_state = recognition;
    return 0;
}

void recognition_drain(void *state)
{
    struct recognition *recognition = state;

    webhooks_drain(recognition->webhooks);
}

void recognition_stop(void *state)
{
    struct recognition *recognition = state;

    forget_entries(recognition);
    entities_free(&recognition->candidates);
    wall_close(&recognition->wall);
    webhooks_close(&recognition->webhooks);
    free(recognition);
}
