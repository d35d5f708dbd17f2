-- The leaders' own consistency: what they promised, what they did, and how soon people heard. All of it can be
-- made again from the streams.

-- One row per practice that something counts for: a praise note is praise and a note. at is when the service
-- saw it, so that nothing can be back-filled. body: moment.v1.Act.
create table act (
    act_id   uuid primary key,
    practice smallint not null,
    user_id  text not null,
    at       timestamptz not null,
    body     bytea not null
);
create index act_user on act (user_id, practice, at desc, act_id desc);

-- body: moment.v1.Rhythm.
create table rhythm (
    rhythm_id text primary key,
    user_id   text not null,
    body      bytea not null
);
create index rhythm_user on rhythm (user_id);

-- delay_ms: from the moment's end to the note, 0 when it was given before the end; null when that is unknown.
create table note (
    note_id    uuid primary key,
    kind       smallint not null,
    moment_id  uuid,
    giver      text not null,
    giver_name text not null,
    receiver   text not null,
    site       text not null,
    team_id    text not null,
    given_at   timestamptz not null,
    delay_ms   bigint
);
create index note_given on note (given_at);
create index note_receiver on note (receiver, given_at desc);
create index note_moment on note (moment_id);

-- Fatal criteria that were not met, of the evaluations that count.
create table fatal_failure (
    evaluation_id uuid not null,
    criterion_id  text not null,
    moment_id     uuid not null,
    title         text not null,
    person_id     text not null,
    site          text not null,
    team_id       text not null,
    ended_at      timestamptz not null,
    primary key (evaluation_id, criterion_id)
);
create index fatal_failure_ended on fatal_failure (ended_at);
create index visit_person on visit (person_id, entered_at);
