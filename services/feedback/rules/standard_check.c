/* standard_check - may this standard be kept, and may it be published? See standard.h. */
#include "feedback/rules/standard.h"

#include "base/text.h"
#include "feedback/rules/answers.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WEIGHT_TOTAL 100.0
#define WEIGHT_TOLERANCE 1e-6

void objections_add(struct objections *objections, const char *field, const char *detail, ...)
{
    struct objection *objection = &objections->items[objections->count];
    va_list arguments;

    objections->total++;
    if (objections->count == OBJECTIONS_MAX) {
        return;
    }
    objections->count++;
    (void)text_copy(objection->field, sizeof(objection->field), field);
    va_start(arguments, detail);
    (void)vsnprintf(objection->detail, sizeof(objection->detail), detail, arguments);
    va_end(arguments);
    /* A name that was cut may end within a character. */
    (void)text_repair_utf8(objection->detail, strlen(objection->detail));
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t length = strlen(name);

    return length > 0 && length <= STANDARD_NAME_BYTES_MAX && strchr(letters, name[0]) != NULL &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               length;
}

/* --- one criterion's place in the standard --- */

struct place_of {
    const struct standard *standard;
    const struct criterion *criterion;
    size_t index;
    struct objections *objections;
};

static void object(const struct place_of *at, const char *member, const char *detail)
{
    char field[sizeof(at->objections->items[0].field)];

    (void)snprintf(field, sizeof(field), "standard.criteria[%zu].%s", at->index, member);
    objections_add(at->objections, field, "%s", detail);
}

static void object_choice(const struct place_of *at, size_t choice, const char *member,
                          const char *detail)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "choices[%zu].%s", choice, member);
    object(at, path, detail);
}

/* --- bounds --- */

static void bound_text(struct objections *objections, const char *field, const char *text,
                       size_t max)
{
    if (strlen(text) > max) {
        objections_add(objections, field, "At most %zu bytes.", max);
    }
}

static void bound_member(const struct place_of *at, const char *member, const char *text,
                         size_t max)
{
    char field[sizeof(at->objections->items[0].field)];

    (void)snprintf(field, sizeof(field), "standard.criteria[%zu].%s", at->index, member);
    bound_text(at->objections, field, text, max);
}

static void bound_number(const struct place_of *at, const char *member, double value)
{
    if (!isfinite(value)) {
        object(at, member, "A finite number, please.");
    }
}

static void bound_choices(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;

    if (criterion->choice_count > STANDARD_CHOICES_MAX) {
        object(at, "choices", "At most 20 choices.");
        return;
    }
    for (size_t i = 0; i < criterion->choice_count; i++) {
        const struct choice *choice = &criterion->choices[i];

        if (strlen(choice->choice_id) > STANDARD_NAME_BYTES_MAX) {
            object_choice(at, i, "choice_id", "At most 120 bytes.");
        }
        if (strlen(choice->title) > STANDARD_TITLE_BYTES_MAX) {
            object_choice(at, i, "title", "At most 300 bytes.");
        }
        if (!isfinite(choice->points)) {
            object_choice(at, i, "points", "A finite number, please.");
        }
    }
}

static void bound_condition(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;

    bound_member(at, "condition.criterion_id", criterion->condition_id, STANDARD_NAME_BYTES_MAX);
    if (criterion->condition_answer_count > STANDARD_NAMES_MAX) {
        object(at, "condition.answers", "At most 100 answers.");
        return;
    }
    for (size_t i = 0; i < criterion->condition_answer_count; i++) {
        bound_member(at, "condition.answers", criterion->condition_answers[i],
                     STANDARD_NAME_BYTES_MAX);
    }
}

static void bound_criterion(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;

    bound_member(at, "criterion_id", criterion->criterion_id, STANDARD_NAME_BYTES_MAX);
    bound_member(at, "section", criterion->section, STANDARD_NAME_BYTES_MAX);
    bound_member(at, "metric", criterion->metric, STANDARD_NAME_BYTES_MAX);
    bound_member(at, "title", criterion->title, STANDARD_TITLE_BYTES_MAX);
    bound_member(at, "description", criterion->description, STANDARD_TEXT_BYTES_MAX);
    bound_member(at, "example_good", criterion->example_good, STANDARD_TEXT_BYTES_MAX);
    bound_member(at, "example_bad", criterion->example_bad, STANDARD_TEXT_BYTES_MAX);
    bound_number(at, "weight", criterion->weight);
    bound_number(at, "value", criterion->value);
    bound_number(at, "wow_value", criterion->wow_value);
    bound_number(at, "comment_below", criterion->comment_below);
    bound_choices(at);
    bound_condition(at);
}

