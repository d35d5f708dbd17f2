#include "reporting/reporting.h"

#include "base/clock.h"
#include "base/log.h"
#include "reporting/acts.h"
#include "reporting/codec.h"
#include "reporting/edge_live.h"
#include "reporting/edge_page.h"
#include "reporting/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Wrong passwords within five minutes: of one login, from one address. */
#define FAILURES_BY_LOGIN 10
#define FAILURES_BY_REMOTE 30
#define FAILURE_WINDOW_US (300 * US_PER_S)

struct metric metric_logins = {
    .name = "moment_logins_total",
    .kind = METRIC_COUNTER,
    .help = "Attempts to sign in, by result: ok, refused, throttled.",
    .label = "result",
};
struct metric metric_live_streams = {
    .name = "moment_live_streams",
    .kind = METRIC_GAUGE,
    .help = "Live event streams open now.",
};
struct metric metric_live_resets = {
    .name = "moment_live_resets_total",
    .kind = METRIC_COUNTER,
    .help = "Live streams that could not go on from where the page stood.",
};

/* --- applying records ---------------------------------------------------------------------- */

void reporting_load(void *state, struct txn *txn, const struct record *record)
{
    struct reporting *reporting = state;

    (void)record;
    if (reporting->names.is_asked)
        return;
    reporting->names.is_asked = true;
    store_load_names(txn, &reporting->names);
}

static const char *team_of(const struct reporting *reporting, const struct fact *fact)
{
    if (fact->team[0] != '\0' || fact->person_id[0] == '\0')
        return fact->team;
    return names_team_of(&reporting->names, fact->person_id);
}

static void see_queue(struct reporting *reporting, struct txn *txn, const char *queue,
                      const char *site)
{
    if (queue[0] == '\0' || names_has_queue(&reporting->names, queue))
        return;
    store_see_queue(txn, queue, site);
    names_add_queue(&reporting->names, queue);
}

static void put_moment(struct reporting *reporting, struct txn *txn, const struct fact *fact,
                       struct slice snapshot)
{
    see_queue(reporting, txn, fact->moment.queue, fact->site);
    for (size_t i = 0; i < fact->moment.visit_count; i++)
        see_queue(reporting, txn, fact->moment.visits[i].queue, fact->site);
    store_put_moment(txn, fact, &reporting->names, snapshot);
}

/* Facts that are shown as they are: kept packed beside what they are looked up by. */
static int put_subject(struct reporting *reporting, struct txn *txn, const struct fact *fact)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int rc = fact_pack(fact, &bytes, &len);

    if (rc < 0)
        return rc;
    struct slice body = {(const char *)bytes, len};

    if (fact->kind == FACT_MOMENT)
        put_moment(reporting, txn, fact, body);
    else if (fact->kind == FACT_AGENT)
        store_put_agent(txn, fact, body);
    else if (fact->kind == FACT_ALERT)
        store_put_alert(txn, fact, team_of(reporting, fact), body);
    else
        store_put_candidate(txn, fact, team_of(reporting, fact), body);
    free(bytes);
    return 0;
}

static int put(struct reporting *reporting, struct txn *txn, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_MOMENT:
    case FACT_AGENT:
    case FACT_ALERT:
    case FACT_CANDIDATE:
        return put_subject(reporting, txn, fact);
    case FACT_SITE:
        store_put_site(txn, fact);
        return 0;
    case FACT_TEAM:
        store_put_team(txn, fact);
        return 0;
    case FACT_PERSON:
        store_put_person(txn, fact);
        names_set_person(&reporting->names, fact->id, fact->name, fact->team);
        return 0;
    case FACT_QUEUE:
        store_put_queue(txn, fact);
        names_add_queue(&reporting->names, fact->id);
        return 0;
    case FACT_EVALUATION:
    case FACT_NOTE:
    case FACT_COACHING:
    case FACT_POST:
    case FACT_RHYTHM:
    case FACT_CALIBRATION:
        return acts_put(txn, fact);
    case FACT_GAP:
    case FACT_STANDARD:
    case FACT_SAMPLE:
    case FACT_ALERT_RULE:
    case FACT_OTHER:
        return 0;
    }
    return -EINVAL;
}

static int emit(struct reporting *reporting, struct txn *txn, const struct fact *fact,
                const struct record *record)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    const char *name = names_of_person(&reporting->names, fact->person_id);
    int rc = fact_pack_live(fact, team_of(reporting, fact), name, &bytes, &len);

    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rc;
    txn_emit(txn, record->site, record->key, "LiveUpdate", record->at_us, bytes, len);
    free(bytes);
    return 0;
}

int reporting_apply(void *state, struct txn *txn, const char *producer, const struct record *record)
{
    struct reporting *reporting = state;
    struct fact *fact = NULL;
    int rc = fact_read(record, &fact);

    (void)producer;
    if (rc == 0)
        rc = put(reporting, txn, fact);
    if (rc == 0)
        rc = emit(reporting, txn, fact, record);
    fact_free(&fact);
    if (rc == 0 && record->at_us > reporting->data_at)
        reporting->data_at = record->at_us;
    return rc;
}

void reporting_forget(void *state)
{
    struct reporting *reporting = state;

    names_forget(&reporting->names);
}

/* --- life ---------------------------------------------------------------------------------- */

json_t *reporting_lag(const struct reporting *reporting)
{
    static const char *const producers[] = {"ingest", "feedback", "recognition"};
    json_t *json = json_object();

    for (size_t i = 0; i < countof(producers); i++) {
        uint64_t lag = service_lag(reporting->service, producers[i]);

        json_object_set_new(json, producers[i],
                            lag == UINT64_MAX ? json_null() : json_integer((json_int_t)lag));
    }
    return json;
}

static void on_newest(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct reporting *reporting = arg;

    (void)error;
    if (status == 0 && db_get_time(rows, 0, 2) > reporting->data_at)
        reporting->data_at = db_get_time(rows, 0, 2);
}

int reporting_start(struct service *service, void **ret_state)
{
    struct reporting *reporting = calloc(1, sizeof(*reporting));

    if (reporting == NULL)
        return -ENOMEM;
    reporting->service = service;
    reporting->web_root = page_find_root(conf_text(service_conf(service), "web_root"));
    if (reporting->web_root == NULL || live_feed_new(&reporting->live) < 0) {
        free(reporting->web_root);
        free(reporting);
        return -ENOMEM;
    }
    names_init(&reporting->names);
    throttle_init(&reporting->by_login, FAILURES_BY_LOGIN, FAILURE_WINDOW_US);
    throttle_init(&reporting->by_remote, FAILURES_BY_REMOTE, FAILURE_WINDOW_US);
    if (store_newest(service_reader(service), on_newest, reporting) < 0)
        log_debug("newest_unknown", "reader=down");
    *ret_state = reporting;
    return 0;
}

void reporting_stop(void *state)
{
    struct reporting *reporting = state;

    live_feed_free(&reporting->live);
    names_done(&reporting->names);
    free(reporting->web_root);
    free(reporting);
}
