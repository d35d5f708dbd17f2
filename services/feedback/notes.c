/* notes - see the header. */
#include "feedback/notes.h"

#include "base/clock.h"

#include "feedback/rules/note.h"
#include "feedback/store_notes.h"
#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STANDARDS_MAX 16

struct metric feedback_notes_total = {
    .name = "moment_notes_total",
    .kind = METRIC_COUNTER,
    .help = "Notes that were given, by kind.",
    .label = "kind",
};

/* Praise of the transaction under way: the reads of its commands came before all of it. */
struct fresh {
    uint64_t txn_serial;
    char *giver; /* owned */
    struct id words;
};

struct notes {
    struct entities *entities; /* owned */
    struct fresh *fresh;       /* owned */
    size_t fresh_count;
};

/* --- praise that was just given --- */

static void drop_fresh(struct notes *notes)
{
    for (size_t i = 0; i < notes->fresh_count; i++) {
        free(notes->fresh[i].giver);
    }
    notes->fresh_count = 0;
}

static void keep_fresh(struct notes *notes, const struct txn *txn, const Moment__V1__Note *note)
{
    struct fresh *fresh;

    if (notes->fresh_count > 0 && notes->fresh[0].txn_serial != txn_serial(txn)) {
        drop_fresh(notes);
    }
    fresh = reallocarray(notes->fresh, notes->fresh_count + 1, sizeof(*fresh));
    feedback_need(fresh != NULL ? 0 : -ENOMEM);
    notes->fresh = fresh;
    fresh[notes->fresh_count] = (struct fresh){.txn_serial = txn_serial(txn),
                                               .giver = strdup(note->giver),
                                               .words = note_words(note->text)};
    feedback_need(fresh[notes->fresh_count].giver != NULL ? 0 : -ENOMEM);
    notes->fresh_count++;
}

static bool is_fresh(const struct notes *notes, const struct txn *txn, const char *giver,
                     const struct id *words)
{
    for (size_t i = 0; i < notes->fresh_count; i++) {
        const struct fresh *fresh = &notes->fresh[i];

        if (fresh->txn_serial == txn_serial(txn) && strcmp(fresh->giver, giver) == 0 &&
            memcmp(&fresh->words, words, sizeof(*words)) == 0) {
            return true;
        }
    }
    return false;
}

/* --- GiveNote: what is read before --- */

struct evaluated_on {
    char standard_id[STANDARD_NAME_BYTES_MAX + 1];
    uint32_t version;
};

struct giving {
    struct command command; /* first */
    struct wanted_moment moment;
    struct evaluated_on standards[STANDARDS_MAX];
    size_t standard_count;
    struct id recent[NOTE_RECENT];
    size_t recent_count;
    Moment__V1__Alert *alert; /* owned; null: none */
};

static const Moment__V1__GiveNoteRequest *wish_of(const struct giving *giving)
{
    return (const Moment__V1__GiveNoteRequest *)call_request(giving->command.call);
}

static void on_standards(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct giving *giving = arg;

    giving->standard_count = 0;
    for (size_t i = 0; status == 0 && i < db_count(rows) && i < STANDARDS_MAX; i++) {
        struct evaluated_on *standard = &giving->standards[giving->standard_count++];

        (void)text_copy(standard->standard_id, sizeof(standard->standard_id),
                        db_get_text(rows, i, 0));
        standard->version = (uint32_t)db_get_i64(rows, i, 1);
    }
}

static void on_recent(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error unused_arg)
{
    struct giving *giving = arg;

    giving->recent_count = 0;
    for (size_t i = 0; status == 0 && i < db_count(rows) && i < NOTE_RECENT; i++) {
        db_get_uuid(rows, i, 0, giving->recent[giving->recent_count++].bytes);
    }
}

static void drop_alert(struct giving *giving)
{
    if (giving->alert != NULL) {
        codec_free(&giving->alert->base);
    }
    giving->alert = NULL;
}

static void on_alert(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    struct giving *giving = arg;
    ProtobufCMessage *message;

    if (status == 0 && db_count(rows) == 1 &&
        protobuf_read(&moment__v1__alert__descriptor, db_get_bytes(rows, 0, 0), &message) == 0) {
        giving->alert = (Moment__V1__Alert *)message;
    }
}

