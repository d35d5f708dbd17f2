#include "feedback/rules/replay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_US INT64_C(3600000000)
/* Later than anything: what a cooldown kept quiet has been told by then. */
#define DAYS_AFTER (INT64_MAX / 2)

/* One stay in a queue, as the queue saw it. */
struct stay {
    struct id queue; /* of site and name */
    struct id moment_id;
    int64_t entered_at, left_at;
    struct served served;
    bool has_left;
};

enum change { CHANGE_LEFT, CHANGE_CAME_OUT, CHANGE_ENTERED };

struct step {
    struct id queue;
    int64_t at;
    uint32_t stay;
    uint32_t change;
};

struct replay {
    const struct alert_rule *rule; /* borrowed */
    int64_t days[REPLAY_DAYS_MAX + 1];
    size_t day_count;
    struct stay *stays; /* owned */
    size_t stay_count, stay_room;
    struct step *steps; /* owned */
    size_t step_count;
    struct replay_result result;
};

/* One queue while time is walked through. */
struct walk {
    struct replay *replay;
    const struct step *steps; /* of this queue */
    size_t count;
    size_t done;   /* steps taken */
    size_t oldest; /* of the steps: before it nobody waits any more */
    size_t window; /* of the steps: before it nothing counts for the service level any more */
    size_t waiting;
    struct served_count served;
    struct alarm alarm;
    int64_t next_at;
};

int replay_new(const struct alert_rule *rule, const int64_t *days, size_t count,
               struct replay **ret_replay)
{
    struct replay *replay = calloc(1, sizeof(*replay));

    assert(count > 0 && count <= REPLAY_DAYS_MAX);
    if (replay == NULL) {
        return -ENOMEM;
    }
    replay->rule = rule;
    replay->day_count = count;
    memcpy(replay->days, days, (count + 1) * sizeof(days[0]));
    *ret_replay = replay;
    return 0;
}

void replay_free(struct replay **replay)
{
    if (*replay != NULL) {
        free((*replay)->stays);
        free((*replay)->steps);
        free(*replay);
        *replay = NULL;
    }
}

const struct replay_result *replay_result(const struct replay *replay)
{
    return &replay->result;
}

int64_t replay_lead_us(const struct alert_rule *rule)
{
    int64_t lead = rule->window_us > rule->cooldown_us ? rule->window_us : rule->cooldown_us;

    return alert_is_about_queue(rule) ? lead + HOUR_US : 0;
}

/* --- what fired --- */

static bool is_asked_about(const struct replay *replay, int64_t at)
{
    return at >= replay->days[0] && at < replay->days[replay->day_count];
}

static void add_example(struct replay_result *result, int64_t at, const struct id *moment_id)
{
    size_t place = 0, last;

    for (size_t i = 0; i < result->example_count; i++) {
        if (memcmp(&result->examples[i].moment_id, moment_id, sizeof(*moment_id)) == 0) {
            return;
        }
        place += result->examples[i].at >= at;
    }
    if (place == REPLAY_EXAMPLES_MAX) {
        return;
    }
    last = result->example_count < REPLAY_EXAMPLES_MAX ? result->example_count++
                                                       : REPLAY_EXAMPLES_MAX - 1;
    memmove(&result->examples[place + 1], &result->examples[place],
            (last - place) * sizeof(result->examples[0]));
    result->examples[place] = (struct replay_example){.at = at, .moment_id = *moment_id};
}

static void fire(struct replay *replay, int64_t at, const struct id *moment_id)
{
    size_t day = 0;

    if (!is_asked_about(replay, at)) {
        return;
    }
    while (at >= replay->days[day + 1]) {
        day++;
    }
    replay->result.fired++;
    replay->result.fired_on[day]++;
    add_example(&replay->result, at, moment_id);
}

/* --- rules about a moment --- */

/* A hold or a ringing of which only that it was is left. */
static bool left_no_trace(const struct alert_rule *rule, const struct visit *visit)
{
    if (rule->subject == ALERT_HELD) {
        return visit->hold_count > 1 && (double)visit->hold_longest_ms >= rule->threshold;
    }
    return rule->subject == ALERT_RINGING &&
           (visit->offers > 1 || (visit->offers == 1 && visit->answered_at == 0));
}

