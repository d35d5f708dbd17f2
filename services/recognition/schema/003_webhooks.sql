-- Where posts are sent as they change, and what is still to be sent.

create table webhook (
    webhook_id uuid primary key,
    is_enabled boolean not null,
    is_removed boolean not null,
    -- Of posts; empty: all.
    kinds      int[] not null,
    created_at timestamptz not null,
    -- A moment.v1.Webhook.
    body       bytea not null
);

-- Apart from the webhook, so that no list can show it.
create table webhook_secret (
    webhook_id uuid primary key references webhook,
    -- The key that signs; what was shown once is "whsec_" and this in base64.
    value      bytea not null
);

-- A PostChanged of our own stream that this webhook has not taken yet; one that it took has no row.
create table delivery (
    webhook_id  uuid not null references webhook,
    seq         bigint not null,
    -- Failed ones.
    attempts    integer not null default 0,
    -- Not before; null: now.
    next_at     timestamptz,
    -- Given up; then the moment.v1.DeadLetter is there.
    died_at     timestamptz,
    delivery_id uuid,
    body        bytea,
    primary key (webhook_id, seq)
);
create index delivery_waiting on delivery (webhook_id, seq) where died_at is null;
create index delivery_dead on delivery (webhook_id, died_at desc, delivery_id desc) where died_at is not null;
