/* floor - see the header. */
#include "feedback/floor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u

int floor_init(struct floor *floor)
{
    memset(floor, 0, sizeof(*floor));
    floor->buckets = calloc(BUCKETS, sizeof(struct contact *));
    return floor->buckets != NULL ? 0 : -ENOMEM;
}

/* --- contacts --- */

static struct contact **bucket_of(const struct floor *floor, const struct id *id)
{
    uint32_t hash;

    memcpy(&hash, id->bytes, sizeof(hash)); /* ids are hashes themselves */
    return &floor->buckets[hash % BUCKETS];
}

struct contact *floor_find(const struct floor *floor, const struct id *id)
{
    struct contact *contact = *bucket_of(floor, id);

    while (contact != NULL && memcmp(&contact->id, id, sizeof(*id)) != 0) {
        contact = contact->next;
    }
    return contact;
}

struct contact *floor_find_or_add(struct floor *floor, const struct id *id)
{
    struct contact **bucket = bucket_of(floor, id);
    struct contact *contact = floor_find(floor, id);

    if (contact != NULL) {
        return contact;
    }
    contact = calloc(1, sizeof(*contact));
    if (contact == NULL) {
        return NULL;
    }
    contact->id = *id;
    contact->next_source_at = ALERT_NEVER;
    contact->next_at = ALERT_NEVER;
    contact->next = *bucket;
    *bucket = contact;
    floor->contact_count++;
    return contact;
}

void contact_drop_alerts(struct contact *contact)
{
    for (size_t i = 0; i < contact->alert_count; i++) {
        codec_free(&contact->alerts[i].message->base);
    }
    free(contact->alerts);
    contact->alerts = NULL;
    contact->alert_count = 0;
}

void contact_drop_evaluations(struct contact *contact)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        codec_free(&contact->evaluations[i]->base);
    }
    free(contact->evaluations);
    contact->evaluations = NULL;
    contact->evaluation_count = 0;
}

static void contact_free(struct contact *contact)
{
    contact_drop_alerts(contact);
    contact_drop_evaluations(contact);
    codec_snapshot_done(&contact->snapshot);
    codec_free((ProtobufCMessage *)contact->over);
    free(contact);
}

void floor_each(const struct floor *floor, void (*visit)(struct contact *contact, void *arg),
                void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct contact *contact = floor->buckets[i]; contact != NULL;
             contact = contact->next) {
            visit(contact, arg);
        }
    }
}

bool alert_is_open(const Moment__V1__Alert *alert)
{
    return alert->state == MOMENT__V1__ALERT_STATE__ALERT_STATE_RAISED ||
           alert->state == MOMENT__V1__ALERT_STATE__ALERT_STATE_ACKNOWLEDGED;
}

bool contact_has_open_alert(const struct contact *contact)
{
    for (size_t i = 0; i < contact->alert_count; i++) {
        if (alert_is_open(contact->alerts[i].message)) {
            return true;
        }
    }
    return false;
}

static bool is_idle(const struct contact *contact, uint64_t serial)
{
    return contact->snapshot.message == NULL && contact->used_by != serial &&
           !contact_has_open_alert(contact);
}

void floor_tidy(struct floor *floor, uint64_t serial)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct contact **link = &floor->buckets[i];

        while (*link != NULL) {
            struct contact *contact = *link;

            if (is_idle(contact, serial)) {
                *link = contact->next;
                contact_free(contact);
                floor->contact_count--;
            } else {
                link = &contact->next;
            }
        }
    }
    floor->idle_count = 0;
}

int contact_add_alert(struct contact *contact, Moment__V1__Alert **message, uint32_t number,
                      int64_t escalate_at)
{
    struct held_alert *alerts =
        realloc(contact->alerts, (contact->alert_count + 1) * sizeof(*alerts));

    if (alerts == NULL) {
        codec_free(&(*message)->base);
        *message = NULL;
        return -ENOMEM;
    }
    contact->alerts = alerts;
    alerts[contact->alert_count++] = (struct held_alert){
        .message = *message,
        .number = number,
        .escalate_at = escalate_at,
    };
    *message = NULL;
    return 0;
}

int contact_put_evaluation(struct contact *contact, Moment__V1__Evaluation **message)
{
    Moment__V1__Evaluation **evaluations;

    for (size_t i = 0; i < contact->evaluation_count; i++) {
        if (strcmp(contact->evaluations[i]->evaluation_id, (*message)->evaluation_id) == 0) {
            codec_free(&contact->evaluations[i]->base);
            contact->evaluations[i] = *message;
            *message = NULL;
            return 0;
        }
    }
    evaluations = realloc(contact->evaluations,
                          (contact->evaluation_count + 1) * sizeof(Moment__V1__Evaluation *));
    if (evaluations == NULL) {
        codec_free(&(*message)->base);
        *message = NULL;
        return -ENOMEM;
    }
    contact->evaluations = evaluations;
    evaluations[contact->evaluation_count++] = *message;
    *message = NULL;
    return 0;
}

