#include "reporting/edge_flame.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/share.h"
#include "io/entity.h"
#include "reporting/reporting.h"
#include "reporting/rules/flame.h"
#include "reporting/store_flame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * US_PER_S)
#define ACCOUNT_DAYS 28
#define ACCOUNT_DAYS_MAX 400
#define ITEMS_SIZE 400

_Noreturn static void no_memory(void)
{
    log_error("out_of_memory", "where=flame");
    abort();
}

static void *need(void *memory)
{
    if (memory == NULL)
        no_memory();
    return memory;
}

static void fail_busy(struct call *call)
{
    call_refuse(call, 503, "unavailable", "", "The database does not answer; try again.");
}

/* --- figures ------------------------------------------------------------------------------- */

static Moment__V1__Figure *new_figure(const char *definition, uint64_t n, const char *items)
{
    Moment__V1__Figure *figure = need(calloc(1, sizeof(*figure)));

    moment__v1__figure__init(figure);
    entity_set_text(&figure->definition, definition);
    entity_set_text(&figure->items, items);
    figure->n = n;
    return figure;
}

static void set_value(Moment__V1__Figure *figure, double value)
{
    figure->known_case = MOMENT__V1__FIGURE__KNOWN_VALUE;
    figure->value = value;
}

static Moment__V1__Figure *number_figure(const char *definition, bool is_known, double value,
                                         uint64_t n, const char *items)
{
    Moment__V1__Figure *figure = new_figure(definition, n, items);

    if (is_known)
        set_value(figure, value);
    return figure;
}

static Moment__V1__Figure *share_figure(const char *definition, int64_t part, int64_t whole,
                                        const char *items)
{
    struct share share = share_of(part, whole);
    Moment__V1__Figure *figure = new_figure(definition, (uint64_t)whole, items);

    if (!share.has_value)
        return figure;
    set_value(figure, share.value);
    figure->low_known_case = MOMENT__V1__FIGURE__LOW_KNOWN_LOW;
    figure->low = share.low;
    figure->high_known_case = MOMENT__V1__FIGURE__HIGH_KNOWN_HIGH;
    figure->high = share.high;
    return figure;
}

/* --- GetFlame ------------------------------------------------------------------------------ */

struct flame_ask {
    struct reporting *reporting;
    struct call *call;
    size_t periods;
    int64_t now;
    /* Of the rows: */
    Moment__V1__Rhythm **rhythms; /* owned, as all here */
    size_t rhythm_count;
    int64_t *acts; /* room for those of one flame */
};

static void flame_ask_free(struct flame_ask *ask)
{
    for (size_t i = 0; i < ask->rhythm_count; i++)
        moment__v1__rhythm__free_unpacked(ask->rhythms[i], NULL);
    free(ask->rhythms);
    free(ask->acts);
    free(ask);
}

static bool is_same_flame(const Moment__V1__Rhythm *a, const Moment__V1__Rhythm *b)
{
    return strcmp(a->user_id, b->user_id) == 0 && a->practice == b->practice;
}

static void read_rhythms(struct flame_ask *ask, const struct db_rows *rows)
{
    size_t count = db_count(rows);

    ask->rhythms = need(calloc(count + 1, sizeof(Moment__V1__Rhythm *)));
    ask->acts = need(calloc(count + 1, sizeof(int64_t)));
    for (size_t i = 0; i < count && !db_get_bool(rows, i, 0); i++) {
        ProtobufCMessage *message = NULL;

        if (protobuf_read(&moment__v1__rhythm__descriptor, db_get_bytes(rows, i, 4), &message) == 0)
            ask->rhythms[ask->rhythm_count++] = (Moment__V1__Rhythm *)(void *)message;
        else
            log_error("rhythm_unreadable", "row=%zu", i);
    }
}

/* Is that row before the acts of the rhythm's user and practice? */
static bool is_before(const struct db_rows *rows, size_t row, const Moment__V1__Rhythm *rhythm)
{
    int order = db_get_bool(rows, row, 0) ? strcmp(db_get_text(rows, row, 1), rhythm->user_id) : -1;

    return order < 0 || (order == 0 && db_get_i64(rows, row, 2) < (int64_t)rhythm->practice);
}

