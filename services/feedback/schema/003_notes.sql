-- What leaders and coaches say about moments, agree on, and promise to do. Bodies are messages of
-- feedback.proto; the columns beside them are what is searched. History is in the stream.

-- giver is a user, receiver a person of the directory. words: of praise, what it is compared by (a
-- hash of its text without case, space and punctuation); null for an improvement.
create table note (
    note_id         uuid primary key,
    kind            smallint not null check (kind in (1, 2)),
    moment_id       uuid not null,
    giver           text not null,
    receiver        text not null,
    site            text not null,
    team_id         text not null,
    is_private      boolean not null,
    given_at        timestamptz not null,
    acknowledged_at timestamptz,
    words           uuid,
    body            bytea not null
);
create index note_given on note (given_at desc, note_id desc);
create index note_moment on note (moment_id);
create index note_receiver on note (receiver, given_at desc);
create index note_giver on note (giver, given_at desc);

-- coach is a user, attendee a person of the directory.
create table coaching (
    session_id uuid primary key,
    state      smallint not null check (state between 1 and 4),
    coach      text not null,
    attendee   text not null,
    site       text not null,
    team_id    text not null,
    created_at timestamptz not null,
    body       bytea not null
);
create index coaching_created on coaching (created_at desc, session_id desc);
create index coaching_attendee on coaching (attendee, created_at desc);

-- What an evaluation that counts says of each criterion that was answered: the newest revision of
-- each, without what was withdrawn and without drafts. Written from this migration on.
create table criterion_result (
    evaluation_id uuid not null,
    criterion_id  text not null,
    moment_id     uuid not null,
    standard_id   text not null,
    person_id     text not null,
    ended_at      timestamptz not null,
    evaluated_at  timestamptz not null,
    met           boolean not null,
    primary key (evaluation_id, criterion_id)
);
create index criterion_result_person
    on criterion_result (person_id, standard_id, criterion_id, ended_at desc);

-- until_date: null while it goes on; before from_date: another promise took its place before it
-- began, and it never counted.
create table rhythm (
    rhythm_id  uuid primary key,
    user_id    text not null,
    practice   smallint not null check (practice between 1 and 7),
    from_date  date not null,
    until_date date,
    body       bytea not null
);
create index rhythm_user on rhythm (user_id, practice, from_date);
