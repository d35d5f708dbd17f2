/* coaching - a session between a coach and who is coached: what it may say, and how it goes on.
 *
 *   planned -> held (with what was agreed) -> followed up
 *   planned, held -> cancelled (with why)
 *
 * Texts are valid UTF-8 and counted in characters, without the space around them. Pure; thread
 * safe. */
#ifndef MOMENT_FEEDBACK_COACHING_RULE_H
#define MOMENT_FEEDBACK_COACHING_RULE_H

#include "feedback/rules/standard.h"

#define COACHING_TOPIC_MAX 200    /* characters */
#define COACHING_TEXT_MAX 2000    /* characters: agreement, comment, why it was cancelled */
#define COACHING_ACTION_MAX 500   /* characters */
#define COACHING_ACTION_ID_MAX 64 /* bytes */
#define COACHING_ACTIONS_MAX 20
#define COACHING_MOMENTS_MAX 20
/* How many moments before and after tell the effect. */
#define COACHING_EFFECT_DEFAULT 10
#define COACHING_EFFECT_MAX 100

/* Numbers of the protocol. */
enum coaching_state {
    COACHING_UNKNOWN,
    COACHING_PLANNED,
    COACHING_HELD,
    COACHING_FOLLOWED_UP,
    COACHING_CANCELLED
};

struct coaching_action {
    const char *action_id; /* "": a new one */
    const char *text;
    int64_t due_at; /* 0: no day was agreed */
};

/* What a session says. Strings are never null; "" is none. */
struct coaching_content {
    int64_t planned_at;
    const char *topic;
    size_t moment_count;
    const char *standard_id, *criterion_id; /* both or neither */
    const char *agreement;
    const struct coaching_action *actions;
    size_t action_count;
};

/* -EINVAL with the first of what is wrong. field is a prefix of the path: "" or "session.". */
must_check int coaching_check(const struct coaching_content *content, enum coaching_state state,
                              const char *field, struct objection *ret_objection);
bool coaching_may_move(enum coaching_state from, int to);
/* A move needs its words: held what was agreed, cancelled why. */
must_check int coaching_check_move(int to, const struct coaching_content *content,
                                   const char *because, struct objection *ret_objection);
must_check int coaching_check_comment(const char *comment, struct objection *ret_objection);
/* While it is planned or held its content may change. */
bool coaching_is_open(enum coaching_state state);
/* Was something else agreed? Then what the attendee acknowledged does not hold any more. */
bool coaching_agrees_otherwise(const struct coaching_content *before,
                               const struct coaching_content *after);

#endif