static void load_giving(struct command *command, struct txn *txn)
{
    struct giving *giving = (struct giving *)command;
    const Moment__V1__GiveNoteRequest *wish = wish_of(giving);
    struct id id;

    feedback_load_all(command->state, txn);
    moment_load(&giving->moment, txn, wish->moment_id);
    if (id_parse(wish->moment_id, &id) == 0 && wish->criterion_id[0] != '\0') {
        store_load_standards_of(txn, &id, on_standards, giving);
    }
    if (wish->kind == MOMENT__V1__NOTE_KIND__NOTE_KIND_PRAISE) {
        store_load_recent_praise(txn, call_caller(command->call)->id, on_recent, giving);
    }
    drop_alert(giving);
    if (id_parse(wish->alert_id, &id) == 0) {
        store_load_alert(txn, &id, on_alert, giving);
    }
}

static void finish_giving(struct command *command)
{
    struct giving *giving = (struct giving *)command;

    moment_done(&giving->moment);
    drop_alert(giving);
}

/* --- GiveNote: what it is checked against --- */

static int refuse(struct problem *problem, const struct objection *objection)
{
    problem_set(problem, 422, "invalid-field", objection->field, "%s", objection->detail);
    return -EINVAL;
}

static int find_moment(struct giving *giving, const Moment__V1__Moment **ret_moment,
                       struct problem *problem)
{
    const Moment__V1__GiveNoteRequest *wish = wish_of(giving);
    const Moment__V1__Moment *moment =
        moment_find(giving->command.state, &giving->moment, wish->moment_id);
    struct place place;

    if (moment == NULL) {
        (void)call_not_found(problem, "moment_id", "moment");
        return -ENOENT;
    }
    place = (struct place){.site = moment->site,
                           .team = moment->team_id,
                           .person_id = moment->person_id,
                           .is_of_every_team = true}; /* nobody answered yet */
    if (!call_allows(giving->command.call, &place)) {
        (void)call_not_found(problem, "moment_id", "moment");
        return -ENOENT;
    }
    if (moment->merged_into[0] != '\0') {
        problem_set(problem, 409, "moment-merged", "moment_id",
                    "This turned out to be a part of the moment %s: give the note there.",
                    moment->merged_into);
        return -EINVAL;
    }
    *ret_moment = moment;
    return 0;
}

/* Who is not in the directory and who is out of scope look the same. */
static int find_receiver(struct giving *giving, const char *receiver,
                         const Moment__V1__Person **ret_person, struct problem *problem)
{
    const struct feedback *feedback = giving->command.state;
    const Moment__V1__Person *person = directory_person(feedback->directory, receiver);
    struct place place;

    if (person != NULL) {
        place = directory_place_of(person);
        if (call_allows(giving->command.call, &place)) {
            *ret_person = person;
            return 0;
        }
    }
    problem_set(problem, 422, "invalid-field", "receiver",
                "There is no such person where you look after people.");
    return -EINVAL;
}

/* Null: the moment was not evaluated on a criterion of that id. */
static const char *title_of(const struct giving *giving, const char *criterion_id)
{
    const struct feedback *feedback = giving->command.state;

    for (size_t i = 0; i < giving->standard_count; i++) {
        const struct evaluated_on *on = &giving->standards[i];
        const struct criterion *criterion =
            standards_criterion(feedback, on->standard_id, on->version, criterion_id);

        if (criterion != NULL) {
            return criterion->title;
        }
    }
    return NULL;
}

static int find_criterion(const struct giving *giving, const char **ret_title,
                          struct problem *problem)
{
    const char *criterion_id = wish_of(giving)->criterion_id;

    *ret_title = criterion_id[0] != '\0' ? title_of(giving, criterion_id) : "";
    if (*ret_title == NULL) {
        problem_set(problem, 422, "invalid-field", "criterion_id",
                    "The moment was not evaluated on a standard with this criterion.");
        return -EINVAL;
    }
    return 0;
}

