/* standard - see the header. What is checked is in standard_check.c. */
#include "feedback/rules/standard.h"

#include <string.h>

enum { NAMES_DIRECTION = 1, NAMES_CHANNEL = 2, NAMES_SITE = 4, NAMES_QUEUE = 8 };

static int specificity(const struct scope *scope)
{
    return (scope->queue_count > 0 ? NAMES_QUEUE : 0) | (scope->site_count > 0 ? NAMES_SITE : 0) |
           (scope->channel_count > 0 ? NAMES_CHANNEL : 0) |
           (scope->direction_count > 0 ? NAMES_DIRECTION : 0);
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

static bool has_number(const int *numbers, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == number) {
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

static bool share_number(const int *a, size_t a_count, const int *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        if (has_number(b, b_count, a[i])) {
            return true;
        }
    }
    return a_count == 0;
}

bool standard_ties(const struct standard *a, const struct standard *b)
{
    const struct scope *one = &a->scope, *other = &b->scope;

    if (strcmp(a->standard_id, b->standard_id) == 0 || a->retired_at != 0 || b->retired_at != 0) {
        return false;
    }
    return specificity(one) == specificity(other) &&
           share_name(one->queues, one->queue_count, other->queues, other->queue_count) &&
           share_name(one->sites, one->site_count, other->sites, other->site_count) &&
           share_number(one->channels, one->channel_count, other->channels, other->channel_count) &&
           share_number(one->directions, one->direction_count, other->directions,
                        other->direction_count);
}

static bool applies(const struct scope *scope, const struct moment *moment)
{
    return (scope->queue_count == 0 ||
            has_name(scope->queues, scope->queue_count, moment->queue)) &&
           (scope->site_count == 0 || has_name(scope->sites, scope->site_count, moment->site)) &&
           (scope->channel_count == 0 ||
            has_number(scope->channels, scope->channel_count, moment->channel)) &&
           (scope->direction_count == 0 ||
            has_number(scope->directions, scope->direction_count, moment->direction));
}

bool standard_is_canary(const struct standard *standard)
{
    return standard->canary_site_count > 0 && standard->rolled_out_at == 0;
}

/* In effect, and no canary elsewhere. Whether it is retired is another question: a retired version
 * does not let the one before it rise again. */
static bool is_in_effect(const struct standard *standard, const char *site, int64_t at)
{
    return standard->effective_at <= at &&
           (standard->canary_site_count == 0 ||
            (standard->rolled_out_at != 0 && standard->rolled_out_at <= at) ||
            has_name(standard->canary_sites, standard->canary_site_count, site));
}

/* Is there a newer version of the same standard that was in effect there, too? Its scope then
 * decides, even when it no longer covers the moment. */
static bool is_superseded(const struct standard *standards, size_t count,
                          const struct standard *standard, const char *site, int64_t at)
{
    for (size_t i = 0; i < count; i++) {
        if (standards[i].version > standard->version && is_in_effect(&standards[i], site, at) &&
            strcmp(standards[i].standard_id, standard->standard_id) == 0) {
            return true;
        }
    }
    return false;
}

bool standard_is_live(const struct standard *standards, size_t count,
                      const struct standard *standard, int64_t at)
{
    /* No site has an empty name: so only what is in effect everywhere supersedes here. */
    return standard->retired_at == 0 && !is_superseded(standards, count, standard, "", at);
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

static bool is_retired(const struct standard *standard, int64_t at)
{
    return standard->retired_at != 0 && at > standard->retired_at;
}

const struct standard *standard_choose(const struct standard *standards, size_t count,
                                       const struct moment *moment, int64_t at,
                                       const char *pinned_id, uint32_t pinned_version)
{
    const struct standard *best = NULL, *pinned;

    for (size_t i = 0; i < count; i++) {
        const struct standard *standard = &standards[i];

        if (is_retired(standard, at) || !is_in_effect(standard, moment->site, at) ||
            !applies(&standard->scope, moment) ||
            is_superseded(standards, count, standard, moment->site, at)) {
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
