#include "reporting/rules/definition.h"

#include "base/macros.h"

static const struct definition definitions[] = {
    {"service_level.abandons_ignored@1", "Service level, abandons in time ignored", "share",
     "answered_within / (answered + abandoned - abandoned_within)",
     "Those who hang up within the threshold are left out of both parts. The default."},
    {"service_level.abandons_count_for@1", "Service level, abandons in time count for you", "share",
     "(answered_within + abandoned_within) / (answered + abandoned)",
     "Somebody who hangs up within the threshold was not kept waiting too long."},
    {"service_level.abandons_count_against@1", "Service level, abandons count against you", "share",
     "answered_within / (answered + abandoned)", "Everybody who hangs up was not served in time."},
    {"service_level.answered_only@1", "Service level, answered only", "share",
     "answered_within / answered",
     "Says nothing about those who gave up: it rises when more of them do."},
    {"service_level.switchable@1", "Service level, switchable", "share",
     "answered_within / (answered + abandoned - short_abandoned, + left_otherwise if included)",
     "Three switches: exclude_short, exclude_abandons, include_left. Changing one restates the "
     "past."},
    {"asa@1", "Average speed of answer", "duration_ms", "wait_answered_ms / wait_answered_n",
     "From entering the queue, not the menu before it; those who were not answered are left out."},
    {"aht@1", "Average handle time", "duration_ms", "(talk_ms + hold_ms + wrap_ms) / handled",
     "Wrap-up counts where the source tells it, for the last visit of the moment."},
    {"abandon_rate@1", "Abandon rate", "share", "abandoned / offered",
     "Short abandons are in both parts. A request to be called back is not an abandon."},
    {"csat@1", "Customer satisfaction", "share", "csat_satisfied / csat_n",
     "Answers of 4 or 5 among valid answers of 1 to 5; those who did not answer are left out."},
    {"flame_kept@1", "Promises kept", "share", "sum(min(kept, promised)) / sum(promised)",
     "Over the weeks or months that are over. Doing more in one does not make up for another."},
    {"flame_longest_gap@1", "Longest gap", "days", "max(time between two acts)",
     "Within the time that was promised, from its first day, and since the last act until now."},
    {"flame_ewma@1", "Moving average of promises kept", "share",
     "0.3 x this period's share + 0.7 x the average before",
     "Begins with the first period; a period under way does not count yet."},
    {"time_to_feedback_median@1", "Time to feedback, median", "duration_ms",
     "median(note given - moment ended)",
     "Of notes given in the time; 0 for a note that was given before the moment ended."},
    {"time_to_feedback_p90@1", "Time to feedback, 90th percentile", "duration_ms",
     "90th percentile(note given - moment ended)",
     "As the median; between two notes it is in "
     "proportion."},
    {"praise_balance@1", "Praise balance", "share", "praise / (praise + improvement)",
     "Notes given in the time. Both counts stand beside it."},
    {"without_feedback@1", "People without feedback", "share",
     "people without a note for so many days / people with moments in the time",
     "Never counts as longer than any number of days."},
    {"fatal_unanswered@1", "Fatal failures nobody answered", "share",
     "moments with a fatal failure and no note / moments with a fatal failure",
     "By when the moment ended. Any note about the moment is an answer."},
};

static const struct count_note counts[] = {
    {"offered", "Visits that entered the queue in the interval."},
    {"answered", "Visits that a person answered."},
    {"abandoned", "Visits that the customer gave up."},
    {"left_otherwise", "Visits that left unanswered in another way."},
    {"open", "Visits still waiting."},
    {"answered_within", "Answered after at most the threshold."},
    {"abandoned_within", "Abandoned after at most the threshold."},
    {"short_abandoned", "Abandoned before the short limit."},
    {"handled", "Answered visits that have ended and whose talk time is known."},
    {"wait_answered_n", "Answered visits whose wait is known."},
    {"wait_answered_ms", "Sum of their waits."},
    {"wait_longest_ms", "Longest known wait of any visit."},
    {"talk_ms", "Talk time of handled visits, without hold where the source tells holds."},
    {"hold_ms", "Hold time of handled visits."},
    {"wrap_ms", "Wrap-up time of handled visits."},
    {"csat_n", "Valid satisfaction answers, 1 to 5."},
    {"csat_sum", "Their sum."},
    {"csat_satisfied", "Of them, 4 or 5."},
    {"holds", "Number of holds."},
    {"transfers", "Visits that ended in a transfer."},
};

const struct definition *definition_all(size_t *ret_count)
{
    *ret_count = countof(definitions);
    return definitions;
}

const struct count_note *definition_counts(size_t *ret_count)
{
    *ret_count = countof(counts);
    return counts;
}
