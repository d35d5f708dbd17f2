// A coach's home: what waits for them, the most urgent first.
import type { ComponentChildren } from 'preact';
import { query, type Alert, type Evaluation } from '../api';
import { useLive } from '../bus';
import { now } from '../clock';
import { personName, queueName } from '../directory';
import { ago, dayTime, t, word } from '../i18n';
import { usePages, type Paged } from '../loading';
import { AlertRow, isAttended, isOpen } from '../parts/alert-row';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { Waiting } from '../parts/problem';
import type { Calibration, CoachingSession, Sample } from '../proto';
import { isAboutMe, isMe } from '../session';
import { CoachingRow } from './coaching';

// One kind of work: how many, the list, or what its being empty means.
function Panel<T>({ id, title, list, items, none, row, children }: {
  id: string; title: string; list: Paged<T>; items: readonly T[] | undefined; none: string; row: (item: T) => ComponentChildren; children?: ComponentChildren;
}) {
  return (
    <section class="panel" aria-labelledby={`${id}-title`} data-testid={`queue-${id}`}>
      <h2 id={`${id}-title`}>{title} {items && items.length > 0 && <span class="count">{items.length}</span>}</h2>
      {!items ? <Waiting problem={list.problem} retry={list.reload} /> : items.length === 0 ? <p class="quiet">{none}</p> : <ul class="plain rows">{items.map(row)}</ul>}
      <More of={list} />
      {children}
    </section>
  );
}

function Alerts() {
  const list = usePages<Alert>('/api/v1/alerts?open_only=true&limit=20', (a) => a.alert_id);
  const put = (a: Alert): void => list.put(a.alert_id, isOpen(a) || isAttended(a) ? a : null);
  useLive('alert', put);
  const words = t().queue;
  return (
    <section class="panel" aria-labelledby="alerts-title" data-testid="queue-alerts">
      <h2 id="alerts-title">{t().today.alerts} {list.items && list.items.length > 0 && <span class="count">{list.items.length}</span>}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{words.noAlerts}</p>
        : <ul class="plain" aria-live="polite">{list.items.map((a) => <AlertRow key={a.alert_id} alert={a} onChanged={put} />)}</ul>}
      <More of={list} />
    </section>
  );
}

function Disputes() {
  const list = usePages<Evaluation>('/api/v1/evaluations?state=disputed&limit=20', (e) => e.evaluation_id);
  useLive('evaluation', (e) => list.put(e.evaluation_id, e.state === 'disputed' && !e.withdrawn ? e : null));
  const words = t().queue;
  const items = list.items?.filter((e) => !isMe(e.evaluator) && !isAboutMe(e.person_id));
  return (
    <Panel id="disputes" title={words.disputes} list={list} items={items} none={words.noDisputes} row={(e) => (
      <li key={e.evaluation_id} data-testid="queue-dispute"><a href={`/moments/${e.moment_id}`}>{e.standard_title}</a><span>{personName(e.person_id)}</span>
        <span class="quiet">{e.disputes.filter((d) => d.state === 'open').map((d) => e.results.find((r) => r.criterion_id === d.criterion_id)?.title).join(', ')}</span></li>)} />
  );
}

export function SampleRow({ sample }: { sample: Sample }) {
  const words = t().sampling;
  const debt = sample.debt_days < 0 ? words.debtNever(sample.person_name) : words.debt(sample.person_name, sample.debt_days);
  return (
    <li data-testid="sample" data-sample={sample.sample_id} data-state={sample.state}>
      {sample.moment_id ? <a href={`/moments/${sample.moment_id}${query({ sample_id: sample.sample_id })}`}>{sample.person_name}, {queueName(sample.queue)}, {dayTime(sample.moment_ended_at)}</a> : <strong>{sample.person_name}</strong>}
      <span class="quiet">{sample.plan_title}: {sample.moment_id ? debt : sample.reason}</span>
      <span class="badge">{sample.state === 'taken' ? words.takenBy(sample.taken_by_name) : word(t().sampleStates, sample.state)}</span></li>
  );
}

function Samples() {
  const list = usePages<Sample>('/api/v1/samples?limit=20', (s) => s.sample_id);
  useLive('sample', (s) => list.put(s.sample_id, s.state === 'open' || s.state === 'taken' ? s : null));
  const words = t().queue;
  return (
    <Panel id="samples" title={words.samples} list={list} items={list.items ?? undefined} none={words.noSamples} row={(s) => <SampleRow key={s.sample_id} sample={s} />}>
      <p class="small"><a href="/sampling">{t().sampling.plans}</a></p></Panel>
  );
}

function Drafts() {
  const list = usePages<Evaluation>('/api/v1/evaluations?mine=true&state=draft&limit=20', (e) => e.evaluation_id);
  const words = t().queue;
  if (!list.items?.length) return null;
  return (
    <Panel id="drafts" title={words.drafts} list={list} items={list.items} none={words.drafts} row={(e) => (
      <li key={e.evaluation_id}><a href={`/moments/${e.moment_id}`}>{e.standard_title}</a><span>{personName(e.person_id)}</span><span class="quiet">{ago(e.evaluated_at, now.value)}</span></li>)} />
  );
}

function Coaching() {
  const list = usePages<CoachingSession>('/api/v1/coaching?state=planned&limit=20', (s) => s.session_id);
  useLive('coaching', (s) => list.put(s.session_id, s.state === 'planned' ? s : null));
  const words = t().queue;
  return (
    <Panel id="coaching" title={words.coaching} list={list} items={list.items ?? undefined} none={words.noCoaching} row={(s) => <CoachingRow key={s.session_id} session={s} />}>
      <p class="small"><a href="/coaching?plan=1">{t().coaching.plan}</a></p></Panel>
  );
}

export const waitsForMe = (c: Calibration): boolean =>
  c.state === 'open' && c.participants.some((p) => isMe(p.user_id) && p.submitted < c.moment_ids.length);

function Calibrations() {
  const list = usePages<Calibration>('/api/v1/calibrations?limit=20', (c) => c.calibration_id);
  useLive('calibration', (c) => { if (c.state !== 'open' || c.participants.some((p) => isMe(p.user_id))) list.put(c.calibration_id, c); });
  const words = t().queue;
  return (
    <Panel id="calibrations" title={words.calibrations} list={list} items={list.items?.filter(waitsForMe)} none={words.noCalibrations} row={(c) => (
      <li key={c.calibration_id}><a href={`/calibrations/${c.calibration_id}`}>{c.title}</a><span class="quiet">{t().calibration.until(dayTime(c.deadline_at))}</span></li>)}>
      <p class="small"><a href="/calibrations">{t().pages.calibrations}</a></p></Panel>
  );
}

export function QueuePage() {
  const words = t().queue;
  return (
    <div class="queue">
      <PageHead title={t().pages.queue} about={words.about} />
      <div class="panels is-wide"><div><Alerts /><Disputes /><Drafts /></div><div><Samples /><Coaching /><Calibrations /></div></div>
    </div>
  );
}
