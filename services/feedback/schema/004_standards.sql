-- What became of a published version, beside its body, which never changes; and what is being edited.

-- canary: in force at its canary_sites only; false once it was rolled out. fate: the fields of
-- Standard that came after publishing (rolled out, retired), to be read after body as if they were
-- its end.
alter table standard
    add column canary boolean not null default false,
    add column fate   bytea not null default '';

-- is_open: false when it was published or discarded. The row stays, so that revisions never begin
-- again: who has seen an older one can't change a newer one by accident.
create table standard_draft (
    standard_id text primary key,
    revision    integer not null check (revision > 0),
    is_open     boolean not null,
    edited_by   text not null,
    edited_at   timestamptz not null,
    body        bytea not null
);
