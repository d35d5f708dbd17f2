#include "ingest/rules/fold.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

/* Live and record tell of the same visit if they put its begin this close together. */
#define SAME_VISIT_US (2 * US_PER_S)
/* Where the source's clock is not the record's (a live stream without timestamps), visits that
 * found no partner are still the same up to here. */
#define SKEWED_VISIT_US (30 * US_PER_S)
/* A record in whole seconds and a fine time of the same instant are never further apart. */
#define SAME_TIME_US US_PER_S
/* A record that goes on for this long without a visit that live evidence told of denies it. */
#define DENIED_AFTER_US (5 * US_PER_S)

/* In the order of their names, which is the order of moment.quality. */
enum flag {
    FLAG_CLOCK_SKEW,
    FLAG_CONTRADICTED,
    FLAG_DERIVED_ANSWERED_AT,
    FLAG_ENDED_IN_GAP,
    FLAG_INCOMPLETE,
    FLAG_LOST_TRACK,
    FLAG_SECOND_RESOLUTION,
    FLAG_SOURCE_GAP,
    FLAG_TALK_INCLUDES_HOLD,
    FLAG_TOO_MANY_EVENTS,
    FLAG_TOO_MANY_VISITS,
    FLAGS
};
_Static_assert(FLAGS <= FOLD_QUALITY_MAX, "every flag fits");

static const char *const flag_names[FLAGS] = {
    "clock_skew",         "contradicted",    "derived_answered_at", "ended_in_gap",
    "incomplete",         "lost_track",      "second_resolution",   "source_gap",
    "talk_includes_hold", "too_many_events", "too_many_visits"};

/* What one kind of evidence, live or record, tells by itself. */
struct side {
    struct visit *visits; /* FOLD_VISITS_MAX of them */
    size_t count;
    int64_t held_since[FOLD_VISITS_MAX];  /* 0: not on hold */
    uint32_t implied[FOLD_VISITS_MAX];    /* offers known from how they came out */
    const char *contact[FOLD_VISITS_MAX]; /* whose visit it is */
    const char *telling;                  /* contact of the event under way */
    const char *ended_contact;            /* of ended_at */
    bool is_linked;                       /* one person behind several channels */
    uint32_t open_offers;                 /* in the newest visit */
    uint32_t loose_transfers;             /* of contacts that are in no visit */
    enum moment_state state;
    int64_t since;
    int64_t newest; /* occurred_at of the newest event, 0: no evidence of this kind */
    int64_t started_at;
    int64_t ended_at;
    enum party ended_by;
    enum outcome outcome; /* told of the contact as a whole */
    unsigned flags;
};

struct work {
    const struct event *events;
    const uint32_t *order;
    size_t count;
    unsigned flags;
    bool is_linked; /* one person behind several channels */
};

static int compare_int64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The canonical order: total, and the same wherever the events come from. */
static int compare_events(const struct event *a, const struct event *b)
{
    int order = compare_int64(a->occurred_at, b->occurred_at);
    if (!order)
        order = (int)a->evidence - (int)b->evidence;
    if (!order)
        order = strcmp(a->source, b->source);
    if (!order)
        order = (a->sequence > b->sequence) - (a->sequence < b->sequence);
    if (!order)
        order = memcmp(a->event_id.bytes, b->event_id.bytes, sizeof(a->event_id.bytes));
    return order;
}

static int compare_ids(const struct event *a, const struct event *b)
{
    int order = memcmp(a->event_id.bytes, b->event_id.bytes, sizeof(a->event_id.bytes));
    return order ? order : compare_events(a, b);
}

typedef int compare_function(const struct event *a, const struct event *b);

static void sift(const struct event *events, uint32_t *order, size_t root, size_t count,
                 compare_function *compare)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare(&events[order[child]], &events[order[child + 1]]) < 0)
            child++;
        if (compare(&events[order[root]], &events[order[child]]) >= 0)
            return;
        uint32_t kept = order[root];
        order[root] = order[child];
        order[child] = kept;
        root = child;
    }
}

/* Heap sort: in place, no allocation, no bad case. */
static void sort(const struct event *events, uint32_t *order, size_t count,
                 compare_function *compare)
{
    for (size_t i = count / 2; i-- > 0;)
        sift(events, order, i, count, compare);
    for (size_t last = count; last-- > 1;) {
        uint32_t kept = order[0];
        order[0] = order[last];
        order[last] = kept;
        sift(events, order, 0, last, compare);
    }
}

/* order becomes the indices of the distinct events in canonical order. */
static size_t arrange(const struct event *events, size_t count, uint32_t *order)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    sort(events, order, count, compare_ids);
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        const struct id *id = &events[order[i]].event_id;
        if (distinct > 0 &&
            memcmp(events[order[distinct - 1]].event_id.bytes, id->bytes, sizeof(id->bytes)) == 0)
            continue;
        order[distinct++] = order[i];
    }
    sort(events, order, distinct, compare_events);
    return distinct;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static int64_t ms_between(int64_t from, int64_t to)
{
    return to > from ? (to - from) / US_PER_MS : 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return a ? a : b;
    return a < b ? a : b;
}

static bool same_queue(const char *a, const char *b)
{
    return !*a || !*b || strcmp(a, b) == 0;
}

