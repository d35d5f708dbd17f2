-- Calibration sessions: the same standard answered by several people on the same moments. They are
-- no evaluations and count in nobody's score.

-- body || entries is one message Calibration: entries has the entries alone, which lists leave out.
-- participants: ids of users. site: that of all its moments, '' if they are of several.
create table calibration (
    calibration_id uuid primary key,
    state          smallint not null check (state between 1 and 3),
    created_at     timestamptz not null,
    created_by     text not null,
    deadline_at    timestamptz not null,
    site           text not null,
    participants   text[] not null,
    body           bytea not null,
    entries        bytea not null
);
create index calibration_created on calibration (created_at desc, calibration_id desc);
create index calibration_due on calibration (deadline_at) where state = 1;