static bool may_see_alert(struct giving *giving)
{
    const Moment__V1__Alert *alert = giving->alert;
    struct place place;

    if (alert == NULL) {
        return false;
    }
    place = (struct place){.site = alert->site,
                           .team = alert->team_id,
                           .person_id = alert->person_id,
                           .is_of_every_team = true};
    return call_allows(giving->command.call, &place);
}

static int check_answered(struct giving *giving, struct problem *problem)
{
    const Moment__V1__GiveNoteRequest *wish = wish_of(giving);
    struct id id;

    if (wish->alert_id[0] != '\0' && !may_see_alert(giving)) {
        problem_set(problem, 422, "invalid-field", "alert_id", "There is no such alert.");
        return -EINVAL;
    }
    if (wish->candidate_id[0] != '\0' && id_parse(wish->candidate_id, &id) != 0) {
        problem_set(problem, 422, "invalid-field", "candidate_id", "This is no id of a candidate.");
        return -EINVAL;
    }
    return 0;
}

static int check_repetition(const struct giving *giving, const struct txn *txn,
                            struct problem *problem)
{
    const struct feedback *feedback = giving->command.state;
    const Moment__V1__GiveNoteRequest *wish = wish_of(giving);
    struct id words = note_words(wish->text);
    bool is_known = is_fresh(feedback->notes, txn, call_caller(giving->command.call)->id, &words);

    if (wish->kind != MOMENT__V1__NOTE_KIND__NOTE_KIND_PRAISE) {
        return 0;
    }
    for (size_t i = 0; i < giving->recent_count; i++) {
        is_known = is_known || memcmp(&giving->recent[i], &words, sizeof(words)) == 0;
    }
    if (is_known) {
        problem_set(problem, 409, "praise-repeated", "text",
                    "You praised with these words before: say what was good this time.");
        return -EEXIST;
    }
    return 0;
}

static int64_t length_of(const Moment__V1__Moment *moment, int64_t now)
{
    int64_t end = moment->ended_at != 0 ? moment->ended_at : now;

    return moment->started_at != 0 && end >= moment->started_at
               ? (end - moment->started_at) / US_PER_MS
               : -1;
}

static const char *receiver_of(const Moment__V1__GiveNoteRequest *wish,
                               const Moment__V1__Moment *moment)
{
    return wish->receiver[0] != '\0' ? wish->receiver : moment->person_id;
}

static int check_rule(const struct giving *giving, const Moment__V1__Moment *moment, int64_t now,
                      struct problem *problem)
{
    const struct feedback *feedback = giving->command.state;
    const Moment__V1__GiveNoteRequest *request = wish_of(giving);
    const char *giver = call_caller(giving->command.call)->person_id;
    const struct note_wish wish = {.kind = (int)request->kind,
                                   .text = request->text,
                                   .is_private = request->is_private,
                                   .from_ms = request->from_ms,
                                   .to_ms = request->to_ms,
                                   .moment_ms = length_of(moment, now),
                                   .giver_person_id = giver != NULL ? giver : "",
                                   .receiver = receiver_of(request, moment),
                                   .candidate_id = request->candidate_id,
                                   .praise_text_min = feedback->praise_text_min};
    struct objection objection;

    return note_check(&wish, &objection) != 0 ? refuse(problem, &objection) : 0;
}

/* --- GiveNote --- */

/* What a note is made of, beside the wish. */
struct found {
    const Moment__V1__Moment *moment;
    const Moment__V1__Person *receiver;
    const char *criterion_title;
};

static int find_all(struct giving *giving, const struct txn *txn, struct found *ret_found,
                    struct problem *problem)
{
    int error = find_moment(giving, &ret_found->moment, problem);

    if (error == 0) {
        error = check_rule(giving, ret_found->moment, txn_now_us(txn), problem);
    }
    if (error == 0) {
        error = find_receiver(giving, receiver_of(wish_of(giving), ret_found->moment),
                              &ret_found->receiver, problem);
    }
    if (error == 0) {
        error = find_criterion(giving, &ret_found->criterion_title, problem);
    }
    if (error == 0) {
        error = check_answered(giving, problem);
    }
    return error == 0 ? check_repetition(giving, txn, problem) : error;
}

