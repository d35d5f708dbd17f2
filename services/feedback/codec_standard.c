/* codec_standard - standards between protobuf and plain structs. See codec.h. */
#include "feedback/codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert((int)CRITERION_OBSERVED == (int)MOMENT__V1__CRITERION_KIND__CRITERION_KIND_OBSERVED,
               "kinds");
_Static_assert((int)FATAL_SECTION == (int)MOMENT__V1__FATAL_SCOPE__FATAL_SCOPE_SECTION, "fatal");
_Static_assert((int)AT_MOST == (int)MOMENT__V1__COMPARISON__COMPARISON_AT_MOST, "comparisons");
_Static_assert((int)EQUAL == (int)MOMENT__V1__COMPARISON__COMPARISON_EQUAL, "comparisons");
_Static_assert((int)SCALE_YES_NO == (int)MOMENT__V1__ANSWER_SCALE__ANSWER_SCALE_YES_NO, "scales");
_Static_assert((int)SCALE_RANGE == (int)MOMENT__V1__ANSWER_SCALE__ANSWER_SCALE_RANGE, "scales");

/* Makes a string array of a message into one of constants. */
static const char *const *names_of(char **names)
{
    return (const char *const *)names;
}

static void read_condition(const Moment__V1__Condition *message, struct criterion *criterion)
{
    criterion->condition_id = message != NULL ? message->criterion_id : "";
    criterion->condition_answers = message != NULL ? names_of(message->answers) : NULL;
    criterion->condition_answer_count = message != NULL ? message->n_answers : 0;
}

static void read_limits(const Moment__V1__Criterion *message, struct criterion *criterion)
{
    criterion->has_wow = message->wow_known_case != 0;
    criterion->wow_value = criterion->has_wow ? message->wow_value : 0.0;
    criterion->has_comment_below = message->comment_known_case != 0;
    criterion->comment_below = criterion->has_comment_below ? message->comment_below : 0.0;
    criterion->has_wow_at = message->wow_scale_known_case != 0;
    criterion->wow_at = criterion->has_wow_at ? message->wow_at : 0;
    criterion->has_unacceptable_at = message->unacceptable_scale_known_case != 0;
    criterion->unacceptable_at = criterion->has_unacceptable_at ? message->unacceptable_at : 0;
}

static int read_choices(const Moment__V1__Criterion *message, struct criterion *criterion)
{
    struct choice *choices;

    if (message->n_choices == 0) {
        return 0;
    }
    choices = calloc(message->n_choices, sizeof(*choices));
    if (choices == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < message->n_choices; i++) {
        const Moment__V1__Choice *choice = message->choices[i];

        choices[i] = (struct choice){
            .choice_id = choice->choice_id,
            .title = choice->title,
            .points = choice->points,
            .comment_required = choice->comment_required != 0,
            .unacceptable = choice->unacceptable != 0,
            .wow = choice->wow != 0,
        };
    }
    criterion->choices = choices;
    criterion->choice_count = message->n_choices;
    return 0;
}

static int read_criterion(const Moment__V1__Criterion *message, struct criterion *criterion)
{
    *criterion = (struct criterion){
        .criterion_id = message->criterion_id,
        .section = message->section,
        .title = message->title,
        .description = message->description,
        .example_good = message->example_good,
        .example_bad = message->example_bad,
        .kind = (enum criterion_kind)message->kind,
        .weight = message->weight,
        .critical = message->critical != 0,
        .fatal = (enum fatal_scope)message->fatal,
        .unacceptable = message->unacceptable != 0,
        .metric = message->metric,
        .comparison = (enum comparison)message->comparison,
        .value = message->value,
        .scale = (enum answer_scale)message->scale,
        .not_applicable_allowed = message->not_applicable_allowed != 0,
        .scale_max = message->scale_max,
    };
    read_condition(message->condition, criterion);
    read_limits(message, criterion);
    return read_choices(message, criterion);
}

