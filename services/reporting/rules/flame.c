#include "reporting/rules/flame.h"

#define DAY_US (INT64_C(86400) * 1000000)

static struct date first_day(enum flame_step step, struct date date)
{
    return step == FLAME_WEEK ? date_monday(date) : date_month(date);
}

static struct date next_first(enum flame_step step, struct date first)
{
    return step == FLAME_WEEK ? date_add(first, 7) : date_next_month(first);
}

static struct date oldest(struct zone *zone, enum flame_step step, size_t periods, int64_t now)
{
    struct date first = first_day(step, zone_civil(zone, now).date);

    for (size_t i = 1; i < periods; i++)
        first = first_day(step, date_add(first, -1));
    return first;
}

int64_t flame_begin(struct zone *zone, enum flame_step step, size_t periods, int64_t now)
{
    return zone_instant(zone, oldest(zone, step, periods, now), 0);
}

static uint32_t promised_on(const struct flame_question *question, struct date day)
{
    for (size_t i = 0; i < question->promise_count; i++) {
        const struct promise *promise = &question->promises[i];

        if (date_compare(promise->from, day) <= 0 &&
            (promise->until.year == 0 || date_compare(day, promise->until) <= 0))
            return promise->times;
    }
    return 0;
}

static uint32_t acts_within(const struct flame_question *question, int64_t from, int64_t end)
{
    uint32_t count = 0;

    for (size_t i = 0; i < question->act_count; i++)
        count += question->acts[i] >= from && question->acts[i] < end;
    return count;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The longest time without an act in [from, until). */
static double longest_gap(const struct flame_question *question, int64_t from, int64_t until)
{
    int64_t last = from, longest = 0;

    for (size_t i = 0; i < question->act_count && question->acts[i] < until; i++) {
        if (question->acts[i] < from)
            continue;
        if (question->acts[i] - last > longest)
            longest = question->acts[i] - last;
        last = question->acts[i];
    }
    if (until - last > longest)
        longest = until - last;
    return (double)longest / (double)DAY_US;
}

static void look_at(struct zone *zone, const struct flame_question *question, struct flame *flame)
{
    struct date first = oldest(zone, question->step, question->periods, question->now);

    for (size_t i = 0; i < question->periods; i++) {
        struct flame_period *period = &flame->periods[flame->period_count++];
        struct date next = next_first(question->step, first);

        period->from = first;
        period->to = date_add(next, -1);
        period->from_at = zone_instant(zone, first, 0);
        period->end_at = zone_instant(zone, next, 0);
        period->promised = promised_on(question, first);
        period->kept = acts_within(question, period->from_at, period->end_at);
        period->is_over = period->end_at <= question->now;
        first = next;
    }
}

static void sum_up(struct flame *flame)
{
    for (size_t i = 0; i < flame->period_count; i++) {
        const struct flame_period *period = &flame->periods[i];
        uint32_t kept = least(period->kept, period->promised);
        double share;

        if (!period->is_over || period->promised == 0)
            continue;
        flame->promised += period->promised;
        flame->kept += kept;
        share = (double)kept / period->promised;
        flame->ewma =
            flame->has_ewma ? FLAME_LAMBDA * share + (1 - FLAME_LAMBDA) * flame->ewma : share;
        flame->has_ewma = true;
    }
}

/* From the first promised day to the last, or now. */
static void measure_gap(const struct flame_question *question, struct flame *flame)
{
    int64_t from = 0, until = 0;

    for (size_t i = 0; i < flame->period_count; i++) {
        const struct flame_period *period = &flame->periods[i];

        if (period->promised == 0 || period->from_at >= question->now)
            continue;
        if (!flame->has_gap)
            from = period->from_at;
        flame->has_gap = true;
        until = period->is_over ? period->end_at : question->now;
    }
    if (flame->has_gap)
        flame->longest_gap_days = longest_gap(question, from, until);
}

void flame_compute(struct zone *zone, const struct flame_question *question,
                   struct flame *ret_flame)
{
    *ret_flame = (struct flame){0};
    look_at(zone, question, ret_flame);
    sum_up(ret_flame);
    measure_gap(question, ret_flame);
}