static void put_to_moment(struct replay *replay, const struct id *moment_id,
                          const struct moment *moment, replay_covers_fn *covers, void *arg)
{
    const struct alert_rule *rule = replay->rule;
    struct crossing crossings[ALERT_CROSSINGS_MAX];
    struct moment seen = *moment;
    struct verdict verdict;
    size_t count, kept = 0;
    int64_t next_at;

    if (rule->subject == ALERT_TRANSFERS) {
        seen.changed_at = moment->ended_at; /* by then; what was told later changed nothing */
    }
    count = alert_crossings(rule, &seen, DAYS_AFTER, crossings, &next_at);
    for (size_t i = 0; i < count; i++) {
        if (covers(arg, seen.site, crossings[i].queue, seen.team_id)) {
            crossings[kept++] = crossings[i];
        }
    }
    alert_decide(rule, &seen, crossings, kept, NULL, 0, DAYS_AFTER, &verdict);
    for (size_t i = 0; i < verdict.raise_count; i++) {
        fire(replay, crossings[verdict.raise[i]].crossed_at, moment_id);
    }
    for (size_t i = 0; i < seen.visit_count; i++) {
        const struct visit *visit = &seen.visits[i];

        replay->result.may_be_more |= is_asked_about(replay, seen.ended_at) &&
                                      left_no_trace(rule, visit) &&
                                      covers(arg, seen.site, visit->queue, seen.team_id);
    }
}

/* --- rules about a queue --- */

static int make_room(struct replay *replay)
{
    size_t room = replay->stay_room == 0 ? 256 : replay->stay_room * 2;
    struct stay *stays;

    if (replay->stay_count < replay->stay_room) {
        return 0;
    }
    if (replay->stay_count == REPLAY_STAYS_MAX) {
        return -ENOBUFS;
    }
    room = room < REPLAY_STAYS_MAX ? room : REPLAY_STAYS_MAX;
    stays = realloc(replay->stays, room * sizeof(*stays));
    if (stays == NULL) {
        return -ENOMEM;
    }
    replay->stays = stays;
    replay->stay_room = room;
    return 0;
}

static int64_t left_at(const struct visit *visit, const struct moment *moment)
{
    if (visit->answered_at != 0) {
        return visit->answered_at;
    }
    return visit->ended_at != 0 ? visit->ended_at : moment->ended_at;
}

static int take_stays(struct replay *replay, const struct id *moment_id,
                      const struct moment *moment, replay_covers_fn *covers, void *arg)
{
    for (size_t i = 0; i < moment->visit_count; i++) {
        const struct visit *visit = &moment->visits[i];
        const char *const queue[] = {moment->site, visit->queue};
        struct stay stay = {.moment_id = *moment_id,
                            .entered_at = visit->entered_at,
                            .left_at = left_at(visit, moment)};
        int error = make_room(replay);

        if (visit->entered_at == 0 || !covers(arg, moment->site, visit->queue, "")) {
            continue;
        }
        if (error != 0) {
            return error;
        }
        stay.queue = id_of(queue, countof(queue));
        if (!alert_came_out(visit, &stay.served)) {
            stay.served.at = 0;
        }
        replay->stays[replay->stay_count++] = stay;
    }
    return 0;
}

int replay_take(struct replay *replay, const struct id *moment_id, const struct moment *moment,
                replay_covers_fn *covers, void *arg)
{
    int error = 0;

    if (alert_is_about_queue(replay->rule)) {
        error = take_stays(replay, moment_id, moment, covers, arg);
    } else {
        put_to_moment(replay, moment_id, moment, covers, arg);
    }
    if (error == 0 && is_asked_about(replay, moment->ended_at)) {
        replay->result.moments++;
    }
    return error;
}

static int compare_steps(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    int order = memcmp(&x->queue, &y->queue, sizeof(x->queue));

    if (order == 0) {
        order = (x->at > y->at) - (x->at < y->at);
    }
    if (order == 0) {
        order = (int)x->change - (int)y->change;
    }
    return order != 0 ? order : (x->stay > y->stay) - (x->stay < y->stay);
}

static void add_step(struct replay *replay, size_t stay, enum change change, int64_t at)
{
    replay->steps[replay->step_count++] = (struct step){
        .queue = replay->stays[stay].queue,
        .at = at,
        .stay = (uint32_t)stay,
        .change = change,
    };
}

/* Of a stay only what the rule looks at. */
static void add_steps(struct replay *replay, size_t at)
{
    const struct stay *stay = &replay->stays[at];

    if (replay->rule->subject != ALERT_SERVICE_LEVEL) {
        add_step(replay, at, CHANGE_ENTERED, stay->entered_at);
        add_step(replay, at, CHANGE_LEFT,
                 stay->left_at > stay->entered_at ? stay->left_at : stay->entered_at + 1);
    } else if (stay->served.at != 0) {
        add_step(replay, at, CHANGE_CAME_OUT, stay->served.at);
    }
}

