// One moment: what happened, how it compares with the standard, what it set off.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, getMoment, type CriterionResult, type Evaluation, type Moment, type MomentDetail, type MomentEvent, type Problem } from '../api';
import { clockTime, dayTime, span } from '../clock';
import * as floor from '../floor';
import { Timeline } from '../parts/timeline';
import { text, word } from '../text';

function useMoment(id: string) {
  const [detail, setDetail] = useState<MomentDetail | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
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
        if (!isGone && error instanceof ApiError) setProblem(error);
      }
    }, touched ? 300 : 0);
    return () => { isGone = true; clearTimeout(timer); };
  }, [id, touched]);
  return { detail, problem };
}

function Facts({ m }: { m: Moment }) {
  const rows: [string, string][] = [
    ['State', m.state === 'ended' ? 'Ended' : m.state ? text.states[m.state] : '–'],
    ['Outcome', word(text.outcomes, m.outcome)],
    ['Agent', m.agent || '–'],
    ['Queue', m.queue || '–'],
    ['Ended by', m.ended_by ?? '–'],
    ['Waited', span(m.wait_ms)],
    ['Rang', span(m.ring_ms)],
    ['Talked', span(m.talk_ms)],
    ['On hold', m.hold_count ? `${span(m.hold_ms)} in ${m.hold_count}` : span(m.hold_ms)],
    ['Wrap-up', span(m.wrap_ms)],
    ['Transfers', String(m.transfers)],
    ['Survey', m.csat === null ? '–' : `${m.csat} of 5`],
    ['Contacts in 7 days', String(m.repeat_contacts + 1)],
    ['Site', m.site || '–'],
    ['Source', `${m.source} ${m.source_contact_id}`],
    ['Customer', m.customer_id ? m.customer_id.slice(0, 8) : 'withheld'],
  ];
  return <dl class="facts">{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>;
}

function Visits({ m }: { m: Moment }) {
  if (!m.visits.length) return <p class="quiet">{m.outcome === 'refused' ? 'Turned away before any queue.' : 'This contact has not been in a queue.'}</p>;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Visits to queues"><table>
      <thead><tr><th scope="col">Queue</th><th scope="col">Entered</th><th scope="col" class="num">Wait</th><th scope="col">Agent</th><th scope="col" class="num">Ring</th>
        <th scope="col" class="num">Talk</th><th scope="col" class="num">Hold</th><th scope="col" class="num">Offers</th><th scope="col">Outcome</th></tr></thead>
      <tbody>{m.visits.map((v, i) => (
        <tr key={i}><th scope="row">{v.queue}</th><td>{clockTime(v.entered_at)}</td><td class="num">{span(v.wait_ms)}</td><td>{v.agent || '–'}</td>
          <td class="num">{span(v.ring_ms)}</td><td class="num">{span(v.talk_ms)}</td><td class="num">{v.hold_count ? `${span(v.hold_ms)} (${v.hold_count})` : '–'}</td>
          <td class="num">{v.offers}{v.offer_failures ? `, ${v.offer_failures} not taken` : ''}</td><td>{word(text.outcomes, v.outcome)}</td></tr>))}</tbody>
    </table></div>
  );
}

function eventWords(e: MomentEvent): string {
  const name = word(text.events, e.type);
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
        <span class="quiet small">{e.source}{e.evidence === 'record' ? ', on record' : ''}</span>
      </li>))}</ol>
  );
}

function measured(c: CriterionResult, value: number | null): string {
  if (value === null) return '–';
  return c.metric?.endsWith('_ms') ? span(value) : String(value);
}

function Criterion({ c }: { c: CriterionResult }) {
  const verdict = c.not_applicable ? 'not applicable' : c.wow ? 'wow' : c.met ? 'met' : 'not met';
  const sign = c.comparison === 'at_most' ? '≤' : c.comparison === 'at_least' ? '≥' : '=';
  return (
    <tr class={`is-${verdict.replaceAll(' ', '-')}`}>
      <th scope="row">{c.title}{c.fatal ? ' (fatal)' : c.critical ? ' (critical)' : ''}</th>
      <td>{word(text.metrics, c.metric)} {sign} {measured(c, c.value)}</td>
      <td class="num">{measured(c, c.actual)}</td>
      <td><span class={`verdict is-${verdict.replaceAll(' ', '-')}`}>{verdict}</span></td>
      <td class="num">{c.weight}</td>
    </tr>
  );
}

