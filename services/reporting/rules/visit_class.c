#include "reporting/rules/visit_class.h"

#include "base/macros.h"

#include <stddef.h>
#include <string.h>

static const char *const answered_outcomes[] = {
    "completed",      "completed_by_caller", "completed_by_agent",
    "blind_transfer", "attended_transfer",   "answered",
};

static const char *const transfers[] = {"blind_transfer", "attended_transfer", "transferred"};

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

enum visit_class visit_class_of(int64_t answered_at, const char *outcome, bool has_ended)
{
    if (answered_at > 0 || is_one_of(outcome, answered_outcomes, countof(answered_outcomes)))
        return VISIT_ANSWERED;
    if (strcmp(outcome, "abandoned") == 0)
        return VISIT_ABANDONED;
    if (outcome[0] != '\0' || has_ended)
        return VISIT_LEFT;
    return VISIT_OPEN;
}

const char *visit_class_name(enum visit_class visit_class)
{
    static const char *const names[] = {"open", "answered", "abandoned", "left"};

    return names[visit_class];
}

bool visit_is_transfer(const char *outcome)
{
    return is_one_of(outcome, transfers, countof(transfers));
}
