// A leader's home: what needs them now, and whether they keep what they promised.
import { useState } from 'preact/hooks';
import { call, ownZone, path, query, type Candidate } from '../api';
import { useLive } from '../bus';
import { personName } from '../directory';
import { t } from '../i18n';
import { useCommand, useLoaded, usePages } from '../loading';
import { AlertRow, isAttended, isOpen } from '../parts/alert-row';
import { Buttons } from '../parts/dialog';
import { FlameCard } from '../parts/flame';
import { CheckField, Fields, objectionsOf, TextField } from '../parts/form';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { ProblemPanel, Waiting } from '../parts/problem';
import { Declare, End } from '../parts/rhythms';
import { Tiles } from '../parts/tiles';
import { toast } from '../parts/toasts';
import type { Alert, Flame, GetAccountabilityResponse, GetFlameResponse, ListRhythmsResponse } from '../proto';
import { isAboutMe, user } from '../session';

const PRAISE_LEAST = 20;
const PRAISE_MOST = 2000;
const WITHOUT_SHOWN = 8;

type Doing = 'nothing' | 'praising' | 'dismissing';

function Praise({ candidate, who, onDone, onCancel }: { candidate: Candidate; who: string; onDone: () => void; onCancel: () => void }) {
  const [text, setText] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const command = useCommand();
  const words = t().today;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body = { kind: 'praise', moment_id: candidate.moment_id, candidate_id: candidate.candidate_id, text: text.trim(), is_private: isPrivate };
    if (!(await command.run((key) => call('POST', '/api/v1/notes', { body, key })))) return;
    toast(words.praised(who), '', null, 'good');
    onDone();
  }
  return (
    <form onSubmit={submit} class="inline-form">
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}>
        <TextField name="text" label={words.whatSaw} hint={words.whatSawHint} value={text} onValue={setText} rows={3} least={PRAISE_LEAST} most={PRAISE_MOST} required />
        <CheckField name="is_private" label={words.between} checked={isPrivate} onChecked={setPrivate} />
      </Fields>
      <Buttons busy={command.isBusy} act={t().action.send} onCancel={onCancel} disabled={[...text.trim()].length < PRAISE_LEAST} />
    </form>
  );
}

function Dismiss({ candidate, onDone, onCancel }: { candidate: Candidate; onDone: () => void; onCancel: () => void }) {
  const [because, setBecause] = useState('');
  const command = useCommand();
  const words = t().today;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (!(await command.run((key) => call('POST', path('/api/v1/candidates/{}/dismiss', candidate.candidate_id), { body: { because: because.trim() }, key })))) return;
    toast(words.dismissed);
    onDone();
  }
  return (
    <form onSubmit={submit} class="inline-form">
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}><TextField name="because" label={words.dismissWhy} value={because} onValue={setBecause} most={500} required /></Fields>
      <Buttons busy={command.isBusy} act={words.dismiss} onCancel={onCancel} />
    </form>
  );
}

function Caught({ candidate, onDone }: { candidate: Candidate; onDone: () => void }) {
  const [doing, setDoing] = useState<Doing>('nothing');
  const words = t().today;
  const who = (candidate.person_id && personName(candidate.person_id)) || candidate.agent || t().unknown;
  return (
    <li class="caught" data-testid="candidate">
      <h3>{who}</h3>
      <ul>{candidate.evidence.map((e, i) => <li key={i}>{e.text}</li>)}</ul>
      {doing === 'praising' && <Praise candidate={candidate} who={who} onDone={onDone} onCancel={() => setDoing('nothing')} />}
      {doing === 'dismissing' && <Dismiss candidate={candidate} onDone={onDone} onCancel={() => setDoing('nothing')} />}
      {doing === 'nothing' && (
        <div class="buttons">
          {!isAboutMe(candidate.person_id) && <button type="button" class="main-action" onClick={() => setDoing('praising')}>{words.praise(who)}</button>}
          <button type="button" onClick={() => setDoing('dismissing')}>{words.dismiss}<span class="only-heard">: {who}</span></button>
          <a href={`/moments/${candidate.moment_id}`}>{words.look}</a>
        </div>)}
    </li>
  );
}

function Candidates() {
  const list = usePages<Candidate>('/api/v1/candidates?open_only=true&limit=10', (c) => c.candidate_id);
  useLive('candidate', (c) => list.put(c.candidate_id, c.state === 'proposed' ? c : null));
  const words = t().today;
  return (
    <section class="panel" aria-labelledby="caught-title" data-testid="candidates">
      <h2 id="caught-title">{words.caught}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{words.nobody}</p> : (
        <><p class="quiet small">{words.caughtAbout}</p>
          <ul class="plain">{list.items.map((c) => <Caught key={c.candidate_id} candidate={c} onDone={() => list.put(c.candidate_id, null)} />)}</ul></>)}
      <More of={list} />
    </section>
  );
}