static bool is_transfer(enum outcome outcome)
{
    return outcome == OUTCOME_BLIND_TRANSFER || outcome == OUTCOME_ATTENDED_TRANSFER ||
           outcome == OUTCOME_TRANSFERRED;
}

static void set_state(struct side *side, enum moment_state state, int64_t since)
{
    side->state = state;
    side->since = since;
}

static void clear_visit(struct visit *visit)
{
    memset(visit, 0, sizeof(*visit));
    visit->queue = visit->agent = "";
    visit->wait_ms = visit->ring_ms = visit->talk_ms = -1;
    visit->hold_ms = visit->hold_longest_ms = -1;
    visit->hold_count = -1;
}

static struct visit *add_visit(struct side *side, const char *queue, int64_t entered_at)
{
    if (side->count == FOLD_VISITS_MAX) {
        side->flags |= 1U << FLAG_TOO_MANY_VISITS;
        return NULL;
    }
    struct visit *visit = &side->visits[side->count];
    clear_visit(visit);
    visit->queue = queue;
    visit->entered_at = entered_at;
    side->held_since[side->count] = 0;
    side->implied[side->count] = 0;
    side->contact[side->count] = side->telling;
    side->count++;
    side->open_offers = 0;
    return visit;
}

/* The newest visit of the queue that nobody has answered or left. */
static struct visit *waiting_visit(struct side *side, const char *queue)
{
    for (size_t i = side->count; i-- > 0;) {
        struct visit *visit = &side->visits[i];
        if (same_queue(visit->queue, queue) && !visit->answered_at && !visit->ended_at)
            return visit;
    }
    return NULL;
}

/* The newest visit in which the agent talks; "" matches any queue and agent. */
static struct visit *talking_visit(struct side *side, const char *queue, const char *agent)
{
    for (size_t i = side->count; i-- > 0;) {
        struct visit *visit = &side->visits[i];
        if (visit->answered_at && !visit->ended_at && same_queue(visit->queue, queue) &&
            (!*agent || !*visit->agent || strcmp(visit->agent, agent) == 0))
            return visit;
    }
    return NULL;
}

static void close_hold(struct side *side, struct visit *visit, int64_t at, int64_t told_ms)
{
    int64_t *since = &side->held_since[visit - side->visits];
    if (!*since && told_ms < 0)
        return;
    int64_t held_ms = told_ms >= 0 ? told_ms : ms_between(*since, at);
    if (visit->hold_ms < 0)
        visit->hold_ms = 0;
    if (visit->hold_count < 0)
        visit->hold_count = 0;
    visit->hold_ms += held_ms;
    visit->hold_count++;
    if (held_ms > visit->hold_longest_ms)
        visit->hold_longest_ms = held_ms;
    *since = 0;
}

static void close_visit(struct side *side, struct visit *visit, const struct event *event)
{
    close_hold(side, visit, event->occurred_at, -1);
    visit->ended_at = event->ended_at ? event->ended_at : event->occurred_at;
    visit->outcome = event->outcome;
    visit->ended_by = event->ended_by;
    if (event->wait_ms >= 0)
        visit->wait_ms = event->wait_ms;
    if (event->talk_ms >= 0) {
        int64_t hold_ms = event->talk_includes_hold && visit->hold_ms > 0 ? visit->hold_ms : 0;
        visit->talk_ms = event->talk_ms > hold_ms ? event->talk_ms - hold_ms : 0;
    }
    if (event->hold_ms >= 0 && visit->hold_count <= 0)
        visit->hold_ms = event->hold_ms;
    const struct visit *newest = &side->visits[side->count - 1];
    if (newest != visit && !newest->ended_at)
        return; /* the next visit has already begun */
    side->open_offers = 0;
    set_state(side, STATE_STARTED, visit->ended_at);
}

/* How an answered visit came out of which only the contact's end is known, and a waiting one. */
static enum outcome outcome_at_end(const struct visit *visit, enum outcome contact,
                                   enum party ended_by, unsigned flags)
{
    if (visit->answered_at) {
        if (contact >= OUTCOME_COMPLETED && contact <= OUTCOME_COMPLETED_BY_AGENT)
            return contact;
        return ended_by == PARTY_CUSTOMER ? OUTCOME_COMPLETED_BY_CALLER
               : ended_by == PARTY_AGENT  ? OUTCOME_COMPLETED_BY_AGENT
                                          : OUTCOME_COMPLETED;
    }
    if (flags & (1U << FLAG_ENDED_IN_GAP | 1U << FLAG_LOST_TRACK))
        return OUTCOME_LOST_TRACK;
    if (contact >= OUTCOME_ABANDONED && contact <= OUTCOME_CALLED_BACK)
        return contact;
    return OUTCOME_ABANDONED;
}

/* One of several channels is over: its visits are, too. Returns whether the person is still in
 * another one, so that the moment goes on. */
static bool goes_on_elsewhere(struct side *side, const struct event *event)
{
    const struct visit *other = NULL;
    if (!side->is_linked)
        return false;
    for (size_t i = 0; i < side->count; i++) {
        struct visit *visit = &side->visits[i];
        if (visit->ended_at)
            continue;
        if (strcmp(side->contact[i], event->contact_id) != 0) {
            other = visit;
            continue;
        }
        close_visit(side, visit, event);
        visit->outcome = outcome_at_end(visit, event->outcome, event->ended_by, side->flags);
    }
    if (!other)
        return false;
    int64_t held_since = side->held_since[other - side->visits];
    if (held_since)
        set_state(side, STATE_HELD, held_since);
    else if (other->answered_at)
        set_state(side, STATE_TALKING, other->answered_at);
    else
        set_state(side, STATE_WAITING, other->entered_at);
    return true;
}