static void bound_names(struct objections *objections, const char *field, const char *const *names,
                        size_t count)
{
    if (count > STANDARD_NAMES_MAX) {
        objections_add(objections, field, "At most %d.", STANDARD_NAMES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bound_text(objections, field, names[i], STANDARD_NAME_BYTES_MAX);
    }
}

static void bound_scope(const struct scope *scope, struct objections *objections)
{
    bound_names(objections, "standard.scope.sites", scope->sites, scope->site_count);
    bound_names(objections, "standard.scope.queues", scope->queues, scope->queue_count);
    if (scope->channel_count > STANDARD_NAMES_MAX) {
        objections_add(objections, "standard.scope.channels", "At most %d.", STANDARD_NAMES_MAX);
    }
    if (scope->direction_count > STANDARD_NAMES_MAX) {
        objections_add(objections, "standard.scope.directions", "At most %d.", STANDARD_NAMES_MAX);
    }
}

void standard_check_bounds(const struct standard *standard, struct objections *objections)
{
    if (!is_name(standard->standard_id)) {
        objections_add(objections, "standard.standard_id",
                       "A standard_id is 1 to %d letters, digits, '-', '_' or '.', and begins with "
                       "a letter or digit.",
                       STANDARD_NAME_BYTES_MAX);
    }
    bound_text(objections, "standard.title", standard->title, STANDARD_TITLE_BYTES_MAX);
    bound_text(objections, "standard.signed_by", standard->signed_by, STANDARD_TITLE_BYTES_MAX);
    bound_text(objections, "standard.why", standard->why, STANDARD_TEXT_BYTES_MAX);
    bound_text(objections, "standard.example", standard->example, STANDARD_TEXT_BYTES_MAX);
    bound_scope(&standard->scope, objections);
    bound_names(objections, "standard.canary_sites", standard->canary_sites,
                standard->canary_site_count);
    if (standard->criterion_count > STANDARD_CRITERIA_MAX) {
        objections_add(objections, "standard.criteria", "At most %d criteria.",
                       STANDARD_CRITERIA_MAX);
        return;
    }
    for (size_t i = 0; i < standard->criterion_count; i++) {
        bound_criterion(&(struct place_of){standard, &standard->criteria[i], i, objections});
    }
}

/* --- scope --- */

static void check_names(const char *field, const char *const *names, size_t count,
                        struct objections *objections)
{
    char path[sizeof(objections->items[0].field)];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s[%zu]", field, i);
        if (is_blank(names[i])) {
            objections_add(objections, path, "An empty name applies to nothing.");
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                objections_add(objections, path, "\"%.80s\" is there twice.", names[i]);
                break;
            }
        }
    }
}

static void check_numbers(const char *field, const int *numbers, size_t count, const char *detail,
                          struct objections *objections)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] <= 0) {
            objections_add(objections, field, "%s", detail);
            return;
        }
    }
}

static void check_scope(const struct scope *scope, struct objections *objections)
{
    check_names("standard.scope.sites", scope->sites, scope->site_count, objections);
    check_names("standard.scope.queues", scope->queues, scope->queue_count, objections);
    check_numbers("standard.scope.channels", scope->channels, scope->channel_count,
                  "An unknown channel.", objections);
    check_numbers("standard.scope.directions", scope->directions, scope->direction_count,
                  "An unknown direction.", objections);
}

/* --- measured criteria --- */

static void check_wow(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;

    if (criterion->comparison == EQUAL) {
        object(at, "wow_value", "What has to be equal can't be met brilliantly.");
    } else if (criterion->comparison == AT_MOST ? criterion->wow_value > criterion->value
                                                : criterion->wow_value < criterion->value) {
        object(at, "wow_value", "Brilliant has to be at least as good as met.");
    }
}

static void check_measured(const struct place_of *at, bool (*knows_metric)(const char *metric))
{
    const struct criterion *criterion = at->criterion;

    if (!knows_metric(criterion->metric)) {
        object(at, "metric", "No such metric can be measured.");
    }
    if (criterion->comparison != AT_MOST && criterion->comparison != AT_LEAST &&
        criterion->comparison != EQUAL) {
        object(at, "comparison", "Has to be at_most, at_least or equal.");
    } else if (criterion->has_wow) {
        check_wow(at);
    }
    if (criterion->scale != SCALE_UNKNOWN || criterion->choice_count > 0 ||
        criterion->scale_max != 0) {
        object(at, "scale", "Nobody answers a measured criterion: it needs no scale.");
    }
    if (criterion->has_comment_below) {
        object(at, "comment_below", "Nobody answers a measured criterion: it takes no comment.");
    }
    if (criterion->not_applicable_allowed) {
        object(at, "not_applicable_allowed",
               "A measured criterion is left out by itself when there is nothing to measure.");
    }
}

/* --- observed criteria --- */

