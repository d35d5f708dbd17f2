/* codec - see the header. */
#include "recognition/codec.h"

#include "base/log.h"
#include "io/entity.h"
#include "io/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_VALUE 1e-9

_Static_assert((int)RESULT_AT_MOST == (int)MOMENT__V1__COMPARISON__COMPARISON_AT_MOST,
               "comparisons");
_Static_assert((int)RESULT_AT_LEAST == (int)MOMENT__V1__COMPARISON__COMPARISON_AT_LEAST,
               "comparisons");
_Static_assert((int)RESULT_EQUAL == (int)MOMENT__V1__COMPARISON__COMPARISON_EQUAL, "comparisons");

void codec_free(ProtobufCMessage *message)
{
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

int codec_copy(const ProtobufCMessage *message, ProtobufCMessage **ret_copy)
{
    uint8_t *bytes;
    size_t len;
    int error = protobuf_write(message, &bytes, &len);

    if (error != 0) {
        return error;
    }
    *ret_copy = protobuf_c_message_unpack(message->descriptor, NULL, len, bytes);
    free(bytes);
    return *ret_copy != NULL ? 0 : -ENOMEM;
}

ProtobufCMessage *codec_answer(const ProtobufCMessageDescriptor *response,
                               const ProtobufCMessage *element)
{
    ProtobufCMessage *answer = calloc(1, response->sizeof_message);
    ProtobufCMessage *copy = entity_edit(element);

    if (answer == NULL) {
        log_error("out_of_memory", "error=%d", -ENOMEM);
        abort();
    }
    protobuf_c_message_init(response, answer);
    memcpy((char *)answer + response->fields[0].offset, &copy, sizeof(copy));
    return answer;
}

void codec_strip(Moment__V1__Moment *moment)
{
    for (size_t i = 0; i < moment->n_visits; i++) {
        codec_free(&moment->visits[i]->base);
    }
    free(moment->visits);
    moment->visits = NULL;
    moment->n_visits = 0;
}

void codec_sighting(const Moment__V1__Moment *message, struct sighting *ret_sighting)
{
    *ret_sighting = (struct sighting){.agent = "", .wait_ms = -1, .hold_ms = -1};
    if (message == NULL) {
        return;
    }
    ret_sighting->is_known = true;
    ret_sighting->is_ended = message->state == MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED ||
                             message->outcome != MOMENT__V1__OUTCOME__OUTCOME_UNSPECIFIED;
    ret_sighting->is_merged = message->merged_into[0] != '\0';
    ret_sighting->agent = message->agent;
    if (message->wait_known_case != 0) {
        ret_sighting->wait_ms = message->wait_ms;
    }
    if (message->hold_known_case != 0) {
        ret_sighting->hold_ms = message->hold_ms;
    }
    ret_sighting->transfers = message->transfers;
    ret_sighting->repeat_contacts = message->repeat_contacts;
    ret_sighting->has_csat = message->csat_known_case != 0;
    ret_sighting->csat = ret_sighting->has_csat ? message->csat : 0.0;
}

int codec_appraisal(const Moment__V1__Evaluation *message, struct appraisal *ret_appraisal,
                    struct result **ret_results)
{
    struct result *results;

    *ret_results = NULL;
    *ret_appraisal = (struct appraisal){.standard_title = ""};
    if (message == NULL || message->withdrawn) {
        return 0;
    }
    results = calloc(message->n_results + 1, sizeof(*results));
    if (results == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < message->n_results; i++) {
        const Moment__V1__CriterionResult *result = message->results[i];

        results[i] = (struct result){
            .criterion_id = result->criterion_id,
            .title = result->title,
            .metric = result->metric,
            .applies = !result->not_applicable,
            .met = result->met != 0,
            .wow = result->wow != 0,
            .critical = result->critical != 0,
            .fatal = result->fatal != 0,
            .actual = result->actual_known_case != 0 ? result->actual : 0.0,
            .value = result->value,
            .comparison = result->comparison <= MOMENT__V1__COMPARISON__COMPARISON_EQUAL
                              ? (enum result_comparison)result->comparison
                              : RESULT_UNKNOWN,
        };
    }
    *ret_appraisal = (struct appraisal){
        .is_known = true,
        .standard_title = message->standard_title,
        .standard_version = message->standard_version,
        .has_final = message->final_known_case != 0,
        .has_critical = message->critical_known_case != 0,
        .results = results,
        .result_count = message->n_results,
    };
    ret_appraisal->final = ret_appraisal->has_final ? message->final_score : 0.0;
    ret_appraisal->critical = ret_appraisal->has_critical ? message->critical_score : 0.0;
    *ret_results = results;
    return 0;
}

static void fill_candidate(Moment__V1__Candidate *candidate, const Moment__V1__Moment *moment)
{
    candidate->agent = moment->agent;
    candidate->person_id = moment->person_id;
    candidate->team_id = moment->team_id;
    candidate->site = moment->site;
    candidate->queue = moment->queue;
    candidate->moment_ended_at = moment->ended_at;
}

struct id codec_candidate_id(const char *moment_id)
{
    const char *const parts[] = {"candidate", moment_id};

    return id_of(parts, countof(parts));
}

int codec_candidate(const char *moment_id, const Moment__V1__Moment *moment,
                    const struct evidence *evidence, size_t count,
                    Moment__V1__Candidate **ret_message)
{
    Moment__V1__CandidateEvidence items[DETECT_EVIDENCE_MAX], *pointers[DETECT_EVIDENCE_MAX];
    struct id id = codec_candidate_id(moment_id);
    Moment__V1__Candidate candidate;
    ProtobufCMessage *copy = NULL;
    char id_text[ID_TEXT_SIZE];
    int error;

    moment__v1__candidate__init(&candidate);
    candidate.candidate_id = (char *)(uintptr_t)id_print(&id, id_text);
    candidate.moment_id = (char *)(uintptr_t)moment_id;
    candidate.state = count > 0 ? MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_PROPOSED
                                : MOMENT__V1__CANDIDATE_STATE__CANDIDATE_STATE_WITHDRAWN;
    if (moment != NULL) {
        fill_candidate(&candidate, moment);
    }
    for (size_t i = 0; i < count; i++) {
        moment__v1__candidate_evidence__init(&items[i]);
        items[i].kind = (char *)(uintptr_t)evidence_kind_name(evidence[i].kind);
        items[i].text = (char *)(uintptr_t)evidence[i].text;
        items[i].criterion_id = (char *)(uintptr_t)evidence[i].criterion_id;
        items[i].value = evidence[i].value;
        pointers[i] = &items[i];
    }
    candidate.n_evidence = count;
    candidate.evidence = pointers;
    error = codec_copy(&candidate.base, &copy);
    if (error == 0) {
        *ret_message = (Moment__V1__Candidate *)copy;
    }
    return error;
}

static bool is_same_evidence(const Moment__V1__CandidateEvidence *a,
                             const Moment__V1__CandidateEvidence *b)
{
    return strcmp(a->kind, b->kind) == 0 && strcmp(a->text, b->text) == 0 &&
           strcmp(a->criterion_id, b->criterion_id) == 0 && fabs(a->value - b->value) < SAME_VALUE;
}

bool codec_is_same_candidate(const Moment__V1__Candidate *a, const Moment__V1__Candidate *b)
{
    if (a->state != b->state || a->n_evidence != b->n_evidence ||
        a->moment_ended_at != b->moment_ended_at || strcmp(a->agent, b->agent) != 0 ||
        strcmp(a->person_id, b->person_id) != 0 || strcmp(a->team_id, b->team_id) != 0 ||
        strcmp(a->site, b->site) != 0 || strcmp(a->queue, b->queue) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->n_evidence; i++) {
        if (!is_same_evidence(a->evidence[i], b->evidence[i])) {
            return false;
        }
    }
    return true;
}