/* The moment's end was that of one channel only: the person is back in another. */
static void reopen_elsewhere(struct side *side, const struct event *event)
{
    bool begins = event->type == CONTACT_STARTED || event->type == CONTACT_QUEUED ||
                  event->type == CONTACT_OFFERED || event->type == CONTACT_ANSWERED;
    if (!side->is_linked || !side->ended_at || !begins ||
        strcmp(event->contact_id, side->ended_contact) == 0)
        return;
    side->ended_at = 0;
    side->ended_by = PARTY_UNKNOWN;
    side->outcome = OUTCOME_OPEN;
}

static void on_queued(struct side *side, const struct event *event)
{
    int64_t at = event->queued_at ? event->queued_at : event->occurred_at;
    struct visit *last = side->count ? &side->visits[side->count - 1] : NULL;
    if (last && !last->answered_at && !last->ended_at && same_queue(last->queue, event->queue) &&
        distance(last->entered_at, at) <= SAME_VISIT_US) {
        last->entered_at = earlier(last->entered_at, at);
    } else {
        add_visit(side, event->queue, at);
    }
    set_state(side, STATE_WAITING, at);
}

static void on_offered(struct side *side, const struct event *event)
{
    struct visit *visit = waiting_visit(side, event->queue);
    if (!visit)
        return;
    visit->offers++;
    if (side->open_offers++ == 0)
        set_state(side, STATE_RINGING, event->occurred_at);
}

static void on_offer_failed(struct side *side, const struct event *event)
{
    struct visit *visit = waiting_visit(side, event->queue);
    if (!visit)
        return;
    side->implied[visit - side->visits]++;
    if (strcmp(event->reason, "cancelled") != 0)
        visit->offer_failures++;
    if (side->open_offers > 0 && --side->open_offers == 0)
        set_state(side, STATE_WAITING, event->occurred_at);
}

static void on_answered(struct side *side, const struct event *event)
{
    int64_t at = event->answered_at ? event->answered_at : event->occurred_at;
    struct visit *visit = waiting_visit(side, event->queue);
    if (!visit && !*event->queue && side->count > 0)
        visit = &side->visits[side->count - 1]; /* handed on without a queue */
    if (!visit) {
        int64_t entered_at = event->queued_at;
        if (!entered_at)
            entered_at = event->wait_ms >= 0 ? at - event->wait_ms * US_PER_MS : at;
        visit = add_visit(side, event->queue, entered_at);
    }
    if (!visit)
        return;
    if (strcmp(event->reason, "gap") == 0)
        side->flags |= 1U << FLAG_DERIVED_ANSWERED_AT | 1U << FLAG_SOURCE_GAP;
    side->implied[visit - side->visits]++;
    side->open_offers = 0;
    if (!visit->answered_at)
        visit->answered_at = at;
    visit->agent = event->agent;
    visit->ended_at = 0;
    visit->outcome = OUTCOME_OPEN;
    if (event->wait_ms >= 0)
        visit->wait_ms = event->wait_ms;
    if (event->ring_ms >= 0)
        visit->ring_ms = event->ring_ms;
    if (event->hold_ms == 0 && visit->hold_count < 0)
        visit->hold_ms = visit->hold_longest_ms = visit->hold_count = 0;
    set_state(side, STATE_TALKING, at);
}

static void on_held(struct side *side, const struct event *event)
{
    struct visit *visit = talking_visit(side, event->queue, event->agent);
    if (!visit || side->held_since[visit - side->visits])
        return;
    side->held_since[visit - side->visits] = event->occurred_at;
    set_state(side, STATE_HELD, event->occurred_at);
}

static void on_resumed(struct side *side, const struct event *event)
{
    struct visit *visit = talking_visit(side, event->queue, event->agent);
    if (!visit || (!side->held_since[visit - side->visits] && event->hold_ms < 0))
        return;
    close_hold(side, visit, event->occurred_at, event->hold_ms);
    set_state(side, STATE_TALKING, event->occurred_at);
}

/* A record that begins in the middle of a call tells the end of a visit that it never opened. */
static struct visit *derive_answered_visit(struct side *side, const struct event *event)
{
    if (event->talk_ms < 0)
        return NULL;
    struct visit *visit = waiting_visit(side, event->queue);
    int64_t answered_at = event->occurred_at - event->talk_ms * US_PER_MS;
    if (!visit && event->wait_ms >= 0)
        visit = add_visit(side, event->queue, answered_at - event->wait_ms * US_PER_MS);
    if (!visit)
        return NULL;
    visit->answered_at = answered_at;
    visit->agent = event->agent;
    side->flags |= 1U << FLAG_DERIVED_ANSWERED_AT;
    return visit;
}