function Evaluated({ e }: { e: Evaluation }) {
  return (
    <article class="evaluation">
      <h3>{e.standard_title} <span class="quiet small">version {e.standard_version}{e.revision > 1 ? `, revision ${e.revision}` : ''}</span>
        <strong class="score">{e.final_score === null ? 'no score' : Math.round(e.final_score)}</strong></h3>
      {e.raw_score !== null && e.raw_score !== e.final_score && <p class="problem">A fatal criterion was missed: raw score {Math.round(e.raw_score)}.</p>}
      <div class="scroll" tabIndex={0} role="group" aria-label={`Criteria of ${e.standard_title}`}><table>
        <thead><tr><th scope="col">Criterion</th><th scope="col">Should be</th><th scope="col" class="num">Was</th><th scope="col">Verdict</th><th scope="col" class="num">Weight</th></tr></thead>
        <tbody>{e.results.map((c) => <Criterion key={c.criterion_id} c={c} />)}</tbody>
      </table></div>
    </article>
  );
}

function Away({ problem }: { problem: Problem | null }) {
  return <p class="problem">{problem?.detail ?? 'This part does not answer'} The rest of the page is complete.</p>;
}

function Rest({ detail }: { detail: MomentDetail }) {
  const { evaluations, alerts, candidates } = detail;
  return (
    <>
      <section class="panel" aria-labelledby="standard-title" data-testid="evaluations">
        <h2 id="standard-title">Against the standard</h2>
        {evaluations.items === null ? <Away problem={evaluations.problem} /> : evaluations.items.length === 0
          ? <p class="quiet">{detail.moment.state === 'ended' ? 'No standard covers this moment. Declare one: momentctl standard publish FILE' : 'Evaluated when the moment has ended.'}</p>
          : evaluations.items.map((e) => <Evaluated key={e.evaluation_id} e={e} />)}
      </section>
      <section class="panel" aria-labelledby="alerts-title">
        <h2 id="alerts-title">Alerts</h2>
        {alerts.items === null ? <Away problem={alerts.problem} /> : alerts.items.length === 0 ? <p class="quiet">None.</p>
          : <ul class="plain">{alerts.items.map((a) => (
            <li class={`alert is-${a.severity ?? 'notice'}`} key={a.alert_id}><span class="badge">{a.severity}</span>
              <span>{a.title}{a.late ? ' (noticed late)' : ''}</span><span class="quiet small">{clockTime(a.crossed_at)} to {a.cleared_at ? clockTime(a.cleared_at) : 'now'}</span></li>))}</ul>}
        {candidates.items === null ? <Away problem={candidates.problem} /> : candidates.items.filter((c) => c.state !== 'withdrawn').map((c) => (
          <div class="caught" key={c.candidate_id}><h3>Caught doing it right: {c.agent}</h3>
            <ul>{c.evidence.map((e, i) => <li key={i}>{e.text}</li>)}</ul></div>))}
      </section>
    </>
  );
}

export function MomentPage({ id }: { id: string }) {
  const { detail, problem } = useMoment(id);
  if (!detail && problem) {
    return <section class="panel empty"><h1>{problem.problem.status === 404 ? 'There is no such moment' : 'This moment cannot be shown'}</h1>
      <p>{problem.message}</p><p><a href="/">Back to the live floor</a></p></section>;
  }
  if (!detail) return <p class="quiet" role="status">Opening the moment…</p>;
  const m = detail.moment;
  return (
    <div class="moment" data-testid="moment">
      <div class="page-head"><h1>{m.queue || 'Moment'} <span class="quiet">{dayTime(m.started_at)}</span></h1>
        <span class={`badge state-${m.state ?? 'started'}`} data-testid="state">{m.state === 'ended' ? 'Ended' : m.state ? text.states[m.state] : ''}</span></div>
      {m.quality.length > 0 && <p class="note">Good to know: {m.quality.map((q) => word(text.quality, q)).join('; ')}.</p>}
      <section class="panel" aria-labelledby="timeline-title"><h2 id="timeline-title">Time-line</h2><Timeline moment={m} events={detail.events.items ?? []} /><Visits m={m} /></section>
      <div class="panels is-wide">
        <section class="panel" aria-labelledby="facts-title"><h2 id="facts-title">Facts</h2><Facts m={m} /></section>
        <Rest detail={detail} />
        <section class="panel" aria-labelledby="events-title" data-testid="events"><h2 id="events-title">Everything that was reported</h2>
          {detail.events.items === null ? <Away problem={detail.events.problem} /> : <Events events={detail.events.items} />}</section>
      </div>
    </div>
  );
}
