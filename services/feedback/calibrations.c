/* calibrations - see the header. */
#include "feedback/calibrations.h"

#include "base/clock.h"
#include "base/log.h"
#include "feedback/rules/calibration.h"
#include "feedback/standards.h"
#include "feedback/store_calibrations.h"
#include "io/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A session has to fit into an answer, with the standard: each entry has its share of this. */
#define ENTRIES_BYTES_MAX ((size_t)2 * 1024 * 1024)
#define DUE_MAX 20
#define AGAIN_MS 1000
/* The clock on the wall may be set: nobody waits longer without looking at it. */
#define LOOK_MS 3600000

struct metric feedback_calibrations_total = {
    .name = "moment_calibrations_total",
    .kind = METRIC_COUNTER,
    .help = "Calibration sessions, by what became of them.",
    .label = "state",
};

/* What time submits: sessions whose deadline has come. */
struct closing {
    struct work work; /* first */
    struct calibrations *calibrations;
    const struct txn *txn; /* while it loads */
    char due[DUE_MAX][ID_TEXT_SIZE];
    size_t due_count;
    bool is_in_flight;
};

struct calibrations {
    struct feedback *feedback; /* borrowed */
    struct entities *entities; /* owned */
    struct timer *timer;       /* owned */
    struct closing closing;
    int64_t next_at; /* the soonest deadline; 0: nothing is open */
};

/* --- what every change has in common --- */

/* As it is written everywhere; "" for what is no id. */
static const char *canonical(const char *text, char ret_text[ID_TEXT_SIZE])
{
    struct id id;

    return id_parse(text, &id) == 0 ? id_print(&id, ret_text) : "";
}

static const Moment__V1__Calibration *find(const struct feedback *feedback, const char *text)
{
    char id[ID_TEXT_SIZE];

    return (const Moment__V1__Calibration *)entity_get(feedback->calibrations->entities,
                                                       canonical(text, id));
}

static Moment__V1__Calibration *edit(const Moment__V1__Calibration *calibration)
{
    return (Moment__V1__Calibration *)entity_edit(&calibration->base);
}

static bool is_open(const Moment__V1__Calibration *calibration)
{
    return calibration->state == MOMENT__V1__CALIBRATION_STATE__CALIBRATION_STATE_OPEN;
}

static bool is_closed(const Moment__V1__Calibration *calibration)
{
    return calibration->state == MOMENT__V1__CALIBRATION_STATE__CALIBRATION_STATE_CLOSED;
}

/* Takes away what user_id may not see yet; "": all entries. */
static void make_blind(Moment__V1__Calibration *calibration, const char *user_id)
{
    size_t kept = 0;

    if (is_closed(calibration)) {
        return;
    }
    for (size_t i = 0; i < calibration->n_entries; i++) {
        if (strcmp(calibration->entries[i]->user_id, user_id) == 0) {
            calibration->entries[kept++] = calibration->entries[i];
        } else {
            codec_free(&calibration->entries[i]->base);
        }
    }
    calibration->n_entries = kept;
}

/* Row and stream record. Consumes calibration. */
static void put(struct feedback *feedback, struct txn *txn, Moment__V1__Calibration *calibration)
{
    Moment__V1__CalibrationChanged changed;

    calibration->revision++;
    moment__v1__calibration_changed__init(&changed);
    changed.calibration = edit(calibration);
    make_blind(changed.calibration, "");
    feedback_emit(feedback, txn, calibration->site, calibration->calibration_id,
                  "CalibrationChanged", &changed.base);
    codec_free(&changed.calibration->base);
    entity_put(feedback->calibrations->entities, txn, calibration->calibration_id,
               &calibration->base);
}

/* --- closing: how far do they agree? --- */

static size_t person_index(const Moment__V1__Calibration *calibration, const char *user_id)
{
    size_t i = 0;

    while (i < calibration->n_participants &&
           strcmp(calibration->participants[i]->user_id, user_id) != 0) {
        i++;
    }
    return i;
}

static size_t moment_index(const Moment__V1__Calibration *calibration, const char *moment_id)
{
    size_t i = 0;

    while (i < calibration->n_moment_ids && strcmp(calibration->moment_ids[i], moment_id) != 0) {
        i++;
    }
    return i;
}