static void on_agent_ended(struct side *side, const struct event *event)
{
    struct visit *visit = talking_visit(side, event->queue, event->agent);
    if (!visit)
        visit = derive_answered_visit(side, event);
    if (visit)
        close_visit(side, visit, event);
    else if (event->type == CONTACT_TRANSFERRED)
        side->loose_transfers++;
    if (visit && event->type == CONTACT_TRANSFERRED && !is_transfer(visit->outcome))
        visit->outcome = OUTCOME_TRANSFERRED;
    if (visit && visit->outcome == OUTCOME_OPEN)
        visit->outcome = event->ended_by == PARTY_CUSTOMER ? OUTCOME_COMPLETED_BY_CALLER
                         : event->ended_by == PARTY_AGENT  ? OUTCOME_COMPLETED_BY_AGENT
                                                           : OUTCOME_COMPLETED;
}

static void on_left(struct side *side, const struct event *event)
{
    struct visit *visit = waiting_visit(side, event->queue);
    if (!visit && event->wait_ms >= 0 && *event->queue)
        visit = add_visit(side, event->queue, event->occurred_at - event->wait_ms * US_PER_MS);
    if (strcmp(event->reason, "gap") == 0)
        side->flags |= 1U << FLAG_SOURCE_GAP | 1U << FLAG_INCOMPLETE;
    if (visit) {
        close_visit(side, visit, event);
        if (visit->outcome == OUTCOME_OPEN)
            visit->outcome =
                event->type == CONTACT_ABANDONED ? OUTCOME_ABANDONED : OUTCOME_LOST_TRACK;
    }
    if (event->type == CONTACT_ABANDONED && !goes_on_elsewhere(side, event)) {
        side->ended_at = event->occurred_at;
        side->ended_contact = event->contact_id;
        side->ended_by = PARTY_CUSTOMER;
        if (!visit)
            side->outcome = OUTCOME_ABANDONED;
    }
}

/* A contact.ended or contact.summarised may tell a whole visit. */
static void take_summary(struct side *side, const struct event *event)
{
    int64_t entered_at = event->queued_at ? event->queued_at : event->answered_at;
    if (!*event->queue && !event->answered_at && event->talk_ms < 0 && event->wait_ms < 0)
        return;
    struct visit *visit = NULL;
    for (size_t i = side->count; i-- > 0 && !visit;) {
        struct visit *candidate = &side->visits[i];
        if (same_queue(candidate->queue, event->queue) &&
            (!entered_at || distance(candidate->entered_at, entered_at) <= SAME_VISIT_US))
            visit = candidate;
    }
    if (!visit && side->count == 1 && same_queue(side->visits[0].queue, event->queue))
        visit = &side->visits[0];
    if (!visit)
        visit = add_visit(side, event->queue,
                          entered_at          ? entered_at
                          : event->started_at ? event->started_at
                                              : event->occurred_at);
    if (!visit)
        return;
    if (*event->queue)
        visit->queue = event->queue;
    if (event->queued_at)
        visit->entered_at = event->queued_at;
    if (event->answered_at)
        visit->answered_at = event->answered_at;
    if (*event->agent && visit->answered_at)
        visit->agent = event->agent;
    visit->wait_ms = event->wait_ms >= 0 ? event->wait_ms : visit->wait_ms;
    visit->ring_ms = event->ring_ms >= 0 ? event->ring_ms : visit->ring_ms;
    visit->talk_ms = event->talk_ms >= 0 ? event->talk_ms : visit->talk_ms;
    if (event->hold_ms >= 0 && visit->hold_count <= 0)
        visit->hold_ms = event->hold_ms;
}

static void on_ended(struct side *side, const struct event *event)
{
    int64_t at = event->ended_at ? event->ended_at : event->occurred_at;
    take_summary(side, event);
    side->started_at = earlier(side->started_at, event->started_at);
    if (strcmp(event->reason, "ended_in_gap") == 0)
        side->flags |= 1U << FLAG_ENDED_IN_GAP | 1U << FLAG_SOURCE_GAP;
    if (event->talk_includes_hold)
        side->flags |= 1U << FLAG_TALK_INCLUDES_HOLD;
    if (goes_on_elsewhere(side, event))
        return;
    if (event->type == CONTACT_SUMMARISED || at > side->ended_at) {
        side->ended_at = at;
        side->ended_contact = event->contact_id;
    }
    if (event->ended_by)
        side->ended_by = event->ended_by;
    if (event->outcome)
        side->outcome = event->outcome;
    set_state(side, STATE_ENDED, side->ended_at);
}

static void on_refused(struct side *side, const struct event *event)
{
    side->outcome = OUTCOME_REFUSED;
    set_state(side, STATE_STARTED, event->occurred_at);
}

static void on_started(struct side *side, const struct event *event)
{
    int64_t at = event->started_at ? event->started_at : event->occurred_at;
    side->started_at = earlier(side->started_at, at);
    if (side->state == STATE_UNKNOWN)
        set_state(side, STATE_STARTED, at);
    if (strcmp(event->reason, "snapshot") == 0)
        side->flags |= 1U << FLAG_SOURCE_GAP;
}

