// The live floor: what is happening to customers at this second, unfiltered.
import { computed } from '@preact/signals';
import type { Alert, Moment, Person, Presence, State } from '../api';
import { now, since } from '../clock';
import * as floor from '../floor';
import { list as listed, number, percent, span, t, word } from '../i18n';
import { PageHead } from '../parts/page-head';
import { ProblemPanel } from '../parts/problem';
import { LONG_WAIT_MS, Tiles } from '../parts/tiles';

const COLUMNS: State[] = ['started', 'waiting', 'ringing', 'talking', 'held', 'ended'];
const CARDS_SHOWN = 40;

const severalSources = computed(() => new Set([...floor.moments.value.values()].map((m) => m.source)).size > 1);

function smallPrint(m: Moment): string[] {
  const words = t().floor;
  return [
    m.state === 'ended' ? m.agent : null,
    m.state === 'ended' && !m.agent && m.wait_ms ? words.waited(span(m.wait_ms)) : null,
    m.transfers ? words.transfers(m.transfers) : null,
    m.repeat_contacts ? words.contactNo(m.repeat_contacts + 1) : null,
    m.csat !== null ? words.survey(number(m.csat)) : null,
    severalSources.value ? m.source : null,
  ].filter((part): part is string => Boolean(part));
}

function Card({ moment }: { moment: Moment }) {
  const visit = moment.visits.at(-1);
  const inState = since(moment.state_since);
  const wait = since(floor.waitingSince(moment));
  const isWaiting = moment.state === 'waiting' || moment.state === 'ringing';
  const isLong = isWaiting && wait !== null && wait > LONG_WAIT_MS;
  const queue = visit?.queue || moment.queue;
  const words = t().floor;
  return (
    <li class={`card ${isLong ? 'is-long' : ''}`} data-testid="card" data-contact={moment.source_contact_id}>
      <a href={`/moments/${moment.moment_id}`}>
        <span class="card-top"><b>{queue || words.noQueue}</b><span class="num">{span(moment.state === 'ended' ? moment.talk_ms : isWaiting ? wait : inState)}</span></span>
        <span class="card-who">
          {moment.state === 'ended' ? word(t().outcomes, visit?.outcome ?? moment.outcome) : (isWaiting ? (isLong ? words.waitsLong : words.customerWaits) : moment.agent || words.customer)}
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
      <h2 id={`column-${state}`} title={t().stateHints[state]}>{t().states[state]} <span class="count">{list.length}</span></h2>
      <ul>{list.slice(0, CARDS_SHOWN).map((m) => <Card key={m.moment_id} moment={m} />)}</ul>
      {list.length > CARDS_SHOWN && <p class="quiet small"><a href="/moments">{t().floor.andMore(list.length - CARDS_SHOWN)}</a></p>}
      {list.length === 0 && <p class="nobody" aria-hidden="true">–</p>}
    </section>
  );
}

function AlertRow({ alert }: { alert: Alert }) {
  const severity = alert.severity ?? 'notice';
  const what = `${alert.title}${alert.queue ? `, ${alert.queue}` : ''}${alert.agent ? `, ${alert.agent}` : ''}`;
  return (
    <li class={`alert is-${severity}`}>
      <span class="badge">{t().severities[severity]}</span>
      <span>{alert.moment_id ? <a href={`/moments/${alert.moment_id}`}>{what}</a> : what}{alert.late ? ` (${t().floor.late})` : ''}</span>
      <span class="num quiet">{span(since(alert.crossed_at ?? alert.raised_at))}</span>
    </li>
  );
}

function Alerts() {
  const words = t().floor;
  const list = floor.openAlerts.value;
  return (
    <section class="panel" aria-labelledby="alerts-title" data-testid="alerts">
      <h2 id="alerts-title">{words.alerts} <span class="count">{list.length}</span></h2>
      {list.length === 0 ? <p class="quiet">{words.noAlerts}</p>
        : <ul class="plain">{list.slice(0, 12).map((a) => <AlertRow key={a.alert_id} alert={a} />)}</ul>}
      <p class="small"><a href="/alerts">{list.length > 12 ? words.andMore(list.length - 12) : words.allAlerts}</a></p>
    </section>
  );
}