/* answers: one for each entry and criterion. */
static void read_entries(const Moment__V1__Calibration *calibration, size_t criteria,
                         const char **answers, struct calibration_entry *entries)
{
    for (size_t i = 0; i < calibration->n_entries; i++) {
        const Moment__V1__CalibrationEntry *entry = calibration->entries[i];

        for (size_t j = 0; j < criteria; j++) {
            answers[i * criteria + j] = j < entry->n_results ? entry->results[j]->answer : "";
        }
        entries[i] = (struct calibration_entry){
            .person = person_index(calibration, entry->user_id),
            .moment = moment_index(calibration, entry->moment_id),
            .answers = &answers[i * criteria],
            .is_known = entry->final_known_case != 0,
            .score = entry->final_known_case != 0 ? entry->final_score : 0.0,
        };
    }
}

static void add_agreement(Moment__V1__Calibration *calibration, const struct criterion *criterion,
                          const struct calibration_agreement *found)
{
    Moment__V1__CalibrationAgreement *agreement = calloc(1, sizeof(*agreement));

    feedback_need(agreement != NULL ? 0 : -ENOMEM);
    moment__v1__calibration_agreement__init(agreement);
    entity_set_text(&agreement->criterion_id, criterion->criterion_id);
    entity_set_text(&agreement->title, criterion->title);
    agreement->pairs = found->pairs;
    agreement->agreement = found->pairs > 0 ? (double)found->agreed / found->pairs : 0.0;
    if (found->has_kappa) {
        agreement->kappa_known_case = MOMENT__V1__CALIBRATION_AGREEMENT__KAPPA_KNOWN_KAPPA;
        agreement->kappa = found->kappa;
    }
    entity_append(&calibration->n_agreements, &calibration->agreements, agreement);
}

static void compare(Moment__V1__Calibration *calibration, const struct standard *standard)
{
    size_t count = calibration->n_entries, criteria = standard->criterion_count;
    const char **answers = calloc(count * criteria + 1, sizeof(*answers));
    struct calibration_entry *entries = calloc(count + 1, sizeof(*entries));
    struct calibration_closeness closeness;

    feedback_need(answers != NULL && entries != NULL ? 0 : -ENOMEM);
    read_entries(calibration, criteria, answers, entries);
    for (size_t i = 0; i < criteria; i++) {
        const struct criterion *criterion = &standard->criteria[i];
        struct calibration_agreement agreement;
        bool is_two_valued =
            criterion->kind == CRITERION_MEASURED || criterion->scale == SCALE_YES_NO;

        calibration_agree(entries, count, i, is_two_valued, &agreement);
        add_agreement(calibration, criterion, &agreement);
    }
    closeness = calibration_closeness(entries, count);
    calibration->score_pairs = closeness.pairs;
    calibration->within_ten = closeness.within;
    free(entries);
    free(answers);
}

/* Of a copy. */
static void close_it(struct feedback *feedback, const struct txn *txn,
                     Moment__V1__Calibration *calibration)
{
    const struct held_standard *standard =
        standards_find(feedback, calibration->standard_id, calibration->standard_version);

    calibration->state = MOMENT__V1__CALIBRATION_STATE__CALIBRATION_STATE_CLOSED;
    calibration->closed_at = txn_now_us(txn);
    if (standard != NULL) {
        compare(calibration, &standard->plain);
    }
    metric_add(&feedback_calibrations_total, "closed", 1);
}

/* --- the deadline --- */

static void arm(struct calibrations *calibrations)
{
    int64_t delay_ms;

    if (calibrations->timer == NULL || calibrations->closing.is_in_flight) {
        return; /* done_closing arms */
    }
    if (calibrations->next_at == 0) {
        timer_stop(calibrations->timer);
        return;
    }
    /* One more, so that the rounded delay never ends before its time. */
    delay_ms = (calibrations->next_at - clock_wall_us()) / US_PER_MS + 1;
    delay_ms = delay_ms < 1 ? 1 : delay_ms;
    timer_start(calibrations->timer, (uint64_t)(delay_ms < LOOK_MS ? delay_ms : LOOK_MS), 0);
}