static void apply(struct side *side, const struct event *event)
{
    switch (event->type) {
    case CONTACT_STARTED:
        on_started(side, event);
        break;
    case CONTACT_QUEUED:
        on_queued(side, event);
        break;
    case CONTACT_OFFERED:
        on_offered(side, event);
        break;
    case CONTACT_OFFER_FAILED:
        on_offer_failed(side, event);
        break;
    case CONTACT_ANSWERED:
        on_answered(side, event);
        break;
    case CONTACT_HELD:
        on_held(side, event);
        break;
    case CONTACT_RESUMED:
        on_resumed(side, event);
        break;
    case CONTACT_AGENT_ENDED:
    case CONTACT_TRANSFERRED:
        on_agent_ended(side, event);
        break;
    case CONTACT_ABANDONED:
    case CONTACT_LEFT_QUEUE:
        on_left(side, event);
        break;
    case CONTACT_REFUSED:
        on_refused(side, event);
        break;
    case CONTACT_ENDED:
    case CONTACT_SUMMARISED:
        on_ended(side, event);
        break;
    case EVENT_UNKNOWN:
    case CONTACT_WRAPPED_UP:
    case CONTACT_UPDATED:
    case FEEDBACK_REQUESTED:
    case FEEDBACK_RECEIVED:
    case AGENT_STATE_CHANGED:
    case SOURCE_GAP:
    case CONTACT_LOST:
    case CONTACT_LINKED:
    case EVENT_TYPES:
        break;
    }
}

static bool is_record(const struct event *event)
{
    return event->evidence == EVIDENCE_RECORD || event->type == CONTACT_SUMMARISED;
}

/* Ingest's own conclusions are no evidence of anything having happened. */
static bool is_evidence(const struct event *event)
{
    return event->type != CONTACT_LOST && event->type != CONTACT_LINKED &&
           event->type != SOURCE_GAP && event->type != AGENT_STATE_CHANGED;
}

static void fold_side(const struct work *work, bool record, struct side *side)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct event *event = &work->events[work->order[i]];
        if (is_record(event) != record || !is_evidence(event))
            continue;
        reopen_elsewhere(side, event);
        side->telling = event->contact_id;
        apply(side, event);
        if (event->occurred_at > side->newest)
            side->newest = event->occurred_at;
    }
    for (size_t i = 0; i < side->count; i++) {
        struct visit *visit = &side->visits[i];
        if (side->implied[i] > visit->offers)
            visit->offers = side->implied[i];
    }
}

static int64_t finer(int64_t live, int64_t record, bool *ret_fine, unsigned *flags)
{
    if (live && record && distance(live, record) <= SAME_TIME_US)
        return live;
    if (live && record)
        *flags |= 1U << FLAG_CLOCK_SKEW;
    *ret_fine = false;
    return record;
}

static bool is_whole_second(int64_t at)
{
    return at % US_PER_S == 0;
}

/* An agent behind a Local channel hands the call on: the record sees the first visit last until the
 * caller hangs up, with the second conversation inside it. Live evidence saw the transfer. */
static bool was_handed_on(const struct visit *visit, const struct visit *live,
                          const struct work *work)
{
    return work->is_linked && is_transfer(live->outcome) && visit->ended_at &&
           !is_transfer(visit->outcome) && live->ended_at < visit->ended_at;
}

/* The record's visit with what live evidence knows better. */
static void merge_visit(struct visit *visit, const struct visit *live, struct work *work)
{
    bool fine = true;
    if (was_handed_on(visit, live, work)) {
        visit->ended_at = 0;
        visit->talk_ms = -1;
    }
    visit->entered_at = finer(live->entered_at, visit->entered_at, &fine, &work->flags);
    if (!*visit->queue)
        visit->queue = live->queue;
    if (live->answered_at && visit->ended_at && !visit->answered_at) {
        work->flags |= 1U << FLAG_CONTRADICTED;
        fine = false;
    } else if (visit->answered_at) {
        visit->answered_at = finer(live->answered_at, visit->answered_at, &fine, &work->flags);
    } else {
        visit->answered_at = live->answered_at;
        visit->agent = live->agent;
    }
    if (visit->ended_at) {
        visit->ended_at = finer(live->ended_at, visit->ended_at, &fine, &work->flags);
    } else {
        visit->ended_at = live->ended_at;
        visit->outcome = live->outcome;
        visit->ended_by = live->ended_by;
    }
    if (visit->answered_at && strcmp(visit->agent, live->agent) == 0) {
        visit->hold_ms = live->hold_ms >= 0 ? live->hold_ms : visit->hold_ms;
        visit->hold_count = live->hold_count >= 0 ? live->hold_count : visit->hold_count;
        visit->hold_longest_ms =
            live->hold_longest_ms >= 0 ? live->hold_longest_ms : visit->hold_longest_ms;
    }
    if (visit->ring_ms < 0)
        visit->ring_ms = live->ring_ms;
    if (fine) {
        /* Given in whole seconds: the difference of the fine times is better. */
        visit->wait_ms = live->wait_ms;
        visit->talk_ms = live->talk_ms;
    } else if (visit->talk_ms >= 0 && visit->hold_count >= 0) {
        visit->talk_ms = visit->talk_ms > visit->hold_ms ? visit->talk_ms - visit->hold_ms : 0;
    }
    if (live->offers > visit->offers)
        visit->offers = live->offers;
    if (live->offer_failures > visit->offer_failures)
        visit->offer_failures = live->offer_failures;
}

/* The unmatched live visit of the same queue that began nearest to it, within limit_us. */
static size_t nearest(const struct side *live, const bool *taken, const struct visit *visit,
                      int64_t limit_us)
{
    size_t best = live->count;
    int64_t best_distance = limit_us + 1;
    for (size_t i = 0; i < live->count; i++) {
        int64_t apart = distance(live->visits[i].entered_at, visit->entered_at);
        if (!taken[i] && same_queue(live->visits[i].queue, visit->queue) && apart < best_distance) {
            best = i;
            best_distance = apart;
        }
    }
    return best;
}

