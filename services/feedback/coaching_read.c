/* coaching - see the header. What shows sessions, with their effect. */
#include "feedback/coaching.h"

#include "base/share.h"
#include "feedback/rules/coaching.h"
#include "feedback/store_coaching.h"
#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool sees_all(const struct call *call)
{
    return (call_caller(call)->roles & ROLE_COACH) != 0;
}

void coaching_list(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__ListCoachingRequest *request =
        (const Moment__V1__ListCoachingRequest *)call_request(call);
    const struct coaching_filter filter = {.attendee = request->attendee,
                                           .state = (int)request->state};
    struct reach reach = call_reach(call);
    struct listing listing;

    if (listing_read(call, request->limit, request->cursor, &listing)) {
        store_list_coaching(call, service_reader(feedback->service), &filter, &reach,
                            sees_all(call), &listing);
    }
}

/* --- GetCoaching: the session, then its effect --- */

struct question {
    struct feedback *feedback;
    struct call *call;
    uint32_t wanted;
    Moment__V1__CoachingSession *session; /* owned */
};

static void question_free(struct question *question)
{
    if (question->session != NULL) {
        codec_free(&question->session->base);
    }
    free(question);
}

static void fail(struct question *question)
{
    call_refuse(question->call, 503, "database-unavailable", "", "The database can't answer now.");
    question_free(question);
}

static void answer(struct question *question, Moment__V1__CoachingEffect *effect)
{
    Moment__V1__GetCoachingResponse response;

    moment__v1__get_coaching_response__init(&response);
    response.session = question->session;
    response.effect = effect;
    call_reply(question->call, &response.base);
    question_free(question);
}

/* The rows of one side; the message is freed as one. */
static Moment__V1__PassRate *pass_rate(const struct db_rows *rows, bool is_after)
{
    Moment__V1__PassRate *rate = calloc(1, sizeof(*rate));
    char text[ID_TEXT_SIZE];
    struct share share;
    struct id id;

    feedback_need(rate != NULL ? 0 : -ENOMEM);
    moment__v1__pass_rate__init(rate);
    rate->moment_ids = calloc(db_count(rows) + 1, sizeof(*rate->moment_ids));
    feedback_need(rate->moment_ids != NULL ? 0 : -ENOMEM);
    for (size_t i = 0; i < db_count(rows); i++) {
        if (db_get_bool(rows, i, 0) == is_after) {
            db_get_uuid(rows, i, 1, id.bytes);
            entity_set_text(&rate->moment_ids[rate->n_moment_ids++], id_print(&id, text));
            rate->passed += db_get_bool(rows, i, 2) ? 1 : 0;
        }
    }
    rate->n = (uint32_t)rate->n_moment_ids;
    share = share_of(rate->passed, rate->n);
    if (share.has_value) {
        rate->known_case = MOMENT__V1__PASS_RATE__KNOWN_VALUE;
        rate->value = share.value;
        rate->low = share.low;
        rate->high = share.high;
    }
    return rate;
}

static const char *title_of(const struct question *question)
{
    const struct criterion *criterion = standards_criterion(
        question->feedback, question->session->standard_id, 0, question->session->criterion_id);

    return criterion != NULL ? criterion->title : "";
}

static void on_effect(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error unused_arg)
{
    struct question *question = arg;
    Moment__V1__CoachingEffect effect;

    if (status != 0) {
        fail(question);
        return;
    }
    moment__v1__coaching_effect__init(&effect);
    effect.criterion_id = question->session->criterion_id;
    effect.criterion_title = (char *)(uintptr_t)title_of(question);
    effect.before = pass_rate(rows, false);
    effect.after = pass_rate(rows, true);
    effect.wanted = question->wanted;
    struct Moment__V1__PassRate *before = effect.before, *after = effect.after;
    answer(question, &effect);
    codec_free(&before->base);
    codec_free(&after->base);
}

static void on_session(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error unused_arg)
{
    struct question *question = arg;
    ProtobufCMessage *message;
    struct problem problem;

    if (status == 0 && db_count(rows) == 0) {
        (void)call_not_found(&problem, "session_id", "coaching session");
        call_fail(question->call, &problem);
        question_free(question);
        return;
    }
    if (status != 0 || protobuf_read(&moment__v1__coaching_session__descriptor,
                                     db_get_bytes(rows, 0, 0), &message) != 0) {
        fail(question);
        return;
    }
    question->session = (Moment__V1__CoachingSession *)message;
    if (question->session->held_at == 0 || question->session->criterion_id[0] == '\0') {
        answer(question, NULL);
    } else if (store_ask_effect(service_reader(question->feedback->service), question->session,
                                question->wanted, on_effect, question) != 0) {
        fail(question);
    }
}

void coaching_get(void *state, struct call *call)
{
    struct feedback *feedback = state;
    const Moment__V1__GetCoachingRequest *request =
        (const Moment__V1__GetCoachingRequest *)call_request(call);
    struct reach reach = call_reach(call);
    struct question *question;
    struct problem problem;
    struct id id;

    if (request->effect_moments > COACHING_EFFECT_MAX) {
        call_refuse(call, 422, "invalid-field", "effect_moments", "At most %d on each side.",
                    COACHING_EFFECT_MAX);
        return;
    }
    if (id_parse(request->session_id, &id) != 0) {
        (void)call_not_found(&problem, "session_id", "coaching session");
        call_fail(call, &problem);
        return;
    }
    question = calloc(1, sizeof(*question));
    feedback_need(question != NULL ? 0 : -ENOMEM);
    *question = (struct question){.feedback = feedback,
                                  .call = call,
                                  .wanted = request->effect_moments != 0 ? request->effect_moments
                                                                         : COACHING_EFFECT_DEFAULT};
    if (store_ask_coaching(service_reader(feedback->service), &id, &reach, sees_all(call),
                           on_session, question) != 0) {
        fail(question);
    }
}
