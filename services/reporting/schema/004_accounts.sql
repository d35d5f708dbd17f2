-- What an account was before it was edited.
create table account_before (
    user_id    uuid not null references account,
    until_at   timestamptz not null,
    changed_by text not null, -- who made the change that ended it
    name       text not null,
    roles      text[] not null,
    sites      text[] not null,
    teams      text[] not null,
    person_id  text
);
create index account_before_user on account_before (user_id, until_at);