/* In the order in which they were entered; in the same instant, in which they were left. */
static bool comes_before(const struct visit *a, const struct visit *b)
{
    int order = compare_int64(a->entered_at, b->entered_at);
    if (!order && a->ended_at && b->ended_at)
        order = compare_int64(a->ended_at, b->ended_at);
    if (!order)
        order = (a->ended_at == 0) - (b->ended_at == 0);
    return order < 0;
}

static void sort_visits(struct visit *visits, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct visit visit = visits[i];
        size_t j = i;
        for (; j > 0 && comes_before(&visit, &visits[j - 1]); j--)
            visits[j] = visits[j - 1];
        visits[j] = visit;
    }
}

/* Merges each of the record's visits that has no partner yet with its live one. */
static void merge_pairs(struct work *work, struct side *record, const struct side *live,
                        bool *paired, bool *taken, int64_t limit_us)
{
    for (size_t i = 0; i < record->count; i++) {
        size_t j = paired[i] ? live->count : nearest(live, taken, &record->visits[i], limit_us);
        if (j == live->count)
            continue;
        paired[i] = taken[j] = true;
        merge_visit(&record->visits[i], &live->visits[j], work);
    }
}

static bool is_coarse(const struct visit *visit)
{
    return is_whole_second(visit->entered_at) && is_whole_second(visit->answered_at) &&
           is_whole_second(visit->ended_at);
}

/* Makes the record's visits those of both; record->visits is the moment's. */
static void merge_sides(struct work *work, struct side *record, const struct side *live)
{
    bool paired[FOLD_VISITS_MAX] = {false};
    bool taken[FOLD_VISITS_MAX] = {false};
    size_t recorded = record->count;
    merge_pairs(work, record, live, paired, taken, SAME_VISIT_US);
    merge_pairs(work, record, live, paired, taken, SKEWED_VISIT_US);
    for (size_t i = 0; i < recorded; i++) {
        if (is_coarse(&record->visits[i]))
            work->flags |= 1U << FLAG_SECOND_RESOLUTION;
    }
    for (size_t i = 0; i < live->count; i++) {
        const struct visit *visit = &live->visits[i];
        if (taken[i])
            continue;
        if (recorded > 0 && record->newest >= visit->entered_at + DENIED_AFTER_US) {
            work->flags |= 1U << FLAG_CONTRADICTED;
            continue;
        }
        struct visit *added = add_visit(record, visit->queue, visit->entered_at);
        if (added)
            *added = *visit;
    }
    sort_visits(record->visits, record->count);
}

static bool all_closed(const struct visit *visits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!visits[i].ended_at)
            return false;
    }
    return count > 0;
}

static int64_t last_end(const struct visit *visits, size_t count)
{
    int64_t last = 0;
    for (size_t i = 0; i < count; i++)
        last = visits[i].ended_at > last ? visits[i].ended_at : last;
    return last;
}

/* CONTACT_LOST, unless something happened after it. */
static int64_t lost_at(const struct work *work, int64_t newest)
{
    int64_t at = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct event *event = &work->events[work->order[i]];
        if (event->type == CONTACT_LOST)
            at = event->occurred_at;
    }
    return at >= newest ? at : 0;
}

/* When the contact was over, 0 if it goes on. recorded_end: when the record's last visit ended, 0
 * if one is open; it is not yet the contact's end while live evidence goes on. */
static int64_t end_of_contact(const struct work *work, const struct side *live,
                              const struct side *record, int64_t recorded_end, bool by_record)
{
    if (record->ended_at) {
        bool is_finer = distance(live->ended_at, record->ended_at) <= SAME_TIME_US;
        return is_finer ? live->ended_at : record->ended_at;
    }
    if (work->flags & 1U << FLAG_ENDED_IN_GAP && recorded_end)
        return recorded_end;
    if (live->ended_at)
        return live->ended_at;
    return by_record ? recorded_end : 0;
}

/* Where the contact stands and whether it is over. The newer evidence tells; live evidence counts
 * as newer than a record of the same moment, which is written in whole seconds. */
static void decide_state(struct work *work, const struct side *live, const struct side *record,
                         int64_t recorded_end, struct moment *moment)
{
    bool by_record =
        !live->newest || (record->newest && record->newest >= live->newest + SAME_VISIT_US);
    int64_t ended_at = end_of_contact(work, live, record, recorded_end, by_record);
    if (!ended_at) {
        ended_at = lost_at(work, live->newest > record->newest ? live->newest : record->newest);
        if (ended_at)
            work->flags |= 1U << FLAG_LOST_TRACK;
    }
    const struct side *side = by_record ? record : live;
    moment->state = ended_at ? STATE_ENDED : side->state;
    moment->state_since = ended_at ? ended_at : side->since;
    moment->ended_at = ended_at;
}

static void close_open_visits(struct work *work, struct moment *moment, enum outcome contact)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        struct visit *visit = &moment->visits[i];
        bool last = i + 1 == moment->visit_count;
        if (visit->ended_at || (last && !moment->ended_at))
            continue;
        if (last) {
            visit->outcome = outcome_at_end(visit, contact, moment->ended_by, work->flags);
            visit->ended_at = moment->ended_at;
            visit->ended_by = moment->ended_by;
        } else {
            visit->outcome = visit->answered_at ? OUTCOME_COMPLETED : OUTCOME_LOST_TRACK;
            visit->ended_at = moment->visits[i + 1].entered_at;
            work->flags |= 1U << FLAG_INCOMPLETE;
        }
        if (work->flags & (1U << FLAG_ENDED_IN_GAP | 1U << FLAG_LOST_TRACK))
            work->flags |= 1U << FLAG_INCOMPLETE;
    }
}

