-- The last revision of each evaluation, and the drafts. A draft (state 1) is its evaluator's alone:
-- it is here and nowhere else, and goes when it is discarded or released. state has the numbers of
-- EvaluationState; evaluator is a user's id, or 'moment' for the service itself.
create table evaluation_now (
    evaluation_id uuid primary key,
    moment_id     uuid not null,
    revision      integer not null,
    state         smallint not null check (state between 1 and 5),
    evaluator     text not null,
    evaluated_at  timestamptz not null,
    site          text not null,
    person_id     text not null,
    team_id       text not null,
    withdrawn     boolean not null,
    body          bytea not null
);
create unique index evaluation_now_draft on evaluation_now (moment_id, evaluator) where state = 1;
create index evaluation_now_moment on evaluation_now (moment_id);
create index evaluation_now_page on evaluation_now (evaluated_at desc, evaluation_id desc);
create index evaluation_now_person on evaluation_now (person_id, evaluated_at desc, evaluation_id desc);
create index evaluation_now_people on evaluation_now (evaluated_at desc, evaluation_id desc)
    where evaluator <> 'moment';

-- What was made before there were drafts was released when it was made.
insert into evaluation_now
select distinct on (evaluation_id) evaluation_id, moment_id, revision, 2, evaluator, evaluated_at, site, person_id,
    team_id, withdrawn, body
from evaluation order by evaluation_id, revision desc;
