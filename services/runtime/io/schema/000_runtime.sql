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
    -- of the predecessor's hash and everything above: stream_chain in io/stream.h
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

-- One row for each transaction that appended no record, so that it writes WAL (a commit that did
-- not would be acknowledged before a standby has what it rests on) and so that a writer whose
-- COMMIT was cut off can see whether it happened. Old rows mean nothing and are deleted.
create table mark (
    shard smallint not null,
    epoch integer  not null,
    batch bigint   not null,
    primary key (shard, epoch, batch)
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

-- Partitions are made ahead of need, and there is no default one that would have to be emptied
-- later: the stream in chunks of a million numbers, seen by day. The service's role owns nothing,
-- so this runs with its owner's rights. A table is made first and attached then, because attaching
-- waits for no reader, and creating it in place would. Returns the first number without a place.
create function ensure_partitions() returns bigint
language plpgsql security definer as $$
declare
    size constant bigint := 1000000;
    head bigint;
    chunk bigint;
    one date;
    name text;
begin
    perform pg_advisory_xact_lock(hashtext(current_schema() || '.ensure_partitions'));
    select coalesce(max(greatest(e.start_seq, s.seq)), 0) into head
      from (select shard, max(start_seq) as start_seq from epoch group by shard) e
      left join lateral (select seq from stream
                          where shard = e.shard order by seq desc limit 1) s on true;
    for chunk in select generate_series(head / size, head / size + 3) loop
        name := format('stream_%s', chunk);
        if to_regclass(format('%I.%I', current_schema(), name)) is null then
            execute format('create table %I (like stream including all)', name);
            execute format('alter table stream attach partition %I for values from (%s) to (%s)',
                           name, chunk * size, (chunk + 1) * size);
        end if;
    end loop;
    for one in select generate_series(current_date - 1, current_date + 7, interval '1 day') loop
        name := 'seen_' || to_char(one, 'YYYYMMDD');
        if to_regclass(format('%I.%I', current_schema(), name)) is null then
            execute format('create table %I (like seen including all)', name);
            execute format('alter table seen attach partition %I for values from (%L) to (%L)',
                           name, one, one + 1);
        end if;
    end loop;
    return (head / size + 4) * size;
end $$;
-- Pinned to this schema, temporary objects last: nobody can slip another table under its feet.
do $$ begin
    execute format('alter function ensure_partitions() set search_path = %I, pg_catalog, pg_temp',
                   current_schema());
end $$;
select ensure_partitions();
