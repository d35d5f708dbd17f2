// The live floor: what is happening to customers at this second, unfiltered.
import { computed } from '@preact/signals';
import type { Alert, Moment, Person, Presence, State } from '../api';
import { now, since, span } from '../clock';
import * as floor from '../floor';
import { percent, shortDefinition, text, word } from '../text';

const COLUMNS: State[] = ['started', 'waiting', 'ringing', 'talking', 'held', 'ended'];
const LONG_WAIT_MS = 20_000;
const CARDS_SHOWN = 40;

function Tile({ name, value, hint, tone, testid }: {
  name: string; value: string; hint: string; tone?: 'bad' | 'good' | undefined; testid: string;
}) {
  return (
    <div class={`tile ${tone ? `is-${tone}` : ''}`} data-testid={testid}>
      <dt>{name}</dt>
      <dd><strong>{value}</strong><span class="quiet small">{hint}</span></dd>
    </div>
  );
}

const availableCount = computed(() => [...floor.people.value.values()].filter((p) => p.presence === 'available').length);
const signedOnCount = computed(() => [...floor.people.value.values()].filter((p) => p.presence && p.presence !== 'offline').length);

function Tiles() {
  const states = floor.byState.value;
  const longest = floor.longestWait.value;
  const level = floor.serviceLevel.value;
  const waiting = states.waiting.length + states.ringing.length;
  const definition = level ? shortDefinition(level.definition) : '';
  return (
    <dl class="tiles">
      <Tile testid="tile-waiting" name="Waiting" value={String(waiting)} hint={waiting ? 'in a queue now' : 'nobody waits'} />
      <Tile testid="tile-longest" name="Longest wait" value={span(longest)} tone={longest !== null && longest > LONG_WAIT_MS ? 'bad' : undefined}
        hint={longest === null ? 'nobody waits' : 'since entering the queue'} />
      <Tile testid="tile-talking" name="With an agent" value={String(states.talking.length + states.held.length)}
        hint={states.held.length ? `${states.held.length} on hold` : 'nobody on hold'} />
      <Tile testid="tile-level" name={`Service level, ${level?.threshold_s ?? 20} s`} value={percent(level?.value)}
        hint={level ? `${word(text.definitions, definition)}; n = ${level.n}, today` : ''} />
      <Tile testid="tile-people" name="People available" value={String(availableCount.value)} hint={`of ${signedOnCount.value} signed on`} />
      <Tile testid="tile-alerts" name="Open alerts" value={String(floor.openAlerts.value.length)}
        tone={floor.openAlerts.value.length ? 'bad' : undefined} hint={floor.openAlerts.value.length ? 'see below' : 'all quiet'} />
    </dl>
  );
}

const severalSources = computed(() => new Set([...floor.moments.value.values()].map((m) => m.source)).size > 1);

function smallPrint(m: Moment): string[] {
  return [
    m.state === 'ended' ? m.agent : null,
    m.state === 'ended' && !m.agent && m.wait_ms ? `waited ${span(m.wait_ms)}` : null,
    m.transfers ? `${m.transfers} transfer${m.transfers > 1 ? 's' : ''}` : null,
    m.repeat_contacts ? `contact no. ${m.repeat_contacts + 1} in 7 days` : null,
    m.csat !== null ? `survey ${m.csat} of 5` : null,
    severalSources.value ? m.source : null,
  ].filter((part): part is string => Boolean(part));
}

function Card({ moment }: { moment: Moment }) {
  const visit = moment.visits.at(-1);
  const inState = since(moment.state_since);
  const wait = since(floor.waitingSince(moment));
  const isWaiting = moment.state === 'waiting' || moment.state === 'ringing';
  const isLong = isWaiting && wait !== null && wait > LONG_WAIT_MS;
  const queue = visit?.queue ?? moment.queue;
  return (
    <li class={`card ${isLong ? 'is-long' : ''}`} data-testid="card" data-contact={moment.source_contact_id}>
      <a href={`/moments/${moment.moment_id}`}>
        <span class="card-top"><b>{queue || 'no queue'}</b><span class="num">{span(moment.state === 'ended' ? moment.talk_ms : isWaiting ? wait : inState)}</span></span>
        <span class="card-who">
          {moment.state === 'ended' ? word(text.outcomes, visit?.outcome ?? moment.outcome) : (isWaiting ? (isLong ? 'waits long' : 'customer waits') : moment.agent || 'customer')}
        </span>
        <span class="quiet small">{smallPrint(moment).join(' · ')}</span>
      </a>
    </li>
  );
}