static void set_who(Moment__V1__Note *note, const struct caller *giver, const struct found *found)
{
    entity_set_text(&note->giver, giver->id);
    entity_set_text(&note->giver_name, giver->name);
    entity_set_text(&note->giver_person_id, giver->person_id);
    entity_set_text(&note->receiver, found->receiver->person_id);
    entity_set_text(&note->receiver_name, found->receiver->name);
    entity_set_text(&note->site, found->receiver->site_id);
    entity_set_text(&note->team_id, found->receiver->team_id);
}

static Moment__V1__Note *make_note(const struct giving *giving, const struct found *found,
                                   int64_t now)
{
    const Moment__V1__GiveNoteRequest *wish = wish_of(giving);
    Moment__V1__Note *note = calloc(1, sizeof(*note));
    char text[ID_TEXT_SIZE];
    struct id id = id_v7();

    feedback_need(note != NULL ? 0 : -ENOMEM);
    moment__v1__note__init(note);
    entity_set_text(&note->note_id, id_print(&id, text));
    note->kind = wish->kind;
    entity_set_text(&note->moment_id, found->moment->moment_id);
    note->from_ms = wish->from_ms;
    note->to_ms = wish->to_ms;
    entity_set_text(&note->criterion_id, wish->criterion_id);
    entity_set_text(&note->criterion_title, found->criterion_title);
    entity_set_text(&note->text, wish->text);
    set_who(note, call_caller(giving->command.call), found);
    entity_set_text(&note->queue, found->moment->queue);
    note->given_at = now;
    note->moment_ended_at = found->moment->ended_at;
    note->is_private = wish->is_private;
    entity_set_text(&note->alert_id, wish->alert_id);
    entity_set_text(&note->candidate_id, wish->candidate_id);
    note->revision = 1;
    return note;
}

/* Consumes note. */
static void put(struct feedback *feedback, struct txn *txn, Moment__V1__Note *note)
{
    Moment__V1__NoteChanged changed;

    moment__v1__note_changed__init(&changed);
    changed.note = note;
    feedback_emit(feedback, txn, note->site, note->note_id, "NoteChanged", &changed.base);
    entity_put(feedback->notes->entities, txn, note->note_id, &note->base);
}

static int apply_giving(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    struct giving *giving = (struct giving *)command;
    struct feedback *feedback = command->state;
    Moment__V1__GiveNoteResponse response;
    struct found found = {0};
    int error = find_all(giving, txn, &found, problem);

    if (error != 0) {
        return error;
    }
    moment__v1__give_note_response__init(&response);
    response.note = make_note(giving, &found, txn_now_us(txn));
    *ret_response = entity_edit(&response.base);
    if (response.note->kind == MOMENT__V1__NOTE_KIND__NOTE_KIND_PRAISE) {
        keep_fresh(feedback->notes, txn, response.note);
        metric_add(&feedback_notes_total, "praise", 1);
    } else {
        metric_add(&feedback_notes_total, "improvement", 1);
    }
    put(feedback, txn, response.note);
    return 0;
}

void notes_give(void *state, struct call *call)
{
    struct feedback *feedback = state;
    struct giving *giving = command_new(sizeof(*giving), call, feedback, load_giving, apply_giving);

    giving->command.finish = finish_giving;
    command_start(service_bus(feedback->service), &giving->command);
}

/* --- AcknowledgeNote --- */

static const Moment__V1__AcknowledgeNoteRequest *answer_of(const struct command *command)
{
    return (const Moment__V1__AcknowledgeNoteRequest *)call_request(command->call);
}

/* As it is written everywhere; "" for what is no id. */
static const char *canonical(const char *text, char ret_text[ID_TEXT_SIZE])
{
    struct id id;

    return id_parse(text, &id) == 0 ? id_print(&id, ret_text) : "";
}

static void load_acknowledge(struct command *command, struct txn *txn)
{
    struct feedback *feedback = command->state;
    char id[ID_TEXT_SIZE];

    feedback_load_all(feedback, txn);
    entity_load(feedback->notes->entities, txn, canonical(answer_of(command)->note_id, id));
}

