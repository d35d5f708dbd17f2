/* webhooks - where posts are sent as they change: added, enabled, removed, replayed.
 *
 * Each PostChanged is queued, in the transaction that makes it, for each enabled webhook that wants
 * its kind; deliveries.c sends. The key that signs is made here, shown once and stored apart. URLs
 * lead to the public internet unless the setting webhook_allow_private says otherwise. At most
 * WEBHOOKS_MAX at a time. Every change of a webhook is a record; deliveries are none. Loop thread.
 */
#ifndef MOMENT_RECOGNITION_WEBHOOKS_H
#define MOMENT_RECOGNITION_WEBHOOKS_H

#include "recognition/recognition.h"

#define WEBHOOKS_MAX 20
#define WEBHOOKS_REPLAY_MAX 100000

struct deliveries;

struct webhooks {
    struct entities *entities;     /* owned */
    struct deliveries *deliveries; /* owned */
};

must_check int webhooks_open(struct recognition *recognition, struct webhooks **ret_webhooks);
void webhooks_forget(struct webhooks *webhooks);
/* Nothing is sent from now on. */
void webhooks_drain(struct webhooks *webhooks);
void webhooks_close(struct webhooks **webhooks); /* accepts null in it */

/* In apply: a post of this kind changed with the record seq. */
void webhooks_queue(struct txn *txn, Moment__V1__PostKind kind, uint64_t seq);
/* In apply: replaces the webhook, and tells it as a record if is_told. Consumes webhook. */
void webhooks_put(struct recognition *recognition, struct txn *txn, Moment__V1__Webhook *webhook,
                  bool is_told);

void webhooks_add(void *state, struct call *call);
void webhooks_remove(void *state, struct call *call);
void webhooks_enable(void *state, struct call *call);
void webhooks_list(void *state, struct call *call);
void webhooks_list_dead_letters(void *state, struct call *call);
void webhooks_replay(void *state, struct call *call);

#endif
