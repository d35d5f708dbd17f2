/* What is drawn: never more than the quota, by nobody's choice, and nothing is left out. */
#include "feedback/rules/sampling.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static struct zone *zone;

static int set_zone(const char *name)
{
    zone_close(&zone);
    return zone_open(name, &zone);
}

static int set_up(void **state)
{
    (void)state;
    return set_zone("Europe/Berlin");
}

static int tear_down(void **state)
{
    (void)state;
    zone_close(&zone);
    return 0;
}

static int64_t instant(int year, int month, int day, int hour)
{
    return zone_instant(zone, (struct date){year, month, day}, hour * 60);
}

/* --- periods and slots --- */

static void periods_follow_the_clock_of_the_plan(void **state)
{
    struct sampling_span span;

    (void)state;
    /* Clocks are put forward on Sunday 29 March 2026 and back on 25 October. */
    span = sampling_period(zone, SAMPLING_DAY, instant(2026, 3, 29, 12));
    assert_int_equal(span.to - span.from, 23 * HOUR);
    span = sampling_period(zone, SAMPLING_DAY, instant(2026, 10, 25, 12));
    assert_int_equal(span.to - span.from, 25 * HOUR);
    span = sampling_period(zone, SAMPLING_WEEK, instant(2026, 3, 25, 9));
    assert_int_equal(span.from, instant(2026, 3, 23, 0));
    assert_int_equal(span.to, instant(2026, 3, 30, 0));
    assert_int_equal(span.to - span.from, 7 * DAY - HOUR);
    span = sampling_period(zone, SAMPLING_MONTH, instant(2026, 12, 31, 23));
    assert_int_equal(span.from, instant(2026, 12, 1, 0));
    assert_int_equal(span.to, instant(2027, 1, 1, 0));
}

static void periods_leave_no_gap(void **state)
{
    static const enum sampling_kind kinds[] = {SAMPLING_DAY, SAMPLING_WEEK, SAMPLING_MONTH};

    (void)state;
    for (size_t i = 0; i < countof(kinds); i++) {
        struct sampling_span span = sampling_period(zone, kinds[i], instant(2026, 1, 1, 5));

        for (int n = 0; n < 400; n++) {
            struct sampling_span next = sampling_after(zone, kinds[i], &span);
            struct sampling_span back = sampling_before(zone, kinds[i], &next);

            assert_int_equal(next.from, span.to);
            assert_int_equal(back.from, span.from);
            assert_int_equal(back.to, span.to);
            span = next;
        }
    }
}

static void slots_open_evenly_and_the_first_at_once(void **state)
{
    struct sampling_span span = {.from = 1000, .to = 1400};

    (void)state;
    assert_int_equal(sampling_due(&span, 4, 999), 0);
    assert_int_equal(sampling_due(&span, 4, 1000), 1);
    assert_int_equal(sampling_due(&span, 4, 1099), 1);
    assert_int_equal(sampling_due(&span, 4, 1100), 2);
    assert_int_equal(sampling_due(&span, 4, 1300), 4);
    assert_int_equal(sampling_due(&span, 4, 1399), 4);
    assert_int_equal(sampling_opens_at(&span, 4, 3), 1300);
    assert_int_equal(sampling_due(&span, 1, 1000), 1);
}

/* --- draws --- */

#define MOMENTS_MAX 1000

static struct sampling_candidate moments[MOMENTS_MAX];
static char moment_ids[MOMENTS_MAX][24];

static void make_moments(size_t count, int64_t from, int64_t step)
{
    assert_true(count <= MOMENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(moment_ids[i], sizeof(moment_ids[i]), "m-%zu", i);
        moments[i] = (struct sampling_candidate){.moment_id = moment_ids[i],
                                                 .ended_at = from + (int64_t)i * step};
    }
}

static struct sampling_slot slot_at(const char *seed, int64_t since, int64_t opens)
{
    return (struct sampling_slot){
        .seed = seed, .person_id = "p-nora", .since_at = since, .opens_at = opens};
}