static int read_scope(const Moment__V1__StandardScope *message, struct held_standard *standard)
{
    struct scope *scope = &standard->plain.scope;
    int *numbers;

    if (message == NULL) {
        return 0;
    }
    numbers = calloc(message->n_channels + message->n_directions + 1, sizeof(*numbers));
    if (numbers == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < message->n_channels; i++) {
        numbers[i] = (int)message->channels[i];
    }
    for (size_t i = 0; i < message->n_directions; i++) {
        numbers[message->n_channels + i] = (int)message->directions[i];
    }
    standard->numbers = numbers;
    *scope = (struct scope){
        .sites = names_of(message->sites),
        .site_count = message->n_sites,
        .queues = names_of(message->queues),
        .queue_count = message->n_queues,
        .channels = numbers,
        .channel_count = message->n_channels,
        .directions = numbers + message->n_channels,
        .direction_count = message->n_directions,
    };
    return 0;
}

static int read_criteria(const Moment__V1__Standard *message, struct held_standard *standard)
{
    if (message->n_criteria == 0) {
        return 0;
    }
    standard->criteria = calloc(message->n_criteria, sizeof(*standard->criteria));
    if (standard->criteria == NULL) {
        return -ENOMEM;
    }
    standard->plain.criteria = standard->criteria;
    for (size_t i = 0; i < message->n_criteria; i++) {
        int error = read_criterion(message->criteria[i], &standard->criteria[i]);

        standard->plain.criterion_count = i + 1;
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int codec_standard(Moment__V1__Standard **message, struct held_standard *ret_standard)
{
    struct held_standard standard = {.message = *message};
    int error;

    *message = NULL;
    standard.plain = (struct standard){
        .standard_id = standard.message->standard_id,
        .version = standard.message->version,
        .title = standard.message->title,
        .signed_by = standard.message->signed_by,
        .why = standard.message->why,
        .example = standard.message->example,
        .effective_at = standard.message->effective_at,
        .canary_sites = names_of(standard.message->canary_sites),
        .canary_site_count = standard.message->n_canary_sites,
        .rolled_out_at = standard.message->rolled_out_at,
        .retired_at = standard.message->retired_at,
    };
    error = read_scope(standard.message->scope, &standard);
    if (error == 0) {
        error = read_criteria(standard.message, &standard);
    }
    if (error != 0) {
        codec_standard_done(&standard);
        return error;
    }
    *ret_standard = standard;
    return 0;
}

void codec_standard_done(struct held_standard *standard)
{
    if (standard->message != NULL) {
        codec_free(&standard->message->base);
    }
    for (size_t i = 0; i < standard->plain.criterion_count; i++) {
        free((struct choice *)(uintptr_t)standard->criteria[i].choices);
    }
    free(standard->criteria);
    free(standard->numbers);
    *standard = (struct held_standard){0};
}

static bool criterion_has_unknown(const Moment__V1__Criterion *message)
{
    bool has_unknown =
        message->base.n_unknown_fields > 0 ||
        (message->condition != NULL && message->condition->base.n_unknown_fields > 0);

    for (size_t i = 0; i < message->n_choices; i++) {
        has_unknown |= message->choices[i]->base.n_unknown_fields > 0;
    }
    return has_unknown;
}

bool codec_standard_has_unknown(const Moment__V1__Standard *message, char *ret_field, size_t size)
{
    if (message->base.n_unknown_fields > 0) {
        (void)snprintf(ret_field, size, "standard");
        return true;
    }
    if (message->scope != NULL && message->scope->base.n_unknown_fields > 0) {
        (void)snprintf(ret_field, size, "standard.scope");
        return true;
    }
    for (size_t i = 0; i < message->n_criteria; i++) {
        if (criterion_has_unknown(message->criteria[i])) {
            (void)snprintf(ret_field, size, "standard.criteria[%zu]", i);
            return true;
        }
    }
    return false;
}
