/* coaching - see the header. What changes sessions. */
#include "feedback/coaching.h"

#include "feedback/rules/coaching.h"
#include "feedback/rules/objection.h"
#include "feedback/store_coaching.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct coaching {
    struct entities *entities; /* owned */
};

/* Every command about a session. */
struct change {
    struct command command;        /* first */
    char session_id[ID_TEXT_SIZE]; /* as it is written everywhere; "": no id, or a new session */
    struct wanted_moment moments[COACHING_MOMENTS_MAX];
};

static struct feedback *feedback_of(const struct change *change)
{
    return change->command.state;
}

static const struct caller *caller_of(const struct change *change)
{
    return call_caller(change->command.call);
}

static const Moment__V1__CoachingSession *session_of(const struct change *change)
{
    return (const Moment__V1__CoachingSession *)entity_get(feedback_of(change)->coaching->entities,
                                                           change->session_id);
}

static int refuse(struct problem *problem, const struct objection *objection)
{
    problem_set(problem, 422, "invalid-field", objection->field, "%s", objection->detail);
    return -EINVAL;
}

/* --- content, plain and as a message --- */

/* One more than allowed is enough to see that it is too many. */
struct plain_actions {
    struct coaching_action items[COACHING_ACTIONS_MAX + 1];
};

static size_t read_actions(Moment__V1__CoachingAction *const *actions, size_t count,
                           struct plain_actions *ret_actions)
{
    size_t used = count <= COACHING_ACTIONS_MAX ? count : COACHING_ACTIONS_MAX + 1;

    for (size_t i = 0; i < used; i++) {
        ret_actions->items[i] = (struct coaching_action){.action_id = actions[i]->action_id,
                                                         .text = actions[i]->text,
                                                         .due_at = actions[i]->due_at};
    }
    return used;
}

/* Borrows from both. */
static struct coaching_content read_session(const Moment__V1__CoachingSession *session,
                                            struct plain_actions *ret_actions)
{
    return (struct coaching_content){
        .planned_at = session->planned_at,
        .topic = session->topic,
        .moment_count = session->n_moment_ids,
        .standard_id = session->standard_id,
        .criterion_id = session->criterion_id,
        .agreement = session->agreement,
        .actions = ret_actions->items,
        .action_count = read_actions(session->actions, session->n_actions, ret_actions)};
}

static const Moment__V1__CoachingAction *find_action(const Moment__V1__CoachingSession *session,
                                                     const char *action_id)
{
    for (size_t i = 0; i < session->n_actions; i++) {
        if (action_id[0] != '\0' && strcmp(session->actions[i]->action_id, action_id) == 0) {
            return session->actions[i];
        }
    }
    return NULL;
}

/* Whether it is done is the client's to say, when it was is ours. */
static Moment__V1__CoachingAction *make_action(const Moment__V1__CoachingSession *session,
                                               const Moment__V1__CoachingAction *wish, int64_t now)
{
    const Moment__V1__CoachingAction *before = find_action(session, wish->action_id);
    Moment__V1__CoachingAction *action = calloc(1, sizeof(*action));
    char text[ID_TEXT_SIZE];
    struct id id = id_v7();

    feedback_need(action != NULL ? 0 : -ENOMEM);
    moment__v1__coaching_action__init(action);
    entity_set_text(&action->action_id, before != NULL ? before->action_id : id_print(&id, text));
    entity_set_text(&action->text, wish->text);
    action->due_at = wish->due_at;
    if (wish->done_at != 0) {
        action->done_at = before != NULL && before->done_at != 0 ? before->done_at : now;
    }
    return action;
}

static void set_actions(Moment__V1__CoachingSession *session,
                        Moment__V1__CoachingAction *const *wishes, size_t count, int64_t now)
{
    Moment__V1__CoachingAction **actions = NULL;
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        entity_append(&made, &actions, make_action(session, wishes[i], now));
    }
    for (size_t i = 0; i < session->n_actions; i++) {
        codec_free(&session->actions[i]->base);
    }
    free(session->actions);
    session->actions = actions;
    session->n_actions = made;
}

static void set_moments(Moment__V1__CoachingSession *session, char *const *moment_ids, size_t count)
{
    char **copies = calloc(count + 1, sizeof(*copies));

    feedback_need(copies != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < count; i++) {
        entity_set_text(&copies[i], moment_ids[i]);
    }
    for (size_t i = 0; i < session->n_moment_ids; i++) {
        free(session->moment_ids[i]);
    }
    free(session->moment_ids);
    session->moment_ids = copies;
    session->n_moment_ids = count;
}

