/* rhythms - see the header. */
#include "feedback/rhythms.h"

#include "base/log.h"
#include "feedback/rules/rhythm.h"
#include "feedback/store_rhythms.h"
#include "io/entity.h"
#include "io/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rhythms {
    Moment__V1__Rhythm **items; /* owned */
    size_t count;
    bool is_asked_for; /* the read was added or is done */
};

/* --- memory --- */

static void on_rhythms(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error unused_arg)
{
    struct rhythms *rhythms = arg;
    ProtobufCMessage *message;

    for (size_t i = 0; status == 0 && i < db_count(rows); i++) {
        if (protobuf_read(&moment__v1__rhythm__descriptor, db_get_bytes(rows, i, 0), &message) ==
            0) {
            entity_append(&rhythms->count, &rhythms->items, message);
        } else {
            log_error("rhythm_unreadable", "row=%zu", i);
        }
    }
}

static void load(struct command *command, struct txn *txn)
{
    struct feedback *feedback = command->state;

    feedback_load_all(feedback, txn);
    if (!feedback->rhythms->is_asked_for) {
        feedback->rhythms->is_asked_for = true;
        store_load_rhythms(txn, on_rhythms, feedback->rhythms);
    }
}

static Moment__V1__Rhythm **find(const struct rhythms *rhythms, const char *rhythm_id)
{
    for (size_t i = 0; i < rhythms->count; i++) {
        if (strcmp(rhythms->items[i]->rhythm_id, rhythm_id) == 0) {
            return &rhythms->items[i];
        }
    }
    return NULL;
}

/* Row, record and memory. Consumes rhythm, which takes the place of one with its id. */
static void put(struct feedback *feedback, struct txn *txn, Moment__V1__Rhythm *rhythm)
{
    struct rhythms *rhythms = feedback->rhythms;
    Moment__V1__Rhythm **before = find(rhythms, rhythm->rhythm_id);
    Moment__V1__RhythmChanged changed;

    rhythm->revision = before != NULL ? (*before)->revision + 1 : 1;
    feedback_need(store_save_rhythm(txn, rhythm));
    moment__v1__rhythm_changed__init(&changed);
    changed.rhythm = rhythm;
    feedback_emit(feedback, txn, "", rhythm->rhythm_id, "RhythmChanged", &changed.base);
    if (before != NULL) {
        codec_free(&(*before)->base);
        *before = rhythm;
    } else {
        entity_append(&rhythms->count, &rhythms->items, rhythm);
    }
}

/* The zone and the date were checked when they came in. */
static void end(struct feedback *feedback, struct txn *txn, const Moment__V1__Rhythm *before)
{
    Moment__V1__Rhythm *rhythm = (Moment__V1__Rhythm *)entity_edit(&before->base);
    char text[DATE_TEXT_SIZE];
    struct zone *zone;
    struct date from;

    feedback_need(zone_open(rhythm->time_zone, &zone));
    feedback_need(date_parse(rhythm->from_date, &from));
    entity_set_text(
        &rhythm->until_date,
        date_print(rhythm_until(zone, (enum rhythm_period)rhythm->period, from, txn_now_us(txn)),
                   text));
    zone_close(&zone);
    put(feedback, txn, rhythm);
}

/* --- DeclareRhythm --- */

static const Moment__V1__DeclareRhythmRequest *wish_of(const struct command *command)
{
    return (const Moment__V1__DeclareRhythmRequest *)call_request(command->call);
}

static int check(const Moment__V1__DeclareRhythmRequest *wish, struct zone **ret_zone,
                 struct problem *problem)
{
    struct objection objection;

    if (rhythm_check((int)wish->practice, wish->times, (int)wish->period, &objection) != 0) {
        problem_set(problem, 422, "invalid-field", objection.field, "%s", objection.detail);
        return -EINVAL;
    }
    if (zone_open(wish->time_zone, ret_zone) != 0) {
        problem_set(problem, 422, "invalid-field", "time_zone",
                    "There is no such time zone: write it as \"Europe/Paris\".");
        return -EINVAL;
    }
    return 0;
}

/* Of this caller and practice, without an end. */
static bool goes_on(const struct command *command, const Moment__V1__Rhythm *rhythm)
{
    return rhythm->until_date[0] == '\0' && rhythm->practice == wish_of(command)->practice &&
           strcmp(rhythm->user_id, call_caller(command->call)->id) == 0;
}

/* Null: something else, or nothing, was promised so far. */
static const Moment__V1__Rhythm *find_same(const struct command *command)
{
    const struct feedback *feedback = command->state;
    const Moment__V1__DeclareRhythmRequest *wish = wish_of(command);

    for (size_t i = 0; i < feedback->rhythms->count; i++) {
        const Moment__V1__Rhythm *rhythm = feedback->rhythms->items[i];

        if (goes_on(command, rhythm) && rhythm->times == wish->times &&
            rhythm->period == wish->period && strcmp(rhythm->time_zone, wish->time_zone) == 0) {
            return rhythm;
        }
    }
    return NULL;
}