/* In apply: a deadline was set. */
static void expect(struct calibrations *calibrations, int64_t deadline_at)
{
    if (calibrations->next_at == 0 || deadline_at < calibrations->next_at) {
        calibrations->next_at = deadline_at;
        arm(calibrations);
    }
}

static void on_due(void *arg, int status, const struct db_rows *rows,
                   const struct db_error *error unused_arg)
{
    struct closing *closing = arg;

    closing->due_count = 0;
    for (size_t i = 0; status == 0 && i < db_count(rows) && i < DUE_MAX; i++) {
        char *id = closing->due[closing->due_count];
        ProtobufCMessage *message;

        if (protobuf_read(&moment__v1__calibration__descriptor, db_get_bytes(rows, i, 1),
                          &message) != 0) {
            log_error("calibration_unreadable", "calibration_id=%s", db_get_text(rows, i, 0));
            continue;
        }
        (void)text_copy(id, ID_TEXT_SIZE, db_get_text(rows, i, 0));
        closing->due_count++;
        entity_offer(closing->calibrations->entities, closing->txn, id, message);
    }
}

static void on_next_deadline(void *arg, int status, const struct db_rows *rows,
                             const struct db_error *error unused_arg)
{
    struct closing *closing = arg;

    if (status == 0) {
        closing->calibrations->next_at = db_get_time(rows, 0, 0);
    }
}

static void load_closing(struct work *work, struct txn *txn)
{
    struct closing *closing = container_of(work, struct closing, work);

    feedback_load_all(closing->calibrations->feedback, txn);
    closing->txn = txn;
    store_load_due_calibrations(txn, clock_wall_us(), DUE_MAX, on_due, closing);
    store_load_next_deadline(txn, on_next_deadline, closing);
}

static int apply_closing(struct work *work, struct txn *txn)
{
    const struct closing *closing = container_of(work, struct closing, work);
    struct feedback *feedback = closing->calibrations->feedback;

    for (size_t i = 0; i < closing->due_count; i++) {
        const Moment__V1__Calibration *calibration = find(feedback, closing->due[i]);

        if (is_open(calibration)) {
            Moment__V1__Calibration *copy = edit(calibration);

            close_it(feedback, txn, copy);
            put(feedback, txn, copy);
        }
    }
    return 0;
}

static void done_closing(struct work *work, int status, const struct db_error *error)
{
    struct closing *closing = container_of(work, struct closing, work);
    struct calibrations *calibrations = closing->calibrations;

    closing->is_in_flight = false;
    if (calibrations->timer == NULL) {
        return;
    }
    arm(calibrations);
    if (status != 0) {
        log_error("calibrations_not_closed", "status=%d sqlstate=%s", status,
                  error != NULL ? error->sqlstate : "");
        timer_start(calibrations->timer, AGAIN_MS, 0);
    }
}

static void on_time(void *arg)
{
    static const struct work_ops ops = {
        .load = load_closing, .apply = apply_closing, .done = done_closing};
    struct calibrations *calibrations = arg;
    struct closing *closing = &calibrations->closing;

    if (closing->is_in_flight) {
        return;
    }
    closing->calibrations = calibrations;
    closing->work = (struct work){.ops = &ops, .bytes = 64};
    if (stream_submit(service_stream(calibrations->feedback->service), &closing->work) != 0) {
        timer_start(calibrations->timer, AGAIN_MS, 0);
        return;
    }
    closing->is_in_flight = true;
}

/* --- CreateCalibration --- */

struct creation {
    struct command command; /* first */
    struct wanted_moment moments[CALIBRATION_MOMENTS_MAX];
};

static const Moment__V1__Calibration *wish_of(const struct command *command)
{
    return ((const Moment__V1__CreateCalibrationRequest *)call_request(command->call))->calibration;
}

static int refuse(struct problem *problem, const struct objection *objection)
{
    problem_set(problem, 422, "invalid-field", objection->field, "%s", objection->detail);
    return -EINVAL;
}

static void load_creation(struct command *command, struct txn *txn)
{
    struct creation *creation = container_of(command, struct creation, command);
    const Moment__V1__Calibration *wish = wish_of(command);

    feedback_load_all(command->state, txn);
    for (size_t i = 0; wish != NULL && i < wish->n_moment_ids && i < CALIBRATION_MOMENTS_MAX; i++) {
        moment_load(&creation->moments[i], txn, wish->moment_ids[i]);
    }
}

