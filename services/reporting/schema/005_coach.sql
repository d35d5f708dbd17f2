-- For whoever picks a person: who coaches them. Known from the next change of the person on.
alter table person add column coach_id text;
comment on column person.coach_id is 'person_id of the coach';
