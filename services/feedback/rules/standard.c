#include "feedback/rules/standard.h"

#include "base/macros.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WEIGHT_TOTAL 100.0
#define WEIGHT_TOLERANCE 1e-6
#define NAME_BYTES_MAX 120
#define TEXT_BYTES_MAX 4000

enum { NAMES_CHANNEL = 1, NAMES_SITE = 2, NAMES_QUEUE = 4 };

static int object(struct objection *objection, const char *field, const char *detail, ...)
    printf_like(3, 4);

static int object(struct objection *objection, const char *field, const char *detail, ...)
{
    va_list arguments;

    (void)text_copy(objection->field, sizeof(objection->field), field);
    va_start(arguments, detail);
    (void)vsnprintf(objection->detail, sizeof(objection->detail), detail, arguments);
    va_end(arguments);
    return -EINVAL;
}

static int object_criterion(struct objection *objection, size_t index, const char *member,
                            const char *detail)
{
    char field[sizeof(objection->field)];

    (void)snprintf(field, sizeof(field), "standard.criteria[%zu].%s", index, member);
    return object(objection, field, "%s", detail);
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t length = strlen(name);

    return length > 0 && length <= NAME_BYTES_MAX && strchr(letters, name[0]) != NULL &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               length;
}

static int check_texts(const struct standard *standard, struct objection *objection)
{
    const struct {
        const char *field, *text, *need;
    } rows[] = {
        {"standard.title", standard->title, "A standard needs a title."},
        {"standard.signed_by", standard->signed_by,
         "A standard is signed: name the leader who declares it."},
        {"standard.why", standard->why, "Say in a sentence why this standard matters."},
        {"standard.example", standard->example, "Give an example of a moment that meets it."},
    };

    if (!is_name(standard->standard_id)) {
        return object(objection, "standard.standard_id",
                      "A standard_id is 1 to %d letters, digits, '-', '_' or '.', and begins with "
                      "a letter or digit.",
                      NAME_BYTES_MAX);
    }
    for (size_t i = 0; i < countof(rows); i++) {
        if (is_blank(rows[i].text)) {
            return object(objection, rows[i].field, "%s", rows[i].need);
        }
        if (strlen(rows[i].text) > TEXT_BYTES_MAX) {
            return object(objection, rows[i].field, "At most %d bytes.", TEXT_BYTES_MAX);
        }
    }
    return 0;
}

static int check_names(const char *field, const char *const *names, size_t count,
                       struct objection *objection)
{
    char path[sizeof(objection->field)];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s[%zu]", field, i);
        if (is_blank(names[i])) {
            return object(objection, path, "An empty name applies to nothing.");
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                return object(objection, path, "\"%.80s\" is there twice.", names[i]);
            }
        }
    }
    return 0;
}

static int check_scope(const struct scope *scope, struct objection *objection)
{
    int error = check_names("standard.scope.sites", scope->sites, scope->site_count, objection);

    if (error == 0) {
        error = check_names("standard.scope.queues", scope->queues, scope->queue_count, objection);
    }
    for (size_t i = 0; error == 0 && i < scope->channel_count; i++) {
        if (scope->channels[i] <= 0) {
            error = object(objection, "standard.scope.channels", "An unknown channel.");
        }
    }
    return error;
}

static int check_wow(const struct criterion *criterion, size_t index, struct objection *objection)
{
    if (!criterion->has_wow) {
        return 0;
    }
    if (!isfinite(criterion->wow_value)) {
        return object_criterion(objection, index, "wow_value", "A finite number, please.");
    }
    if (criterion->comparison == EQUAL) {
        return object_criterion(objection, index, "wow_value",
                                "What has to be equal can't be met brilliantly.");
    }
    if (criterion->comparison == AT_MOST ? criterion->wow_value > criterion->value
                                         : criterion->wow_value < criterion->value) {
        return object_criterion(objection, index, "wow_value",
                                "Brilliant has to be at least as good as met.");
    }
    return 0;
}

static int check_measured(const struct criterion *criterion, size_t index,
                          bool (*knows_metric)(const char *metric), struct objection *objection)
{
    if (criterion->kind == CRITERION_OBSERVED) {
        return object_criterion(objection, index, "kind",
                                "Observed criteria can't be published yet; only measured ones.");
    }
    if (criterion->kind != CRITERION_MEASURED) {
        return object_criterion(objection, index, "kind", "Has to be \"measured\".");
    }
    if (!knows_metric(criterion->metric)) {
        return object_criterion(objection, index, "metric", "No such metric can be measured.");
    }
    if (criterion->comparison != AT_MOST && criterion->comparison != AT_LEAST &&
        criterion->comparison != EQUAL) {
        return object_criterion(objection, index, "comparison",
                                "Has to be at_most, at_least or equal.");
    }
    if (!isfinite(criterion->value)) {
        return object_criterion(objection, index, "value", "A finite number, please.");
    }
    return check_wow(criterion, index, objection);
}

static int check_criterion(const struct standard *standard, size_t index,
                           bool (*knows_metric)(const char *metric), struct objection *objection)
{
    const struct criterion *criterion = &standard->criteria[index];

    if (!is_name(criterion->criterion_id)) {
        return object_criterion(objection, index, "criterion_id",
                                "Letters, digits, '-', '_' or '.', please.");
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(standard->criteria[i].criterion_id, criterion->criterion_id) == 0) {
            return object_criterion(objection, index, "criterion_id",
                                    "Two criteria have this criterion_id.");
        }
    }
    if (is_blank(criterion->title) || strlen(criterion->title) > TEXT_BYTES_MAX) {
        return object_criterion(objection, index, "title", "A criterion needs a title.");
    }
    if (!isfinite(criterion->weight) || criterion->weight < 0.0 ||
        criterion->weight > WEIGHT_TOTAL) {
        return object_criterion(objection, index, "weight", "A weight is from 0 to 100.");
    }
    if (criterion->fatal != FATAL_NONE && criterion->fatal != FATAL_WHOLE &&
        criterion->fatal != FATAL_SECTION) {
        return object_criterion(objection, index, "fatal", "Has to be whole or section.");
    }
    return check_measured(criterion, index, knows_metric, objection);
}

