/* entity - what commands change: one protobuf body per thing, in one table per kind.
 *
 * All loads of a transaction run before its first apply, and several commands of it may change the
 * same thing: each must see what those before it did. So the body is kept in memory from the first
 * load on (also that there is none), entity_put replaces it, and entities_forget drops everything
 * after a transaction that did not commit. The writer is alone, so memory is right until then.
 *
 *   load    entity_load(notes, txn, id);
 *   apply   const Moment__V1__Note *note = (...)entity_get(notes, id);     null: there is none
 *           copy it with entity_edit, decide by a rule, change the copy
 *           entity_put(notes, txn, id, &copy->base);                 writes the row, keeps the copy
 *
 * Bounded: when more than about bytes_max are held, the least recently used are dropped at a load,
 * but none that was loaded or put in the transaction under way. Ids are texts of 1 to ENTITY_ID_MAX
 * bytes; of any other nothing is read and there is none. Out of memory ends the process, as a
 * half-done apply must not commit. Loop thread only. */
#ifndef MOMENT_IO_ENTITY_H
#define MOMENT_IO_ENTITY_H

#include "io/stream.h"

#include <protobuf-c/protobuf-c.h>

#define ENTITY_ID_MAX 200

struct entity_kind {
    const char *name; /* for the log: "note" */
    const ProtobufCMessageDescriptor *descriptor;
    /* One column, the body, by the id ($1, text): "select body from note where note_id = $1::uuid".
     * An id that the cast refuses must not come this far. */
    const char *select;
    /* The row of one state: an upsert with whatever the kind is searched by. 0 or -ENOMEM. */
    int (*save)(struct txn *txn, const char *id, const ProtobufCMessage *message);
};

struct entities;

/* kind is borrowed. -ENOMEM. */
must_check int entities_new(const struct entity_kind *kind, size_t bytes_max,
                            struct entities **ret_entities);
void entities_free(struct entities **entities); /* accepts null in it */
/* In the service's forget. What entity_get gave is gone. */
void entities_forget(struct entities *entities);

/* In load. Nothing is read when it is in memory already. */
void entity_load(struct entities *entities, struct txn *txn, const char *id);
/* In the callback of another read of load, with status 0: what a row found by something else than
 * its id holds, as if entity_load had read it. What is in memory is newer and stays. Consumes
 * message. */
void entity_offer(struct entities *entities, const struct txn *txn, const char *id,
                  ProtobufCMessage *message);
/* In apply, after entity_load or entity_put of the same transaction. Null: there is none. Borrowed,
 * valid until the next entity_put of this id. A body that cannot be read ends the process: nothing
 * may be decided as if it were not there. */
const ProtobufCMessage *entity_get(const struct entities *entities, const char *id);
/* In apply. Consumes message, which was made by protobuf_read, entity_edit or malloc. */
void entity_put(struct entities *entities, struct txn *txn, const char *id,
                ProtobufCMessage *message);

/* A deep copy to change; free it with protobuf_c_message_free_unpacked unless it is put. Never
 * null. */
ProtobufCMessage *entity_edit(const ProtobufCMessage *message);
/* Replaces a text of such a copy; null is "". */
void entity_set_text(char **text, const char *value);
/* Appends one element (consumed) to a repeated message field of such a copy:
 * entity_append(&note->n_replies, &note->replies, reply). */
void entity_append(size_t *count, void *array_of_pointers, void *element);

#endif
