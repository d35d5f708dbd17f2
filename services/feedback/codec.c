/* codec - see the header. */
#include "feedback/codec.h"

#include "io/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)STATE_ENDED == (int)MOMENT__V1__MOMENT_STATE__MOMENT_STATE_ENDED, "states");
_Static_assert((int)STATE_HELD == (int)MOMENT__V1__MOMENT_STATE__MOMENT_STATE_HELD, "states");
_Static_assert((int)OUTCOME_ABANDONED == (int)MOMENT__V1__OUTCOME__OUTCOME_ABANDONED, "outcomes");
_Static_assert((int)ALERT_WAITING == (int)MOMENT__V1__ALERT_SUBJECT__ALERT_SUBJECT_WAITING,
               "subjects");
_Static_assert((int)ALERT_CUSTOMER_SIGNAL ==
                   (int)MOMENT__V1__ALERT_SUBJECT__ALERT_SUBJECT_CUSTOMER_SIGNAL,
               "subjects");

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

bool codec_is_same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    size_t size = protobuf_c_message_get_packed_size(a);
    uint8_t *bytes;
    bool is_same;

    if (size != protobuf_c_message_get_packed_size(b)) {
        return false;
    }
    bytes = malloc(2 * size + 1);
    if (bytes == NULL) {
        return false;
    }
    (void)protobuf_c_message_pack(a, bytes);
    (void)protobuf_c_message_pack(b, bytes + size);
    is_same = memcmp(bytes, bytes + size, size) == 0;
    free(bytes);
    return is_same;
}

int codec_set(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL) {
        return -ENOMEM;
    }
    if (*text != protobuf_c_empty_string) {
        free(*text);
    }
    *text = copy;
    return 0;
}

/* --- moments --- */

static int64_t known_ms(int known_case, uint32_t value)
{
    return known_case != 0 ? (int64_t)value : -1;
}

static void read_visit(const Moment__V1__Visit *message, struct visit *visit)
{
    *visit = (struct visit){
        .queue = message->queue,
        .agent = message->agent,
        .entered_at = message->entered_at,
        .answered_at = message->answered_at,
        .ended_at = message->ended_at,
        .wait_ms = known_ms((int)message->wait_known_case, message->wait_ms),
        .ring_ms = known_ms((int)message->ring_known_case, message->ring_ms),
        .hold_ms = known_ms((int)message->hold_known_case, message->hold_ms),
        .hold_longest_ms =
            known_ms((int)message->hold_longest_known_case, message->hold_longest_ms),
        .hold_count = message->hold_count_known_case != 0 ? (int32_t)message->hold_count : -1,
        .offers = message->offers,
        .offer_failures = message->offer_failures,
        .outcome = (int)message->outcome,
    };
}

static void read_moment(const Moment__V1__Moment *message, int64_t changed_at,
                        struct moment *moment)
{
    *moment = (struct moment){
        .moment_id = message->moment_id,
        .site = message->site,
        .queue = message->queue,
        .agent = message->agent,
        .person_id = message->person_id,
        .team_id = message->team_id,
        .channel = (int)message->channel,
        .direction = (int)message->direction,
        .outcome = (int)message->outcome,
        .state = (enum moment_state)message->state,
        .state_since = message->state_since,
        .started_at = message->started_at,
        .ended_at = message->ended_at,
        .changed_at = changed_at,
        .wait_ms = known_ms((int)message->wait_known_case, message->wait_ms),
        .ring_ms = known_ms((int)message->ring_known_case, message->ring_ms),
        .talk_ms = known_ms((int)message->talk_known_case, message->talk_ms),
        .hold_ms = known_ms((int)message->hold_known_case, message->hold_ms),
        .wrap_ms = known_ms((int)message->wrap_known_case, message->wrap_ms),
        .hold_count = message->hold_count_known_case != 0 ? (int32_t)message->hold_count : -1,
        .transfers = message->transfers,
        .repeat_contacts = message->repeat_contacts,
        .has_csat = message->csat_known_case != 0,
        .has_nps = message->nps_known_case != 0,
        .signals = (const char *const *)message->customer_signals,
        .signal_count = message->n_customer_signals,
    };
    moment->csat = moment->has_csat ? message->csat : 0.0;
    moment->nps = moment->has_nps ? message->nps : 0.0;
}

