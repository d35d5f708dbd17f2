// Does anybody answer what is measured? Each figure opens what is behind it.
import type { ComponentChildren } from 'preact';
import { query, ownZone } from '../api';
import { directory, siteName, teamName } from '../directory';
import { day, dayTime, number, percent, t } from '../i18n';
import { useLoaded } from '../loading';
import { FigureValue } from '../parts/figure';
import { FlameCard } from '../parts/flame';
import { PageHead } from '../parts/page-head';
import { Waiting } from '../parts/problem';
import type { Figure, FatalUnanswered, GetAccountabilityResponse, GetFlameResponse, GiverAccount, ReceiverAccount } from '../proto';
import { go, place } from '../router';

// Feedback takes seconds or days: the unit that says it shortest.
function duration(ms: number): string {
  const words = t().account.duration;
  if (ms < 60_000) return words.seconds(number(ms / 1000, 0));
  if (ms < 3_600_000) return words.minutes(number(ms / 60_000, 0));
  return ms < 86_400_000 ? words.hours(number(ms / 3_600_000, 1)) : words.days(number(ms / 86_400_000, 1));
}

function Tile({ name, figure, show, children, testid }: { name: string; figure: Figure | null; show: (value: number) => string; children?: ComponentChildren; testid: string }) {
  return <div class="tile figure-tile" data-testid={testid}><dt>{name}</dt><dd><FigureValue figure={figure} show={show} />{children}</dd></div>;
}

function Figures({ data }: { data: GetAccountabilityResponse }) {
  const words = t().account;
  return (
    <dl class="tiles wide-tiles">
      <Tile testid="figure-median" name={words.median} figure={data.time_to_feedback_median_ms} show={duration} />
      <Tile testid="figure-p90" name={words.p90} figure={data.time_to_feedback_p90_ms} show={duration} />
      <Tile testid="figure-balance" name={words.balance} figure={data.praise_balance} show={(v) => percent(v)}><span class="quiet small">{words.both(number(data.praise), number(data.improvement))}</span></Tile>
      <Tile testid="figure-without" name={words.without} figure={data.without_feedback} show={(v) => percent(v)} />
      <Tile testid="figure-fatal" name={words.fatals} figure={data.fatal_unanswered} show={(v) => percent(v)} />
    </dl>
  );
}

function Part({ id, title, none, isEmpty, children }: { id: string; title: string; none: string; isEmpty: boolean; children: ComponentChildren }) {
  return (
    <section class="panel" aria-labelledby={id} data-testid={id}><h2 id={id}>{title}</h2>
      {isEmpty ? <p class="quiet">{none}</p> : <div class="scroll" tabIndex={0} role="group" aria-labelledby={id}><table>{children}</table></div>}</section>
  );
}

function Givers({ givers }: { givers: GiverAccount[] }) {
  const words = t().account;
  return (
    <Part id="givers" title={words.givers} none={words.nobodyGave} isEmpty={givers.length === 0}>
      <thead><tr><th scope="col">{words.giver}</th><th scope="col" class="num">{words.praise}</th><th scope="col" class="num">{words.improvement}</th><th scope="col">{words.share}</th><th scope="col">{words.medianHead}</th></tr></thead>
      <tbody>{givers.map((g) => (
        <tr key={g.user_id}><th scope="row"><a href={`/notes${query({ giver: g.user_id })}`}>{g.name}</a></th><td class="num">{number(g.praise)}</td><td class="num">{number(g.improvement)}</td>
          <td><FigureValue figure={g.balance} show={(v) => percent(v)} /></td><td><FigureValue figure={g.time_to_feedback_median_ms} show={duration} /></td></tr>))}</tbody>
    </Part>
  );
}