static Moment__V1__Rhythm *make_rhythm(const struct command *command, struct date from, int64_t now)
{
    const Moment__V1__DeclareRhythmRequest *wish = wish_of(command);
    const struct caller *caller = call_caller(command->call);
    Moment__V1__Rhythm *rhythm = calloc(1, sizeof(*rhythm));
    char date[DATE_TEXT_SIZE], practice[16], text[ID_TEXT_SIZE];
    const char *const parts[] = {"rhythm", caller->id, practice, date};
    struct id id;

    feedback_need(rhythm != NULL ? 0 : -ENOMEM);
    moment__v1__rhythm__init(rhythm);
    (void)snprintf(practice, sizeof(practice), "%d", (int)wish->practice);
    (void)date_print(from, date);
    id = id_of(parts, countof(parts));
    entity_set_text(&rhythm->rhythm_id, id_print(&id, text));
    entity_set_text(&rhythm->user_id, caller->id);
    entity_set_text(&rhythm->user_name, caller->name);
    rhythm->practice = wish->practice;
    rhythm->times = wish->times;
    rhythm->period = wish->period;
    entity_set_text(&rhythm->time_zone, wish->time_zone);
    entity_set_text(&rhythm->from_date, date);
    rhythm->declared_at = now;
    return rhythm;
}

/* What was promised before ends with the period under way, but for what is replaced. */
static void end_others(const struct command *command, struct txn *txn, const char *rhythm_id)
{
    struct feedback *feedback = command->state;

    for (size_t i = 0; i < feedback->rhythms->count; i++) {
        const Moment__V1__Rhythm *rhythm = feedback->rhythms->items[i];

        if (goes_on(command, rhythm) && strcmp(rhythm->rhythm_id, rhythm_id) != 0) {
            end(feedback, txn, rhythm);
        }
    }
}

static void respond(const Moment__V1__Rhythm *rhythm, ProtobufCMessage **ret_response)
{
    Moment__V1__DeclareRhythmResponse response;

    moment__v1__declare_rhythm_response__init(&response);
    response.rhythm = (Moment__V1__Rhythm *)(uintptr_t)rhythm;
    *ret_response = entity_edit(&response.base);
}

static int apply_declare(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__Rhythm *same;
    Moment__V1__Rhythm *rhythm;
    struct zone *zone;
    int error = check(wish_of(command), &zone, problem);

    if (error != 0) {
        return error;
    }
    same = find_same(command);
    if (same == NULL) {
        rhythm = make_rhythm(
            command,
            rhythm_from(zone, (enum rhythm_period)wish_of(command)->period, txn_now_us(txn)),
            txn_now_us(txn));
        end_others(command, txn, rhythm->rhythm_id);
        put(feedback, txn, rhythm);
        same = rhythm;
    }
    respond(same, ret_response);
    zone_close(&zone);
    return 0;
}

/* --- EndRhythm --- */

static int apply_end(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                     struct problem *problem)
{
    struct feedback *feedback = command->state;
    const Moment__V1__EndRhythmRequest *request =
        (const Moment__V1__EndRhythmRequest *)call_request(command->call);
    Moment__V1__Rhythm **rhythm = find(feedback->rhythms, request->rhythm_id);
    Moment__V1__EndRhythmResponse response;

    if (rhythm == NULL || strcmp((*rhythm)->user_id, call_caller(command->call)->id) != 0) {
        (void)call_not_found(problem, "rhythm_id", "rhythm");
        return -ENOENT;
    }
    if ((*rhythm)->until_date[0] != '\0') {
        problem_set(problem, 409, "rhythm-ended", "rhythm_id", "This rhythm ends on %.10s already.",
                    (*rhythm)->until_date);
        return -EINVAL;
    }
    end(feedback, txn, *rhythm);
    moment__v1__end_rhythm_response__init(&response);
    response.rhythm = *rhythm;
    *ret_response = entity_edit(&response.base);
    return 0;
}

static void start(struct feedback *feedback, struct call *call, command_apply_fn *apply)
{
    command_start(service_bus(feedback->service),
                  command_new(sizeof(struct command), call, feedback, load, apply));
}

void rhythms_declare(void *state, struct call *call)
{
    start(state, call, apply_declare);
}

void rhythms_end(void *state, struct call *call)
{
    start(state, call, apply_end);
}

/* --- ListRhythms --- */

void rhythms_list(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListRhythmsRequest *request =
        (const Moment__V1__ListRhythmsRequest *)call_request(call);

    store_list_rhythms(call, service_reader(feedback->service), request->user_id);
}

/* --- life --- */

int rhythms_new(struct rhythms **ret_rhythms)
{
    *ret_rhythms = calloc(1, sizeof(**ret_rhythms));
    return *ret_rhythms != NULL ? 0 : -ENOMEM;
}

void rhythms_forget(struct rhythms *rhythms)
{
    for (size_t i = 0; i < rhythms->count; i++) {
        codec_free(&rhythms->items[i]->base);
    }
    free(rhythms->items);
    *rhythms = (struct rhythms){0};
}

void rhythms_free(struct rhythms **rhythms)
{
    if (*rhythms != NULL) {
        rhythms_forget(*rhythms);
        free(*rhythms);
        *rhythms = NULL;
    }
}