static void the_same_seed_draws_the_same(void **state)
{
    struct sampling_slot slot = slot_at("a", 0, DAY);
    const struct sampling_candidate *first, *again;

    (void)state;
    make_moments(100, 1, MINUTE);
    first = sampling_draw(&slot, moments, 100);
    assert_non_null(first);
    assert_true(first->is_drawn);
    /* In whatever order they come. */
    const char *drawn = first->moment_id;
    make_moments(100, 1, MINUTE);
    for (size_t i = 0; i < 50; i++) {
        struct sampling_candidate other = moments[i];

        moments[i] = moments[99 - i];
        moments[99 - i] = other;
    }
    again = sampling_draw(&slot, moments, 100);
    assert_string_equal(again->moment_id, drawn);
}

/* How many of 40 variants draw what the plain slot draws. */
static size_t count_equal(void (*vary)(struct sampling_slot *slot, size_t i))
{
    static char seeds[40][24];
    size_t equal = 0;

    for (size_t i = 0; i < 40; i++) {
        struct sampling_slot plain = slot_at("a", 0, DAY), slot = plain;
        const char *drawn;

        snprintf(seeds[i], sizeof(seeds[i]), "v%zu", i);
        slot.person_id = seeds[i];
        plain.person_id = seeds[i];
        vary(&slot, i);
        make_moments(100, 1, MINUTE);
        drawn = sampling_draw(&plain, moments, 100)->moment_id;
        make_moments(100, 1, MINUTE);
        equal += strcmp(sampling_draw(&slot, moments, 100)->moment_id, drawn) == 0;
    }
    return equal;
}

static void vary_nothing(struct sampling_slot *slot, size_t i)
{
    (void)slot;
    (void)i;
}

static void vary_seed(struct sampling_slot *slot, size_t i)
{
    (void)i;
    slot->seed = "b";
}

static void vary_period(struct sampling_slot *slot, size_t i)
{
    slot->period_from = (int64_t)i + 1;
}

static void vary_slot(struct sampling_slot *slot, size_t i)
{
    slot->slot = (uint32_t)i + 1;
}

static void vary_person(struct sampling_slot *slot, size_t i)
{
    (void)i;
    slot->person_id = "p-omar";
}

static void another_seed_period_slot_or_person_draws_others(void **state)
{
    (void)state;
    assert_int_equal(count_equal(vary_nothing), 40);
    assert_in_range(count_equal(vary_seed), 0, 4);
    assert_in_range(count_equal(vary_period), 0, 4);
    assert_in_range(count_equal(vary_slot), 0, 4);
    assert_in_range(count_equal(vary_person), 0, 4);
}

static void nothing_is_drawn_twice(void **state)
{
    struct sampling_slot slot = slot_at("a", 0, DAY);
    const struct sampling_candidate *drawn[5];

    (void)state;
    make_moments(5, 1, MINUTE);
    for (size_t i = 0; i < 5; i++) {
        drawn[i] = sampling_draw(&slot, moments, 5);
        assert_non_null(drawn[i]);
        for (size_t j = 0; j < i; j++) {
            assert_ptr_not_equal(drawn[i], drawn[j]);
        }
    }
    assert_null(sampling_draw(&slot, moments, 5));
}

static void what_ended_before_the_window_is_no_candidate(void **state)
{
    struct sampling_slot slot = slot_at("a", 10 * MINUTE, 20 * MINUTE);

    (void)state;
    make_moments(10, 0, MINUTE);
    assert_null(sampling_draw(&slot, moments, 10));
    make_moments(11, 0, MINUTE);
    assert_ptr_equal(sampling_draw(&slot, moments, 11), &moments[10]);
}

static void where_nothing_had_ended_the_first_that_ends_is_drawn(void **state)
{
    struct sampling_slot slot = slot_at("a", 0, 10 * MINUTE);

    (void)state;
    make_moments(20, 10 * MINUTE, MINUTE);
    moments[0].is_drawn = true;
    assert_ptr_equal(sampling_draw(&slot, moments, 20), &moments[1]);
    make_moments(20, 10 * MINUTE, MINUTE);
    moments[19].ended_at = 10 * MINUTE - 1; /* had ended when the slot opened */
    assert_ptr_equal(sampling_draw(&slot, moments, 20), &moments[19]);
}

/* --- a person's year, played --- */

struct play {
    enum sampling_kind kind;
    uint32_t quota;
    const char *seed;
    size_t drawn[2000]; /* by period since the first one */
    size_t periods;
    bool is_drawn[10000]; /* by moment: one each hour */
};

static char hour_ids[10000][24];