/* --- what a session is checked against --- */

static void load_moments(struct change *change, struct txn *txn, char *const *moment_ids,
                         size_t count)
{
    for (size_t i = 0; i < count && i < COACHING_MOMENTS_MAX; i++) {
        moment_load(&change->moments[i], txn, moment_ids[i]);
    }
}

static void finish(struct command *command)
{
    struct change *change = (struct change *)command;

    for (size_t i = 0; i < COACHING_MOMENTS_MAX; i++) {
        moment_done(&change->moments[i]);
    }
}

static bool may_attach(const struct change *change, size_t index, const char *moment_id)
{
    const Moment__V1__Moment *moment =
        moment_find(feedback_of(change), &change->moments[index], moment_id);
    struct place place;

    if (moment == NULL) {
        return false;
    }
    place = (struct place){
        .site = moment->site, .team = moment->team_id, .person_id = moment->person_id};
    return call_allows(change->command.call, &place);
}

static int check_moments(const struct change *change, char *const *moment_ids, size_t count,
                         const char *prefix, struct problem *problem)
{
    for (size_t i = 0; i < count; i++) {
        if (!may_attach(change, i, moment_ids[i])) {
            char field[OBJECTION_FIELD_SIZE];

            (void)snprintf(field, sizeof(field), "%smoment_ids[%zu]", prefix, i);
            problem_set(problem, 422, "invalid-field", field, "There is no such moment.");
            return -EINVAL;
        }
    }
    return 0;
}

static int check_criterion(const struct change *change, const char *standard_id,
                           const char *criterion_id, const char *prefix, struct problem *problem)
{
    char field[OBJECTION_FIELD_SIZE];

    if (criterion_id[0] == '\0' ||
        standards_criterion(feedback_of(change), standard_id, 0, criterion_id) != NULL) {
        return 0;
    }
    (void)snprintf(field, sizeof(field), "%scriterion_id", prefix);
    problem_set(problem, 422, "invalid-field", field, "No version of that standard has it.");
    return -EINVAL;
}

static struct place place_of(const Moment__V1__CoachingSession *session)
{
    return (struct place){
        .site = session->site, .team = session->team_id, .person_id = session->attendee};
}

static bool is_person(const struct caller *caller, const char *person_id)
{
    return caller->person_id != NULL && strcmp(caller->person_id, person_id) == 0;
}

/* Its coach, and every coach where it is; never who is coached. */
static int find_to_change(const struct change *change,
                          const Moment__V1__CoachingSession **ret_session, struct problem *problem)
{
    const Moment__V1__CoachingSession *session = session_of(change);
    const struct caller *caller = caller_of(change);
    struct place place;

    if (session == NULL) {
        (void)call_not_found(problem, "session_id", "coaching session");
        return -ENOENT;
    }
    place = place_of(session);
    if ((strcmp(session->coach, caller->id) != 0 && (caller->roles & ROLE_COACH) == 0) ||
        is_person(caller, session->attendee) || !call_allows(change->command.call, &place)) {
        (void)call_not_found(problem, "session_id", "coaching session");
        return -ENOENT;
    }
    *ret_session = session;
    return 0;
}

static int check_open(const Moment__V1__CoachingSession *session, struct problem *problem)
{
    if (!coaching_is_open((enum coaching_state)session->state)) {
        problem_set(problem, 409, "coaching-over", "session_id",
                    "This session is over: what it says stays. Plan another one.");
        return -EINVAL;
    }
    return 0;
}

/* Consumes session. */
static void put(struct feedback *feedback, struct txn *txn, Moment__V1__CoachingSession *session)
{
    Moment__V1__CoachingChanged changed;

    moment__v1__coaching_changed__init(&changed);
    changed.session = session;
    feedback_emit(feedback, txn, session->site, session->session_id, "CoachingChanged",
                  &changed.base);
    entity_put(feedback->coaching->entities, txn, session->session_id, &session->base);
}

/* --- PlanCoaching --- */

static const Moment__V1__PlanCoachingRequest *plan_of(const struct change *change)
{
    return (const Moment__V1__PlanCoachingRequest *)call_request(change->command.call);
}

static void load_plan(struct command *command, struct txn *txn)
{
    struct change *change = (struct change *)command;
    const Moment__V1__PlanCoachingRequest *plan = plan_of(change);

    feedback_load_all(command->state, txn);
    load_moments(change, txn, plan->moment_ids, plan->n_moment_ids);
}

static int find_attendee(const struct change *change, const Moment__V1__Person **ret_attendee,
                         struct problem *problem)
{
    const Moment__V1__Person *person =
        directory_person(feedback_of(change)->directory, plan_of(change)->attendee);
    struct place place;