static struct stay *stay_of(const struct walk *walk, size_t step)
{
    return &walk->replay->stays[walk->steps[step].stay];
}

/* Steps of the first who still waits and of the first who still counts. */
static void forget_the_past(struct walk *walk, int64_t now)
{
    const struct alert_rule *rule = walk->replay->rule;

    while (walk->oldest < walk->done && (walk->steps[walk->oldest].change != CHANGE_ENTERED ||
                                         stay_of(walk, walk->oldest)->has_left)) {
        walk->oldest++;
    }
    while (walk->window < walk->done && rule->subject == ALERT_SERVICE_LEVEL &&
           walk->steps[walk->window].at + rule->window_us <= now) {
        alert_uncount_served(rule, &stay_of(walk, walk->window)->served, &walk->served);
        walk->window++;
    }
}

static struct level level_at(const struct walk *walk, int64_t now)
{
    const struct alert_rule *rule = walk->replay->rule;

    if (rule->subject == ALERT_QUEUE_LENGTH) {
        return alert_queue_length(walk->waiting, now);
    }
    if (rule->subject == ALERT_LONGEST_WAIT) {
        return alert_longest_wait(
            rule, walk->waiting > 0 ? stay_of(walk, walk->oldest)->entered_at : 0, now);
    }
    return alert_service_level_of(
        rule, &walk->served, now,
        walk->window < walk->done ? walk->steps[walk->window].at + rule->window_us : ALERT_NEVER);
}

static void look(struct walk *walk, int64_t now)
{
    const struct alert_rule *rule = walk->replay->rule;
    size_t about = walk->done > 0 ? walk->done - 1 : 0;
    struct level level;
    enum alarm_step step;

    forget_the_past(walk, now);
    level = level_at(walk, now);
    step = alert_step(rule, &walk->alarm, &level, now, &walk->next_at);
    if (step == ALARM_RAISE) {
        if (rule->subject == ALERT_LONGEST_WAIT && walk->waiting > 0) {
            about = walk->oldest;
        }
        walk->alarm = (struct alarm){.is_raised = true, .crossed_at = level.crossed_at};
        fire(walk->replay, level.crossed_at, &stay_of(walk, about)->moment_id);
    } else if (step == ALARM_CLEAR) {
        walk->alarm.is_raised = false;
    }
}

static void take_step(struct walk *walk)
{
    struct stay *stay = stay_of(walk, walk->done);

    switch ((enum change)walk->steps[walk->done].change) {
    case CHANGE_ENTERED:
        walk->waiting++;
        break;
    case CHANGE_LEFT:
        walk->waiting--;
        stay->has_left = true;
        break;
    case CHANGE_CAME_OUT:
        alert_count_served(walk->replay->rule, &stay->served, &walk->served);
        break;
    }
    walk->done++;
}

/* First what time alone does until `until`. */
static void pass_time(struct walk *walk, int64_t until)
{
    while (walk->next_at <= until) {
        look(walk, walk->next_at);
    }
}

static void walk_queue(struct replay *replay, const struct step *steps, size_t count)
{
    struct walk walk = {.replay = replay, .steps = steps, .count = count, .next_at = ALERT_NEVER};

    while (walk.done < walk.count) {
        int64_t now = steps[walk.done].at;

        pass_time(&walk, now);
        take_step(&walk);
        look(&walk, now);
    }
    pass_time(&walk, replay->days[replay->day_count] - 1);
}

void replay_run(struct replay *replay)
{
    size_t first = 0;

    if (replay->stay_count == 0) {
        return;
    }
    replay->steps = calloc(replay->stay_count * 2, sizeof(*replay->steps));
    if (replay->steps == NULL) {
        replay->result.failed = true;
        return;
    }
    for (size_t i = 0; i < replay->stay_count; i++) {
        add_steps(replay, i);
    }
    qsort(replay->steps, replay->step_count, sizeof(*replay->steps), compare_steps);
    for (size_t i = 1; i <= replay->step_count; i++) {
        if (i == replay->step_count ||
            memcmp(&replay->steps[i].queue, &replay->steps[first].queue, sizeof(struct id)) != 0) {
            walk_queue(replay, &replay->steps[first], i - first);
            first = i;
        }
    }
}