function Column({ state }: { state: State }) {
  const list = floor.byState.value[state];
  return (
    <section class={`column column-${state}`} aria-labelledby={`column-${state}`} data-testid={`column-${state}`}>
      <h2 id={`column-${state}`} title={text.stateHints[state]}>{text.states[state]} <span class="count">{list.length}</span></h2>
      <ul>{list.slice(0, CARDS_SHOWN).map((m) => <Card key={m.moment_id} moment={m} />)}</ul>
      {list.length > CARDS_SHOWN && <p class="quiet small"><a href="/moments">and {list.length - CARDS_SHOWN} more</a></p>}
      {list.length === 0 && <p class="nobody" aria-hidden="true">–</p>}
    </section>
  );
}

function AlertRow({ alert }: { alert: Alert }) {
  const severity = alert.severity ?? 'notice';
  const what = `${alert.title}${alert.queue ? `, ${alert.queue}` : ''}${alert.agent ? `, ${alert.agent}` : ''}`;
  return (
    <li class={`alert is-${severity}`}>
      <span class="badge">{severity}</span>
      <span>{alert.moment_id ? <a href={`/moments/${alert.moment_id}`}>{what}</a> : what}{alert.late ? ' (noticed late)' : ''}</span>
      <span class="num quiet">{span(since(alert.crossed_at ?? alert.raised_at))}</span>
    </li>
  );
}

function Alerts() {
  const list = floor.openAlerts.value;
  return (
    <section class="panel" aria-labelledby="alerts-title" data-testid="alerts">
      <h2 id="alerts-title">Alerts <span class="count">{list.length}</span></h2>
      {list.length === 0 ? <p class="quiet">No threshold is crossed right now.</p>
        : <ul class="plain">{list.slice(0, 12).map((a) => <AlertRow key={a.alert_id} alert={a} />)}</ul>}
      {list.length > 12 && <p class="quiet small">and {list.length - 12} more</p>}
    </section>
  );
}

function Candidates() {
  const list = [...floor.candidates.value.values()].sort((a, b) => (b.proposed_at ?? '').localeCompare(a.proposed_at ?? '')).slice(0, 6);
  return (
    <section class="panel" aria-labelledby="caught-title" data-testid="candidates">
      <h2 id="caught-title">Caught doing it right</h2>
      {list.length === 0 ? <p class="quiet">Nobody yet. Candidates come from standards that have a wow, and from surveys.</p>
        : <ul class="plain">{list.map((c) => (
          <li class="caught" key={c.candidate_id}>
            <a href={`/moments/${c.moment_id}`}>{c.agent || 'unknown'}</a>
            <span class="quiet small">{c.evidence[0]?.text ?? ''}</span>
          </li>))}</ul>}
    </section>
  );
}

const PRESENCE_ORDER: Presence[] = ['busy', 'ringing', 'available', 'wrap', 'break', 'offline'];
const MARK: Record<Presence, string> = { busy: '●', ringing: '◍', available: '○', wrap: '◐', break: '‖', offline: '·' };

function PersonRow({ person }: { person: Person }) {
  const presence = person.presence ?? 'offline';
  return (
    <tr class={`is-${presence}`}>
      <th scope="row">{person.name || person.agent}{!person.person_id && <abbr class="unknown" title="Not in the directory. Import it: momentctl directory import FILE">unknown</abbr>}</th>
      <td><span aria-hidden="true" class="mark">{MARK[presence]}</span> {text.presence[presence]}{person.reason ? <span class="quiet small"> {person.reason}</span> : null}</td>
      <td class="num">{presence === 'offline' ? '–' : span(since(person.since))}</td>
      <td class="quiet small">{person.queues.join(', ')}</td>
    </tr>
  );
}

