#include "reporting/figures_json.h"

static json_t *known(bool has_value, double value)
{
    return has_value ? json_real(value) : json_null();
}

json_t *counts_json(const struct counts *c)
{
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:I,s:I,s:I}",
        "offered", (json_int_t)c->offered, "answered", (json_int_t)c->answered, "abandoned",
        (json_int_t)c->abandoned, "left_otherwise", (json_int_t)c->left_otherwise, "open",
        (json_int_t)c->open, "answered_within", (json_int_t)c->answered_within, "abandoned_within",
        (json_int_t)c->abandoned_within, "short_abandoned", (json_int_t)c->short_abandoned,
        "handled", (json_int_t)c->handled, "wait_answered_n", (json_int_t)c->wait_answered_n,
        "wait_answered_ms", (json_int_t)c->wait_answered_ms, "wait_longest_ms",
        (json_int_t)c->wait_longest_ms, "talk_ms", (json_int_t)c->talk_ms, "hold_ms",
        (json_int_t)c->hold_ms, "wrap_ms", (json_int_t)c->wrap_ms, "csat_n", (json_int_t)c->csat_n,
        "csat_sum", c->csat_sum, "csat_satisfied", (json_int_t)c->csat_satisfied, "holds",
        (json_int_t)c->holds, "transfers", (json_int_t)c->transfers);
}

json_t *share_json(struct share share, const char *definition)
{
    return json_pack("{s:o,s:I,s:o,s:o,s:s}", "value", known(share.has_value, share.value), "n",
                     (json_int_t)share.n, "low", known(share.has_value, share.low), "high",
                     known(share.has_value, share.high), "definition", definition);
}

static json_t *mean_json(struct mean mean, const char *definition)
{
    return json_pack("{s:o,s:I,s:s}", "value", known(mean.has_value, mean.value), "n",
                     (json_int_t)mean.n, "definition", definition);
}

struct share service_level_share(const struct counts *counts, const struct figure_choice *choice)
{
    struct ratio ratio = service_level_of(choice->definition, counts, &choice->switches);

    return share_of(ratio.part, ratio.whole);
}

json_t *figures_json(const struct counts *counts, const struct figure_choice *choice)
{
    return json_pack(
        "{s:o,s:o,s:o,s:o,s:o}", "service_level",
        share_json(service_level_share(counts, choice), service_level_name(choice->definition)),
        "abandon_rate", share_json(figure_abandon_rate(counts), FIGURE_ABANDON_RATE), "csat",
        share_json(figure_csat(counts), FIGURE_CSAT), "asa_ms",
        mean_json(figure_asa(counts), FIGURE_ASA), "aht_ms",
        mean_json(figure_aht(counts), FIGURE_AHT));
}
