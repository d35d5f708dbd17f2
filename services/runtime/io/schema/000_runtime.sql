-- What every service has in its own schema. Run with search_path set to that schema.

create table stream (
    shard smallint not null,
    seq   bigint   not null,
    epoch integer  not null,
    site  text     not null,
    key   text     not null,
    type  text     not null,
    at    timestamptz not null,
    body  bytea    not null,
    hash  bytea    not null,
    primary key (shard, seq)
) partition by range (seq);
create index stream_key on stream (key, seq);
alter table stream alter column body set storage main;

-- One row for each time a writer took the shard. start_seq is the first number it may use.
create table epoch (
    shard     smallint not null,
    epoch     integer  not null,
    start_seq bigint   not null,
    host      text     not null,
    pid       integer  not null,
    at        timestamptz not null default clock_timestamp(),
    primary key (shard, epoch)
);

-- How far this service has applied a producer's stream. Append-only: of two rivals one commits.
create table cursor (
    consumer text     not null,
    producer text     not null,
    shard    smallint not null,
    from_seq bigint   not null,
    to_seq   bigint   not null,
    epoch    integer  not null,
    at       timestamptz not null default clock_timestamp(),
    primary key (consumer, producer, shard, from_seq)
);

create table quarantine (
    id       bigint generated always as identity primary key,
    consumer text     not null,
    producer text     not null,
    shard    smallint not null,
    seq      bigint   not null,
    epoch    integer  not null,
    site     text     not null,
    key      text     not null,
    type     text     not null,
    record_at timestamptz not null,
    body     bytea    not null,
    sqlstate text     not null,
    error    text     not null,
    at       timestamptz not null default clock_timestamp(),
    -- set when an operator redrove or dropped it; rows are never deleted
    settled_at timestamptz,
    settled_as text,
    settled_why text,
    unique (consumer, producer, shard, seq)
);

-- Idempotency at the boundary: keys of senders, and command ids with their stored answer.
create table seen (
    source text not null,
    key    text not null,
    day    date not null default current_date,
    answer bytea,
    primary key (source, key, day)
) partition by range (day);
