-- Plans by which moments are drawn to be looked at, and what was drawn.

-- period_at: from when on periods of the plan are still to be settled; null: from the one under way
-- on, as nothing was drawn yet in this form of the plan.
create table sampling_plan (
    plan_id   text primary key,
    enabled   boolean not null,
    removed   boolean not null,
    sites     text[] not null,
    teams     text[] not null,
    period_at timestamptz,
    body      bytea not null
);

-- state has the numbers of SampleState. sample_id is derived from the moment, which is drawn once
-- only, or for what could not be drawn (state 5, no moment) from plan, person and period. rank_at is
-- what the queue is ordered by, not a time: the start of the day of the draw, and one second for
-- each day of the person's debt.
create table sample (
    sample_id      uuid primary key,
    plan_id        text not null,
    state          smallint not null check (state between 1 and 5),
    moment_id      uuid unique,
    person_id      text not null,
    site           text not null,
    team_id        text not null,
    period_from_at timestamptz not null,
    period_to_at   timestamptz not null,
    drawn_at       timestamptz not null,
    rank_at        timestamptz not null,
    body           bytea not null
);
create index sample_rank on sample (rank_at desc, sample_id desc);
create index sample_queue on sample (rank_at desc, sample_id desc) where state in (1, 2);
create index sample_person on sample (person_id, plan_id, drawn_at);
create index sample_due on sample (period_to_at) where state = 1;