static int check_acknowledge(const struct command *command, const Moment__V1__Note *note,
                             struct problem *problem)
{
    const char *person_id = call_caller(command->call)->person_id;
    struct objection objection;

    if (note == NULL || person_id == NULL || strcmp(note->receiver, person_id) != 0) {
        (void)call_not_found(problem, "note_id", "note");
        return -ENOENT;
    }
    if (note_check_answer(answer_of(command)->answer, &objection) != 0) {
        return refuse(problem, &objection);
    }
    if (note->acknowledged_at != 0) {
        problem_set(problem, 409, "already-acknowledged", "note_id",
                    "You acknowledged this note before; what was answered stays.");
        return -EEXIST;
    }
    return 0;
}

static int apply_acknowledge(struct command *command, struct txn *txn,
                             ProtobufCMessage **ret_response, struct problem *problem)
{
    struct feedback *feedback = command->state;
    Moment__V1__AcknowledgeNoteResponse response;
    char id[ID_TEXT_SIZE];
    const ProtobufCMessage *note =
        entity_get(feedback->notes->entities, canonical(answer_of(command)->note_id, id));
    int error = check_acknowledge(command, (const Moment__V1__Note *)note, problem);

    if (error != 0) {
        return error;
    }
    moment__v1__acknowledge_note_response__init(&response);
    response.note = (Moment__V1__Note *)entity_edit(note);
    response.note->acknowledged_at = txn_now_us(txn);
    response.note->revision++;
    entity_set_text(&response.note->answer, answer_of(command)->answer);
    *ret_response = entity_edit(&response.base);
    put(feedback, txn, response.note);
    return 0;
}

void notes_acknowledge(void *state, struct call *call)
{
    struct feedback *feedback = state;

    command_start(
        service_bus(feedback->service),
        command_new(sizeof(struct command), call, feedback, load_acknowledge, apply_acknowledge));
}

/* --- ListNotes, GetNote --- */

static bool sees_improvement(const struct call *call)
{
    return (call_caller(call)->roles & ROLE_COACH) != 0;
}

void notes_list(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListNotesRequest *request =
        (const Moment__V1__ListNotesRequest *)call_request(call);
    const struct note_filter filter = {.moment_id = request->moment_id,
                                       .receiver = request->receiver,
                                       .giver = request->giver,
                                       .kind = (int)request->kind,
                                       .unacknowledged = request->unacknowledged};
    struct reach reach = call_reach(call);
    struct listing listing;
    struct id id;

    if (filter.moment_id[0] != '\0' && id_parse(filter.moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "This is no id of a moment.");
        return;
    }
    if (listing_read(call, request->limit, request->cursor, &listing)) {
        store_list_notes(call, service_reader(feedback->service), &filter, &reach,
                         sees_improvement(call), &listing);
    }
}

void notes_get(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__GetNoteRequest *request =
        (const Moment__V1__GetNoteRequest *)call_request(call);
    struct reach reach = call_reach(call);
    struct problem problem;
    struct id id;

    if (id_parse(request->note_id, &id) != 0) {
        (void)call_not_found(&problem, "note_id", "note");
        call_fail(call, &problem);
        return;
    }
    store_get_note(call, service_reader(feedback->service), &id, &reach, sees_improvement(call));
}

/* --- life --- */

int notes_new(struct notes **ret_notes)
{
    struct notes *notes = calloc(1, sizeof(*notes));
    int error;

    if (notes == NULL) {
        return -ENOMEM;
    }
    error = entities_new(&store_notes, STORE_NOTES_HELD_BYTES, &notes->entities);
    if (error != 0) {
        free(notes);
        return error;
    }
    *ret_notes = notes;
    return 0;
}

void notes_forget(struct notes *notes)
{
    entities_forget(notes->entities);
    drop_fresh(notes);
}

void notes_free(struct notes **ret_notes)
{
    struct notes *notes = *ret_notes;

    if (notes == NULL) {
        return;
    }
    notes_forget(notes);
    entities_free(&notes->entities);
    free(notes->fresh);
    free(notes);
    *ret_notes = NULL;
}
