// One moment: what happened, how it compares with the standard, what it set off.
import { useCallback, useEffect, useState } from 'preact/hooks';
import { getMoment, problemIn, type Moment, type MomentDetail, type MomentEvent, type Problem } from '../api';
import { useLive } from '../bus';
import { personName, queueName, siteName } from '../directory';
import * as floor from '../floor';
import { clockTime, dayTime, NO_VALUE, number, span, t, word } from '../i18n';
import { PageHead } from '../parts/page-head';
import { Timeline } from '../parts/timeline';
import { Away, Evaluations, Notes } from '../parts/moment-work';
import { headline } from '../parts/problem';

function useMoment(id: string) {
  const [detail, setDetail] = useState<MomentDetail | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const change = floor.changed.value;
  const touched = change?.moment_id === id ? change.revision : 0;
  useEffect(() => {
    let isGone = false;
    // What the other services make of a change follows it by a moment.
    const timer = setTimeout(async () => {
      try {
        const next = await getMoment(id);
        if (!isGone) { setDetail(next); setProblem(null); }
      } catch (error) {
        if (!isGone) setProblem(problemIn(error));
      }
    }, touched ? 300 : 0);
    return () => { isGone = true; clearTimeout(timer); };
  }, [id, touched, turn]);
  useLive('alert', (a) => { if (a.moment_id === id) reload(); });
  useLive('candidate', (c) => { if (c.moment_id === id) reload(); });
  return { detail, problem, reload };
}

const agentName = (had: Pick<Moment, 'person_id' | 'agent'>): string => personName(had.person_id ?? '') || had.agent || '';

const stateName = (m: Moment): string => (m.state === 'ended' ? t().ended : m.state ? t().states[m.state] : NO_VALUE);

function Facts({ m }: { m: Moment }) {
  const words = t().moment;
  const rows: [string, string][] = [
    [words.state, stateName(m)],
    [words.outcome, word(t().outcomes, m.outcome)],
    [words.agent, agentName(m) || NO_VALUE],
    [words.queue, queueName(m.queue ?? '') || NO_VALUE],
    [words.endedBy, word(t().parties, m.ended_by)],
    [words.waited, span(m.wait_ms)],
    [words.rang, span(m.ring_ms)],
    [words.talked, span(m.talk_ms)],
    [words.onHold, m.hold_count ? words.holdIn(span(m.hold_ms), m.hold_count) : span(m.hold_ms)],
    [words.wrap, span(m.wrap_ms)],
    [words.transfers, String(m.transfers)],
    [words.survey, m.csat === null ? NO_VALUE : words.ofFive(number(m.csat))],
    [words.contacts, String(m.repeat_contacts + 1)],
    [words.site, siteName(m.site ?? '') || NO_VALUE],
    ...(m.customer_signals?.length ? [[words.signals, m.customer_signals.join(', ')] as [string, string]] : []),
    [words.source, `${m.source} ${m.source_contact_id}`],
    [words.customer, m.customer_id ? m.customer_id.slice(0, 8) : words.withheld],
  ];
  return <dl class="facts">{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>;
}

function Visits({ m }: { m: Moment }) {
  const words = t().moment;
  if (!m.visits.length) return <p class="quiet">{m.outcome === 'refused' ? words.refused : words.noQueue}</p>;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={words.visits}><table>
      <thead><tr><th scope="col">{words.queue}</th><th scope="col">{words.entered}</th><th scope="col" class="num">{words.wait}</th><th scope="col">{words.agent}</th><th scope="col" class="num">{words.ring}</th>
        <th scope="col" class="num">{words.talk}</th><th scope="col" class="num">{words.hold}</th><th scope="col" class="num">{words.offers}</th><th scope="col">{words.outcome}</th></tr></thead>
      <tbody>{m.visits.map((v, i) => (
        <tr key={i}><th scope="row">{queueName(v.queue ?? '')}</th><td>{clockTime(v.entered_at)}</td><td class="num">{span(v.wait_ms)}</td><td>{agentName(v) || '–'}</td>
          <td class="num">{span(v.ring_ms)}</td><td class="num">{span(v.talk_ms)}</td><td class="num">{v.hold_count ? `${span(v.hold_ms)} (${v.hold_count})` : '–'}</td>
          <td class="num">{v.offers}{v.offer_failures ? `, ${words.notTaken(v.offer_failures)}` : ''}</td><td>{word(t().outcomes, v.outcome)}</td></tr>))}</tbody>
    </table></div>
  );
}

