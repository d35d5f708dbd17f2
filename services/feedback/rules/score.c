#include "feedback/rules/score.h"

#include <assert.h>
#include <string.h>

struct sums {
    double earned, possible;
};

static bool is_at_best(const struct score_item *item)
{
    return item->earned >= item->possible;
}

static bool is_fatal_failure(const struct score_item *item)
{
    return item->fatal != FATAL_NONE && !item->not_applicable && !is_at_best(item);
}

/* A fatal failure with the scope of its section took this item's section down. */
static bool is_section_lost(const struct score_item *items, size_t count, uint32_t section)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].fatal == FATAL_SECTION && items[i].section == section &&
            is_fatal_failure(&items[i])) {
            return true;
        }
    }
    return false;
}

static void add(struct sums *sums, const struct score_item *item, bool is_lost)
{
    sums->possible += item->weight * item->possible;
    sums->earned += is_lost ? 0.0 : item->weight * item->earned;
}

static bool to_percent(const struct sums *sums, double *ret_percent)
{
    if (sums->possible <= 0.0) {
        return false;
    }
    /* In this order it is never above 100: a share of 1 or less is exact enough for that. */
    *ret_percent = 100.0 * (sums->earned / sums->possible);
    return true;
}

static void note_items(const struct score_item *items, size_t count, struct score *score)
{
    for (size_t i = 0; i < count; i++) {
        if (is_fatal_failure(&items[i])) {
            score->fatal_items[score->fatal_count++] = (uint16_t)i;
        }
        if (items[i].wow && !items[i].not_applicable) {
            score->wow_items[score->wow_count++] = (uint16_t)i;
        }
    }
}

void score(const struct score_item *items, size_t count, struct score *ret_score)
{
    struct sums raw = {0}, final = {0}, critical = {0};
    bool is_whole_lost = false;

    assert(count <= SCORE_ITEMS_MAX);
    memset(ret_score, 0, sizeof(*ret_score));
    note_items(items, count, ret_score);
    for (size_t i = 0; i < count; i++) {
        const struct score_item *item = &items[i];

        if (item->not_applicable) {
            continue;
        }
        assert(item->weight >= 0.0);
        assert(item->possible > 0.0);
        is_whole_lost |= item->fatal == FATAL_WHOLE && !is_at_best(item);
        add(&raw, item, false);
        add(&final, item, is_section_lost(items, count, item->section));
        if (item->critical) {
            add(&critical, item, false);
        }
    }
    ret_score->is_known = to_percent(&raw, &ret_score->raw);
    if (to_percent(&final, &ret_score->final) && is_whole_lost) {
        ret_score->final = 0.0;
    }
    ret_score->is_critical_known = to_percent(&critical, &ret_score->critical);
}
