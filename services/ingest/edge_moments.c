/* edge_moments - see the header. First may the caller see the moment, then its events. */
#include "ingest/edge_moments.h"

#include "ingest/store.h"

#include <stdlib.h>
#include <string.h>

struct query {
    struct ingest *ingest;
    struct call *call;
    struct id moment_id;
};

static void fail(struct query *query, uint32_t status, const char *type, const char *detail)
{
    struct problem problem;

    problem_set(&problem, status, type, status == 404 ? "moment_id" : NULL, "%s", detail);
    call_fail(query->call, &problem);
    free(query);
}

static void fail_unknown(struct query *query)
{
    fail(query, 404, "unknown-moment", "There is no such moment, or you may not see it.");
}

static void reply(struct query *query, const struct db_rows *rows)
{
    Moment__V1__GetMomentEventsResponse response;
    Moment__V1__Event **events = calloc(db_count(rows) + 1, sizeof(Moment__V1__Event *));

    if (!events)
        abort();
    moment__v1__get_moment_events_response__init(&response);
    response.events = events;
    for (size_t row = 0; row < db_count(rows); row++) {
        struct slice body = db_get_bytes(rows, row, 0);
        Moment__V1__Event *event =
            moment__v1__event__unpack(NULL, body.len, (const uint8_t *)body.at);

        if (event)
            events[response.n_events++] = event;
    }
    call_reply(query->call, &response.base);
    for (size_t i = 0; i < response.n_events; i++)
        moment__v1__event__free_unpacked(events[i], NULL);
    free(events);
    free(query);
}

static void on_events(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct query *query = arg;

    (void)error;
    if (status < 0)
        fail(query, 503, "busy", "The database did not answer.");
    else
        reply(query, rows);
}

/* Agents see what they took part in. A moment without a team (nobody has answered) is looked after
 * by every team of its site. */
static bool sees_moment(struct call *call, const char *site, const Moment__V1__Moment *moment)
{
    struct place place = {.site = site,
                          .team = moment->team_id,
                          .person_id = moment->person_id,
                          .is_of_every_team = true};
    bool is_seen = call_allows(call, &place);

    for (size_t i = 0; i < moment->n_visits && !is_seen; i++) {
        place.person_id = moment->visits[i]->person_id;
        is_seen = call_allows(call, &place);
    }
    return is_seen;
}

static bool sees(struct call *call, const char *site, struct slice snapshot)
{
    Moment__V1__Moment *moment =
        moment__v1__moment__unpack(NULL, snapshot.len, (const uint8_t *)snapshot.at);
    bool is_seen = moment && sees_moment(call, site, moment);

    if (moment)
        moment__v1__moment__free_unpacked(moment, NULL);
    return is_seen;
}

static void on_moment(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error)
{
    struct query *query = arg;

    (void)error;
    if (status < 0)
        fail(query, 503, "busy", "The database did not answer.");
    else if (db_count(rows) == 0 ||
             !sees(query->call, db_get_text(rows, 0, 0), db_get_bytes(rows, 0, 1)))
        fail_unknown(query);
    else if (store_moment_events(query->ingest->reader, &query->moment_id, on_events, query) < 0)
        fail(query, 503, "busy", "The database is not there.");
}

void edge_moments_events(void *state, struct call *call)
{
    const Moment__V1__GetMomentEventsRequest *request =
        (const Moment__V1__GetMomentEventsRequest *)(const void *)call_request(call);
    struct query *query = calloc(1, sizeof(*query));

    if (!query)
        abort();
    query->ingest = state;
    query->call = call;
    if (id_parse(request->moment_id, &query->moment_id) < 0)
        fail_unknown(query);
    else if (store_moment(query->ingest->reader, &query->moment_id, on_moment, query) < 0)
        fail(query, 503, "busy", "The database is not there.");
}
