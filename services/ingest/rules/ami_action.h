/* ami_action - actions for an Asterisk Manager connection.
 *
 * Each builder appends one whole action to out. A value with CR, LF or NUL would inject headers:
 * -EINVAL, and nothing is appended. Otherwise the errors of buf_append. Pure. */
#ifndef MOMENT_INGEST_AMI_ACTION_H
#define MOMENT_INGEST_AMI_ACTION_H

#include "base/buf.h"

/* events: the EventMask of the session, "on" for all. */
must_check int ami_action_login(struct buf *out, const char *action_id, const char *user,
                                const char *secret, const char *events);
/* Asks for a challenge; answer with ami_action_login_md5 (Challenge header of the response). */
must_check int ami_action_challenge(struct buf *out, const char *action_id);
must_check int ami_action_login_md5(struct buf *out, const char *action_id, const char *user,
                                    const char *secret, const char *challenge, const char *events);
must_check int ami_action_queue_status(struct buf *out, const char *action_id);
must_check int ami_action_core_show_channels(struct buf *out, const char *action_id);
must_check int ami_action_ping(struct buf *out, const char *action_id);
must_check int ami_action_logoff(struct buf *out, const char *action_id);

#endif