int codec_snapshot(Moment__V1__Moment **message, int64_t changed_at, struct snapshot *ret_snapshot)
{
    struct snapshot snapshot = {.message = *message};
    struct id id;

    *message = NULL;
    if (snapshot.message == NULL || id_parse(snapshot.message->moment_id, &id) != 0) {
        codec_snapshot_done(&snapshot);
        return -EBADMSG;
    }
    if (snapshot.message->n_visits > 0) {
        snapshot.visits = calloc(snapshot.message->n_visits, sizeof(*snapshot.visits));
        if (snapshot.visits == NULL) {
            codec_snapshot_done(&snapshot);
            return -ENOMEM;
        }
    }
    read_moment(snapshot.message, changed_at, &snapshot.plain);
    for (size_t i = 0; i < snapshot.message->n_visits; i++) {
        read_visit(snapshot.message->visits[i], &snapshot.visits[i]);
    }
    snapshot.plain.visits = snapshot.visits;
    snapshot.plain.visit_count = snapshot.message->n_visits;
    *ret_snapshot = snapshot;
    return 0;
}

void codec_snapshot_done(struct snapshot *snapshot)
{
    if (snapshot->message != NULL) {
        codec_free(&snapshot->message->base);
    }
    free(snapshot->visits);
    *snapshot = (struct snapshot){0};
}

bool codec_is_ended(const struct snapshot *snapshot)
{
    return snapshot->plain.state == STATE_ENDED || snapshot->plain.outcome != OUTCOME_OPEN;
}

bool codec_is_merged(const struct snapshot *snapshot)
{
    return snapshot->message->merged_into[0] != '\0';
}

/* Makes a string array of a message into one of constants. */
static const char *const *names_of(char **names)
{
    return (const char *const *)names;
}

/* --- rules --- */

void codec_rule_plain(const Moment__V1__AlertRule *message, struct alert_rule *ret_rule)
{
    *ret_rule = (struct alert_rule){
        .subject = (enum alert_subject)message->subject,
        .threshold = message->threshold,
        .has_clear = message->clear_known_case != 0,
        .clear = message->clear_known_case != 0 ? message->clear_threshold : message->threshold,
        .cooldown_us = message->cooldown_ms * INT64_C(1000),
        .minimum_count = message->minimum_count,
        .window_us = message->window_ms * INT64_C(1000),
        .target_us = message->target_ms * INT64_C(1000),
        .signal = message->signal,
        .changed_at = message->edited_at,
        .sites = names_of(message->sites),
        .queues = names_of(message->queues),
        .teams = names_of(message->teams),
        .site_count = message->n_sites,
        .queue_count = message->n_queues,
        .team_count = message->n_teams,
        .rule_id = message->rule_id,
        .title = message->title,
        .severity = (int)message->severity,
        .escalate_us = message->escalate_after_ms * INT64_C(1000),
    };
}

int codec_rule(Moment__V1__AlertRule **message, struct held_rule *ret_rule)
{
    Moment__V1__AlertRule *rule = *message;

    *message = NULL;
    if ((int)rule->subject <= (int)ALERT_UNKNOWN || (int)rule->subject >= (int)ALERT_SUBJECTS) {
        codec_free(&rule->base);
        return -EINVAL;
    }
    *ret_rule = (struct held_rule){.message = rule};
    codec_rule_plain(rule, &ret_rule->plain);
    return 0;
}

void codec_rule_done(struct held_rule *rule)
{
    if (rule->message != NULL) {
        codec_free(&rule->message->base);
    }
    *rule = (struct held_rule){0};
}
