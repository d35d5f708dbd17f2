-- The wall, and who was praised for a moment.

-- Its history is in the stream. post_id of a praise is derived from its note, of a story from its praise.
create table post (
    post_id      uuid primary key,
    kind         smallint not null,
    author       text not null,
    -- person_id; '' nobody.
    about        text not null,
    -- A praise that was not answered with a story yet: who it is about is asked for one.
    awaits_story boolean not null,
    is_pinned    boolean not null,
    is_withdrawn boolean not null,
    posted_at    timestamptz not null,
    changed_at   timestamptz not null,
    -- A moment.v1.Post.
    body         bytea not null
);
create index post_shown on post (posted_at desc, post_id desc) where not is_withdrawn;
create index post_about on post (about, posted_at desc, post_id desc) where not is_withdrawn;
create index post_asked on post (about) where awaits_story and not is_withdrawn;
create index post_pinned on post (post_id) where is_pinned;
create index post_changed on post (changed_at);

-- The moment.v1.Note of the first public praise for this moment: it may come before what makes the
-- moment a candidate.
alter table sighting add column praise bytea;
create index candidate_open on candidate (proposed_at desc, candidate_id desc) where state = 1;