static int check_weights(const struct standard *standard, struct objection *objection)
{
    for (size_t i = 0; i < standard->criterion_count; i++) {
        const char *section = standard->criteria[i].section;
        double total = 0.0;

        for (size_t j = 0; j < standard->criterion_count; j++) {
            if (strcmp(standard->criteria[j].section, section) == 0) {
                total += standard->criteria[j].weight;
            }
        }
        if (fabs(total - WEIGHT_TOTAL) > WEIGHT_TOLERANCE) {
            char field[sizeof(objection->field)];

            (void)snprintf(field, sizeof(field), "standard.criteria[%zu].weight", i);
            return object(objection, field,
                          "The weights of section \"%.100s\" total %g; they have to total 100.",
                          section, total);
        }
    }
    return 0;
}

int standard_check(const struct standard *standard, bool (*knows_metric)(const char *metric),
                   struct objection *ret_objection)
{
    int error = check_texts(standard, ret_objection);

    if (error == 0) {
        error = check_scope(&standard->scope, ret_objection);
    }
    if (error == 0 && standard->criterion_count == 0) {
        error = object(ret_objection, "standard.criteria", "A standard needs criteria.");
    }
    if (error == 0 && standard->criterion_count > SCORE_ITEMS_MAX) {
        error = object(ret_objection, "standard.criteria", "At most %d criteria.", SCORE_ITEMS_MAX);
    }
    for (size_t i = 0; error == 0 && i < standard->criterion_count; i++) {
        error = check_criterion(standard, i, knows_metric, ret_objection);
    }
    return error != 0 ? error : check_weights(standard, ret_objection);
}

static int specificity(const struct scope *scope)
{
    return (scope->queue_count > 0 ? NAMES_QUEUE : 0) | (scope->site_count > 0 ? NAMES_SITE : 0) |
           (scope->channel_count > 0 ? NAMES_CHANNEL : 0);
}

static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_channel(const struct scope *scope, int channel)
{
    for (size_t i = 0; i < scope->channel_count; i++) {
        if (scope->channels[i] == channel) {
            return true;
        }
    }
    return false;
}

static bool share_name(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        if (has_name(b, b_count, a[i])) {
            return true;
        }
    }
    return a_count == 0;
}

static bool share_channel(const struct scope *a, const struct scope *b)
{
    for (size_t i = 0; i < a->channel_count; i++) {
        if (has_channel(b, a->channels[i])) {
            return true;
        }
    }
    return a->channel_count == 0;
}

bool standard_ties(const struct standard *a, const struct standard *b)
{
    if (strcmp(a->standard_id, b->standard_id) == 0 || a->is_retired || b->is_retired) {
        return false;
    }
    return specificity(&a->scope) == specificity(&b->scope) &&
           share_name(a->scope.queues, a->scope.queue_count, b->scope.queues,
                      b->scope.queue_count) &&
           share_name(a->scope.sites, a->scope.site_count, b->scope.sites, b->scope.site_count) &&
           share_channel(&a->scope, &b->scope);
}

static bool applies(const struct scope *scope, const struct moment *moment)
{
    return (scope->queue_count == 0 ||
            has_name(scope->queues, scope->queue_count, moment->queue)) &&
           (scope->site_count == 0 || has_name(scope->sites, scope->site_count, moment->site)) &&
           (scope->channel_count == 0 || has_channel(scope, moment->channel));
}

/* Is there a newer version of the same standard that was in effect, too? Its scope then decides,
 * even when it no longer covers the moment. */
static bool is_superseded(const struct standard *standards, size_t count,
                          const struct standard *standard, int64_t at)
{
    for (size_t i = 0; i < count; i++) {
        if (standards[i].version > standard->version && standards[i].effective_at <= at &&
            strcmp(standards[i].standard_id, standard->standard_id) == 0) {
            return true;
        }
    }
    return false;
}

static const struct standard *find_version(const struct standard *standards, size_t count,
                                           const char *standard_id, uint32_t version)
{
    for (size_t i = 0; i < count; i++) {
        if (standards[i].version == version && strcmp(standards[i].standard_id, standard_id) == 0) {
            return &standards[i];
        }
    }
    return NULL;
}

const struct standard *standard_choose(const struct standard *standards, size_t count,
                                       const struct moment *moment, int64_t at,
                                       const char *pinned_id, uint32_t pinned_version)
{
    const struct standard *best = NULL, *pinned;

    for (size_t i = 0; i < count; i++) {
        const struct standard *standard = &standards[i];

        if (standard->is_retired || standard->effective_at > at ||
            !applies(&standard->scope, moment) || is_superseded(standards, count, standard, at)) {
            continue;
        }
        if (best == NULL || specificity(&standard->scope) > specificity(&best->scope)) {
            best = standard;
        }
    }
    if (best == NULL || strcmp(best->standard_id, pinned_id) != 0) {
        return best;
    }
    pinned = find_version(standards, count, pinned_id, pinned_version);
    return pinned != NULL ? pinned : best;
}
