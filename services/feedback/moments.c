/* moments - one moment for a command, from its row or, while it is in progress, from the floor. */
#include "feedback/feedback.h"

#include "base/log.h"

#include <stdlib.h>

void moment_done(struct wanted_moment *wanted)
{
    if (wanted->stored.message != NULL) {
        codec_free(&wanted->stored.message->base);
    }
    *wanted = (struct wanted_moment){0};
}

static void on_moment(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error unused_arg)
{
    struct wanted_moment *wanted = arg;

    if (status == 0 && db_count(rows) == 1 && store_read_moment(rows, 0, &wanted->stored) != 0) {
        log_error("moment_unreadable", "row=0");
        wanted->stored.message = NULL;
    }
}

void moment_load(struct wanted_moment *wanted, struct txn *txn, const char *moment_id)
{
    struct id id;

    moment_done(wanted); /* a transaction that did not commit may have loaded it before */
    if (id_parse(moment_id, &id) == 0) {
        store_load_moment_body(txn, &id, on_moment, wanted);
    }
}

const Moment__V1__Moment *moment_find(const struct feedback *feedback,
                                      const struct wanted_moment *wanted, const char *moment_id)
{
    const struct contact *contact;
    struct id id;

    if (id_parse(moment_id, &id) != 0) {
        return NULL;
    }
    contact = floor_find(&feedback->floor, &id);
    if (contact != NULL && contact->snapshot.message != NULL) {
        return contact->snapshot.message;
    }
    return contact != NULL && contact->over != NULL ? contact->over : wanted->stored.message;
}