void contact_drop_evaluation(struct contact *contact, const char *evaluation_id)
{
    for (size_t i = 0; i < contact->evaluation_count; i++) {
        if (strcmp(contact->evaluations[i]->evaluation_id, evaluation_id) == 0) {
            codec_free(&contact->evaluations[i]->base);
            contact->evaluations[i] = contact->evaluations[--contact->evaluation_count];
            return;
        }
    }
}

/* --- queues --- */

static void drop_alarms(struct queue *queue)
{
    for (size_t i = 0; i < queue->alarm_count; i++) {
        if (queue->alarms[i].message != NULL) {
            codec_free(&queue->alarms[i].message->base);
        }
    }
    free(queue->alarms);
    queue->alarms = NULL;
    queue->alarm_count = 0;
}

static void queue_free(struct queue *queue)
{
    drop_alarms(queue);
    free(queue->served);
    free(queue->visits);
    free(queue->site);
    free(queue->name);
    free(queue->subject);
    free(queue);
}

static struct queue *queue_new(const char *site, const char *name, size_t rule_count)
{
    struct queue *queue = calloc(1, sizeof(*queue));

    if (queue == NULL) {
        return NULL;
    }
    queue->next_at = ALERT_NEVER;
    queue->site = strdup(site);
    queue->name = strdup(name);
    if (asprintf(&queue->subject, "queue:%s/%s", site, name) < 0) {
        queue->subject = NULL;
    }
    queue->alarms = calloc(rule_count + 1, sizeof(*queue->alarms));
    queue->alarm_count = rule_count;
    if (queue->site == NULL || queue->name == NULL || queue->subject == NULL ||
        queue->alarms == NULL) {
        queue->alarm_count = 0; /* nothing in them to free */
        queue_free(queue);
        return NULL;
    }
    return queue;
}

struct queue *floor_queue(struct floor *floor, const char *site, const char *name)
{
    struct queue *queue = floor->queues;

    while (queue != NULL && (strcmp(queue->name, name) != 0 || strcmp(queue->site, site) != 0)) {
        queue = queue->next;
    }
    if (queue == NULL) {
        queue = queue_new(site, name, floor->rule_count);
        if (queue != NULL) {
            queue->next = floor->queues;
            floor->queues = queue;
        }
    }
    return queue;
}

int floor_reset_alarms(struct floor *floor)
{
    for (struct queue *queue = floor->queues; queue != NULL; queue = queue->next) {
        drop_alarms(queue);
        queue->alarms = calloc(floor->rule_count + 1, sizeof(*queue->alarms));
        if (queue->alarms == NULL) {
            return -ENOMEM;
        }
        queue->alarm_count = floor->rule_count;
        queue->next_at = 0;
    }
    return 0;
}

int floor_add_alarm(struct floor *floor)
{
    for (struct queue *queue = floor->queues; queue != NULL; queue = queue->next) {
        struct queue_alarm *alarms =
            realloc(queue->alarms, (queue->alarm_count + 1) * sizeof(*alarms));

        if (alarms == NULL) {
            return -ENOMEM;
        }
        queue->alarms = alarms;
        queue->alarms[queue->alarm_count++] = (struct queue_alarm){0};
        queue->next_at = 0;
    }
    floor->rule_count++;
    return 0;
}

struct waiting_count {
    const struct floor *floor;
    const struct queue *queue;
    int64_t trust_us;
    size_t count;
    int64_t oldest_at;
};

static void count_waiting(struct contact *contact, void *arg)
{
    struct waiting_count *waiting = arg;
    const struct moment *moment = &contact->snapshot.plain;

    if (contact->snapshot.message == NULL || moment->state == STATE_ENDED ||
        strcmp(moment->site, waiting->queue->site) != 0) {
        return;
    }
    for (size_t i = 0; i < moment->visit_count; i++) {
        const struct visit *visit = &moment->visits[i];

        if (visit->entered_at != 0 && visit->answered_at == 0 && visit->ended_at == 0 &&
            strcmp(visit->queue, waiting->queue->name) == 0) {
            int64_t at = visit->entered_at + floor_skew(waiting->floor, contact, waiting->trust_us);

            waiting->count++;
            if (waiting->oldest_at == 0 || at < waiting->oldest_at) {
                waiting->oldest_at = at;
            }
        }
    }
}

