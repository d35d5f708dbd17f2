#include "io/intake.h"

#include "io/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void intake_init(struct intake *intake)
{
    memset(intake, 0, sizeof(*intake));
    intake->last_at = &intake->first;
}

void intake_free_items(struct intake_item *items)
{
    while (items) {
        struct intake_item *item = items;
        items = item->next;
        free(item);
    }
}

void intake_done(struct intake *intake)
{
    intake_free_items(intake->first);
    intake_init(intake);
}

void intake_restart(struct intake *intake, uint64_t nonce, uint64_t after)
{
    intake_done(intake);
    intake->nonce = nonce;
    intake->expected = after + 1;
}

static char *copy_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *to = *at;

    memcpy(to, text, size);
    *at += size;
    return to;
}

static struct intake_item *copy_record(const Moment__V1__Record *from)
{
    size_t size = strlen(from->site) + strlen(from->key) + strlen(from->type) + 3 + from->body.len;
    struct intake_item *item = malloc(sizeof(*item) + size);

    if (!item) {
        return NULL;
    }
    memset(item, 0, sizeof(*item));
    char *at = (char *)(item + 1);
    struct record *to = &item->record;
    to->shard = (uint16_t)from->shard;
    to->epoch = from->epoch;
    to->seq = from->seq;
    to->site = copy_text(&at, from->site);
    to->key = copy_text(&at, from->key);
    to->type = copy_text(&at, from->type);
    to->at_us = from->at;
    if (from->body.len) {
        memcpy(at, from->body.data, from->body.len);
    }
    to->body = (struct slice){at, from->body.len};
    memcpy(to->hash, from->hash.data, sizeof(to->hash));
    item->weight = frame_record_weight(from->body.len);
    return item;
}

static bool is_next(const Moment__V1__Record *record, uint64_t seq)
{
    return record->seq == seq && record->shard <= UINT16_MAX &&
           record->hash.len == SEAL_HASH_SIZE && record->type[0] != '\0';
}

int intake_take(struct intake *intake, const Moment__V1__Data *data)
{
    struct intake_item *items = NULL;
    struct intake_item **at = &items;
    size_t weight = 0;
    int rc = 0;

    if (data->nonce != intake->nonce) {
        return -ESTALE;
    }
    if (data->n_records == 0 || data->first_seq != intake->expected) {
        return -EPROTO;
    }
    for (size_t i = 0; rc == 0 && i < data->n_records; i++) {
        if (!is_next(data->records[i], intake->expected + i)) {
            rc = -EPROTO;
        } else if (!(*at = copy_record(data->records[i]))) {
            rc = -ENOMEM;
        } else {
            weight += (*at)->weight;
            at = &(*at)->next;
        }
    }
    if (rc < 0) {
        intake_free_items(items);
        return rc;
    }
    *intake->last_at = items;
    intake->last_at = at;
    intake->count += data->n_records;
    intake->weight += weight;
    intake->expected += data->n_records;
    return 0;
}

struct intake_item *intake_cut(struct intake *intake, size_t max, size_t max_weight)
{
    struct intake_item *items = intake->first;
    struct intake_item **at = &intake->first;
    size_t count = 0;
    size_t weight = 0;

    while (*at && count < max && (count == 0 || weight + (*at)->weight <= max_weight)) {
        weight += (*at)->weight;
        count++;
        at = &(*at)->next;
    }
    if (count == 0) {
        return NULL;
    }
    intake->first = *at;
    *at = NULL;
    if (!intake->first) {
        intake->last_at = &intake->first;
    }
    intake->count -= count;
    intake->weight -= weight;
    return items;
}

void intake_put_back(struct intake *intake, struct intake_item *items)
{
    struct intake_item **at = &items;

    while (*at) {
        intake->count++;
        intake->weight += (*at)->weight;
        at = &(*at)->next;
    }
    *at = intake->first;
    if (!intake->first) {
        intake->last_at = at == &items ? &intake->first : at;
    }
    intake->first = items;
}