static void finish_creation(struct command *command)
{
    struct creation *creation = container_of(command, struct creation, command);

    for (size_t i = 0; i < CALIBRATION_MOMENTS_MAX; i++) {
        moment_done(&creation->moments[i]);
    }
}

static int check_wish(const Moment__V1__Calibration *wish, int64_t now, struct problem *problem)
{
    struct calibration_person people[CALIBRATION_PEOPLE_MAX];
    struct calibration_wish plain = {.title = wish->title,
                                     .people = people,
                                     .person_count = wish->n_participants,
                                     .moment_ids = (const char *const *)wish->moment_ids,
                                     .moment_count = wish->n_moment_ids,
                                     .deadline_at = wish->deadline_at};
    struct objection objection;

    for (size_t i = 0; i < wish->n_participants && i < CALIBRATION_PEOPLE_MAX; i++) {
        people[i] = (struct calibration_person){.user_id = wish->participants[i]->user_id,
                                                .name = wish->participants[i]->name,
                                                .is_expert = wish->participants[i]->expert};
    }
    return calibration_check(&plain, now, &objection) == 0 ? 0 : refuse(problem, &objection);
}

static int check_standard(const struct feedback *feedback, const Moment__V1__Calibration *wish,
                          struct problem *problem)
{
    const struct held_standard *standard =
        standards_find(feedback, wish->standard_id, wish->standard_version);

    if (standard == NULL) {
        problem_set(problem, 422, "invalid-field",
                    standards_newest(feedback, wish->standard_id) == NULL
                        ? "calibration.standard_id"
                        : "calibration.standard_version",
                    "There is no such published standard.");
        return -EINVAL;
    }
    return 0;
}

static int check_moment(struct creation *creation, size_t i, const Moment__V1__Moment **ret_moment,
                        struct problem *problem)
{
    const struct feedback *feedback = creation->command.state;
    const char *moment_id = wish_of(&creation->command)->moment_ids[i];
    const Moment__V1__Moment *moment = moment_find(feedback, &creation->moments[i], moment_id);
    char field[64];

    (void)snprintf(field, sizeof(field), "calibration.moment_ids[%zu]", i);
    if (moment != NULL && strcmp(moment->moment_id, moment_id) == 0) {
        const struct place place = {
            .site = moment->site, .team = moment->team_id, .person_id = moment->person_id};

        if (call_allows(creation->command.call, &place)) {
            *ret_moment = moment;
            if (moment->merged_into[0] == '\0' &&
                moment->state == MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED) {
                return 0;
            }
            problem_set(problem, 422, "invalid-field", field,
                        "A moment that is over, and not a part of another one.");
            return -EINVAL;
        }
    }
    problem_set(problem, 422, "invalid-field", field,
                "There is no such moment where you look after people.");
    return -EINVAL;
}

/* ret_site: that of all its moments, or "". Borrowed. */
static int check_moments(struct creation *creation, const char **ret_site, struct problem *problem)
{
    size_t count = wish_of(&creation->command)->n_moment_ids;

    for (size_t i = 0; i < count; i++) {
        const Moment__V1__Moment *moment;
        int error = check_moment(creation, i, &moment, problem);

        if (error != 0) {
            return error;
        }
        *ret_site = i == 0 || strcmp(*ret_site, moment->site) == 0 ? moment->site : "";
    }
    return 0;
}

static void add_people(Moment__V1__Calibration *calibration, const Moment__V1__Calibration *wish)
{
    for (size_t i = 0; i < wish->n_participants; i++) {
        Moment__V1__CalibrationParticipant *participant = calloc(1, sizeof(*participant));

        feedback_need(participant != NULL ? 0 : -ENOMEM);
        moment__v1__calibration_participant__init(participant);
        entity_set_text(&participant->user_id, wish->participants[i]->user_id);
        entity_set_text(&participant->name, wish->participants[i]->name);
        participant->expert = wish->participants[i]->expert;
        entity_append(&calibration->n_participants, &calibration->participants, participant);
    }
}

