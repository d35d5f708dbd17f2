/* evaluations_command - what every command about an evaluation begins with: its moment is found,
 * its contact loaded, and what the caller may not see is not there. */
#include "feedback/evaluations.h"

#include "feedback/rules/objection.h"
#include "feedback/sampling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- the start --- */

static void load(struct command *command, struct txn *txn)
{
    struct evaluating *evaluating = container_of(command, struct evaluating, command);
    char moment_id[ID_TEXT_SIZE];

    if (evaluating->has_moment) {
        sampling_load(command->state, txn, &evaluating->moment_id);
        feedback_load_contact(command->state, txn, &evaluating->moment_id);
        moment_load(&evaluating->moment, txn, id_print(&evaluating->moment_id, moment_id));
    }
}

static void finish(struct command *command)
{
    moment_done(&container_of(command, struct evaluating, command)->moment);
}

static struct evaluating *new_command(struct feedback *feedback, struct call *call,
                                      evaluating_fn *apply)
{
    struct evaluating *evaluating = command_new(sizeof(*evaluating), call, feedback, load, apply);

    evaluating->command.finish = finish;
    return evaluating;
}

static void start(struct evaluating *evaluating)
{
    struct feedback *feedback = evaluating->command.state;

    command_start(service_bus(feedback->service), &evaluating->command);
}

void evaluating_start(struct feedback *feedback, struct call *call, const char *moment_id,
                      evaluating_fn *apply)
{
    struct evaluating *evaluating = new_command(feedback, call, apply);

    evaluating->has_moment = id_parse(moment_id, &evaluating->moment_id) == 0;
    start(evaluating);
}

/* Which moment it is about never changes. Where nobody knows the evaluation any more the command
 * starts all the same: it may have been done before, and then its answer is known. */
static void on_moment_id(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct evaluating *evaluating = arg;

    if (status != 0) {
        call_refuse(evaluating->command.call, 503, "database-unavailable", "",
                    "The database can't answer now.");
        free(evaluating);
        return;
    }
    evaluating->has_moment = db_count(rows) == 1;
    if (evaluating->has_moment) {
        db_get_uuid(rows, 0, 0, evaluating->moment_id.bytes);
    }
    start(evaluating);
}

void evaluating_start_of(struct feedback *feedback, struct call *call, const char *evaluation_id,
                         evaluating_fn *apply)
{
    struct evaluating *evaluating = new_command(feedback, call, apply);
    struct id id;
    int error;

    if (id_parse(evaluation_id, &id) != 0) {
        start(evaluating);
        return;
    }
    error = store_find_moment_of(service_reader(feedback->service), &id, on_moment_id, evaluating);
    if (error != 0) {
        on_moment_id(evaluating, error, NULL, NULL);
    }
}

/* --- in apply --- */

bool evaluations_are_seen_by(struct call *call, const Moment__V1__Evaluation *evaluation)
{
    const struct place place = {
        .site = evaluation->site, .team = evaluation->team_id, .person_id = evaluation->person_id};
    bool is_hidden = evaluations_is_draft(evaluation) &&
                     strcmp(evaluation->evaluator, call_caller(call)->id) != 0;

    return !is_hidden && call_allows(call, &place);
}

int evaluating_find(struct command *command, const char *evaluation_id,
                    struct contact **ret_contact, const Moment__V1__Evaluation **ret_evaluation,
                    struct problem *problem)
{
    const struct evaluating *evaluating = container_of(command, struct evaluating, command);
    struct feedback *feedback = command->state;
    struct contact *contact =
        evaluating->has_moment ? floor_find(&feedback->floor, &evaluating->moment_id) : NULL;
    const Moment__V1__Evaluation *evaluation =
        contact != NULL ? evaluations_find(contact, evaluation_id) : NULL;

    if (evaluation == NULL || !evaluations_are_seen_by(command->call, evaluation)) {
        return call_not_found(problem, "evaluation_id", "evaluation");
    }
    *ret_contact = contact;
    *ret_evaluation = evaluation;
    return 0;
}

int evaluating_facts(struct command *command, struct snapshot *ret_snapshot,
                     struct problem *problem)
{
    const struct evaluating *evaluating = container_of(command, struct evaluating, command);
    const Moment__V1__Moment *moment;
    Moment__V1__Moment *own;
    ProtobufCMessage *copy;
    char moment_id[ID_TEXT_SIZE];

    moment = evaluating->has_moment ? moment_find(command->state, &evaluating->moment,
                                                  id_print(&evaluating->moment_id, moment_id))
                                    : NULL;
    if (moment == NULL) {
        return call_not_found(problem, "moment_id", "moment");
    }
    feedback_need(codec_copy(&moment->base, &copy));
    own = (Moment__V1__Moment *)copy;
    feedback_need(codec_snapshot(&own, 0, ret_snapshot));
    return 0;
}

int evaluating_check_text(const char *field, const char *text, size_t min, struct problem *problem)
{
    struct objection objection;

    if (objection_length(&objection, field, text, min, EVALUATION_TEXT_MAX) != 0) {
        problem_set(problem, 422, "invalid-field", objection.field, "%s", objection.detail);
        return -EINVAL;
    }
    return 0;
}
