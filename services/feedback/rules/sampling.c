/* sampling - see the header. */
#include "feedback/rules/sampling.h"

#include "base/clock.h"
#include "base/id.h"
#include "feedback/rules/objection.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * US_PER_S)
#define HOUR_MS 3600000
/* One second for each day of debt: ranks stay within their day. */
#define RANK_OF_NEVER 72000

/* --- a plan --- */

static int check_names(const char *field, const char *const *names, size_t count,
                       struct objection *objection)
{
    if (count > SAMPLING_NAMES_MAX) {
        return objection_set(objection, field, "At most %d.", SAMPLING_NAMES_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);

        if (length < 1 || length > STANDARD_NAME_BYTES_MAX) {
            return objection_set(objection, field, "Each has 1 to %d bytes.",
                                 STANDARD_NAME_BYTES_MAX);
        }
    }
    return 0;
}

static int check_lists(const struct sampling_plan *plan, int channels, struct objection *objection)
{
    int error = check_names("plan.sites", plan->sites, plan->site_count, objection);

    if (error == 0) {
        error = check_names("plan.teams", plan->teams, plan->team_count, objection);
    }
    if (error == 0) {
        error = check_names("plan.queues", plan->queues, plan->queue_count, objection);
    }
    if (error == 0 && plan->channel_count > SAMPLING_NAMES_MAX) {
        return objection_set(objection, "plan.channels", "At most %d.", SAMPLING_NAMES_MAX);
    }
    for (size_t i = 0; error == 0 && i < plan->channel_count; i++) {
        if (plan->channels[i] < 1 || plan->channels[i] >= channels) {
            error = objection_set(objection, "plan.channels", "There is no such channel.");
        }
    }
    return error;
}

static int check_zone(const char *name, struct objection *objection)
{
    struct zone *zone;
    int error = zone_open(name, &zone);

    if (error == -ENOENT) {
        return objection_set(objection, "plan.time_zone", "An IANA name, such as Europe/Paris.");
    }
    if (error == 0) {
        zone_close(&zone);
    }
    return error;
}

static int check_numbers(const struct sampling_plan *plan, struct objection *objection)
{
    if (plan->quota < 1 || plan->quota > SAMPLING_QUOTA_MAX) {
        return objection_set(objection, "plan.quota", "1 to %d.", SAMPLING_QUOTA_MAX);
    }
    if (plan->kind < SAMPLING_DAY || plan->kind > SAMPLING_MONTH) {
        return objection_set(objection, "plan.period", "day, week or month.");
    }
    if (plan->talk_at_most_ms != 0 && plan->talk_at_most_ms < plan->talk_at_least_ms) {
        return objection_set(objection, "plan.talk_at_most_ms", "Is less than talk_at_least_ms.");
    }
    if (plan->talk_at_least_ms > 24 * HOUR_MS || plan->talk_at_most_ms > 24 * HOUR_MS) {
        return objection_set(objection,
                             plan->talk_at_least_ms > 24 * HOUR_MS ? "plan.talk_at_least_ms"
                                                                   : "plan.talk_at_most_ms",
                             "At most a day.");
    }
    return 0;
}

int sampling_check(const struct sampling_plan *plan, int channels, struct objection *ret_objection)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(plan->plan_id);
    int error;

    if (length < 1 || length > 64 || strspn(plan->plan_id, letters) != length) {
        return objection_set(ret_objection, "plan_id", "1 to 64 of a-z, A-Z, 0-9, -, _ and .");
    }
    if (text_characters(plan->seed) > SAMPLING_SEED_MAX) {
        return objection_set(ret_objection, "plan.seed", "At most %d characters.",
                             SAMPLING_SEED_MAX);
    }
    error = objection_length(ret_objection, "plan.title", plan->title, 1, SAMPLING_TITLE_MAX);
    if (error == 0) {
        error = check_lists(plan, channels, ret_objection);
    }
    if (error == 0) {
        error = check_numbers(plan, ret_objection);
    }
    return error != 0 ? error : check_zone(plan->time_zone, ret_objection);
}