function eventWords(e: MomentEvent): string {
  const name = word(t().events, e.type);
  const about = [e.agent, e.queue, e.reason].filter(Boolean).join(', ');
  return e.score !== null ? `${name}: ${e.score}${about ? ` (${about})` : ''}` : about ? `${name}: ${about}` : name;
}

function Events({ events }: { events: MomentEvent[] }) {
  const sorted = [...events].sort((a, b) => (a.occurred_at ?? '').localeCompare(b.occurred_at ?? ''));
  return (
    <ol class="events">{sorted.map((e) => (
      <li key={e.event_id} class={`is-${e.evidence ?? 'live'}`}>
        <time class="num" dateTime={e.occurred_at ?? ''}>{clockTime(e.occurred_at)}</time>
        <span>{eventWords(e)}</span>
        <span class="quiet small">{e.source}{e.evidence === 'record' ? `, ${t().moment.onRecord}` : ''}</span>
      </li>))}</ol>
  );
}

function AlertsAndCandidates({ detail }: { detail: MomentDetail }) {
  const { alerts, candidates } = detail;
  const words = t().moment;
  return (
    <section class="panel" aria-labelledby="alerts-title" data-testid="moment-alerts">
      <h2 id="alerts-title">{words.alerts}</h2>
      {alerts.items === null ? <Away problem={alerts.problem} /> : alerts.items.length === 0 ? <p class="quiet">{words.noAlerts}</p>
        : <ul class="plain">{alerts.items.map((a) => (
          <li class={`alert is-${a.severity ?? 'notice'}`} key={a.alert_id}><span class="badge">{word(t().severities, a.severity)}</span>
            <span>{a.title}{a.late ? ` (${words.late})` : ''}</span><span class="quiet small">{words.fromTo(clockTime(a.crossed_at), a.cleared_at ? clockTime(a.cleared_at) : t().now)}</span></li>))}</ul>}
      {candidates.items === null ? <Away problem={candidates.problem} /> : candidates.items.filter((c) => c.state !== 'withdrawn').map((c) => (
        <div class="caught" key={c.candidate_id}><h3>{words.caught(c.agent)}</h3>
          <ul>{c.evidence.map((e, i) => <li key={i}>{e.text}</li>)}</ul></div>))}
    </section>
  );
}

export function MomentPage({ id }: { id: string }) {
  const { detail, problem, reload } = useMoment(id);
  if (!detail && problem) {
    return <section class="panel empty"><PageHead title={problem.status === 404 ? t().moment.notThere : t().moment.notShown} about={problem.detail ?? headline(problem)} />
      <p><a href="/floor">{t().moment.backToFloor}</a></p></section>;
  }
  if (!detail) return <p class="quiet" role="status">{t().moment.opening}</p>;
  const m = detail.moment;
  const words = t().moment;
  return (
    <div class="moment" data-testid="moment">
      <PageHead title={queueName(m.queue ?? '') || words.title} aside={dayTime(m.started_at)}>
        <span class={`badge state-${m.state ?? 'started'}`} data-testid="state">{stateName(m)}</span></PageHead>
      {m.quality.length > 0 && <p class="note">{words.good(m.quality.map((q) => word(t().quality, q)).join('; '))}</p>}
      <section class="panel" aria-labelledby="timeline-title"><h2 id="timeline-title">{words.timeline}</h2><Timeline moment={m} events={detail.events.items ?? []} /><Visits m={m} /></section>
      <div class="panels is-wide">
        <div><Evaluations detail={detail} reload={reload} /></div>
        <div><Notes detail={detail} />
          <AlertsAndCandidates detail={detail} />
          <section class="panel" aria-labelledby="facts-title"><h2 id="facts-title">{words.facts}</h2><Facts m={m} /></section></div>
        <section class="panel" aria-labelledby="events-title" data-testid="events"><h2 id="events-title">{words.events}</h2>
          {detail.events.items === null ? <Away problem={detail.events.problem} /> : <Events events={detail.events.items} />}</section>
      </div>
    </div>
  );
}
