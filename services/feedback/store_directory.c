/* store_directory - see the header. */
#include "feedback/store_directory.h"

static void load(struct txn *txn, const char *sql, db_result_fn *on_rows, void *arg)
{
    struct db_args args;

    db_args_init(&args);
    txn_read(txn, sql, &args, on_rows, arg);
}

void store_load_sites(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    load(txn, "select body from site", on_rows, arg);
}

void store_load_teams(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    load(txn, "select body from team", on_rows, arg);
}

void store_load_people(struct txn *txn, db_result_fn *on_rows, void *arg)
{
    load(txn, "select body from person", on_rows, arg);
}

int store_save_site(struct txn *txn, const Moment__V1__Site *site)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, site->site_id);
    return txn_write_body(txn,
                          "insert into site (site_id, body) values ($1, $2)"
                          " on conflict (site_id) do update set body = excluded.body",
                          &args, &site->base);
}

int store_save_team(struct txn *txn, const Moment__V1__Team *team)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, team->team_id);
    db_text(&args, team->site_id);
    return txn_write_body(txn,
                          "insert into team (team_id, site_id, body) values ($1, $2, $3)"
                          " on conflict (team_id) do update set site_id = excluded.site_id,"
                          " body = excluded.body",
                          &args, &team->base);
}

int store_save_person(struct txn *txn, const Moment__V1__Person *person)
{
    struct db_args args;

    db_args_init(&args);
    db_text(&args, person->person_id);
    db_text(&args, person->name);
    db_text(&args, person->site_id);
    db_text(&args, person->team_id);
    db_text(&args, person->coach_id);
    return txn_write_body(txn,
                          "insert into person (person_id, name, site_id, team_id, coach_id, body)"
                          " values ($1, $2, $3, $4, $5, $6) on conflict (person_id) do update set"
                          " name = excluded.name, site_id = excluded.site_id,"
                          " team_id = excluded.team_id, coach_id = excluded.coach_id,"
                          " body = excluded.body",
                          &args, &person->base);
}