static void check_choice(const struct place_of *at, size_t index, double best)
{
    const struct choice *choice = &at->criterion->choices[index];

    if (!is_name(choice->choice_id)) {
        object_choice(at, index, "choice_id", "Letters, digits, '-', '_' or '.', please.");
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(at->criterion->choices[i].choice_id, choice->choice_id) == 0) {
            object_choice(at, index, "choice_id", "Two choices have this choice_id.");
            break;
        }
    }
    if (is_blank(choice->title)) {
        object_choice(at, index, "title", "A choice needs a title.");
    }
    if (choice->points < 0.0 || choice->points > STANDARD_POINTS_MAX) {
        object_choice(at, index, "points", "Points are from 0 to 1000.");
    }
    if (choice->wow && choice->points < best) {
        object_choice(at, index, "wow", "Brilliant is worth the most points.");
    }
    if (choice->unacceptable && (choice->wow || choice->points >= best)) {
        object_choice(at, index, "unacceptable", "The best answer can't be unacceptable.");
    }
}

static void check_choices(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;
    double best = answer_best(criterion);

    if (criterion->choice_count < STANDARD_CHOICES_MIN) {
        object(at, "choices", "At least two choices, please.");
    } else if (best <= 0.0) {
        object(at, "choices", "At least one choice is worth points.");
    }
    for (size_t i = 0; i < criterion->choice_count; i++) {
        check_choice(at, i, best);
    }
}

static void check_range(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;

    if (criterion->scale_max < 1 || criterion->scale_max > STANDARD_SCALE_MAX) {
        object(at, "scale_max", "A range ends at 1 to 100.");
        return;
    }
    if (criterion->has_wow_at &&
        (criterion->wow_at < 1 || criterion->wow_at > criterion->scale_max)) {
        object(at, "wow_at", "Has to be within the range, above 0.");
    }
    if (criterion->has_unacceptable_at && criterion->unacceptable_at >= criterion->scale_max) {
        object(at, "unacceptable_at", "The best answer can't be unacceptable.");
    }
    if (criterion->has_wow_at && criterion->has_unacceptable_at &&
        criterion->unacceptable_at >= criterion->wow_at) {
        object(at, "unacceptable_at", "What is brilliant can't be unacceptable.");
    }
}

/* What belongs to another scale would do nothing: whoever set it expects otherwise. */
static void check_scale_members(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;
    bool is_choice = criterion->scale == SCALE_CHOICE, is_range = criterion->scale == SCALE_RANGE;

    if (criterion->choice_count > 0 && !is_choice) {
        object(at, "choices", "Only the scale \"choice\" has choices.");
    }
    if (criterion->scale_max != 0 && !is_range) {
        object(at, "scale_max", "Only the scale \"range\" has an end.");
    }
    if (criterion->has_wow_at && !is_range) {
        object(at, "wow_at", "Only the scale \"range\" says it so.");
    }
    if (criterion->has_unacceptable_at && !is_range) {
        object(at, "unacceptable_at", "Only the scale \"range\" says it so.");
    }
    if (criterion->has_comment_below && is_choice) {
        object(at, "comment_below", "Say at each choice whether it needs a comment.");
    }
    if (criterion->unacceptable && criterion->scale != SCALE_YES_NO) {
        object(at, "unacceptable",
               is_choice ? "Say at each choice whether it is unacceptable."
                         : "Say up to which answer (unacceptable_at).");
    }
}

static void check_observed(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion;

    if (criterion->scale == SCALE_CHOICE) {
        check_choices(at);
    } else if (criterion->scale == SCALE_RANGE) {
        check_range(at);
    } else if (criterion->scale != SCALE_YES_NO) {
        object(at, "scale", "Has to be yes_no, choice or range.");
        return;
    }
    check_scale_members(at);
    if (criterion->has_comment_below &&
        (criterion->comment_below <= 0.0 || criterion->comment_below > 100.0)) {
        object(at, "comment_below", "A share of the best answer, above 0 up to 100 per cent.");
    }
    if (criterion->metric[0] != '\0' || criterion->has_wow ||
        criterion->comparison != COMPARISON_UNKNOWN) {
        object(at, "metric", "A person answers this: it has no metric and compares nothing.");
    }
}

/* --- any criterion --- */

static const struct criterion *find_earlier(const struct place_of *at, const char *criterion_id)
{
    for (size_t i = 0; i < at->index; i++) {
        if (strcmp(at->standard->criteria[i].criterion_id, criterion_id) == 0) {
            return &at->standard->criteria[i];
        }
    }
    return NULL;
}