/* One draw of the period under way, if it is due. */
static void draw_once(struct play *play, const struct sampling_span *span, int64_t start,
                      int64_t now, size_t *drawn)
{
    struct sampling_span before = sampling_before(zone, play->kind, span);
    struct sampling_slot slot = {.seed = play->seed,
                                 .person_id = "p-nora",
                                 .period_from = span->from,
                                 .slot = (uint32_t)*drawn};
    static struct sampling_candidate candidates[1600];
    struct sampling_candidate *found;
    size_t count = 0;

    if (*drawn >= sampling_due(span, play->quota, now)) {
        return;
    }
    slot.opens_at = sampling_opens_at(span, play->quota, slot.slot);
    slot.since_at = sampling_opens_at(&before, play->quota, slot.slot);
    for (int64_t hour = (now - start) / HOUR; hour >= 0 && start + hour * HOUR >= slot.since_at;
         hour--) {
        if (!play->is_drawn[hour]) {
            candidates[count++] = (struct sampling_candidate){.moment_id = hour_ids[hour],
                                                              .ended_at = start + hour * HOUR};
        }
    }
    found = sampling_draw(&slot, candidates, count);
    if (found != NULL) {
        (*drawn)++;
        play->is_drawn[(found->ended_at - start) / HOUR] = true;
    }
}

/* A moment ends each hour; the plan is looked at each hour and a bit. */
static void play_year(struct play *play)
{
    int64_t start = instant(2026, 1, 1, 0);
    struct sampling_span span = sampling_period(zone, play->kind, start);

    for (size_t i = 0; i < countof(hour_ids); i++) {
        snprintf(hour_ids[i], sizeof(hour_ids[i]), "h%zu", i);
    }
    for (int64_t now = start; now < start + 365 * DAY; now += HOUR + 7 * MINUTE) {
        while (now >= span.to) {
            span = sampling_after(zone, play->kind, &span);
            play->periods++;
        }
        draw_once(play, &span, start, now, &play->drawn[play->periods]);
    }
}

static void the_quota_is_met_and_never_passed_in_any_zone(void **state)
{
    static const char *const zones[] = {"Europe/Berlin",       "America/New_York", "Asia/Kolkata",
                                        "Australia/Lord_Howe", "Pacific/Apia",     "UTC"};
    static struct play play;

    (void)state;
    for (size_t i = 0; i < countof(zones); i++) {
        for (int kind = SAMPLING_DAY; kind <= SAMPLING_MONTH; kind++) {
            assert_int_equal(set_zone(zones[i]), 0);
            play = (struct play){
                .kind = (enum sampling_kind)kind, .quota = 1 + (uint32_t)i, .seed = "s"};
            play_year(&play);
            /* The year begins within the first week, and ends within the last. */
            for (size_t period = 1; period < play.periods; period++) {
                assert_int_equal(play.drawn[period], play.quota);
            }
            assert_true(play.drawn[0] <= play.quota);
        }
    }
}

static void every_weekday_and_hour_has_its_chance(void **state)
{
    static struct play play;
    size_t weekdays[8] = {0}, hours[24] = {0}, total = 0;
    char seed[16];
    int64_t start;

    (void)state;
    assert_int_equal(set_zone("America/New_York"), 0);
    start = instant(2026, 1, 1, 0);
    for (int n = 0; n < 30; n++) {
        snprintf(seed, sizeof(seed), "s%d", n);
        play = (struct play){.kind = SAMPLING_WEEK, .quota = 2, .seed = seed};
        play_year(&play);
        for (size_t i = 0; i < 365 * 24; i++) {
            struct civil civil = zone_civil(zone, start + (int64_t)i * HOUR);

            weekdays[civil.weekday] += play.is_drawn[i];
            hours[civil.minute / 60] += play.is_drawn[i];
            total += play.is_drawn[i];
        }
    }
    assert_in_range(total, 30 * 104, 30 * 106);
    /* Some 450 of each weekday and 130 of each hour: five standard deviations to each side. */
    for (size_t i = 1; i <= 7; i++) {
        assert_in_range(weekdays[i], 350, 550);
    }
    for (size_t i = 0; i < 24; i++) {
        assert_in_range(hours[i], 75, 190);
    }
}

