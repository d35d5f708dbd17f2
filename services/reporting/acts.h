/* acts - what leaders did, out of the owners' streams: rows for flame and accountability. */
#ifndef MOMENT_REPORTING_ACTS_H
#define MOMENT_REPORTING_ACTS_H

#include "io/stream.h"
#include "reporting/codec.h"

/* Writes what a note, evaluation, session, post, rhythm or calibration counts for; nothing for
 * other facts. -ENOMEM, -EBADMSG for an id that is no UUID: nothing was written then. */
must_check int acts_put(struct txn *txn, const struct fact *fact);

#endif