static void add_moments(Moment__V1__Calibration *calibration, const Moment__V1__Calibration *wish)
{
    for (size_t i = 0; i < wish->n_moment_ids; i++) {
        char *copy = strdup(wish->moment_ids[i]);

        feedback_need(copy != NULL ? 0 : -ENOMEM);
        entity_append(&calibration->n_moment_ids, &calibration->moment_ids, copy);
    }
}

static Moment__V1__Calibration *make_calibration(const Moment__V1__Calibration *wish,
                                                 const struct caller *maker, const char *site,
                                                 int64_t now)
{
    Moment__V1__Calibration *calibration = calloc(1, sizeof(*calibration));
    char text[ID_TEXT_SIZE];
    struct id id = id_v7();

    feedback_need(calibration != NULL ? 0 : -ENOMEM);
    moment__v1__calibration__init(calibration);
    entity_set_text(&calibration->calibration_id, id_print(&id, text));
    entity_set_text(&calibration->title, wish->title);
    calibration->state = MOMENT__V1__CALIBRATION_STATE__CALIBRATION_STATE_OPEN;
    entity_set_text(&calibration->standard_id, wish->standard_id);
    calibration->standard_version = wish->standard_version;
    add_moments(calibration, wish);
    add_people(calibration, wish);
    calibration->deadline_at = wish->deadline_at;
    entity_set_text(&calibration->created_by, maker->id);
    entity_set_text(&calibration->created_by_name, maker->name);
    calibration->created_at = now;
    entity_set_text(&calibration->site, site);
    return calibration;
}

static int check_creation(struct creation *creation, int64_t now, const char **ret_site,
                          struct problem *problem)
{
    const Moment__V1__Calibration *wish = wish_of(&creation->command);
    int error;

    if (wish == NULL) {
        problem_set(problem, 422, "invalid-field", "calibration", "There is no session here.");
        return -EINVAL;
    }
    error = check_wish(wish, now, problem);
    if (error == 0) {
        error = check_standard(creation->command.state, wish, problem);
    }
    return error == 0 ? check_moments(creation, ret_site, problem) : error;
}

static int apply_creation(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                          struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__Calibration *wish = wish_of(command);
    Moment__V1__CreateCalibrationResponse response;
    const char *site = "";
    int error = check_creation(container_of(command, struct creation, command), txn_now_us(txn),
                               &site, problem);

    if (error != 0) {
        return error;
    }
    moment__v1__create_calibration_response__init(&response);
    response.calibration =
        make_calibration(wish, call_caller(command->call), site, txn_now_us(txn));
    expect(feedback->calibrations, response.calibration->deadline_at);
    put(feedback, txn, response.calibration);
    *ret_response = entity_edit(&response.base);
    metric_add(&feedback_calibrations_total, "opened", 1);
    return 0;
}

void calibrations_create(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct creation *creation =
        command_new(sizeof(*creation), call, feedback, load_creation, apply_creation);

    creation->command.finish = finish_creation;
    command_start(service_bus(feedback->service), &creation->command);
}

/* --- SubmitCalibration --- */

struct submitting {
    struct command command; /* first */
    struct wanted_moment moment;
    struct judgement judgement;
};

static const Moment__V1__SubmitCalibrationRequest *said_in(const struct command *command)
{
    return (const Moment__V1__SubmitCalibrationRequest *)call_request(command->call);
}

static void load_submission(struct command *command, struct txn *txn)
{
    struct submitting *submitting = container_of(command, struct submitting, command);
    struct feedback *feedback = command->state;
    char id[ID_TEXT_SIZE];

    feedback_load_all(feedback, txn);
    entity_load(feedback->calibrations->entities, txn,
                canonical(said_in(command)->calibration_id, id));
    moment_load(&submitting->moment, txn, said_in(command)->moment_id);
}

static void finish_submission(struct command *command)
{
    moment_done(&container_of(command, struct submitting, command)->moment);
}

static int refuse_over(struct problem *problem, const Moment__V1__Calibration *calibration)
{
    problem_set(problem, 409,
                is_closed(calibration) ? "calibration-closed" : "calibration-cancelled",
                "calibration_id", "This session is over.");
    return -EEXIST;
}

