/* entity - see the header. A doubly linked list keeps the order of use. */
#include "io/entity.h"

#include "base/log.h"
#include "io/json.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u

struct entity {
    struct entity *next; /* in its bucket */
    struct entity *newer;
    struct entity *older;
    struct entities *entities; /* borrowed */
    ProtobufCMessage *message; /* owned; null: there is none */
    size_t bytes;
    uint64_t used_by; /* the last transaction that loaded or put it */
    bool is_known;    /* message is what the table holds, or will with this transaction */
    char id[];
};

struct entities {
    const struct entity_kind *kind;
    size_t bytes_max;
    size_t bytes;
    struct entity *newest;
    struct entity *oldest;
    struct entity *buckets[BUCKETS];
};

static void *or_die(void *memory)
{
    if (!memory) {
        log_error("out_of_memory", "error=%d", -ENOMEM);
        abort();
    }
    return memory;
}

/* --- the entries --- */

static bool is_id(const char *id)
{
    size_t len = strlen(id);

    return len > 0 && len <= ENTITY_ID_MAX;
}

static size_t bucket_of(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *id; id++) {
        hash = (hash ^ (uint8_t)*id) * UINT64_C(1099511628211);
    }
    return hash % BUCKETS;
}

static struct entity *find(const struct entities *entities, const char *id)
{
    struct entity *entity = entities->buckets[bucket_of(id)];

    while (entity && strcmp(entity->id, id) != 0) {
        entity = entity->next;
    }
    return entity;
}

static void unlink_used(struct entities *entities, struct entity *entity)
{
    *(entity->newer ? &entity->newer->older : &entities->newest) = entity->older;
    *(entity->older ? &entity->older->newer : &entities->oldest) = entity->newer;
    entity->newer = entity->older = NULL;
}

static void link_newest(struct entities *entities, struct entity *entity)
{
    entity->older = entities->newest;
    *(entities->newest ? &entities->newest->newer : &entities->oldest) = entity;
    entities->newest = entity;
}

static void use(struct entities *entities, struct entity *entity, const struct txn *txn)
{
    unlink_used(entities, entity);
    link_newest(entities, entity);
    entity->used_by = txn_serial(txn);
}

/* Packed twice: unpacked, a message takes about as much more in pointers. */
static size_t weigh(const struct entity *entity)
{
    size_t bytes = sizeof(*entity) + strlen(entity->id) + 1;

    if (entity->message) {
        bytes += entity->message->descriptor->sizeof_message +
                 2 * protobuf_c_message_get_packed_size(entity->message);
    }
    return bytes;
}

/* Consumes message. */
static void hold(struct entity *entity, ProtobufCMessage *message)
{
    struct entities *entities = entity->entities;

    if (entity->message) {
        protobuf_c_message_free_unpacked(entity->message, NULL);
    }
    entity->message = message;
    entity->is_known = true;
    entities->bytes -= entity->bytes;
    entity->bytes = weigh(entity);
    entities->bytes += entity->bytes;
}

static struct entity *add(struct entities *entities, const struct txn *txn, const char *id)
{
    size_t size = strlen(id) + 1;
    struct entity **bucket = &entities->buckets[bucket_of(id)];
    struct entity *entity = or_die(calloc(1, sizeof(*entity) + size));

    assert(is_id(id));
    memcpy(entity->id, id, size);
    entity->entities = entities;
    entity->next = *bucket;
    *bucket = entity;
    link_newest(entities, entity);
    entity->used_by = txn_serial(txn);
    entity->bytes = weigh(entity);
    entities->bytes += entity->bytes;
    return entity;
}

static void drop(struct entities *entities, struct entity *entity)
{
    struct entity **link = &entities->buckets[bucket_of(entity->id)];

    while (*link != entity) {
        link = &(*link)->next;
    }
    *link = entity->next;
    unlink_used(entities, entity);
    entities->bytes -= entity->bytes;
    if (entity->message) {
        protobuf_c_message_free_unpacked(entity->message, NULL);
    }
    free(entity);
}

static bool is_too_much(const struct entities *entities, const struct txn *txn)
{
    /* What the transaction under way uses is all at the new end. */
    return entities->oldest && entities->bytes > entities->bytes_max &&
           entities->oldest->used_by != txn_serial(txn); /* NOLINT(clang-analyzer-unix.Malloc) */
}