    if (person == NULL) {
        (void)call_not_found(problem, "attendee", "person");
        return -ENOENT;
    }
    place = directory_place_of(person);
    if (!call_allows(change->command.call, &place)) {
        (void)call_not_found(problem, "attendee", "person");
        return -ENOENT;
    }
    if (is_person(caller_of(change), person->person_id)) {
        problem_set(problem, 422, "invalid-field", "attendee", "Nobody coaches themselves.");
        return -EINVAL;
    }
    *ret_attendee = person;
    return 0;
}

static int check_plan(const struct change *change, struct problem *problem)
{
    const Moment__V1__PlanCoachingRequest *plan = plan_of(change);
    const struct coaching_content content = {.planned_at = plan->planned_at,
                                             .topic = plan->topic,
                                             .moment_count = plan->n_moment_ids,
                                             .standard_id = plan->standard_id,
                                             .criterion_id = plan->criterion_id,
                                             .agreement = ""};
    struct objection objection;

    if (coaching_check(&content, COACHING_PLANNED, "", &objection) != 0) {
        return refuse(problem, &objection);
    }
    if (check_criterion(change, plan->standard_id, plan->criterion_id, "", problem) != 0) {
        return -EINVAL;
    }
    return check_moments(change, plan->moment_ids, plan->n_moment_ids, "", problem);
}

static Moment__V1__CoachingSession *make_session(const struct change *change,
                                                 const Moment__V1__Person *attendee, int64_t now)
{
    const Moment__V1__PlanCoachingRequest *plan = plan_of(change);
    Moment__V1__CoachingSession *session = calloc(1, sizeof(*session));
    char text[ID_TEXT_SIZE];
    struct id id = id_v7();

    feedback_need(session != NULL ? 0 : -ENOMEM);
    moment__v1__coaching_session__init(session);
    entity_set_text(&session->session_id, id_print(&id, text));
    session->state = MOMENT__V1__COACHING_STATE__COACHING_STATE_PLANNED;
    entity_set_text(&session->coach, caller_of(change)->id);
    entity_set_text(&session->coach_name, caller_of(change)->name);
    entity_set_text(&session->attendee, attendee->person_id);
    entity_set_text(&session->attendee_name, attendee->name);
    entity_set_text(&session->site, attendee->site_id);
    entity_set_text(&session->team_id, attendee->team_id);
    session->planned_at = plan->planned_at;
    entity_set_text(&session->topic, plan->topic);
    set_moments(session, plan->moment_ids, plan->n_moment_ids);
    entity_set_text(&session->standard_id, plan->standard_id);
    entity_set_text(&session->criterion_id, plan->criterion_id);
    session->revision = 1;
    session->created_at = now;
    return session;
}

static int apply_plan(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct change *change = (struct change *)command;
    Moment__V1__PlanCoachingResponse response;
    const Moment__V1__Person *attendee;
    int error = find_attendee(change, &attendee, problem);

    if (error == 0) {
        error = check_plan(change, problem);
    }
    if (error != 0) {
        return error;
    }
    moment__v1__plan_coaching_response__init(&response);
    response.session = make_session(change, attendee, txn_now_us(txn));
    *ret_response = entity_edit(&response.base);
    put(command->state, txn, response.session);
    return 0;
}

/* --- EditCoaching --- */

static const Moment__V1__EditCoachingRequest *edit_of(const struct change *change)
{
    return (const Moment__V1__EditCoachingRequest *)call_request(change->command.call);
}

static void load_session(struct command *command, struct txn *txn)
{
    struct change *change = (struct change *)command;
    struct feedback *feedback = command->state;

    feedback_load_all(feedback, txn);
    entity_load(feedback->coaching->entities, txn, change->session_id);
}

static void load_edit(struct command *command, struct txn *txn)
{
    struct change *change = (struct change *)command;
    const Moment__V1__CoachingSession *session = edit_of(change)->session;

    load_session(command, txn);
    if (session != NULL) {
        load_moments(change, txn, session->moment_ids, session->n_moment_ids);
    }
}

static int check_edit(const struct change *change, const Moment__V1__CoachingSession *before,
                      struct problem *problem)
{
    const Moment__V1__CoachingSession *session = edit_of(change)->session;
    struct plain_actions actions;
    struct coaching_content content;
    struct objection objection;

