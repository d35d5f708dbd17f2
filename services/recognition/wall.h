/* wall - posts that everybody in the house sees: praise, story, journal, celebration.
 *
 * A public praise note becomes a praise post, once: its id is derived from the note's. The praise
 * is also the request to its receiver to tell how they do it, open until the story is told or the
 * praise withdrawn. Every change emits the whole post and queues it for the webhooks in the same
 * transaction. What is withdrawn is in no list; the record stays. Loop thread. */
#ifndef MOMENT_RECOGNITION_WALL_H
#define MOMENT_RECOGNITION_WALL_H

#include "recognition/recognition.h"

extern struct metric recognition_posts_total;

must_check int wall_open(struct wall **ret_wall);
void wall_close(struct wall **wall); /* accepts null in it */
void wall_forget(struct wall *wall);

/* In load and apply of a NoteChanged. */
void wall_load_praise(struct recognition *recognition, struct txn *txn,
                      const Moment__V1__Note *note);
void wall_praise(struct recognition *recognition, struct txn *txn, const Moment__V1__Note *note);

void wall_write_post(void *state, struct call *call);
void wall_tell_story(void *state, struct call *call);
void wall_react(void *state, struct call *call);
void wall_comment(void *state, struct call *call);
void wall_withdraw_comment(void *state, struct call *call);
void wall_withdraw_post(void *state, struct call *call);
void wall_pin_post(void *state, struct call *call);
void wall_get_post(void *state, struct call *call);
void wall_list_posts(void *state, struct call *call);
void wall_list_story_requests(void *state, struct call *call);

#endif
