-- Who is who and when each site is open, as ingest told; and moments that are over, for those who
-- give feedback about them.

-- body: messages of ingest.proto. A site's says its time zone, open hours and holidays.
create table site (
    site_id text primary key,
    body    bytea not null
);

create table team (
    team_id text primary key,
    site_id text not null,
    body    bytea not null
);

-- coach_id: the person_id of the coach; "" none.
create table person (
    person_id text primary key,
    name      text not null,
    site_id   text not null,
    team_id   text not null,
    coach_id  text not null,
    body      bytea not null
);

-- body stays when a moment is over; what was over before this migration has an empty one until its
-- next change, and no columns. ended_at: null while in progress, and for what turned out to be part
-- of another moment. talk_ms: null when unknown.
alter table moment
    add column ended_at  timestamptz,
    add column site      text not null default '',
    add column team_id   text not null default '',
    add column person_id text not null default '',
    add column queue     text not null default '',
    add column channel   smallint not null default 0,
    add column direction smallint not null default 0,
    add column talk_ms   bigint;
create index moment_ended on moment (ended_at) where ended_at is not null;
create index moment_person on moment (person_id, ended_at desc) where ended_at is not null;