/* A hold without a resume ends with the leg; that of a contact that goes on is not counted yet. */
static void measure_visit(struct work *work, struct visit *visit)
{
    int64_t left_at = visit->answered_at ? visit->answered_at : visit->ended_at;
    if (left_at && left_at < visit->entered_at)
        work->flags |= 1U << FLAG_CLOCK_SKEW;
    if (visit->answered_at && visit->ended_at && visit->ended_at < visit->answered_at)
        work->flags |= 1U << FLAG_CLOCK_SKEW;
    if (visit->wait_ms < 0 && left_at && visit->outcome != OUTCOME_LOST_TRACK)
        visit->wait_ms = ms_between(visit->entered_at, left_at);
    if (!visit->answered_at)
        return;
    if (visit->talk_ms < 0 && visit->ended_at) {
        visit->talk_ms = ms_between(visit->answered_at, visit->ended_at);
        if (visit->hold_ms >= 0)
            visit->talk_ms = visit->talk_ms > visit->hold_ms ? visit->talk_ms - visit->hold_ms : 0;
    }
    if (visit->hold_ms < 0 && visit->talk_ms >= 0)
        work->flags |= 1U << FLAG_TALK_INCLUDES_HOLD;
}

static void add_known(int64_t *sum, int64_t value)
{
    if (value >= 0)
        *sum = *sum < 0 ? value : *sum + value;
}

static void sum_visits(struct moment *moment)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        const struct visit *visit = &moment->visits[i];
        add_known(&moment->wait_ms, visit->wait_ms);
        add_known(&moment->ring_ms, visit->ring_ms);
        add_known(&moment->talk_ms, visit->talk_ms);
        add_known(&moment->hold_ms, visit->hold_ms);
        if (visit->hold_count >= 0)
            moment->hold_count =
                (moment->hold_count < 0 ? 0 : moment->hold_count) + visit->hold_count;
        if (visit->answered_at)
            moment->agent = visit->agent;
        if (is_transfer(visit->outcome))
            moment->transfers++;
    }
}

static enum outcome outcome_of(const struct moment *moment, enum outcome contact, unsigned flags)
{
    if (!moment->ended_at)
        return OUTCOME_OPEN;
    const struct visit *last =
        moment->visit_count ? &moment->visits[moment->visit_count - 1] : NULL;
    if (flags & 1U << FLAG_LOST_TRACK && (!last || flags & 1U << FLAG_INCOMPLETE))
        return OUTCOME_LOST_TRACK;
    for (size_t i = 0; i < moment->visit_count; i++) {
        if (moment->visits[i].answered_at)
            return OUTCOME_ANSWERED;
    }
    if (last)
        return last->outcome;
    return contact ? contact : OUTCOME_NEVER_QUEUED;
}

/* Which visit a survey speaks of: the latest answered one before it, by that agent and queue as far
 * as they are told. */
static struct visit *surveyed_visit(struct moment *moment, const struct event *event)
{
    for (size_t i = moment->visit_count; i-- > 0;) {
        struct visit *visit = &moment->visits[i];
        if (visit->answered_at && visit->answered_at <= event->occurred_at + SAME_VISIT_US &&
            same_queue(visit->queue, event->queue) &&
            (!*event->agent || strcmp(visit->agent, event->agent) == 0))
            return visit;
    }
    return NULL;
}

/* On the scale of 1 to 5. */
static double csat_of(const struct event *event)
{
    double range = event->score_max - event->score_min;
    if (range <= 0 || fabs(event->score_max - 5) < 1e-9)
        return event->score;
    return 1 + 4 * (event->score - event->score_min) / range;
}

static void take_survey(struct moment *moment, const struct event *event)
{
    if (event->type != FEEDBACK_RECEIVED || !event->has_score)
        return;
    if (strcmp(event->instrument, "nps") == 0) {
        if (event->score >= 0 && event->score <= 10)
            moment->nps = (int32_t)lround(event->score);
        return;
    }
    if (*event->instrument && strcmp(event->instrument, "csat") != 0)
        return;
    moment->has_csat = true;
    moment->csat = csat_of(event);
    struct visit *visit = surveyed_visit(moment, event);
    if (visit) {
        visit->has_csat = true;
        visit->csat = moment->csat;
    }
}

static void take_surveys(const struct work *work, struct moment *moment)
{
    for (int record = 0; record <= 1; record++) {
        for (size_t i = 0; i < work->count; i++) {
            const struct event *event = &work->events[work->order[i]];
            if (is_record(event) == (record == 1))
                take_survey(moment, event);
        }
    }
    for (size_t i = 0; i < moment->visit_count; i++) {
        if (moment->visits[i].has_csat)
            moment->csat = moment->visits[i].csat;
    }
}