size_t floor_waiting(const struct floor *floor, const struct queue *queue, int64_t trust_us,
                     int64_t *ret_oldest_at)
{
    struct waiting_count waiting = {.floor = floor, .queue = queue, .trust_us = trust_us};

    floor_each(floor, count_waiting, &waiting);
    *ret_oldest_at = waiting.oldest_at;
    return waiting.count;
}

static int queue_make_room(struct queue *queue)
{
    size_t room = queue->served_room == 0 ? 64 : queue->served_room * 2;
    struct served *served;
    struct served_visit *visits;

    if (queue->served_count < queue->served_room) {
        return 0;
    }
    served = realloc(queue->served, room * sizeof(*served));
    if (served == NULL) {
        return -ENOMEM;
    }
    queue->served = served;
    visits = realloc(queue->visits, room * sizeof(*visits));
    if (visits == NULL) {
        return -ENOMEM;
    }
    queue->visits = visits;
    queue->served_room = room;
    return 0;
}

int queue_put_served(struct queue *queue, const struct served_visit *visit,
                     const struct served *served, bool *ret_changed)
{
    int error;

    for (size_t i = queue->served_count; i > 0; i--) {
        struct served *old = &queue->served[i - 1];

        if (queue->visits[i - 1].visit == visit->visit &&
            memcmp(&queue->visits[i - 1].moment_id, &visit->moment_id, sizeof(struct id)) == 0) {
            *ret_changed = old->at != served->at || old->wait_us != served->wait_us ||
                           old->answered != served->answered;
            *old = *served;
            return 0;
        }
    }
    error = queue_make_room(queue);
    if (error != 0) {
        return error;
    }
    queue->served[queue->served_count] = *served;
    queue->visits[queue->served_count++] = *visit;
    *ret_changed = true;
    return 0;
}

/* Keeps those for which the answer is false. */
static size_t queue_drop(struct queue *queue, const struct id *moment_id, int64_t before)
{
    size_t kept = 0, dropped;

    for (size_t i = 0; i < queue->served_count; i++) {
        bool is_of = moment_id != NULL &&
                     memcmp(&queue->visits[i].moment_id, moment_id, sizeof(*moment_id)) == 0;

        if (is_of || queue->served[i].at < before) {
            continue;
        }
        queue->served[kept] = queue->served[i];
        queue->visits[kept++] = queue->visits[i];
    }
    dropped = queue->served_count - kept;
    queue->served_count = kept;
    return dropped;
}

bool queue_drop_served_of(struct queue *queue, const struct id *moment_id)
{
    return queue_drop(queue, moment_id, INT64_MIN) > 0;
}

void queue_drop_served_before(struct queue *queue, int64_t before)
{
    (void)queue_drop(queue, NULL, before);
}

/* --- sources --- */

static struct source *find_source(const struct floor *floor, const char *name)
{
    struct source *source = floor->sources;

    while (source != NULL && strcmp(source->name, name) != 0) {
        source = source->next;
    }
    return source;
}

struct source *floor_source(struct floor *floor, const char *name)
{
    struct source *source = find_source(floor, name);

    if (source != NULL) {
        return source;
    }
    source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return NULL;
    }
    source->name = strdup(name);
    if (source->name == NULL) {
        free(source);
        return NULL;
    }
    source->next = floor->sources;
    floor->sources = source;
    return source;
}

int64_t floor_skew(const struct floor *floor, const struct contact *contact, int64_t trust_us)
{
    const struct source *source = NULL;

    if (contact->snapshot.message != NULL) {
        source = find_source(floor, contact->snapshot.message->source);
    }
    return source != NULL ? source_clock_skew(&source->clock, trust_us) : 0;
}

/* --- all --- */

void floor_clear(struct floor *floor)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (floor->buckets[i] != NULL) {
            struct contact *contact = floor->buckets[i];

            floor->buckets[i] = contact->next;
            contact_free(contact);
        }
    }
    while (floor->queues != NULL) {
        struct queue *queue = floor->queues;

        floor->queues = queue->next;
        queue_free(queue);
    }
    while (floor->sources != NULL) {
        struct source *source = floor->sources;

        floor->sources = source->next;
        free(source->name);
        free(source);
    }
    floor->contact_count = 0;
    floor->idle_count = 0;
}

void floor_done(struct floor *floor)
{
    if (floor->buckets != NULL) {
        floor_clear(floor);
        free(floor->buckets);
        floor->buckets = NULL;
    }
}
