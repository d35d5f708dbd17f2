-- What a consumer was about to apply when its process had just started, written down before: a
-- record that ends the process leaves nothing else behind. Several rows for the place where the
-- cursor still stands mean that it is applied in vain. Append-only; rows behind the cursor mean
-- nothing and are deleted.
create table attempt (
    consumer text     not null,
    producer text     not null,
    shard    smallint not null,
    -- of the cursor row that was to be written
    from_seq bigint   not null,
    -- one record, after several attempts with more had ended the process
    is_alone boolean  not null,
    at       timestamptz not null default clock_timestamp()
);
create index attempt_place on attempt (consumer, producer, shard, from_seq);