function People() {
  const list = [...floor.people.value.values()].sort((a, b) =>
    PRESENCE_ORDER.indexOf(a.presence ?? 'offline') - PRESENCE_ORDER.indexOf(b.presence ?? 'offline') || (a.name ?? a.agent ?? '').localeCompare(b.name ?? b.agent ?? ''));
  return (
    <section class="panel" aria-labelledby="people-title" data-testid="people">
      <h2 id="people-title">People</h2>
      {list.length === 0 ? <p class="quiet">Nobody has been seen yet. People appear with the first event of a source that knows agents.</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="people-title"><table>
          <thead><tr><th scope="col">Person</th><th scope="col">State</th><th scope="col" class="num">For</th><th scope="col">Queues</th></tr></thead>
          <tbody>{list.map((p) => <PersonRow key={`${p.source}/${p.agent}/${p.person_id}`} person={p} />)}</tbody>
        </table></div>)}
    </section>
  );
}

function Queues() {
  const states = floor.byState.value;
  const waiting = [...states.waiting, ...states.ringing];
  const list = floor.queueFigures.value;
  return (
    <section class="panel" aria-labelledby="queues-title" data-testid="queues">
      <h2 id="queues-title">Queues <span class="quiet small">today</span></h2>
      {list.length === 0 ? <p class="quiet">No queue has been used yet.</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="queues-title"><table>
          <thead><tr><th scope="col">Queue</th><th scope="col" class="num">Waiting</th><th scope="col" class="num">Longest</th>
            <th scope="col" class="num">Answered</th><th scope="col" class="num">Abandoned</th><th scope="col" class="num">In time</th></tr></thead>
          <tbody>{list.map((q) => {
            const mine = waiting.filter((m) => (m.visits.at(-1)?.queue ?? m.queue) === q.queue);
            const first = mine.map(floor.waitingSince).filter((t): t is string => t !== null).sort()[0];
            return (
              <tr key={`${q.site}/${q.queue}`}>
                <th scope="row"><a href={`/moments?queue=${encodeURIComponent(q.queue)}`}>{q.name || q.queue}</a></th>
                <td class="num">{mine.length}</td>
                <td class="num">{first ? span(Math.max(0, now.value - Date.parse(first))) : '–'}</td>
                <td class="num">{q.answered_today}</td>
                <td class="num">{q.abandoned_today}</td>
                <td class="num">{percent(q.service_level?.value)}</td>
              </tr>);
          })}</tbody>
        </table></div>)}
    </section>
  );
}

function Nothing() {
  return (
    <section class="panel empty">
      <h2>No moments yet</h2>
      <p>As soon as a customer touches the organisation it shows here. Connect a source:</p>
      <pre><code>momentctl source add asterisk-ami NAME --host HOST --user USER --secret-file FILE{'\n'}momentctl source add events NAME</code></pre>
    </section>
  );
}

export function FloorPage() {
  const isEmpty = floor.moments.value.size === 0 && floor.people.value.size === 0 && floor.connection.value === 'open';
  return (
    <div class={floor.isStale.value && floor.connection.value !== 'starting' ? 'floor is-stale' : 'floor'} data-testid="floor">
      <div class="page-head">
        <h1>Live floor</h1>
        <button type="button" aria-pressed={floor.isPaused.value} onClick={() => floor.setPaused(!floor.isPaused.value)}>
          {floor.isPaused.value ? 'Go on' : 'Pause'}
        </button>
      </div>
      {floor.failure.value && <p class="problem" role="alert">{floor.failure.value.message}</p>}
      <Tiles />
      {isEmpty ? <Nothing /> : <div class="board" data-testid="board">{COLUMNS.map((s) => <Column key={s} state={s} />)}</div>}
      <div class="panels">
        <Alerts />
        <Queues />
        <People />
        <Candidates />
      </div>
    </div>
  );
}