static void check_condition(const struct place_of *at)
{
    const struct criterion *criterion = at->criterion, *earlier;

    if (criterion->condition_id[0] == '\0') {
        if (criterion->condition_answer_count > 0) {
            object(at, "condition.criterion_id", "On which criterion does this depend?");
        }
        return;
    }
    earlier = find_earlier(at, criterion->condition_id);
    if (earlier == NULL) {
        object(at, "condition.criterion_id", "A condition names a criterion that comes before it.");
        return;
    }
    if (criterion->condition_answer_count == 0) {
        object(at, "condition.answers", "A condition names the answers that it needs.");
    }
    for (size_t i = 0; i < criterion->condition_answer_count; i++) {
        if (!answer_is_possible(earlier, criterion->condition_answers[i])) {
            object(at, "condition.answers", "The other criterion never gets this answer.");
            break;
        }
    }
}

static void check_criterion(const struct place_of *at, bool (*knows_metric)(const char *metric))
{
    const struct criterion *criterion = at->criterion;

    if (!is_name(criterion->criterion_id)) {
        object(at, "criterion_id", "Letters, digits, '-', '_' or '.', please.");
    } else if (find_earlier(at, criterion->criterion_id) != NULL) {
        object(at, "criterion_id", "Two criteria have this criterion_id.");
    }
    if (is_blank(criterion->title)) {
        object(at, "title", "A criterion needs a title.");
    }
    if (criterion->weight < 0.0 || criterion->weight > WEIGHT_TOTAL) {
        object(at, "weight", "A weight is from 0 to 100.");
    }
    if (criterion->fatal != FATAL_NONE && criterion->fatal != FATAL_WHOLE &&
        criterion->fatal != FATAL_SECTION) {
        object(at, "fatal", "Has to be whole or section.");
    }
    if (criterion->kind == CRITERION_MEASURED) {
        check_measured(at, knows_metric);
    } else if (criterion->kind == CRITERION_OBSERVED) {
        check_observed(at);
    } else {
        object(at, "kind", "Has to be measured or observed.");
    }
    check_condition(at);
}

static bool is_first_of_section(const struct standard *standard, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(standard->criteria[i].section, standard->criteria[index].section) == 0) {
            return false;
        }
    }
    return true;
}

static void check_weights(const struct standard *standard, struct objections *objections)
{
    for (size_t i = 0; i < standard->criterion_count; i++) {
        const char *section = standard->criteria[i].section;
        char field[sizeof(objections->items[0].field)];
        double total = 0.0;

        for (size_t j = 0; j < standard->criterion_count; j++) {
            if (strcmp(standard->criteria[j].section, section) == 0) {
                total += standard->criteria[j].weight;
            }
        }
        if (fabs(total - WEIGHT_TOTAL) > WEIGHT_TOLERANCE && is_first_of_section(standard, i)) {
            (void)snprintf(field, sizeof(field), "standard.criteria[%zu].weight", i);
            objections_add(objections, field,
                           "The weights of section \"%.100s\" total %g; they have to total 100.",
                           section, total);
        }
    }
}

void standard_check(const struct standard *standard, bool (*knows_metric)(const char *metric),
                    struct objections *objections)
{
    standard_check_bounds(standard, objections);
    if (objections->total > 0) {
        return; /* what follows counts on numbers that are numbers */
    }
    if (is_blank(standard->title)) {
        objections_add(objections, "standard.title", "A standard needs a title.");
    }
    check_scope(&standard->scope, objections);
    if (standard->criterion_count == 0) {
        objections_add(objections, "standard.criteria", "A standard needs criteria.");
    }
    for (size_t i = 0; i < standard->criterion_count; i++) {
        check_criterion(&(struct place_of){standard, &standard->criteria[i], i, objections},
                        knows_metric);
    }
    check_weights(standard, objections);
}

static bool is_within(const struct scope *scope, const char *site)
{
    for (size_t i = 0; i < scope->site_count; i++) {
        if (strcmp(scope->sites[i], site) == 0) {
            return true;
        }
    }
    return scope->site_count == 0;
}

void standard_check_signature(const struct standard *standard, struct objections *objections)
{
    if (is_blank(standard->signed_by)) {
        objections_add(objections, "standard.signed_by",
                       "A standard is signed: name the leader who declares it.");
    }
    if (is_blank(standard->why)) {
        objections_add(objections, "standard.why", "Say in a sentence why this standard matters.");
    }
    if (is_blank(standard->example)) {
        objections_add(objections, "standard.example",
                       "Give an example of a moment that meets it.");
    }
    check_names("standard.canary_sites", standard->canary_sites, standard->canary_site_count,
                objections);
    for (size_t i = 0; i < standard->canary_site_count; i++) {
        if (!is_within(&standard->scope, standard->canary_sites[i])) {
            objections_add(objections, "standard.canary_sites",
                           "\"%.80s\" is none of the sites that this standard applies to.",
                           standard->canary_sites[i]);
        }
    }
}