    if (session == NULL) {
        problem_set(problem, 422, "invalid-field", "session", "There is no session here.");
        return -EINVAL;
    }
    if (session->attendee[0] != '\0' && strcmp(session->attendee, before->attendee) != 0) {
        problem_set(problem, 422, "invalid-field", "session.attendee",
                    "A session stays with its attendee: plan another one.");
        return -EINVAL;
    }
    content = read_session(session, &actions);
    if (coaching_check(&content, (enum coaching_state)before->state, "session.", &objection) != 0) {
        return refuse(problem, &objection);
    }
    if (check_criterion(change, session->standard_id, session->criterion_id, "session.", problem) !=
        0) {
        return -EINVAL;
    }
    return check_moments(change, session->moment_ids, session->n_moment_ids, "session.", problem);
}

static Moment__V1__CoachingSession *edited(const Moment__V1__CoachingSession *before,
                                           const Moment__V1__CoachingSession *wish, int64_t now)
{
    struct plain_actions actions_before, actions_after;
    struct coaching_content agreed = read_session(before, &actions_before);
    struct coaching_content wished = read_session(wish, &actions_after);
    Moment__V1__CoachingSession *session =
        (Moment__V1__CoachingSession *)entity_edit(&before->base);

    session->planned_at = wish->planned_at;
    entity_set_text(&session->topic, wish->topic);
    set_moments(session, wish->moment_ids, wish->n_moment_ids);
    entity_set_text(&session->standard_id, wish->standard_id);
    entity_set_text(&session->criterion_id, wish->criterion_id);
    entity_set_text(&session->agreement, wish->agreement);
    set_actions(session, wish->actions, wish->n_actions, now);
    if (coaching_agrees_otherwise(&agreed, &wished)) {
        session->acknowledged_at = 0;
        entity_set_text(&session->acknowledge_comment, "");
    }
    session->revision++;
    return session;
}

static int apply_edit(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct change *change = (struct change *)command;
    Moment__V1__EditCoachingResponse response;
    const Moment__V1__CoachingSession *before;
    int error = find_to_change(change, &before, problem);

    if (error == 0) {
        error = call_check_revision(problem, edit_of(change)->if_revision, before->revision);
    }
    if (error == 0) {
        error = check_open(before, problem);
    }
    if (error == 0) {
        error = check_edit(change, before, problem);
    }
    if (error != 0) {
        return error;
    }
    moment__v1__edit_coaching_response__init(&response);
    response.session = edited(before, edit_of(change)->session, txn_now_us(txn));
    *ret_response = entity_edit(&response.base);
    put(command->state, txn, response.session);
    return 0;
}

/* --- MoveCoaching --- */

static const Moment__V1__MoveCoachingRequest *move_of(const struct change *change)
{
    return (const Moment__V1__MoveCoachingRequest *)call_request(change->command.call);
}

static int check_move(const Moment__V1__MoveCoachingRequest *move,
                      const Moment__V1__CoachingSession *before, struct problem *problem)
{
    struct plain_actions actions;
    const struct coaching_content content = {
        .agreement = move->agreement,
        .actions = actions.items,
        .action_count = read_actions(move->actions, move->n_actions, &actions)};
    struct objection objection;

    if (!coaching_may_move((enum coaching_state)before->state, (int)move->state)) {
        problem_set(problem, 409, "coaching-state", "state",
                    "A planned session is held or cancelled, a held one is followed up or "
                    "cancelled; nothing else.");
        return -EINVAL;
    }
    if (coaching_check_move((int)move->state, &content, move->because, &objection) != 0) {
        return refuse(problem, &objection);
    }
    return 0;
}

/* Held: what was agreed. Followed up: what became of it, where that is said. */
static Moment__V1__CoachingSession *moved(const Moment__V1__CoachingSession *before,
                                          const Moment__V1__MoveCoachingRequest *move, int64_t now)
{
    Moment__V1__CoachingSession *session =
        (Moment__V1__CoachingSession *)entity_edit(&before->base);

    session->state = move->state;
    session->revision++;
    if (move->state == MOMENT__V1__COACHING_STATE__COACHING_STATE_CANCELLED) {
        session->cancelled_at = now;
        entity_set_text(&session->cancelled_because, move->because);
        return session;
    }
    if (move->state == MOMENT__V1__COACHING_STATE__COACHING_STATE_HELD) {
        session->held_at = now;
    } else {
        session->followed_up_at = now;
    }
    if (move->agreement[0] != '\0') {
        entity_set_text(&session->agreement, move->agreement);
    }
    if (move->n_actions > 0) {
        set_actions(session, move->actions, move->n_actions, now);
    }
    return session;
}