static size_t first_act(const struct db_rows *rows, const Moment__V1__Rhythm *rhythm)
{
    size_t low = 0, high = db_count(rows);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (is_before(rows, middle, rhythm))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The acts of one user and practice, ascending: they stand beside each other. */
static size_t pick_acts(struct flame_ask *ask, const struct db_rows *rows,
                        const Moment__V1__Rhythm *rhythm)
{
    size_t count = 0;

    for (size_t i = first_act(rows, rhythm);
         i < db_count(rows) && db_get_i64(rows, i, 2) == (int64_t)rhythm->practice &&
         strcmp(db_get_text(rows, i, 1), rhythm->user_id) == 0;
         i++)
        ask->acts[count++] = db_get_time(rows, i, 3);
    return count;
}

/* Every promise of that user and practice; the newest rhythm says the step and the zone. */
static size_t pick_promises(const struct flame_ask *ask, const Moment__V1__Rhythm *newest,
                            struct promise *promises)
{
    size_t count = 0;

    for (size_t i = 0; i < ask->rhythm_count; i++) {
        const Moment__V1__Rhythm *rhythm = ask->rhythms[i];
        struct promise *promise = &promises[count];

        if (!is_same_flame(rhythm, newest) || rhythm->period != newest->period)
            continue;
        *promise = (struct promise){.times = rhythm->times};
        if (date_parse(rhythm->from_date, &promise->from) == 0 &&
            (rhythm->until_date[0] == '\0' || date_parse(rhythm->until_date, &promise->until) == 0))
            count++;
    }
    return count;
}

static bool is_newest(const struct flame_ask *ask, size_t index)
{
    const Moment__V1__Rhythm *rhythm = ask->rhythms[index];

    for (size_t i = 0; i < ask->rhythm_count; i++) {
        if (i != index && is_same_flame(ask->rhythms[i], rhythm) &&
            strcmp(ask->rhythms[i]->from_date, rhythm->from_date) > 0)
            return false;
    }
    return true;
}

static char *acts_path(char items[ITEMS_SIZE], const char *user_id, int practice, int64_t from,
                       int64_t to)
{
    static const char *const names[] = {"",         "praise",  "note",        "evaluation",
                                        "coaching", "journal", "celebration", "calibration"};
    char first[CLOCK_RFC3339_SIZE], last[CLOCK_RFC3339_SIZE];

    (void)snprintf(items, ITEMS_SIZE, "/api/v1/acts?user_id=%.100s&practice=%s&from_at=%s&to_at=%s",
                   user_id, practice > 0 && practice < (int)countof(names) ? names[practice] : "",
                   clock_to_rfc3339(from, first), clock_to_rfc3339(to, last));
    return items;
}

static Moment__V1__FlamePeriod *period_message(const struct flame_period *period,
                                               const Moment__V1__Rhythm *rhythm)
{
    Moment__V1__FlamePeriod *message = need(calloc(1, sizeof(*message)));
    char text[DATE_TEXT_SIZE], items[ITEMS_SIZE];

    moment__v1__flame_period__init(message);
    entity_set_text(&message->from_date, date_print(period->from, text));
    entity_set_text(&message->to_date, date_print(period->to, text));
    message->promised = period->promised;
    message->kept = period->kept;
    message->is_over = period->is_over;
    entity_set_text(&message->items, acts_path(items, rhythm->user_id, (int)rhythm->practice,
                                               period->from_at, period->end_at));
    return message;
}

static void set_flame_figures(const struct flame_ask *ask, Moment__V1__Flame *message,
                              const struct flame *flame, const char *items)
{
    double line =
        (double)conf_integer(service_conf(ask->reporting->service), "flame_line_percent") / 100;

    message->kept_share =
        number_figure("flame_kept@1", flame->promised > 0,
                      flame->promised > 0 ? (double)flame->kept / (double)flame->promised : 0,
                      flame->promised, items);
    message->longest_gap_days = number_figure("flame_longest_gap@1", flame->has_gap,
                                              flame->longest_gap_days, flame->promised, items);
    message->ewma =
        number_figure("flame_ewma@1", flame->has_ewma, flame->ewma, flame->promised, items);
    message->is_low = flame->has_ewma && flame->ewma < line;
}

static void name_flame(Moment__V1__Flame *message, const Moment__V1__Rhythm *rhythm)
{
    entity_set_text(&message->user_id, rhythm->user_id);
    entity_set_text(&message->user_name, rhythm->user_name);
    entity_set_text(&message->time_zone, rhythm->time_zone);
    entity_set_text(&message->rhythm_id, rhythm->rhythm_id);
    message->practice = rhythm->practice;
    message->period = rhythm->period;
    message->times = rhythm->times;
}

/* Null: the zone is gone from the machine. */
static Moment__V1__Flame *make_flame(struct flame_ask *ask, const struct db_rows *rows,
                                     const Moment__V1__Rhythm *rhythm)
{
    struct promise *promises = need(calloc(ask->rhythm_count + 1, sizeof(*promises)));
    Moment__V1__Flame *message = need(calloc(1, sizeof(*message)));
    struct flame_question question = {
        .step = rhythm->period == MOMENT__V1__RHYTHM_PERIOD__RHYTHM_PERIOD_MONTH ? FLAME_MONTH
                                                                                 : FLAME_WEEK,
        .promises = promises,
        .promise_count = pick_promises(ask, rhythm, promises),
        .acts = ask->acts,
        .act_count = pick_acts(ask, rows, rhythm),
        .now = ask->now,
        .periods = ask->periods,
    };
    struct zone *zone = NULL;
    struct flame *flame = need(calloc(1, sizeof(*flame)));
    char items[ITEMS_SIZE];

    moment__v1__flame__init(message);
    if (zone_open(rhythm->time_zone, &zone) < 0) {
        log_error("zone_unknown", "zone=%s", rhythm->time_zone);
    } else {
        flame_compute(zone, &question, flame);
        name_flame(message, rhythm);
        for (size_t i = 0; i < flame->period_count; i++)
            entity_append(&message->n_periods, &message->periods,
                          period_message(&flame->periods[i], rhythm));
        set_flame_figures(ask, message, flame,
                          acts_path(items, rhythm->user_id, (int)rhythm->practice,
                                    flame->periods[0].from_at, ask->now));
        message->last_act_at = question.act_count > 0 ? ask->acts[question.act_count - 1] : 0;
    }
    free(promises);
    free(flame);
    if (zone == NULL) {
        moment__v1__flame__free_unpacked(message, NULL);
        return NULL;
    }
    zone_close(&zone);
    return message;
}

static void on_flame(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    struct flame_ask *ask = arg;
    Moment__V1__GetFlameResponse response;

    if (status < 0) {
        fail_busy(ask->call);
        flame_ask_free(ask);
        return;
    }
    read_rhythms(ask, rows);
    moment__v1__get_flame_response__init(&response);
    response.flames = need(calloc(ask->rhythm_count + 1, sizeof(Moment__V1__Flame *)));
    for (size_t i = 0; i < ask->rhythm_count; i++) {
        /* Each was read: said for the analyser. */
        const Moment__V1__Rhythm *rhythm = need(ask->rhythms[i]);
        Moment__V1__Flame *flame = is_newest(ask, i) ? make_flame(ask, rows, rhythm) : NULL;

        if (flame != NULL)
            response.flames[response.n_flames++] = flame;
    }
    call_reply(ask->call, &response.base);
    for (size_t i = 0; i < response.n_flames; i++)
        moment__v1__flame__free_unpacked(response.flames[i], NULL);
    free(response.flames);
    flame_ask_free(ask);
}

void flame_get(void *state, struct call *call)
{
    struct reporting *reporting = state;
    const Moment__V1__GetFlameRequest *request = (const void *)call_request(call);
    struct flame_ask *ask;
    int64_t now = clock_wall_us();

    if (request->periods > FLAME_PERIODS_MAX) {
        call_refuse(call, 422, "invalid-field", "periods", "At most %d.", FLAME_PERIODS_MAX);
        return;
    }
    ask = need(calloc(1, sizeof(*ask)));
    *ask = (struct flame_ask){
        .reporting = reporting,
        .call = call,
        .periods = request->periods != 0 ? request->periods : FLAME_PERIODS_DEFAULT,
        .now = now,
    };
    /* Months and a day of zones: no period begins earlier. */
    if (store_ask_flame(service_reader(reporting->service), request->user_id,
                        now - ((int64_t)ask->periods * 31 + 1) * DAY_US, on_flame, ask) < 0) {
        flame_ask_free(ask);
        fail_busy(call);
    }
}

/* --- ListActs ------------------------------------------------------------------------------ */

/* That somebody kept a promise is for all to see; with whom, is not. */
static bool hide_private(struct call *call, ProtobufCMessage *element)
{
    Moment__V1__Act *act = (Moment__V1__Act *)(void *)element;
    bool is_public = act->practice == MOMENT__V1__PRACTICE__PRACTICE_JOURNAL ||
                     act->practice == MOMENT__V1__PRACTICE__PRACTICE_CELEBRATION;

    if (!is_public && strcmp(act->user_id, call_caller(call)->id) != 0) {
        entity_set_text(&act->item_id, "");
        entity_set_text(&act->moment_id, "");
    }
    return true;
}

void flame_list_acts(void *state, struct call *call)
{
    struct reporting *reporting = state;
    const Moment__V1__ListActsRequest *request = (const void *)call_request(call);
    struct listing listing;

    if (listing_read(call, request->limit, request->cursor, &listing))
        store_list_acts(call, service_reader(reporting->service), &listing, request, hide_private);
}

/* --- GetAccountability --------------------------------------------------------------------- */

struct account_ask {
    struct call *call;
    int64_t from, to;
    int64_t without_days;
    char window[160]; /* the query of lists within from and to */
};

static Moment__V1__Figure *balance(const struct db_rows *rows, size_t row, const char *items)
{
    int64_t praise = db_get_i64(rows, row, 5);

    return share_figure("praise_balance@1", praise, praise + db_get_i64(rows, row, 6), items);
}

static Moment__V1__Figure *delay(const struct db_rows *rows, size_t row, size_t column,
                                 const char *definition, const char *items)
{
    return number_figure(definition, !db_is_null(rows, row, column),
                         db_get_double(rows, row, column), (uint64_t)db_get_i64(rows, row, 9),
                         items);
}

static void add_total(const struct account_ask *ask, const struct db_rows *rows, size_t row,
                      Moment__V1__GetAccountabilityResponse *response)
{
    char items[ITEMS_SIZE];

    (void)snprintf(items, sizeof(items), "/api/v1/acts?practice=note&%s", ask->window);
    response->praise = (uint32_t)db_get_i64(rows, row, 5);
    response->improvement = (uint32_t)db_get_i64(rows, row, 6);
    response->praise_balance = balance(rows, row, items);
    response->time_to_feedback_median_ms = delay(rows, row, 7, "time_to_feedback_median@1", items);
    response->time_to_feedback_p90_ms = delay(rows, row, 8, "time_to_feedback_p90@1", items);
}

static void add_giver(const struct account_ask *ask, const struct db_rows *rows, size_t row,
                      Moment__V1__GetAccountabilityResponse *response)
{
    Moment__V1__GiverAccount *giver = need(calloc(1, sizeof(*giver)));
    const char *user_id = db_get_text(rows, row, 1);
    char items[ITEMS_SIZE];

    (void)snprintf(items, sizeof(items), "/api/v1/acts?user_id=%.100s&practice=note&%s", user_id,
                   ask->window);
    moment__v1__giver_account__init(giver);
    entity_set_text(&giver->user_id, user_id);
    entity_set_text(&giver->name, db_get_text(rows, row, 2));
    giver->praise = (uint32_t)db_get_i64(rows, row, 5);
    giver->improvement = (uint32_t)db_get_i64(rows, row, 6);
    giver->balance = balance(rows, row, items);
    giver->time_to_feedback_median_ms = delay(rows, row, 7, "time_to_feedback_median@1", items);
    giver->time_to_feedback_p90_ms = delay(rows, row, 8, "time_to_feedback_p90@1", items);
    entity_append(&response->n_givers, &response->givers, giver);
}

static void add_receiver(const struct account_ask *ask, const struct db_rows *rows, size_t row,
                         Moment__V1__GetAccountabilityResponse *response)
{
    Moment__V1__ReceiverAccount *receiver = need(calloc(1, sizeof(*receiver)));
    int64_t last_at = db_get_time(rows, row, 10);
    char items[ITEMS_SIZE];

    (void)snprintf(items, sizeof(items), "/api/v1/notes?receiver=%.100s",
                   db_get_text(rows, row, 1));
    moment__v1__receiver_account__init(receiver);
    entity_set_text(&receiver->person_id, db_get_text(rows, row, 1));
    entity_set_text(&receiver->name, db_get_text(rows, row, 2));
    entity_set_text(&receiver->site, db_get_text(rows, row, 3));
    entity_set_text(&receiver->team_id, db_get_text(rows, row, 4));
    receiver->praise = (uint32_t)db_get_i64(rows, row, 5);
    receiver->improvement = (uint32_t)db_get_i64(rows, row, 6);
    receiver->balance = balance(rows, row, items);
    receiver->moments = (uint32_t)db_get_i64(rows, row, 9);
    receiver->last_feedback_at = last_at;
    receiver->days_without = last_at == 0 ? -1 : (int32_t)((ask->to - last_at) / DAY_US);
    entity_append(&response->n_receivers, &response->receivers, receiver);
}

static void add_fatal(const struct db_rows *rows, size_t row,
                      Moment__V1__GetAccountabilityResponse *response)
{
    Moment__V1__FatalUnanswered *fatal = need(calloc(1, sizeof(*fatal)));
    char text[ID_TEXT_SIZE];
    struct id id;

    moment__v1__fatal_unanswered__init(fatal);
    db_get_uuid(rows, row, 11, id.bytes);
    entity_set_text(&fatal->moment_id, id_print(&id, text));
    db_get_uuid(rows, row, 13, id.bytes);
    entity_set_text(&fatal->evaluation_id, id_print(&id, text));
    entity_set_text(&fatal->person_id, db_get_text(rows, row, 1));
    entity_set_text(&fatal->name, db_get_text(rows, row, 2));
    entity_set_text(&fatal->site, db_get_text(rows, row, 3));
    entity_set_text(&fatal->team_id, db_get_text(rows, row, 4));
    entity_set_text(&fatal->criterion_title, db_get_text(rows, row, 12));
    fatal->moment_ended_at = db_get_time(rows, row, 10);
    entity_append(&response->n_fatals, &response->fatals, fatal);
}

/* People who had moments and heard nothing for so long, of all who had moments. */
static void count_without(const struct account_ask *ask,
                          Moment__V1__GetAccountabilityResponse *response)
{
    int64_t with_moments = 0, without = 0;

    for (size_t i = 0; i < response->n_receivers; i++) {
        const Moment__V1__ReceiverAccount *receiver = response->receivers[i];

        if (receiver->moments == 0)
            continue;
        with_moments++;
        without += receiver->days_without < 0 || receiver->days_without >= ask->without_days;
    }
    response->without_feedback = share_figure("without_feedback@1", without, with_moments, "");
    response->without_feedback_days = (uint32_t)ask->without_days;
}

static void add_row(const struct account_ask *ask, const struct db_rows *rows, size_t row,
                    Moment__V1__GetAccountabilityResponse *response)
{
    switch ((enum account_row)db_get_i64(rows, row, 0)) {
    case ACCOUNT_TOTAL:
        add_total(ask, rows, row, response);
        break;
    case ACCOUNT_GIVER:
        add_giver(ask, rows, row, response);
        break;
    case ACCOUNT_RECEIVER:
        add_receiver(ask, rows, row, response);
        break;
    case ACCOUNT_FATALS:
        response->fatal_unanswered = share_figure("fatal_unanswered@1", db_get_i64(rows, row, 6),
                                                  db_get_i64(rows, row, 5), "");
        break;
    case ACCOUNT_FATAL:
        add_fatal(rows, row, response);
        break;
    }
}

static void on_account(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error unused_arg)
{
    struct account_ask *ask = arg;
    Moment__V1__GetAccountabilityResponse *response;

    if (status < 0) {
        fail_busy(ask->call);
        free(ask);
        return;
    }
    response = need(calloc(1, sizeof(*response)));
    moment__v1__get_accountability_response__init(response);
    response->from_at = ask->from;
    response->to_at = ask->to;
    entity_set_text(
        &response->time_zone,
        ((const Moment__V1__GetAccountabilityRequest *)call_request(ask->call))->time_zone);
    for (size_t i = 0; i < db_count(rows); i++)
        add_row(ask, rows, i, response);
    count_without(ask, response);
    call_reply(ask->call, &response->base);
    moment__v1__get_accountability_response__free_unpacked(response, NULL);
    free(ask);
}

/* False: refused. */
static bool read_window(struct call *call, const Moment__V1__GetAccountabilityRequest *request,
                        struct account_ask *ask)
{
    char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];

    ask->to = request->to_at != 0 ? request->to_at : clock_wall_us();
    ask->from = request->from_at != 0 ? request->from_at : ask->to - ACCOUNT_DAYS * DAY_US;
    if (ask->from >= ask->to || ask->to - ask->from > ACCOUNT_DAYS_MAX * DAY_US) {
        call_refuse(call, 422, "invalid-field", "from_at",
                    "The time begins before it ends and has at most %d days.", ACCOUNT_DAYS_MAX);
        return false;
    }
    (void)snprintf(ask->window, sizeof(ask->window), "from_at=%s&to_at=%s",
                   clock_to_rfc3339(ask->from, from), clock_to_rfc3339(ask->to, to));
    return true;
}

void accountability_get(void *state, struct call *call)
{
    struct reporting *reporting = state;
    const Moment__V1__GetAccountabilityRequest *request = (const void *)call_request(call);
    struct account_ask *ask = need(calloc(1, sizeof(*ask)));
    struct account_question question = {
        .reach = call_reach(call), .site = request->site, .team_id = request->team_id};

    ask->call = call;
    ask->without_days = conf_integer(service_conf(reporting->service), "without_feedback_days");
    if (!read_window(call, request, ask)) {
        free(ask);
        return;
    }
    question.from = ask->from;
    question.to = ask->to;
    if (store_ask_account(service_reader(reporting->service), &question, on_account, ask) < 0) {
        free(ask);
        fail_busy(call);
    }
}
