/* note - see the header. */
#include "feedback/rules/note.h"

#include "base/fold.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

printf_like(3, 4) static int object(struct objection *objection, const char *field,
                                    const char *detail, ...)
{
    va_list args;

    va_start(args, detail);
    (void)snprintf(objection->field, sizeof(objection->field), "%s", field);
    (void)vsnprintf(objection->detail, sizeof(objection->detail), detail, args);
    va_end(args);
    return -EINVAL;
}

static int check_text(const struct note_wish *wish, struct objection *objection)
{
    size_t count = fold_characters(wish->text);
    size_t min = wish->kind == NOTE_PRAISE ? wish->praise_text_min : 1;

    if (count > NOTE_TEXT_MAX) {
        return object(objection, "text", "There are %zu characters here; at most %d fit.", count,
                      NOTE_TEXT_MAX);
    }
    if (count < min) {
        return object(objection, "text",
                      "There are %zu characters here; write at least %zu, in your own words.",
                      count, min);
    }
    return 0;
}

static int check_range(const struct note_wish *wish, struct objection *objection)
{
    if (wish->from_ms == 0 && wish->to_ms == 0) {
        return 0;
    }
    if (wish->to_ms <= wish->from_ms) {
        return object(objection, "to_ms", "The part of the moment must end after it begins.");
    }
    if (wish->moment_ms >= 0 && wish->to_ms > wish->moment_ms) {
        return object(objection, "to_ms", "The moment is over after %lld ms.",
                      (long long)wish->moment_ms);
    }
    return 0;
}

int note_check(const struct note_wish *wish, struct objection *ret_objection)
{
    int error;

    if (wish->kind != NOTE_PRAISE && wish->kind != NOTE_IMPROVEMENT) {
        return object(ret_objection, "kind", "A note is praise or improvement.");
    }
    if (wish->receiver[0] == '\0') {
        return object(ret_objection, "receiver",
                      "Nobody is known for this moment: say for whom the note is.");
    }
    if (strcmp(wish->receiver, wish->giver_person_id) == 0) {
        return object(ret_objection, "receiver", "Nobody gives a note to themselves.");
    }
    if (wish->kind == NOTE_IMPROVEMENT && wish->is_private) {
        return object(ret_objection, "is_private",
                      "Only praise can be private: an improvement is never public.");
    }
    if (wish->kind == NOTE_IMPROVEMENT && wish->candidate_id[0] != '\0') {
        return object(ret_objection, "candidate_id", "A candidate is answered with praise.");
    }
    error = check_text(wish, ret_objection);
    return error != 0 ? error : check_range(wish, ret_objection);
}

int note_check_answer(const char *answer, struct objection *ret_objection)
{
    size_t count = fold_characters(answer);

    if (count > NOTE_ANSWER_MAX) {
        return object(ret_objection, "answer", "There are %zu characters here; at most %d fit.",
                      count, NOTE_ANSWER_MAX);
    }
    return 0;
}

struct id note_words(const char *text)
{
    char words[4 * NOTE_TEXT_MAX + 1];
    const char *const parts[] = {fold_words(text, words, sizeof(words))};

    return id_of(parts, countof(parts));
}