static int apply_move(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct change *change = (struct change *)command;
    Moment__V1__MoveCoachingResponse response;
    const Moment__V1__CoachingSession *before;
    int error = find_to_change(change, &before, problem);

    if (error == 0) {
        error = call_check_revision(problem, move_of(change)->if_revision, before->revision);
    }
    if (error == 0) {
        error = check_move(move_of(change), before, problem);
    }
    if (error != 0) {
        return error;
    }
    moment__v1__move_coaching_response__init(&response);
    response.session = moved(before, move_of(change), txn_now_us(txn));
    *ret_response = entity_edit(&response.base);
    put(command->state, txn, response.session);
    return 0;
}

/* --- AcknowledgeCoaching --- */

static const Moment__V1__AcknowledgeCoachingRequest *acknowledge_of(const struct change *change)
{
    return (const Moment__V1__AcknowledgeCoachingRequest *)call_request(change->command.call);
}

static int check_acknowledge(const struct change *change,
                             const Moment__V1__CoachingSession *session, struct problem *problem)
{
    struct objection objection;

    if (session == NULL || !is_person(caller_of(change), session->attendee)) {
        (void)call_not_found(problem, "session_id", "coaching session");
        return -ENOENT;
    }
    if (coaching_check_comment(acknowledge_of(change)->comment, &objection) != 0) {
        return refuse(problem, &objection);
    }
    if (session->held_at == 0 || session->cancelled_at != 0) {
        problem_set(problem, 409, "coaching-not-held", "session_id",
                    "What was agreed can be acknowledged when the session was held.");
        return -EINVAL;
    }
    if (session->acknowledged_at != 0) {
        problem_set(problem, 409, "already-acknowledged", "session_id",
                    "You acknowledged this session before; what you said stays.");
        return -EEXIST;
    }
    return 0;
}

static int apply_acknowledge(struct command *command, struct txn *txn,
                             ProtobufCMessage **ret_response, struct problem *problem)
{
    struct change *change = (struct change *)command;
    const Moment__V1__CoachingSession *before = session_of(change);
    Moment__V1__AcknowledgeCoachingResponse response;
    int error = check_acknowledge(change, before, problem);

    if (error != 0) {
        return error;
    }
    moment__v1__acknowledge_coaching_response__init(&response);
    response.session = (Moment__V1__CoachingSession *)entity_edit(&before->base);
    response.session->acknowledged_at = txn_now_us(txn);
    response.session->revision++;
    entity_set_text(&response.session->acknowledge_comment, acknowledge_of(change)->comment);
    *ret_response = entity_edit(&response.base);
    put(command->state, txn, response.session);
    return 0;
}

/* --- starting them --- */

static void start(struct feedback *feedback, struct call *call, const char *session_id,
                  command_load_fn *load, command_apply_fn *apply)
{
    struct change *change = command_new(sizeof(*change), call, feedback, load, apply);
    struct id id;

    if (id_parse(session_id, &id) == 0) {
        (void)id_print(&id, change->session_id);
    }
    change->command.finish = finish;
    command_start(service_bus(feedback->service), &change->command);
}

void coaching_plan(void *state, struct call *call)
{
    start(state, call, "", load_plan, apply_plan);
}

void coaching_edit(void *state, struct call *call)
{
    const Moment__V1__EditCoachingRequest *request =
        (const Moment__V1__EditCoachingRequest *)call_request(call);

    start(state, call, request->session_id, load_edit, apply_edit);
}

void coaching_move(void *state, struct call *call)
{
    const Moment__V1__MoveCoachingRequest *request =
        (const Moment__V1__MoveCoachingRequest *)call_request(call);

    start(state, call, request->session_id, load_session, apply_move);
}

void coaching_acknowledge(void *state, struct call *call)
{
    const Moment__V1__AcknowledgeCoachingRequest *request =
        (const Moment__V1__AcknowledgeCoachingRequest *)call_request(call);

    start(state, call, request->session_id, load_session, apply_acknowledge);
}

/* --- life --- */

int coaching_new(struct coaching **ret_coaching)
{
    struct coaching *coaching = calloc(1, sizeof(*coaching));
    int error;

    if (coaching == NULL) {
        return -ENOMEM;
    }
    error = entities_new(&store_coaching, STORE_COACHING_HELD_BYTES, &coaching->entities);
    if (error != 0) {
        free(coaching);
        return error;
    }
    *ret_coaching = coaching;
    return 0;
}

void coaching_forget(struct coaching *coaching)
{
    entities_forget(coaching->entities);
}

void coaching_free(struct coaching **coaching)
{
    if (*coaching != NULL) {
        entities_free(&(*coaching)->entities);
        free(*coaching);
        *coaching = NULL;
    }
}