function Receivers({ receivers }: { receivers: ReceiverAccount[] }) {
  const words = t().account;
  return (
    <Part id="receivers" title={words.receivers} none={words.nobodyReceived} isEmpty={receivers.length === 0}>
      <thead><tr><th scope="col">{words.receiver}</th><th scope="col" class="num">{words.moments}</th><th scope="col" class="num">{words.praise}</th><th scope="col" class="num">{words.improvement}</th><th scope="col">{words.last}</th><th scope="col" class="num">{words.days}</th></tr></thead>
      <tbody>{receivers.map((r) => (
        <tr key={r.person_id}><th scope="row"><a href={`/notes${query({ receiver: r.person_id })}`}>{r.name}</a></th><td class="num"><a href={`/moments${query({ person: r.person_id })}`}>{number(r.moments)}</a></td>
          <td class="num">{number(r.praise)}</td><td class="num">{number(r.improvement)}</td><td>{r.last_feedback_at ? day(r.last_feedback_at) : words.never}</td>
          <td class="num">{r.days_without < 0 ? words.never : number(r.days_without)}</td></tr>))}</tbody>
    </Part>
  );
}

function Fatals({ fatals }: { fatals: FatalUnanswered[] }) {
  const words = t().account;
  return (
    <section class="panel" aria-labelledby="fatals" data-testid="fatals"><h2 id="fatals">{words.fatals}</h2>
      {fatals.length === 0 ? <p class="quiet">{words.noFatals}</p>
        : <ul class="plain rows">{fatals.map((f) => <li key={f.evaluation_id}>{f.name && <strong>{f.name}</strong>}<span>{words.failed(f.criterion_title)}</span><a href={`/moments/${f.moment_id}`}>{dayTime(f.moment_ended_at)}</a></li>)}</ul>}</section>
  );
}

function Flames() {
  const { data, problem, reload } = useLoaded<GetFlameResponse>('/api/v1/flame?periods=8');
  const words = t().account;
  return (
    <section class="panel" aria-labelledby="flames" data-testid="flames"><h2 id="flames">{words.flames}</h2>
      {!data ? <Waiting problem={problem} retry={reload} /> : data.flames.length === 0 ? <p class="quiet">{words.noFlames}</p>
        : <div class="cards">{data.flames.map((f) => <div key={`${f.user_id}/${f.practice}/${f.rhythm_id}`}><p><strong>{t().flame.titleOf(f.user_name)}</strong></p><FlameCard flame={f} /></div>)}</div>}</section>
  );
}

function Filters({ site, team }: { site: string; team: string }) {
  const words = t().account;
  const { sites, teams } = directory();
  const to = (next: { site?: string; team?: string }): void => go(`/accountability${query({ site, team, ...next })}`, true);
  return (
    <div class="filters" role="group" aria-label={words.filters}>
      <label>{t().fields.site}<select value={site} onChange={(e) => to({ site: e.currentTarget.value })}><option value="">{words.anySite}</option>{sites.map((s) => <option key={s.site_id} value={s.site_id}>{siteName(s.site_id)}</option>)}</select></label>
      <label>{words.team}<select value={team} onChange={(e) => to({ team: e.currentTarget.value })}><option value="">{words.anyTeam}</option>{teams.map((x) => <option key={x.team_id} value={x.team_id}>{teamName(x.team_id)}</option>)}</select></label>
    </div>
  );
}

export function AccountabilityPage() {
  const given = place.value.searchParams;
  const site = given.get('site') ?? '';
  const team = given.get('team') ?? '';
  const { data, problem, reload } = useLoaded<GetAccountabilityResponse>(`/api/v1/accountability${query({ time_zone: ownZone(), site, team_id: team })}`);
  const words = t().account;
  return (
    <div class="accountability">
      <PageHead title={words.title} about={words.about} />
      <Filters site={site} team={team} />
      {!data ? <Waiting problem={problem} retry={reload} /> : (
        <><p class="quiet">{words.period(day(data.from_at), day(data.to_at), data.time_zone)}</p>
          <Figures data={data} />
          <div class="panels is-wide"><Receivers receivers={data.receivers} /><Givers givers={data.givers} /><Fatals fatals={data.fatals} /></div></>)}
      <Flames />
    </div>
  );
}
