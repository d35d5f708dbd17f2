/* candidates - see the header. */
#include "recognition/candidates.h"

#include "io/json.h"
#include "recognition/rules/post.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct metric recognition_candidates_total = {
    .name = "moment_candidates_total",
    .kind = METRIC_COUNTER,
    .help = "Revisions of caught-right candidates, by what they are.",
    .label = "change",
};

static int save(struct txn *txn, const char *id unused_arg, const ProtobufCMessage *message)
{
    return store_save_candidate(txn, (const Moment__V1__Candidate *)message);
}

const struct entity_kind candidate_kind = {
    .name = "candidate",
    .descriptor = &moment__v1__candidate__descriptor,
    .select = STORE_SELECT_CANDIDATE,
    .save = save,
};

static const char *id_of_moment(const struct id *moment_id, char text[ID_TEXT_SIZE])
{
    char moment_text[ID_TEXT_SIZE];
    struct id id = codec_candidate_id(id_print(moment_id, moment_text));

    return id_print(&id, text);
}

void candidates_load(struct recognition *recognition, struct txn *txn, const struct id *moment_id)
{
    char id[ID_TEXT_SIZE];

    entity_load(recognition->candidates, txn, id_of_moment(moment_id, id));
}

static const Moment__V1__Candidate *stored(const struct recognition *recognition, const char *id)
{
    return (const Moment__V1__Candidate *)entity_get(recognition->candidates, id);
}

/* --- what facts make of it --- */

static const char *change_of(const Moment__V1__Candidate *now)
{
    switch (now->state) {
    case MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_WITHDRAWN:
        return "withdrawn";
    case MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PRAISED:
        return "praised";
    case MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_DISMISSED:
        return "dismissed";
    default:
        return now->revision == 1 ? "proposed" : "revised";
    }
}

/* Consumes now; its revision is set. */
static void put(struct recognition *recognition, struct txn *txn, Moment__V1__Candidate *now)
{
    Moment__V1__CandidateChanged changed;

    moment__v1__candidate_changed__init(&changed);
    changed.candidate = now;
    recognition_emit(recognition, txn, now->site, now->moment_id, &changed.base);
    metric_add(&recognition_candidates_total, change_of(now), 1);
    entity_put(recognition->candidates, txn, now->candidate_id, &now->base);
}

static bool is_open(const Moment__V1__Candidate *candidate)
{
    return candidate->state == MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PROPOSED;
}

static bool is_settled(const Moment__V1__Candidate *candidate)
{
    return candidate->state == MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PRAISED ||
           candidate->state == MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_DISMISSED;
}

static bool is_settled_by(const Moment__V1__Candidate *candidate, const Moment__V1__Note *praise)
{
    return praise != NULL && is_open(candidate) && candidate->person_id[0] != '\0' &&
           strcmp(candidate->person_id, praise->receiver) == 0;
}

static void settle(Moment__V1__Candidate *candidate, const Moment__V1__Note *praise)
{
    candidate->state = MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PRAISED;
    candidate->decided_at = praise->given_at;
    entity_set_text(&candidate->decided_by, praise->giver);
    entity_set_text(&candidate->decided_by_name, praise->giver_name);
    entity_set_text(&candidate->note_id, praise->note_id);
}

void candidates_update(struct recognition *recognition, struct txn *txn, Moment__V1__Candidate *now,
                       const Moment__V1__Note *praise)
{
    const Moment__V1__Candidate *before = stored(recognition, now->candidate_id);

    if (is_settled_by(now, praise)) {
        settle(now, praise);
    }
    /* What people decided stays. */
    if (before == NULL ? now->n_evidence == 0
                       : is_settled(before) || codec_is_same_candidate(before, now)) {
        codec_free(&now->base);
        return;
    }
    now->revision = before != NULL ? before->revision + 1 : 1;
    now->proposed_at = before != NULL ? before->proposed_at : txn_now_us(txn);
    put(recognition, txn, now);
}

void candidates_praise(struct recognition *recognition, struct txn *txn, const struct id *moment_id,
                       const Moment__V1__Note *praise)
{
    char id[ID_TEXT_SIZE];
    const Moment__V1__Candidate *before = stored(recognition, id_of_moment(moment_id, id));
    Moment__V1__Candidate *now;

    if (before == NULL || !is_settled_by(before, praise)) {
        return;
    }
    now = (Moment__V1__Candidate *)entity_edit(&before->base);
    settle(now, praise);
    now->revision++;
    put(recognition, txn, now);
}

/* --- ListCandidates --- */

void recognition_list_candidates(void *state, struct call *call)
{
    struct recognition *recognition = state;
    const Moment__V1__ListCandidatesRequest *request =
        (const Moment__V1__ListCandidatesRequest *)call_request(call);
    struct candidate_filter filter = {.moment_id = request->moment_id,
                                      .person_id = request->person_id,
                                      .open_only = request->open_only != 0};
    struct id id;

    if (request->moment_id[0] != '\0' && id_parse(request->moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
    } else if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_candidates(service_reader(recognition->service), call, &filter);
    }
}

/* --- DismissCandidate --- */

static const Moment__V1__DismissCandidateRequest *dismissal(const struct command *command)
{
    return (const Moment__V1__DismissCandidateRequest *)call_request(command->call);
}

static void load_dismissal(struct command *command, struct txn *txn)
{
    struct recognition *recognition = command->state;

    entity_load(recognition->candidates, txn, dismissal(command)->candidate_id);
}

static int check_dismissal(const struct command *command, const Moment__V1__Candidate *candidate,
                           struct problem *problem)
{
    struct place place;

    if (candidate == NULL) {
        return call_not_found(problem, "candidate_id", "candidate");
    }
    place = (struct place){
        .site = candidate->site, .team = candidate->team_id, .person_id = candidate->person_id};
    if (!call_allows(command->call, &place)) {
        return call_not_found(problem, "candidate_id", "candidate");
    }
    if (!is_open(candidate)) {
        problem_set(problem, 409, "candidate-settled", "candidate_id",
                    "This candidate was praised, dismissed or withdrawn already.");
        return -EEXIST;
    }
    return 0;
}

static int apply_dismissal(struct command *command, struct txn *txn,
                           ProtobufCMessage **ret_response, struct problem *problem)
{
    struct recognition *recognition = command->state;
    const struct caller *caller = call_caller(command->call);
    const Moment__V1__Candidate *before = stored(recognition, dismissal(command)->candidate_id);
    Moment__V1__Candidate *now;
    int error = check_dismissal(command, before, problem);

    if (error != 0) {
        return error;
    }
    now = (Moment__V1__Candidate *)entity_edit(&before->base);
    now->state = MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_DISMISSED;
    now->decided_at = txn_now_us(txn);
    now->revision++;
    entity_set_text(&now->decided_by, caller->id);
    entity_set_text(&now->decided_by_name, caller->name);
    entity_set_text(&now->dismissed_because, dismissal(command)->because);
    *ret_response = codec_answer(&moment__v1__dismiss_candidate_response__descriptor, &now->base);
    put(recognition, txn, now);
    return 0;
}

void recognition_dismiss_candidate(void *state, struct call *call)
{
    const Moment__V1__DismissCandidateRequest *request =
        (const Moment__V1__DismissCandidateRequest *)call_request(call);

    if (recognition_check_id(call, "candidate_id", request->candidate_id, "candidate") &&
        !recognition_refused(call, post_check_because(request->because))) {
        recognition_command(state, call, load_dismissal, apply_dismissal);
    }
}
