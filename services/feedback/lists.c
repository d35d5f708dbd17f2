/* lists - the calls that only read: evaluations.
 *
 * Each asks on the reading connection, so that it sees what is committed and nothing else. */
#include "feedback/feedback.h"

void feedback_list_evaluations(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListEvaluationsRequest *request =
        (const Moment__V1__ListEvaluationsRequest *)call_request(call);
    struct evaluation_filter filter = {.history = request->history != 0};

    if (id_parse(request->moment_id, &filter.moment_id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
    } else if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_evaluations(service_reader(feedback->service), call, &filter);
    }
}
