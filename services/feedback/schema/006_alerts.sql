-- Alert rules are edited by people; every step of an alert is kept.

-- revision counts the edits; who edits a rule here by hand raises it by one, or an edit on the page
-- that began before takes the place of it. A rule that was removed stays for the alerts that name
-- it. signal: of a rule about a customer's signal, '' any.
alter table alert_rule
    drop constraint alert_rule_subject_check,
    add constraint alert_rule_subject_check check (subject between 1 and 11),
    add column revision       integer not null default 1 check (revision > 0),
    add column edited_by      text not null default '',
    add column edited_by_name text not null default '',
    add column edited_at      timestamptz,
    add column removed        boolean not null default false,
    add column signal         text not null default '';

-- owner: the user who took it, '' nobody.
alter table alert add column owner text not null default '';
create index alert_rule_raised on alert (rule_id, raised_at desc, alert_id desc);
create index alert_owner_raised on alert (owner, raised_at desc, alert_id desc) where owner <> '';

-- body: a message AlertStep. Steps count from 1; alerts from before this migration have none of
-- what happened until then.
create table alert_step (
    alert_id uuid not null,
    step     integer not null,
    at       timestamptz not null,
    body     bytea not null,
    primary key (alert_id, step)
);
