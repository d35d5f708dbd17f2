/* codec - events and moments between protobuf (moment/v1/ingest.proto) and plain structs.
 *
 * What comes in is validated here once; what is plain is believed from then on. Loop thread. */
#ifndef MOMENT_INGEST_CODEC_H
#define MOMENT_INGEST_CODEC_H

#include "ingest/event_list.h"
#include "ingest/rules/fold.h"
#include "io/bus.h"
#include "moment/v1/ingest.pb-c.h"

#define CODEC_ID_MAX 256      /* bytes of a contact, queue or agent id */
#define CODEC_TEXT_MAX 4000   /* bytes of any other text */
#define CODEC_SIGNAL_MAX 64   /* characters of a customer's signal */
#define CODEC_EVENTS_MAX 1000 /* events of one request or submission */

bool codec_is_about_contact(enum event_type type);

/* The checks that hold for an event from outside, whatever it came in. Fills problem with status
 * 422 and a field below path ("events[2].") and returns -EINVAL. */
must_check int codec_check(const struct event *event, int64_t now_us, const char *path,
                           struct problem *problem);

/* wire borrows everything from event and id_text. */
void codec_event_to_wire(const struct event *event, char id_text[ID_TEXT_SIZE],
                         Moment__V1__Event *wire);
/* event borrows everything from wire. -EINVAL: the event id is not a UUID. */
must_check int codec_event_from_wire(const Moment__V1__Event *wire, struct event *event);
/* Decodes stored bytes and adds the event to the list. -EBADMSG, -ENOMEM. */
must_check int codec_event_load(struct slice body, struct event_list *list);

/* Who sends, for what a batch does not say itself. */
struct codec_sender {
    const char *source;
    const char *system;
    const char *site;
    int64_t now_us;
};
/* An EventBatch from an integrator, checked. On failure -EINVAL with problem filled, or -ENOMEM. */
must_check int codec_batch_read(struct slice body, const struct codec_sender *sender,
                                struct event_list *list, struct problem *problem);
/* The id of a moment: the same contact of a system has the same for ever. */
struct id codec_moment_id(const char *system, const char *contact_id);

/* What a snapshot says beside what was folded. */
struct moment_frame {
    char moment_id[ID_TEXT_SIZE];
    char merged_into[ID_TEXT_SIZE]; /* "" */
    const char *system;
    const char *contact_id;
    const char *site;
    uint32_t revision;
    uint32_t repeat_contacts;
    const char *person_id;
    const char *team_id;
    const char *visit_people[FOLD_VISITS_MAX];
};

/* A moment on the wire with the storage that it points to; large: keep it on the heap. */
struct wire_moment {
    Moment__V1__Moment moment;
    Moment__V1__Visit visits[FOLD_VISITS_MAX];
    Moment__V1__Visit *visit_pointers[FOLD_VISITS_MAX];
    char *quality[FOLD_QUALITY_MAX];
    char *signals[FOLD_SIGNALS_MAX];
};
void codec_moment_to_wire(const struct moment *moment, const struct moment_frame *frame,
                          struct wire_moment *wire);

#endif