/* drop takes it out of the list, which the analyser does not follow. */
static void trim(struct entities *entities, const struct txn *txn)
{
    while (is_too_much(entities, txn)) {
        drop(entities, entities->oldest); /* NOLINT(clang-analyzer-unix.Malloc) */
    }
}

int entities_new(const struct entity_kind *kind, size_t bytes_max, struct entities **ret_entities)
{
    struct entities *entities = calloc(1, sizeof(*entities));

    if (!entities) {
        return -ENOMEM;
    }
    entities->kind = kind;
    entities->bytes_max = bytes_max;
    *ret_entities = entities;
    return 0;
}

void entities_forget(struct entities *entities)
{
    while (entities->oldest) {
        drop(entities, entities->oldest);
    }
}

void entities_free(struct entities **entities)
{
    if (*entities) {
        entities_forget(*entities);
    }
    free(*entities);
    *entities = NULL;
}

/* --- load, apply --- */

static void on_body(void *arg, int status, const struct db_rows *rows,
                    const struct db_error *error unused_arg)
{
    struct entity *entity = arg;
    const struct entity_kind *kind = entity->entities->kind;
    ProtobufCMessage *message = NULL;

    if (status < 0) {
        return; /* the transaction fails and forget drops everything */
    }
    int rc = db_count(rows) > 0
                 ? protobuf_read(kind->descriptor, db_get_bytes(rows, 0, 0), &message)
                 : 0;
    if (rc < 0) {
        log_error("entity_unreadable", "kind=%s id=%s error=%d", kind->name, entity->id, rc);
        abort();
    }
    hold(entity, message);
}

void entity_load(struct entities *entities, struct txn *txn, const char *id)
{
    struct entity *entity = find(entities, id);
    struct db_args args;

    if (!is_id(id)) {
        return;
    }
    if (entity) {
        use(entities, entity, txn);
        return;
    }
    trim(entities, txn);
    entity = add(entities, txn, id);
    db_args_init(&args);
    db_text(&args, id);
    txn_read(txn, entities->kind->select, &args, on_body, entity);
}

void entity_offer(struct entities *entities, const struct txn *txn, const char *id,
                  ProtobufCMessage *message)
{
    struct entity *entity = find(entities, id);

    assert(message->descriptor == entities->kind->descriptor);
    if (entity) {
        use(entities, entity, txn);
    } else {
        entity = add(entities, txn, id);
    }
    if (entity->is_known) {
        protobuf_c_message_free_unpacked(message, NULL);
    } else {
        hold(entity, message);
    }
}

const ProtobufCMessage *entity_get(const struct entities *entities, const char *id)
{
    const struct entity *entity = find(entities, id);

    if (!is_id(id)) {
        return NULL;
    }
    /* Else nobody knows whether it is there. */
    assert(entity && entity->is_known);
    return entity->message;
}

void entity_put(struct entities *entities, struct txn *txn, const char *id,
                ProtobufCMessage *message)
{
    struct entity *entity = find(entities, id);

    assert(message->descriptor == entities->kind->descriptor);
    int rc = entities->kind->save(txn, id, message);
    if (rc < 0) {
        log_error("entity_not_saved", "kind=%s error=%d", entities->kind->name, rc);
        abort();
    }
    if (entity) {
        use(entities, entity, txn);
    } else {
        entity = add(entities, txn, id);
    }
    hold(entity, message);
}

/* --- changing a copy --- */

ProtobufCMessage *entity_edit(const ProtobufCMessage *message)
{
    ProtobufCMessage *copy = NULL;
    uint8_t *bytes = NULL;
    size_t len = 0;
    int rc = protobuf_write(message, &bytes, &len);

    if (rc == 0) {
        rc = protobuf_read(message->descriptor, (struct slice){(const char *)bytes, len}, &copy);
    }
    free(bytes);
    return or_die(rc == 0 ? copy : NULL);
}

void entity_set_text(char **text, const char *value)
{
    char *copy = or_die(strdup(value ? value : ""));

    if (*text != protobuf_c_empty_string) {
        free(*text);
    }
    *text = copy;
}

void entity_append(size_t *count, void *array_of_pointers, void *element)
{
    void **elements;

    /* Through bytes: it is a pointer to an array of pointers of some message's type. */
    memcpy(&elements, array_of_pointers, sizeof(elements));
    elements = or_die(reallocarray(elements, *count + 1, sizeof(*elements)));
    elements[(*count)++] = element;
    memcpy(array_of_pointers, &elements, sizeof(elements));
}
