/* note - what one person may say to another about a moment: praise, or what could be better.
 *
 * Praise takes at least so many characters of the giver's own words and repeats none of the giver's
 * last NOTE_RECENT praise notes, compared without case, space and punctuation. Nobody gives a note
 * to themselves. Only praise can be private: an improvement always is seen by its receiver, the
 * receiver's coaches and its giver alone. Texts are valid UTF-8 and counted in characters, without
 * the space around them. Pure; thread safe. */
#ifndef MOMENT_FEEDBACK_NOTE_H
#define MOMENT_FEEDBACK_NOTE_H

#include "base/id.h"
#include "feedback/rules/standard.h"

#define NOTE_TEXT_MAX 2000   /* characters */
#define NOTE_ANSWER_MAX 2000 /* characters */
#define NOTE_RECENT 50

/* Numbers of the protocol. */
enum note_kind { NOTE_UNKNOWN, NOTE_PRAISE, NOTE_IMPROVEMENT };

/* Strings are never null; "" is unknown or none. */
struct note_wish {
    int kind; /* enum note_kind, or anything */
    const char *text;
    bool is_private;
    uint32_t from_ms, to_ms; /* both 0: the whole moment */
    int64_t moment_ms;       /* how long the moment took, or takes so far; negative: unknown */
    const char *giver_person_id;
    const char *receiver;
    const char *candidate_id;
    uint32_t praise_text_min; /* characters */
};

/* -EINVAL with the first of what is wrong. */
must_check int note_check(const struct note_wish *wish, struct objection *ret_objection);
must_check int note_check_answer(const char *answer, struct objection *ret_objection);
/* What praise is compared by: the same for texts with the same words. */
struct id note_words(const char *text);

#endif