/* Two events may tell of the same wrap-up: of one agent the longest counts. */
static bool is_longest_wrap(const struct work *work, size_t at)
{
    const struct event *event = &work->events[work->order[at]];
    for (size_t i = 0; i < work->count; i++) {
        const struct event *other = &work->events[work->order[i]];
        if (i != at && other->wrap_ms >= 0 && strcmp(other->agent, event->agent) == 0 &&
            (other->wrap_ms > event->wrap_ms || (other->wrap_ms == event->wrap_ms && i < at)))
            return false;
    }
    return true;
}

/* Which are kept when there are too many must not depend on the order of arrival: the first in
 * canonical order. */
static void take_signal(struct moment *moment, const char *signal)
{
    size_t at = 0;
    while (at < moment->signal_count && strcmp(moment->signals[at], signal) < 0)
        at++;
    bool is_known = at < moment->signal_count && strcmp(moment->signals[at], signal) == 0;
    if (is_known || moment->signal_count == FOLD_SIGNALS_MAX)
        return;
    memmove(&moment->signals[at + 1], &moment->signals[at],
            (moment->signal_count - at) * sizeof(moment->signals[0]));
    moment->signals[at] = signal;
    moment->signal_count++;
}

static void take_facts(struct work *work, struct moment *moment)
{
    const char *root = "";
    bool has_root = false;
    for (size_t i = 0; i < work->count; i++) {
        const struct event *event = &work->events[work->order[i]];
        if (!moment->channel)
            moment->channel = event->channel;
        if (!moment->direction)
            moment->direction = event->direction;
        if (*event->customer_id)
            moment->customer_id = event->customer_id;
        if (*event->disposition)
            moment->disposition = event->disposition;
        if (*event->customer_signal)
            take_signal(moment, event->customer_signal);
        if (event->wrap_ms >= 0 && is_longest_wrap(work, i))
            add_known(&moment->wrap_ms, event->wrap_ms);
        if (event->type == CONTACT_LINKED && *event->root_contact_id)
            root = event->root_contact_id;
    }
    for (size_t i = 0; i < work->count && *root; i++) {
        if (strcmp(work->events[work->order[i]].contact_id, root) == 0)
            has_root = true;
    }
    moment->merged_into_contact = has_root ? "" : root;
}

static void name_flags(const struct work *work, struct moment *moment)
{
    for (unsigned flag = 0; flag < FLAGS; flag++) {
        if (work->flags & 1U << flag)
            moment->quality[moment->quality_count++] = flag_names[flag];
    }
}

static void clear_moment(struct moment *moment)
{
    memset(moment, 0, sizeof(*moment));
    moment->customer_id = moment->queue = moment->agent = moment->disposition = "";
    moment->merged_into_contact = "";
    moment->wait_ms = moment->ring_ms = moment->talk_ms = -1;
    moment->hold_ms = moment->wrap_ms = -1;
    moment->hold_count = moment->nps = -1;
}

void fold(const struct event *events, size_t count, uint32_t *order, struct moment *ret_moment)
{
    clear_moment(ret_moment);
    struct work work = {.events = events, .order = order};
    work.count = arrange(events, count, order);
    if (work.count > FOLD_EVENTS_MAX) {
        work.count = FOLD_EVENTS_MAX;
        work.flags |= 1U << FLAG_TOO_MANY_EVENTS;
    }
    struct visit live_visits[FOLD_VISITS_MAX];
    for (size_t i = 0; i < work.count; i++)
        work.is_linked |= events[order[i]].type == CONTACT_LINKED;
    struct side live = {.visits = live_visits, .is_linked = work.is_linked};
    struct side record = {.visits = ret_moment->visits, .is_linked = work.is_linked};
    fold_side(&work, false, &live);
    fold_side(&work, true, &record);
    work.flags |= live.flags | record.flags;
    if (work.flags & 1U << FLAG_DERIVED_ANSWERED_AT && record.newest &&
        !(record.flags & 1U << FLAG_DERIVED_ANSWERED_AT))
        work.flags &= ~(1U << FLAG_DERIVED_ANSWERED_AT);
    int64_t recorded_end =
        all_closed(record.visits, record.count) ? last_end(record.visits, record.count) : 0;
    merge_sides(&work, &record, &live);
    ret_moment->visit_count = record.count;
    take_facts(&work, ret_moment);
    decide_state(&work, &live, &record, recorded_end, ret_moment);
    ret_moment->ended_by = record.ended_by ? record.ended_by : live.ended_by;
    enum outcome contact = record.outcome ? record.outcome : live.outcome;
    close_open_visits(&work, ret_moment, contact);
    for (size_t i = 0; i < ret_moment->visit_count; i++)
        measure_visit(&work, &ret_moment->visits[i]);
    sum_visits(ret_moment);
    ret_moment->transfers += live.loose_transfers > record.loose_transfers ? live.loose_transfers
                                                                           : record.loose_transfers;
    int64_t started_at = earlier(live.started_at, record.started_at);
    if (ret_moment->visit_count > 0) {
        const struct visit *first = &ret_moment->visits[0];
        const struct visit *last = &ret_moment->visits[ret_moment->visit_count - 1];
        started_at = earlier(started_at, first->entered_at);
        ret_moment->queue = first->queue;
        if (!ret_moment->ended_by && ret_moment->ended_at)
            ret_moment->ended_by = last->ended_by;
    }
    ret_moment->started_at = started_at;
    ret_moment->outcome = outcome_of(ret_moment, contact, work.flags);
    take_surveys(&work, ret_moment);
    name_flags(&work, ret_moment);
}