static void each_moment_of_a_week_can_be_drawn(void **state)
{
    bool was_drawn[7 * 24] = {false};
    char seed[16];

    (void)state;
    for (int n = 0; n < 1500; n++) {
        struct sampling_slot slot;

        snprintf(seed, sizeof(seed), "s%d", n);
        slot = slot_at(seed, 0, 7 * DAY);
        make_moments(7 * 24, 0, HOUR);
        was_drawn[sampling_draw(&slot, moments, 7 * 24)->ended_at / HOUR] = true;
    }
    for (size_t i = 0; i < 7 * 24; i++) {
        assert_true(was_drawn[i]);
    }
}

/* --- debt --- */

static void debt_counts_whole_days_and_never_is_the_greatest(void **state)
{
    int64_t now = instant(2026, 5, 6, 9);

    (void)state;
    assert_int_equal(sampling_debt(0, now), SAMPLING_NEVER);
    assert_int_equal(sampling_debt(now, now), 0);
    assert_int_equal(sampling_debt(now + 1, now), 0);
    assert_int_equal(sampling_debt(now - DAY + 1, now), 0);
    assert_int_equal(sampling_debt(now - DAY, now), 1);
    assert_int_equal(sampling_debt(now - 19 * DAY, now), 19);
}

static void the_queue_begins_with_the_newest_day_and_its_greatest_debt(void **state)
{
    int64_t monday = instant(2026, 5, 4, 22), tuesday = instant(2026, 5, 5, 5);

    (void)state;
    assert_true(sampling_rank(tuesday, 0) > sampling_rank(monday, SAMPLING_NEVER));
    assert_true(sampling_rank(monday, 19) > sampling_rank(monday, 18));
    assert_true(sampling_rank(monday, SAMPLING_NEVER) > sampling_rank(monday, 9999));
    assert_true(sampling_rank(monday - 10 * HOUR, 2) > sampling_rank(monday, 1));
}

/* --- a plan --- */

static const char *const channel_names[] = {"", "voice", "chat"};

static struct sampling_plan plan(void)
{
    return (struct sampling_plan){.plan_id = "weekly",
                                  .title = "Two a week",
                                  .quota = 2,
                                  .kind = SAMPLING_WEEK,
                                  .time_zone = "Europe/Berlin",
                                  .seed = ""};
}

static void check(const struct sampling_plan *checked, const char *field)
{
    struct objection objection = {0};
    int error = sampling_check(checked, 3, &objection);

    assert_string_equal(objection.field, field);
    assert_int_equal(error, field[0] != '\0' ? -EINVAL : 0);
    assert_int_equal(objection.detail[0] != '\0', field[0] != '\0');
}

static void each_field_of_a_plan_is_checked(void **state)
{
    static const char *const empty[] = {"lyon", ""};
    static const int channels[] = {1, 3};
    struct sampling_plan checked;

    (void)state;
#define CHECK(change, field)                                                                       \
    checked = plan();                                                                              \
    checked.change;                                                                                \
    check(&checked, field)
    CHECK(quota = 20, "");
    CHECK(quota = 21, "plan.quota");
    CHECK(quota = 0, "plan.quota");
    CHECK(kind = 0, "plan.period");
    CHECK(kind = 4, "plan.period");
    CHECK(time_zone = "Mars/Base", "plan.time_zone");
    CHECK(time_zone = "", "plan.time_zone");
    CHECK(plan_id = "", "plan_id");
    CHECK(plan_id = "a b", "plan_id");
    CHECK(title = " ", "plan.title");
    CHECK(seed = "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé", "");
    CHECK(seed = "1234567890123456789012345678901234567890123456789012345678901234", "");
    CHECK(seed = "12345678901234567890123456789012345678901234567890123456789012345", "plan.seed");
    CHECK(talk_at_least_ms = 86400000, "");
    CHECK(talk_at_least_ms = 86400001, "plan.talk_at_least_ms");
    CHECK(talk_at_most_ms = 86400001, "plan.talk_at_most_ms");
#undef CHECK
    checked = plan();
    checked.talk_at_least_ms = 2000;
    checked.talk_at_most_ms = 1999;
    check(&checked, "plan.talk_at_most_ms");
    checked = plan();
    checked.sites = empty;
    checked.site_count = 2;
    check(&checked, "plan.sites");
    checked = plan();
    checked.teams = empty;
    checked.team_count = 51;
    check(&checked, "plan.teams");
    checked = plan();
    checked.channels = channels;
    checked.channel_count = 1;
    check(&checked, "");
    checked.channel_count = 2;
    check(&checked, "plan.channels");
}