function Candidates() {
  const list = [...floor.candidates.value.values()].sort((a, b) => (b.proposed_at ?? '').localeCompare(a.proposed_at ?? '')).slice(0, 6);
  return (
    <section class="panel" aria-labelledby="caught-title" data-testid="candidates">
      <h2 id="caught-title">{t().floor.caught}</h2>
      {list.length === 0 ? <p class="quiet">{t().floor.nobodyCaught}</p>
        : <ul class="plain">{list.map((c) => (
          <li class="caught" key={c.candidate_id}>
            <a href={`/moments/${c.moment_id}`}>{c.agent || t().unknown}</a>
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
      <th scope="row">{person.name || person.agent}{!person.person_id && <abbr class="unknown" title={t().floor.notInDirectory}>{t().unknown}</abbr>}</th>
      <td><span aria-hidden="true" class="mark">{MARK[presence]}</span> {t().presence[presence]}{person.reason ? <span class="quiet small"> {person.reason}</span> : null}</td>
      <td class="num">{presence === 'offline' ? '–' : span(since(person.since))}</td>
      <td class="quiet small">{listed(person.queues)}</td>
    </tr>
  );
}

function People() {
  const words = t().floor;
  const list = [...floor.people.value.values()].sort((a, b) =>
    PRESENCE_ORDER.indexOf(a.presence ?? 'offline') - PRESENCE_ORDER.indexOf(b.presence ?? 'offline') || (a.name ?? a.agent ?? '').localeCompare(b.name ?? b.agent ?? ''));
  return (
    <section class="panel" aria-labelledby="people-title" data-testid="people">
      <h2 id="people-title">{words.people}</h2>
      {list.length === 0 ? <p class="quiet">{words.nobodySeen}</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="people-title"><table>
          <thead><tr><th scope="col">{words.person}</th><th scope="col">{words.state}</th><th scope="col" class="num">{words.since}</th><th scope="col">{words.queues}</th></tr></thead>
          <tbody>{list.map((p) => <PersonRow key={`${p.source}/${p.agent}/${p.person_id}`} person={p} />)}</tbody>
        </table></div>)}
    </section>
  );
}

function Queues() {
  const words = t().floor;
  const states = floor.byState.value;
  const waiting = [...states.waiting, ...states.ringing];
  const list = floor.queueFigures.value;
  return (
    <section class="panel" aria-labelledby="queues-title" data-testid="queues">
      <h2 id="queues-title">{words.queues} <span class="quiet small">{words.today}</span></h2>
      {list.length === 0 ? <p class="quiet">{words.noQueueUsed}</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="queues-title"><table>
          <thead><tr><th scope="col">{words.queue}</th><th scope="col" class="num">{words.waiting}</th><th scope="col" class="num">{words.queueLongest}</th>
            <th scope="col" class="num">{words.answered}</th><th scope="col" class="num">{words.abandoned}</th><th scope="col" class="num">{words.inTime}</th></tr></thead>
          <tbody>{list.map((q) => {
            const mine = waiting.filter((m) => (m.visits.at(-1)?.queue || m.queue) === q.queue);
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
      <h2>{t().floor.nothing}</h2>
      <p>{t().floor.nothingHint}</p>
      <pre><code>momentctl source add asterisk-ami NAME --host HOST --user USER --secret-file FILE{'\n'}momentctl source add events NAME</code></pre>
    </section>
  );
}

export function FloorPage() {
  const isEmpty = floor.moments.value.size === 0 && floor.people.value.size === 0 && floor.connection.value === 'open';
  return (
    <div class={floor.isStale.value && floor.connection.value !== 'starting' ? 'floor is-stale' : 'floor'} data-testid="floor">
      <PageHead title={t().floor.title} about={t().floor.about}>
        <button type="button" aria-pressed={floor.isPaused.value} onClick={() => floor.setPaused(!floor.isPaused.value)}>
          {floor.isPaused.value ? t().floor.goOn : t().floor.pause}
        </button>
      </PageHead>
      {floor.failure.value && <ProblemPanel problem={floor.failure.value.problem} />}
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
