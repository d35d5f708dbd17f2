-- What recognition owns: caught-right candidates, and the two halves that they are made of. Either
-- half may come first; the other is null until then.

create table sighting (
    moment_id   uuid primary key,
    -- A moment.v1.Moment without its visits.
    moment      bytea,
    -- The moment.v1.Evaluation that counts.
    evaluation  bytea
);

-- Its history is in the stream. candidate_id is derived from the moment.
create table candidate (
    candidate_id    uuid primary key,
    moment_id       uuid not null unique,
    state           smallint not null,
    revision        integer not null,
    site            text not null,
    queue           text not null,
    agent           text not null,
    person_id       text not null,
    team_id         text not null,
    moment_ended_at timestamptz,
    proposed_at     timestamptz not null,
    body            bytea not null
);
create index candidate_proposed on candidate (proposed_at desc, candidate_id desc);
create index candidate_person on candidate (person_id, proposed_at desc);