static int check_turn(const struct command *command, const Moment__V1__Calibration *calibration,
                      int64_t now, struct problem *problem)
{
    const char *user_id = call_caller(command->call)->id;
    char id[ID_TEXT_SIZE];

    if (calibration == NULL || person_index(calibration, user_id) == calibration->n_participants) {
        return call_not_found(problem, "calibration_id", "calibration session");
    }
    if (!is_open(calibration) || calibration->deadline_at <= now) {
        return refuse_over(problem, calibration);
    }
    if (moment_index(calibration, canonical(said_in(command)->moment_id, id)) ==
        calibration->n_moment_ids) {
        problem_set(problem, 422, "invalid-field", "moment_id",
                    "This moment is none of this session's.");
        return -EINVAL;
    }
    return 0;
}

static int refuse_first(const struct objections *objections, struct problem *problem)
{
    return objections->count > 0 ? refuse(problem, &objections->items[0]) : 0;
}

/* As an evaluation is judged when it is released. */
static int judge(struct submitting *submitting, const struct standard *standard,
                 struct problem *problem)
{
    const Moment__V1__SubmitCalibrationRequest *request = said_in(&submitting->command);
    const Moment__V1__Moment *found =
        moment_find(submitting->command.state, &submitting->moment, request->moment_id);
    struct answer answers[STANDARD_CRITERIA_MAX];
    struct objections objections = {0};
    struct snapshot snapshot;
    Moment__V1__Moment *moment;
    int error;

    if (request->n_answers > STANDARD_CRITERIA_MAX) {
        problem_set(problem, 422, "invalid-field", "answers", "At most %d.", STANDARD_CRITERIA_MAX);
        return -EINVAL;
    }
    if (found == NULL) {
        problem_set(problem, 409, "moment-gone", "moment_id", "This moment is no longer kept.");
        return -ENOENT;
    }
    codec_answers(request->answers, request->n_answers, answers);
    answers_check(standard, answers, request->n_answers, &objections);
    error = refuse_first(&objections, problem);
    if (error != 0) {
        return error;
    }
    moment = (Moment__V1__Moment *)entity_edit(&found->base);
    feedback_need(codec_snapshot(&moment, 0, &snapshot));
    codec_judge(&snapshot.plain, standard, answers, request->n_answers, &submitting->judgement);
    codec_snapshot_done(&snapshot);
    answers_missing(standard, &submitting->judgement, &objections);
    return refuse_first(&objections, problem);
}

static Moment__V1__CalibrationEntry *make_entry(const struct command *command,
                                                const struct standard *standard,
                                                const struct judgement *judgement, int64_t now)
{
    Moment__V1__CalibrationEntry *entry = calloc(1, sizeof(*entry));
    char id[ID_TEXT_SIZE];

    feedback_need(entry != NULL ? 0 : -ENOMEM);
    moment__v1__calibration_entry__init(entry);
    entity_set_text(&entry->user_id, call_caller(command->call)->id);
    entity_set_text(&entry->moment_id, canonical(said_in(command)->moment_id, id));
    feedback_need(codec_results(standard, judgement, &entry->results));
    entry->n_results = judgement->count;
    if (judgement->score.is_known) {
        entry->final_known_case = MOMENT__V1__CALIBRATION_ENTRY__FINAL_KNOWN_FINAL_SCORE;
        entry->final_score = judgement->score.final;
    }
    entry->submitted_at = now;
    return entry;
}

static int check_size(const Moment__V1__Calibration *calibration,
                      const Moment__V1__CalibrationEntry *entry, struct problem *problem)
{
    size_t most = ENTRIES_BYTES_MAX / (calibration->n_participants * calibration->n_moment_ids);

    if (protobuf_c_message_get_packed_size(&entry->base) > most) {
        problem_set(problem, 422, "invalid-field", "answers",
                    "All together they are longer than %zu bytes, which is each one's share of "
                    "this session: shorten the comments.",
                    most);
        return -EINVAL;
    }
    return 0;
}

