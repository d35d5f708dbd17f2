-- What feedback owns: standards, evaluations, alerts. Bodies are messages of feedback.proto; the
-- columns beside them are what is searched.

-- A published version never changes.
create table standard (
    standard_id  text not null,
    version      integer not null,
    title        text not null,
    signed_by    text not null,
    effective_at timestamptz not null,
    published_at timestamptz not null,
    published_by text not null,
    body         bytea not null,
    primary key (standard_id, version)
);

-- One row per revision; the highest of an evaluation_id counts. evaluation_id is derived from
-- evaluator, standard version and moment.
create table evaluation (
    evaluation_id    uuid not null,
    revision         integer not null,
    moment_id        uuid not null,
    evaluator        text not null,
    standard_id      text not null,
    standard_version integer not null,
    evaluated_at     timestamptz not null,
    site             text not null,
    queue            text not null,
    agent            text not null,
    person_id        text not null,
    team_id          text not null,
    final_score      double precision,
    withdrawn        boolean not null,
    body             bytea not null,
    primary key (evaluation_id, revision),
    unique (evaluator, standard_id, standard_version, moment_id, revision),
    foreign key (standard_id, standard_version) references standard
);
create index evaluation_moment on evaluation (moment_id);

-- Which revision of a moment was applied, so that an older one that comes again has no effect; and,
-- while it is in progress, the moment itself, so that its clocks go on after a restart. skew_us: by
-- how much the source's clock is behind ours.
create table moment (
    moment_id  uuid primary key,
    revision   integer not null,
    is_open    boolean not null,
    changed_at timestamptz,
    skew_us    bigint not null,
    body       bytea not null
);
create index moment_open on moment (moment_id) where is_open;

-- Visits that came out lately: the material of the service level.
create table served_visit (
    moment_id uuid not null,
    visit     integer not null,
    site      text not null,
    queue     text not null,
    at        timestamptz not null,
    wait_us   bigint not null,
    answered  boolean not null,
    primary key (moment_id, visit)
);
create index served_visit_at on served_visit (at);

-- Milliseconds, a count, a score or per cent, as the subject has it. Empty scopes: everywhere.
create table alert_rule (
    rule_id           text primary key,
    title             text not null,
    subject           smallint not null check (subject between 1 and 10),
    threshold         double precision not null check (threshold >= 0),
    clear_threshold   double precision,
    cooldown_ms       integer not null default 0 check (cooldown_ms >= 0),
    minimum_count     integer not null default 0 check (minimum_count >= 0),
    severity          smallint not null check (severity between 1 and 3),
    sites             text[] not null default '{}',
    queues            text[] not null default '{}',
    teams             text[] not null default '{}',
    escalate_after_ms integer not null default 0 check (escalate_after_ms >= 0),
    enabled           boolean not null default true,
    window_ms         integer not null default 0 check (window_ms >= 0),
    target_ms         integer not null default 0 check (target_ms >= 0)
);

insert into alert_rule
    (rule_id, title, subject, threshold, clear_threshold, cooldown_ms, minimum_count, severity,
     escalate_after_ms, window_ms, target_ms)
values
    ('waiting', 'A caller waits longer than 20 s', 1, 20000, null, 0, 0, 2, 300000, 0, 0),
    ('waiting-long', 'A caller waits longer than a minute', 1, 60000, null, 0, 0, 3, 120000, 0, 0),
    ('ringing', 'An offered contact rings longer than 15 s', 2, 15000, null, 10000, 0, 1, 0, 0, 0),
    ('held', 'A customer is on hold longer than a minute', 3, 60000, null, 60000, 0, 2, 300000, 0, 0),
    ('talking', 'A conversation takes longer than 15 min', 4, 900000, null, 0, 0, 1, 0, 0, 0),
    ('transfers', 'A customer was passed on twice', 5, 2, null, 0, 0, 2, 600000, 0, 0),
    ('repeat-contact', 'A customer is here for the third time in a week', 6, 3, null, 0, 0, 2, 600000, 0, 0),
    ('low-survey', 'A customer answered 2 of 5 or less', 7, 2, null, 0, 0, 2, 600000, 0, 0),
    ('queue-length', 'Five or more wait in a queue', 8, 5, 4, 60000, 0, 2, 300000, 0, 0),
    ('longest-wait', 'The longest wait of a queue is over 45 s', 9, 45000, 30000, 60000, 0, 3, 120000, 0, 0),
    ('service-level', 'Less than 80 % were answered within 20 s', 10, 80, 85, 600000, 20, 3, 600000, 1800000, 20000);

-- subject: the moment's id, or "queue:<site>/<queue>". crossing: which time this rule's threshold was
-- crossed by this subject; the key that makes it once only. escalate_at: null when it climbs no more.
create table alert (
    alert_id    uuid primary key,
    rule_id     text not null,
    subject     text not null,
    crossing    integer not null,
    state       smallint not null,
    moment_id   uuid,
    site        text not null,
    queue       text not null,
    person_id   text not null,
    team_id     text not null,
    crossed_at  timestamptz not null,
    raised_at   timestamptz not null,
    escalate_at timestamptz,
    body        bytea not null,
    unique (rule_id, subject, crossing)
);
create index alert_raised on alert (raised_at desc, alert_id desc);
create index alert_moment on alert (moment_id) where moment_id is not null;
-- Raised or acknowledged.
create index alert_open on alert (alert_id) where state in (1, 2);
