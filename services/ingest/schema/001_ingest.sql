-- What ingest owns: sources, events, moments, customers, agents, the directory.

-- A source is never deleted: its events name it. A name may be used again after removal.
create table source (
    source_id  bigint generated always as identity primary key,
    kind       text not null,
    name       text not null,
    system     text not null,
    site       text not null,
    options    jsonb not null default '{}',
    added_at   timestamptz not null,
    added_by   text not null,
    removed_at timestamptz,
    removed_by text
);
create unique index source_name on source (name) where removed_at is null;

-- token: SHA-256 of the bearer token. webhook: the key itself, which an HMAC needs. password: what
-- we log in with. curve: the public key. At most two of a kind are valid at a time.
create table source_secret (
    secret_id  bigint generated always as identity primary key,
    source_id  bigint not null references source,
    kind       text not null check (kind in ('token', 'webhook', 'password', 'curve')),
    value      bytea not null,
    added_at   timestamptz not null,
    retired_at timestamptz
);
create index source_secret_source on source_secret (source_id) where retired_at is null;

-- One row per fact, never changed. event_id is derived from the source and its idempotency key, so
-- that the primary key is the idempotency window, and it never closes.
create table event (
    event_id    uuid primary key,
    moment_id   uuid,
    source      text not null,
    system      text not null,
    type        smallint not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    body        bytea not null
);
create index event_moment on event (moment_id) where moment_id is not null;
alter table event alter column body set storage main;

-- The state folded from the events; it can always be made again from them. root_id is another
-- moment's once this contact turned out to be a part of that one.
create table moment (
    moment_id       uuid primary key,
    root_id         uuid not null,
    system          text not null,
    contact_id      text not null,
    site            text not null,
    customer_id     uuid,
    revision        integer not null,
    is_open         boolean not null,
    started_at      timestamptz,
    last_event_at   timestamptz,
    heard_at        timestamptz not null,
    repeat_contacts integer not null,
    snapshot        bytea not null
) with (fillfactor = 80);
create index moment_part on moment (root_id) where root_id <> moment_id;
create index moment_open on moment (started_at) where is_open;
create index moment_customer on moment (customer_id, started_at) where customer_id is not null;
alter table moment alter column snapshot set storage main;

-- The only place that knows what a customer is called outside. Deleting a row forgets the person.
create table customer (
    system        text not null,
    address       text not null,
    customer_id   uuid not null,
    first_seen_at timestamptz not null,
    primary key (system, address)
);
create index customer_id on customer (customer_id);

-- When a live source was last heard, to the second: where a gap begins after a restart. heard_at is
-- by its own clock, received_at by ours: together they tell how the clocks differ.
create table source_heard (
    source_id   bigint primary key references source,
    heard_at    timestamptz not null,
    received_at timestamptz not null
);

-- How far a file has been read; written in the transaction of the events read from it.
create table file_cursor (
    source      text not null,
    device      bigint not null,
    inode       bigint not null,
    fingerprint bytea not null,
    read_to     bigint not null,
    at          timestamptz not null,
    primary key (source, device, inode, fingerprint)
);

-- Everybody who ever answered, known to the directory or not, and their last presence.
create table agent (
    system        text not null,
    agent         text not null,
    name          text not null,
    site          text not null,
    presence      smallint not null,
    since         timestamptz,
    last_at       timestamptz,
    reason        text not null,
    queues        text not null, -- one per line
    first_seen_at timestamptz not null,
    primary key (system, agent)
);

-- Sites, teams, people and queues. A change closes the old row and adds a new one.
create table directory (
    version    bigint generated always as identity primary key,
    kind       text not null check (kind in ('site', 'team', 'person', 'queue')),
    id         text not null,
    body       bytea not null,
    valid_from timestamptz not null,
    valid_to   timestamptz,
    changed_by text not null
);
create unique index directory_now on directory (kind, id) where valid_to is null;
