/* deliveries - sends what is queued for the webhooks, in order, at least once.
 *
 * Of each webhook one delivery is under way; the next one waits until it was taken or given up, so
 * the receiver sees the changes in order. Several webhooks do not wait for each other. What became
 * of a delivery is written by a work before the next one is read from the table: memory holds one
 * delivery of each, and a process that ends in between sends that one again, under the same
 * webhook-id (derived from webhook and record, so a replay has it too). Our own stream tells of new
 * posts and changed webhooks. Loop thread. */
#ifndef MOMENT_RECOGNITION_DELIVERIES_H
#define MOMENT_RECOGNITION_DELIVERIES_H

#include "recognition/webhooks.h"

extern struct metric recognition_deliveries_total;
extern struct metric recognition_dead_letters;

must_check int deliveries_open(struct recognition *recognition, struct deliveries **ret_deliveries);
void deliveries_drain(struct deliveries *deliveries);
void deliveries_close(struct deliveries **deliveries); /* accepts null in it */
/* Something was queued anew that no record of ours tells: a replay. */
void deliveries_wake(struct deliveries *deliveries);

#endif