/* Takes the place of what the same person submitted before. Consumes entry. */
static void take_entry(Moment__V1__Calibration *calibration, Moment__V1__CalibrationEntry *entry)
{
    Moment__V1__CalibrationParticipant *participant =
        calibration->participants[person_index(calibration, entry->user_id)];

    entity_set_text(&entry->name, participant->name);
    for (size_t i = 0; i < calibration->n_entries; i++) {
        if (strcmp(calibration->entries[i]->user_id, entry->user_id) == 0 &&
            strcmp(calibration->entries[i]->moment_id, entry->moment_id) == 0) {
            codec_free(&calibration->entries[i]->base);
            calibration->entries[i] = entry;
            return;
        }
    }
    participant->submitted++;
    entity_append(&calibration->n_entries, &calibration->entries, entry);
}

static void respond(const Moment__V1__Calibration *calibration, const struct caller *caller,
                    ProtobufCMessage **ret_response)
{
    Moment__V1__SubmitCalibrationResponse response;

    moment__v1__submit_calibration_response__init(&response);
    response.calibration = edit(calibration);
    make_blind(response.calibration, caller->id);
    *ret_response = entity_edit(&response.base);
    codec_free(&response.calibration->base);
}

static int apply_submission(struct command *command, struct txn *txn,
                            ProtobufCMessage **ret_response, struct problem *problem)
{
    struct submitting *submitting = container_of(command, struct submitting, command);
    struct feedback *feedback = command->state;
    const Moment__V1__Calibration *before = find(feedback, said_in(command)->calibration_id);
    int error = check_turn(command, before, txn_now_us(txn), problem);
    const struct held_standard *standard;
    Moment__V1__CalibrationEntry *entry;
    Moment__V1__Calibration *calibration;

    if (error != 0) {
        return error;
    }
    standard = standards_find(feedback, before->standard_id, before->standard_version);
    if (standard == NULL) {
        return call_not_found(problem, "calibration_id", "standard");
    }
    error = judge(submitting, &standard->plain, problem);
    if (error != 0) {
        return error;
    }
    entry = make_entry(command, &standard->plain, &submitting->judgement, txn_now_us(txn));
    error = check_size(before, entry, problem);
    if (error != 0) {
        codec_free(&entry->base);
        return error;
    }
    calibration = edit(before);
    take_entry(calibration, entry);
    if (calibration->n_entries == calibration->n_participants * calibration->n_moment_ids) {
        close_it(feedback, txn, calibration);
    }
    put(feedback, txn, calibration);
    respond(calibration, call_caller(command->call), ret_response);
    return 0;
}

void calibrations_submit(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct submitting *submitting =
        command_new(sizeof(*submitting), call, feedback, load_submission, apply_submission);

    submitting->command.finish = finish_submission;
    command_start(service_bus(feedback->service), &submitting->command);
}

/* --- CancelCalibration --- */

static const char *cancelled_in(const struct command *command)
{
    return ((const Moment__V1__CancelCalibrationRequest *)call_request(command->call))
        ->calibration_id;
}

static void load_cancel(struct command *command, struct txn *txn)
{
    struct feedback *feedback = command->state;
    char id[ID_TEXT_SIZE];

    feedback_load_all(feedback, txn);
    entity_load(feedback->calibrations->entities, txn, canonical(cancelled_in(command), id));
}

static int apply_cancel(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    struct feedback *feedback = command->state;
    const char *user_id = call_caller(command->call)->id;
    const Moment__V1__Calibration *before = find(feedback, cancelled_in(command));
    Moment__V1__CancelCalibrationResponse response;
    Moment__V1__Calibration *calibration;

    if (before == NULL || strcmp(before->created_by, user_id) != 0) {
        return call_not_found(problem, "calibration_id", "calibration session of yours");
    }
    if (!is_open(before)) {
        return refuse_over(problem, before);
    }
    calibration = edit(before);
    calibration->state = MOMENT__V1__CALIBRATION_STATE__CALIBRATION_STATE_CANCELLED;
    calibration->closed_at = txn_now_us(txn);
    put(feedback, txn, calibration);
    moment__v1__cancel_calibration_response__init(&response);
    response.calibration = edit(calibration);
    make_blind(response.calibration, user_id);
    *ret_response = entity_edit(&response.base);
    codec_free(&response.calibration->base);
    metric_add(&feedback_calibrations_total, "cancelled", 1);
    return 0;
}

void calibrations_cancel(void *state, struct call *call)
{
    struct feedback *feedback = state;

    command_start(service_bus(feedback->service),
                  command_new(sizeof(struct command), call, feedback, load_cancel, apply_cancel));
}

