-- What reporting owns: projections for figures and the live floor, names, accounts. Everything but
-- the accounts can be made again from the other services' streams. Unknown is null.

create table moment (
    moment_id   uuid primary key,
    source      text not null,
    site        text,
    team_id     text,
    channel     text,
    state       text,
    outcome     text,
    -- started_at, or the next best time: what the list is ordered by.
    listed_at   timestamptz not null,
    ended_at    timestamptz,
    -- Every queue visited, every person and agent name that took part.
    queues      text[] not null,
    people      text[] not null,
    person_ids  text[] not null,
    -- Where the customer is now.
    queue_now   text,
    queue_since timestamptz,
    is_open     boolean not null,
    -- Part of another moment: counts nowhere.
    is_merged   boolean not null,
    revision    integer not null,
    snapshot    bytea not null
) with (fillfactor = 80);
alter table moment alter column snapshot set storage main;
create index moment_listed on moment (listed_at desc, moment_id desc) where not is_merged;
create index moment_open on moment (listed_at) where is_open;
create index moment_ended on moment (ended_at) where not is_merged;
create index moment_queues on moment using gin (queues);
create index moment_people on moment using gin (people);

-- One row per stay in a queue: what figures count.
create table visit (
    moment_id   uuid not null,
    n           smallint not null,
    site        text,
    queue       text,
    team_id     text,
    -- person_id where the directory knows the agent, else the agent's name.
    person      text,
    person_id   text,
    channel     text,
    -- answered, abandoned, left, open: rules/visit_class.h
    class       text not null,
    outcome     text,
    -- When it entered the queue, or the next best time: the interval it counts in.
    entered_at  timestamptz not null,
    has_ended   boolean not null,
    wait_ms     bigint,
    talk_ms     bigint,
    hold_ms     bigint,
    wrap_ms     bigint,
    hold_count  bigint,
    csat        double precision,
    is_transfer boolean not null,
    primary key (moment_id, n)
) with (fillfactor = 80);
create index visit_entered on visit (entered_at);
create index visit_queue on visit (queue, entered_at);

create table agent (
    source    text not null,
    agent     text not null,
    person_id text,
    site      text,
    presence  text,
    since     timestamptz,
    body      bytea not null,
    primary key (source, agent)
) with (fillfactor = 70);

create table alert (
    alert_id  text primary key,
    moment_id text,
    site      text,
    team_id   text,
    person_id text,
    is_open   boolean not null,
    state     smallint not null,
    raised_at timestamptz,
    body      bytea not null
) with (fillfactor = 80);
create index alert_open on alert (raised_at) where is_open;

create table candidate (
    candidate_id text primary key,
    moment_id    text not null,
    site         text,
    team_id      text,
    person_id    text,
    state        smallint not null,
    revision     integer not null,
    proposed_at  timestamptz,
    body         bytea not null
);
create index candidate_proposed on candidate (proposed_at desc);

create table site (site_id text primary key, name text not null, time_zone text);
create table team (team_id text primary key, name text not null, site_id text);
create table person (person_id text primary key, name text not null, site_id text, team_id text,
                     role text);
-- is_listed false: seen on the wire, unknown to the directory.
create table queue (queue_id text primary key, name text not null, site_id text,
                    is_listed boolean not null);

create table account (
    user_id       uuid primary key,
    login         text not null,
    name          text not null,
    password_hash text not null,
    roles         text[] not null,
    sites         text[] not null,
    teams         text[] not null,
    person_id     text,
    created_at    timestamptz not null,
    created_by    text not null,
    last_login_at timestamptz,
    removed_at    timestamptz,
    removed_by    text
);
create unique index account_login on account (login) where removed_at is null;

-- Of the cookie only the SHA-256 is kept.
create table session (
    token_hash bytea primary key,
    user_id    uuid not null references account,
    created_at timestamptz not null,
    seen_at    timestamptz not null,
    expires_at timestamptz not null,
    ended_at   timestamptz
) with (fillfactor = 80);
create index session_account on session (user_id) where ended_at is null;

create table token (
    token_id     uuid primary key,
    name         text not null,
    token_hash   bytea not null unique,
    roles        text[] not null,
    sites        text[] not null,
    teams        text[] not null,
    created_at   timestamptz not null,
    created_by   text not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    removed_at   timestamptz,
    removed_by   text
);

-- May this reader see something at that site, of that team, about those people? The same rule as
-- rules/visibility.c, which serves the live feed. Null sites or teams: no limit.
create function visible(site text, team text, people text[], own text, sites text[], teams text[],
                        team_sites text[]) returns boolean
language sql immutable parallel safe as $$
    select case
        when own is not null then own = any (people)
        else (sites is null or coalesce(site = any (sites), false))
             and (teams is null or case when team is null then coalesce(site = any (team_sites), false)
                                        else team = any (teams) end)
    end
$$;
