/* lists - the calls that only read: evaluations.
 *
 * Each asks on the reading connection, so that it sees what is committed and nothing else. */
#include "feedback/evaluations.h"

void feedback_list_evaluations(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListEvaluationsRequest *request =
        (const Moment__V1__ListEvaluationsRequest *)call_request(call);
    struct evaluation_filter filter = {
        .moment_id = request->moment_id,
        .person_id = request->person_id,
        .evaluator = request->evaluator,
        .state = (int)request->state,
        .history = request->history != 0,
        .by_people = request->by_people != 0,
        .mine = request->mine != 0,
    };
    struct id id;

    if (request->moment_id[0] != '\0' && id_parse(request->moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
    } else if (filter.history && request->moment_id[0] == '\0') {
        call_refuse(call, 422, "invalid-field", "moment_id",
                    "Older revisions are listed for one moment: say which.");
    } else if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_evaluations(service_reader(feedback->service), call, &filter);
    }
}

static bool may_see(struct call *call, ProtobufCMessage *element)
{
    return evaluations_are_seen_by(call, (const Moment__V1__Evaluation *)element);
}

void feedback_get_evaluation(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__GetEvaluationRequest *request =
        (const Moment__V1__GetEvaluationRequest *)call_request(call);
    struct problem problem;
    struct id id;

    if (id_parse(request->evaluation_id, &id) != 0) {
        (void)call_not_found(&problem, "evaluation_id", "evaluation");
        call_fail(call, &problem);
        return;
    }
    store_get_evaluation(service_reader(feedback->service), call, &id, may_see);
}