function Alerts() {
  const list = usePages<Alert>('/api/v1/alerts?open_only=true&limit=10', (a) => a.alert_id);
  const put = (a: Alert): void => list.put(a.alert_id, isOpen(a) || isAttended(a) ? a : null);
  useLive('alert', put);
  const words = t().today;
  return (
    <section class="panel" aria-labelledby="alerts-title" data-testid="alerts">
      <h2 id="alerts-title">{words.alerts}</h2>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <p class="quiet">{words.noAlerts}</p>
        : <ul class="plain">{list.items.map((a) => <AlertRow key={a.alert_id} alert={a} onChanged={put} />)}</ul>}
      <More of={list} />
      <p class="small"><a href="/alerts">{words.allAlerts}</a></p>
    </section>
  );
}

function OwnFlame() {
  const me = user.value?.user_id ?? '';
  const flame = useLoaded<GetFlameResponse>(`/api/v1/flame${query({ user_id: me, periods: 8 })}`);
  const rhythms = useLoaded<ListRhythmsResponse>(`/api/v1/rhythms${query({ user_id: me })}`);
  const [isDeclaring, setDeclaring] = useState(false);
  const [ending, setEnding] = useState<string | null>(null);
  const reload = (): void => { flame.reload(); rhythms.reload(); };
  useLive('rhythm', (r) => { if (r.user_id === me) reload(); });
  useLive('note', (n) => { if (n.giver === me) flame.reload(); });
  useLive('post', (p) => { if (p.author === me) flame.reload(); });
  const words = t().flame;
  const flames = flame.data?.flames ?? [];
  const begins = (f: Flame): string | undefined => {
    const rhythm = rhythms.data?.rhythms.find((r) => r.rhythm_id === f.rhythm_id);
    return rhythm && rhythm.from_date > (f.periods.at(-1)?.to_date ?? '') ? rhythm.from_date : undefined;
  };
  return (
    <section class="panel" aria-labelledby="flame-title" data-testid="own-flame">
      <h2 id="flame-title">{words.title}</h2>
      <p class="quiet small">{words.about}</p>
      {!flame.data ? <Waiting problem={flame.problem} retry={flame.reload} /> : flames.length === 0 ? <p>{words.none}</p>
        : flames.map((f) => (
          <FlameCard key={`${f.practice}/${f.period}/${f.rhythm_id}`} flame={f} from={begins(f)}>
            {f.rhythm_id && <button type="button" class="small" onClick={() => setEnding(f.rhythm_id)}>{words.end}<span class="only-heard">: {f.practice && t().practices[f.practice]}</span></button>}
          </FlameCard>))}
      <button type="button" onClick={() => setDeclaring(true)}>{words.declare}</button>
      {isDeclaring && <Declare onClose={() => setDeclaring(false)} onDone={reload} />}
      {ending && <End rhythmId={ending} onClose={() => setEnding(null)} onDone={reload} />}
    </section>
  );
}

function Without() {
  const { data, problem, reload } = useLoaded<GetAccountabilityResponse>(`/api/v1/accountability${query({ time_zone: ownZone() })}`);
  const words = t().today;
  const people = (data?.receivers ?? []).filter((r) => r.days_without < 0 || r.days_without >= (data?.without_feedback_days ?? 7))
    .sort((a, b) => (b.days_without < 0 ? 1e6 : b.days_without) - (a.days_without < 0 ? 1e6 : a.days_without));
  return (
    <section class="panel" aria-labelledby="without-title" data-testid="without">
      <h2 id="without-title">{words.without}</h2>
      {!data ? <Waiting problem={problem} retry={reload} /> : people.length === 0 ? <p class="quiet">{data.receivers.length === 0 ? t().account.nobodyReceived : words.nobodyWithout}</p> : (
        <><p class="quiet small">{words.withoutAbout(data.without_feedback_days)}</p>
          <ul class="plain rows">{people.slice(0, WITHOUT_SHOWN).map((p) => (
            <li key={p.person_id}><strong>{p.name}</strong><span class="quiet">{p.days_without < 0 ? words.never : words.daysWithout(p.days_without)}</span>
              <a href={`/moments${query({ person: p.person_id })}`}>{words.momentsOf(p.name, p.moments)}</a></li>))}</ul></>)}
      <p class="small"><a href="/accountability">{t().pages.accountability}</a></p>
    </section>
  );
}

export function TodayPage() {
  const words = t().today;
  return (
    <div class="today">
      <PageHead title={words.title} about={words.about} />
      <section aria-labelledby="floor-title"><h2 id="floor-title">{words.floor} <a class="small" href="/floor">{words.toFloor}</a></h2><Tiles /></section>
      <div class="panels is-wide"><Candidates /><Alerts /><OwnFlame /><Without /></div>
    </div>
  );
}