static void filters_are_told_in_a_sentence(void **state)
{
    static const char *const sites[] = {"lyon", "pune"}, *const queues[] = {"sales"};
    static const int channels[] = {1, 2};
    char text[SAMPLING_FILTERS_SIZE];
    struct sampling_plan told = plan();

    (void)state;
    assert_string_equal(sampling_filters(&told, channel_names, text), "every moment");
    told.sites = sites;
    told.site_count = 2;
    told.queues = queues;
    told.queue_count = 1;
    told.channels = channels;
    told.channel_count = 2;
    told.talk_at_least_ms = 30000;
    told.talk_at_most_ms = 600500;
    assert_string_equal(sampling_filters(&told, channel_names, text),
                        "sites lyon, pune; queues sales; channels voice, chat; talked at least 30 "
                        "s; talked at most 600.5 s");
}

static void the_longest_filters_have_room_for_each_kind(void **state)
{
    static char name[STANDARD_NAME_BYTES_MAX + 1];
    const char *names[SAMPLING_NAMES_MAX];
    int channels[SAMPLING_NAMES_MAX];
    char text[SAMPLING_FILTERS_SIZE];
    struct sampling_plan told = plan();

    (void)state;
    for (size_t length = 1; length <= STANDARD_NAME_BYTES_MAX; length++) {
        memset(name, 'x', length);
        for (size_t i = 0; i < SAMPLING_NAMES_MAX; i++) {
            names[i] = name;
            channels[i] = 1;
        }
        told.sites = told.teams = told.queues = names;
        told.site_count = told.team_count = told.queue_count = SAMPLING_NAMES_MAX;
        told.channels = channels;
        told.channel_count = SAMPLING_NAMES_MAX;
        told.talk_at_least_ms = told.talk_at_most_ms = 86399999;
        sampling_filters(&told, channel_names, text);
        assert_true(strlen(text) < SAMPLING_FILTERS_SIZE);
        assert_non_null(strstr(text, "sites "));
        assert_non_null(strstr(text, "teams "));
        assert_non_null(strstr(text, "queues "));
        assert_non_null(strstr(text, "channels "));
        assert_non_null(strstr(text, " more; talked at least 86400 s; talked at most 86400 s"));
    }
}

static void a_shortage_says_why(void **state)
{
    char text[SAMPLING_REASON_SIZE];
    struct sampling_shortage shortage = {.quota = 5, .drawn = 3};

    (void)state;
    assert_string_equal(sampling_reason(&shortage, text),
                        "2 of 5 were not drawn: there were no moments.");
    shortage.moments = 12;
    assert_string_equal(sampling_reason(&shortage, text),
                        "2 of 5 were not drawn: none of 12 moments passed the filters.");
    shortage.passed = 4;
    assert_string_equal(
        sampling_reason(&shortage, text),
        "2 of 5 were not drawn: all 4 moments that passed the filters were evaluated or drawn "
        "already.");
    shortage.unseen = 1;
    assert_string_equal(sampling_reason(&shortage, text),
                        "2 of 5 were not drawn: 1 moments came too late, or the service was away.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(periods_follow_the_clock_of_the_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(periods_leave_no_gap, set_up, tear_down),
        cmocka_unit_test(slots_open_evenly_and_the_first_at_once),
        cmocka_unit_test(the_same_seed_draws_the_same),
        cmocka_unit_test(another_seed_period_slot_or_person_draws_others),
        cmocka_unit_test(nothing_is_drawn_twice),
        cmocka_unit_test(what_ended_before_the_window_is_no_candidate),
        cmocka_unit_test(where_nothing_had_ended_the_first_that_ends_is_drawn),
        cmocka_unit_test_setup_teardown(the_quota_is_met_and_never_passed_in_any_zone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_weekday_and_hour_has_its_chance, set_up, tear_down),
        cmocka_unit_test(each_moment_of_a_week_can_be_drawn),
        cmocka_unit_test_setup_teardown(debt_counts_whole_days_and_never_is_the_greatest, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_queue_begins_with_the_newest_day_and_its_greatest_debt,
                                        set_up, tear_down),
        cmocka_unit_test(each_field_of_a_plan_is_checked),
        cmocka_unit_test(filters_are_told_in_a_sentence),
        cmocka_unit_test(the_longest_filters_have_room_for_each_kind),
        cmocka_unit_test(a_shortage_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