struct sentence {
    char *text;
    size_t len;
};

/* False: there is no room for it with `spare` bytes to come after it; then nothing is added. */
printf_like(3, 4) static bool say(struct sentence *sentence, size_t spare, const char *format, ...)
{
    size_t room = SAMPLING_FILTERS_SIZE - sentence->len;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(sentence->text + sentence->len, room, format, args);
    va_end(args);
    if ((size_t)len + spare >= room) {
        sentence->text[sentence->len] = '\0';
        return false;
    }
    sentence->len += (size_t)len;
    return true;
}

static void begin_part(struct sentence *sentence)
{
    if (sentence->len > 0) {
        (void)say(sentence, 0, "; ");
    }
}

/* Of the four lists none may take so much that nothing is said of the others. */
#define SAY_END 16

static void say_list(struct sentence *sentence, const char *what, const char *const *names,
                     size_t count, size_t end)
{
    if (count == 0) {
        return;
    }
    begin_part(sentence);
    (void)say(sentence, 0, "%s ", what);
    for (size_t i = 0; i < count; i++) {
        if (sentence->len + strlen(names[i]) + 2 > end) {
            (void)say(sentence, 0, "%sand %zu more", i == 0 ? "" : " ", count - i);
            return;
        }
        (void)say(sentence, SAY_END, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
}

const char *sampling_filters(const struct sampling_plan *plan, const char *const *channel_names,
                             char text[SAMPLING_FILTERS_SIZE])
{
    struct sentence sentence = {.text = text};
    const char *names[SAMPLING_NAMES_MAX];

    text[0] = '\0';
    for (size_t i = 0; i < plan->channel_count; i++) {
        names[i] = channel_names[plan->channels[i]];
    }
    say_list(&sentence, "sites", plan->sites, plan->site_count, 110);
    say_list(&sentence, "teams", plan->teams, plan->team_count, 220);
    say_list(&sentence, "queues", plan->queues, plan->queue_count, 330);
    say_list(&sentence, "channels", names, plan->channel_count, 420);
    if (plan->talk_at_least_ms != 0) {
        begin_part(&sentence);
        (void)say(&sentence, 0, "talked at least %.6g s", plan->talk_at_least_ms / 1000.0);
    }
    if (plan->talk_at_most_ms != 0) {
        begin_part(&sentence);
        (void)say(&sentence, 0, "talked at most %.6g s", plan->talk_at_most_ms / 1000.0);
    }
    if (sentence.len == 0) {
        (void)say(&sentence, 0, "every moment");
    }
    return text;
}

/* --- its periods --- */

struct sampling_span sampling_period(struct zone *zone, enum sampling_kind kind, int64_t at)
{
    struct sampling_span span;
    struct date first;

    switch (kind) {
    case SAMPLING_WEEK:
        span.from = zone_week_start(zone, at);
        first = date_monday(zone_civil(zone, at).date);
        span.to = zone_instant(zone, date_add(first, 7), 0);
        break;
    case SAMPLING_MONTH:
        span.from = zone_month_start(zone, at);
        first = date_month(zone_civil(zone, at).date);
        span.to = zone_instant(zone, date_next_month(first), 0);
        break;
    case SAMPLING_DAY:
    case SAMPLING_UNKNOWN:
    default:
        span.from = zone_day_start(zone, at);
        span.to = zone_instant(zone, date_add(zone_civil(zone, at).date, 1), 0);
        break;
    }
    return span;
}

struct sampling_span sampling_before(struct zone *zone, enum sampling_kind kind,
                                     const struct sampling_span *span)
{
    return sampling_period(zone, kind, span->from - 1);
}

struct sampling_span sampling_after(struct zone *zone, enum sampling_kind kind,
                                    const struct sampling_span *span)
{
    return sampling_period(zone, kind, span->to);
}

int64_t sampling_opens_at(const struct sampling_span *span, uint32_t quota, uint32_t slot)
{
    return span->from + (span->to - span->from) * (int64_t)slot / (int64_t)quota;
}

uint32_t sampling_due(const struct sampling_span *span, uint32_t quota, int64_t now)
{
    uint32_t due = 0;

    while (due < quota && sampling_opens_at(span, quota, due) <= now) {
        due++;
    }
    return due;
}

/* --- a draw --- */

static struct id hash_of(const struct sampling_slot *slot, const char *moment_id)
{
    char period[24], number[12];
    const char *const parts[] = {"sampling", slot->seed,      period,
                                 number,     slot->person_id, moment_id};

    (void)snprintf(period, sizeof(period), "%lld", (long long)slot->period_from);
    (void)snprintf(number, sizeof(number), "%u", slot->slot);
    return id_of(parts, countof(parts));
}

/* Earlier, and by the hash where both are of the same instant. */
static bool is_sooner(const struct sampling_slot *slot, const struct sampling_candidate *a,
                      const struct sampling_candidate *b)
{
    struct id of_a, of_b;

    if (a->ended_at != b->ended_at) {
        return a->ended_at < b->ended_at;
    }
    of_a = hash_of(slot, a->moment_id);
    of_b = hash_of(slot, b->moment_id);
    return memcmp(&of_a, &of_b, sizeof(of_a)) < 0;
}

struct sampling_candidate *sampling_draw(const struct sampling_slot *slot,
                                         struct sampling_candidate *candidates, size_t count)
{
    struct sampling_candidate *drawn = NULL, *first_after = NULL;
    struct id lowest = {{0}};

    for (size_t i = 0; i < count; i++) {
        struct sampling_candidate *candidate = &candidates[i];
        struct id hash;

        if (candidate->is_drawn || candidate->ended_at < slot->since_at) {
            continue;
        }
        if (candidate->ended_at >= slot->opens_at) {
            if (first_after == NULL || is_sooner(slot, candidate, first_after)) {
                first_after = candidate;
            }
            continue;
        }
        hash = hash_of(slot, candidate->moment_id);
        if (drawn == NULL || memcmp(&hash, &lowest, sizeof(hash)) < 0) {
            drawn = candidate;
            lowest = hash;
        }
    }
    drawn = drawn != NULL ? drawn : first_after;
    if (drawn != NULL) {
        drawn->is_drawn = true;
    }
    return drawn;
}

int32_t sampling_debt(int64_t last_at, int64_t now)
{
    if (last_at == 0) {
        return SAMPLING_NEVER;
    }
    return last_at < now ? (int32_t)((now - last_at) / DAY_US) : 0;
}

int64_t sampling_rank(int64_t drawn_at, int32_t debt_days)
{
    int64_t rank = debt_days;

    if (debt_days < 0 || debt_days > RANK_OF_NEVER) {
        rank = RANK_OF_NEVER;
    }
    return drawn_at - drawn_at % DAY_US + rank * US_PER_S;
}

/* --- what was not drawn --- */

const char *sampling_reason(const struct sampling_shortage *shortage,
                            char text[SAMPLING_REASON_SIZE])
{
    char why[SAMPLING_REASON_SIZE / 2];

    if (shortage->moments == 0) {
        (void)snprintf(why, sizeof(why), "there were no moments");
    } else if (shortage->passed == 0) {
        (void)snprintf(why, sizeof(why), "none of %lld moments passed the filters",
                       (long long)shortage->moments);
    } else if (shortage->unseen == 0) {
        (void)snprintf(why, sizeof(why),
                       "all %lld moments that passed the filters were evaluated or drawn already",
                       (long long)shortage->passed);
    } else {
        (void)snprintf(why, sizeof(why), "%lld moments came too late, or the service was away",
                       (long long)shortage->unseen);
    }
    (void)snprintf(text, SAMPLING_REASON_SIZE, "%u of %u were not drawn: %s.",
                   shortage->quota - shortage->drawn, shortage->quota, why);
    return text;
}
