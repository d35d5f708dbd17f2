/* score - answers x criteria -> raw, final and critical score: one pure function.
 *
 *   raw       100 x sum(weight x earned) / sum(weight x possible) over the applicable items.
 *   final     raw after fatal items: one that is not at its best answer makes the whole 0, or takes
 *             away what its section earned.
 *   critical  the same as raw over the critical items alone.
 *
 * An item that is not applicable leaves both sums (its weight goes to the others in proportion).
 * With nothing applicable, or no weight in what is, a score is unknown: never 0 and never 100. The
 * order of the items does not matter. Allocates nothing; thread safe. */
#ifndef MOMENT_FEEDBACK_SCORE_H
#define MOMENT_FEEDBACK_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCORE_ITEMS_MAX 130

enum fatal_scope { FATAL_NONE, FATAL_WHOLE, FATAL_SECTION };

struct score_item {
    double weight;   /* >= 0 */
    double earned;   /* 0 .. possible */
    double possible; /* > 0: the best answer */
    uint32_t section;
    enum fatal_scope fatal;
    bool critical;
    bool wow; /* met brilliantly */
    bool not_applicable;
};

struct score {
    bool is_known, is_critical_known;
    double raw, final, critical; /* 0 .. 100 */
    /* Indexes into the items: fatal ones not at their best answer, and brilliant ones. */
    uint16_t fatal_items[SCORE_ITEMS_MAX];
    size_t fatal_count;
    uint16_t wow_items[SCORE_ITEMS_MAX];
    size_t wow_count;
};

/* count <= SCORE_ITEMS_MAX. */
void score(const struct score_item *items, size_t count, struct score *ret_score);

#endif