/* --- ListCalibrations, GetCalibration --- */

static struct calibration_reader reader_of(const struct call *call, const struct reach *reach)
{
    return (struct calibration_reader){.reach = reach,
                                       .is_leader = (call_caller(call)->roles & ROLE_LEADER) != 0};
}

void calibrations_list(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListCalibrationsRequest *request =
        (const Moment__V1__ListCalibrationsRequest *)call_request(call);
    struct reach reach = call_reach(call);
    struct calibration_reader reader = reader_of(call, &reach);
    struct listing listing;

    if (listing_read(call, request->limit, request->cursor, &listing)) {
        store_list_calibrations(call, service_reader(feedback->service), &reader, &listing);
    }
}

/* Until the row is there. */
struct question {
    const struct feedback *feedback;
    struct call *call;
};

static void answer_found(const struct question *question, Moment__V1__Calibration *calibration)
{
    const struct held_standard *standard =
        standards_find(question->feedback, calibration->standard_id, calibration->standard_version);
    Moment__V1__GetCalibrationResponse response;

    make_blind(calibration, call_caller(question->call)->id);
    moment__v1__get_calibration_response__init(&response);
    response.calibration = calibration;
    response.standard = standard != NULL ? standard->message : NULL;
    call_reply(question->call, &response.base);
}

static void on_calibration(void *arg, int status, const struct db_rows *rows,
                           const struct db_error *error unused_arg)
{
    struct question *question = arg;
    ProtobufCMessage *message;
    struct problem problem;

    if (status != 0) {
        call_refuse(question->call, 503, "database-unavailable", "",
                    "The database can't answer now.");
    } else if (db_count(rows) == 0 || protobuf_read(&moment__v1__calibration__descriptor,
                                                    db_get_bytes(rows, 0, 0), &message) != 0) {
        (void)call_not_found(&problem, "calibration_id", "calibration session");
        call_fail(question->call, &problem);
    } else {
        answer_found(question, (Moment__V1__Calibration *)message);
        codec_free(message);
    }
    free(question);
}

void calibrations_get(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__GetCalibrationRequest *request =
        (const Moment__V1__GetCalibrationRequest *)call_request(call);
    struct reach reach = call_reach(call);
    struct calibration_reader reader = reader_of(call, &reach);
    struct question *question;
    struct problem problem;
    struct id id;
    int error;

    if (id_parse(request->calibration_id, &id) != 0) {
        (void)call_not_found(&problem, "calibration_id", "calibration session");
        call_fail(call, &problem);
        return;
    }
    question = calloc(1, sizeof(*question));
    feedback_need(question != NULL ? 0 : -ENOMEM);
    *question = (struct question){.feedback = feedback, .call = call};
    error = store_get_calibration(service_reader(feedback->service), &id, &reader, on_calibration,
                                  question);
    if (error != 0) {
        on_calibration(question, error, NULL, NULL);
    }
}

/* --- life --- */

int calibrations_new(struct feedback *feedback, struct calibrations **ret_calibrations)
{
    struct calibrations *calibrations = calloc(1, sizeof(*calibrations));
    int error;

    if (calibrations == NULL) {
        return -ENOMEM;
    }
    calibrations->feedback = feedback;
    error =
        entities_new(&store_calibrations, STORE_CALIBRATIONS_HELD_BYTES, &calibrations->entities);
    if (error == 0) {
        error =
            timer_new(service_loop(feedback->service), on_time, calibrations, &calibrations->timer);
    }
    if (error != 0) {
        calibrations_free(&calibrations);
        return error;
    }
    timer_start(calibrations->timer, 1, 0);
    *ret_calibrations = calibrations;
    return 0;
}

void calibrations_stop(struct calibrations *calibrations)
{
    timer_free(&calibrations->timer);
}

void calibrations_forget(struct calibrations *calibrations)
{
    entities_forget(calibrations->entities);
}

void calibrations_free(struct calibrations **ret_calibrations)
{
    struct calibrations *calibrations = *ret_calibrations;

    if (calibrations == NULL) {
        return;
    }
    calibrations_stop(calibrations);
    entities_free(&calibrations->entities);
    free(calibrations);
    *ret_calibrations = NULL;
}
