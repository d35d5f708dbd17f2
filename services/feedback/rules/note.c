/* note - see the header. */
#include "feedback/rules/note.h"

#include "base/fold.h"
#include "feedback/rules/objection.h"

#include <string.h>

static int check_range(const struct note_wish *wish, struct objection *objection)
{
    if (wish->from_ms == 0 && wish->to_ms == 0) {
        return 0;
    }
    if (wish->to_ms <= wish->from_ms) {
        return objection_set(objection, "to_ms",
                             "The part of the moment must end after it begins.");
    }
    if (wish->moment_ms >= 0 && wish->to_ms > wish->moment_ms) {
        return objection_set(objection, "to_ms", "The moment is over after %lld ms.",
                             (long long)wish->moment_ms);
    }
    return 0;
}

int note_check(const struct note_wish *wish, struct objection *ret_objection)
{
    int error;

    if (wish->kind != NOTE_PRAISE && wish->kind != NOTE_IMPROVEMENT) {
        return objection_set(ret_objection, "kind", "A note is praise or improvement.");
    }
    if (wish->receiver[0] == '\0') {
        return objection_set(ret_objection, "receiver",
                             "Nobody is known for this moment: say for whom the note is.");
    }
    if (strcmp(wish->receiver, wish->giver_person_id) == 0) {
        return objection_set(ret_objection, "receiver", "Nobody gives a note to themselves.");
    }
    if (wish->kind == NOTE_IMPROVEMENT && wish->is_private) {
        return objection_set(ret_objection, "is_private",
                             "Only praise can be private: an improvement is never public.");
    }
    if (wish->kind == NOTE_IMPROVEMENT && wish->candidate_id[0] != '\0') {
        return objection_set(ret_objection, "candidate_id", "A candidate is answered with praise.");
    }
    error = objection_length(ret_objection, "text", wish->text,
                             wish->kind == NOTE_PRAISE ? wish->praise_text_min : 1, NOTE_TEXT_MAX);
    return error != 0 ? error : check_range(wish, ret_objection);
}

int note_check_answer(const char *answer, struct objection *ret_objection)
{
    return objection_length(ret_objection, "answer", answer, 0, NOTE_ANSWER_MAX);
}

struct id note_words(const char *text)
{
    char words[4 * NOTE_TEXT_MAX + 1];
    const char *const parts[] = {fold_words(text, words, sizeof(words))};

    return id_of(parts, countof(parts));
}
