// One coaching session: what it is about, what was agreed, whether it helped.
import { useState } from 'preact/hooks';
import { call, path, query } from '../api';
import { useLive } from '../bus';
import { personName } from '../directory';
import { day, dayTime, t, word } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import { Buttons, Dialog } from '../parts/dialog';
import { Effect } from '../parts/effect';
import { CheckField, Fields, objectionsOf, TextField } from '../parts/form';
import { MomentLink } from '../parts/moment-link';
import { PageHead } from '../parts/page-head';
import { blankPlan, PlanCoaching } from '../parts/plan-coaching';
import { ProblemPanel, Waiting } from '../parts/problem';
import { toast } from '../parts/toasts';
import type { CoachingAction, CoachingSession, CoachingState, GetCoachingResponse } from '../proto';
import { hasRole, isAboutMe } from '../session';

const TEXT_MOST = 2000;
const ACTION_MOST = 500;

type Changed = (session: CoachingSession) => void;
interface Moving { session: CoachingSession; onChanged: Changed; onClose: () => void }

const noAction = (): CoachingAction => ({ action_id: '', text: '', due_at: null, done_at: null });
// A day, without an hour: its end, where the reader is.
const endOf = (date: string): string | null => (date ? new Date(`${date}T23:59:00`).toISOString() : null);
function dateOf(time: string | null): string {
  if (!time) return '';
  const d = new Date(time);
  return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
}

function ActionRow({ action, at, change, remove }: { action: CoachingAction; at: number; change: (part: Partial<CoachingAction>) => void; remove: () => void }) {
  const words = t().coaching;
  return (
    <div class="action-row">
      <TextField name={`actions[${at}].text`} label={words.action(at + 1)} value={action.text} onValue={(text) => change({ text })} most={ACTION_MOST} required />
      <TextField name={`actions[${at}].due_at`} label={words.due} type="date" value={dateOf(action.due_at)} onValue={(text) => change({ due_at: endOf(text) })} />
      <CheckField name={`actions[${at}].done_at`} label={words.done} checked={action.done_at !== null} onChecked={(isDone) => change({ done_at: isDone ? new Date().toISOString() : null })} />
      <button type="button" class="plain-button" aria-label={t().fields.removeOne(action.text || words.action(at + 1))} onClick={remove}>×</button>
    </div>
  );
}

// Holding it says what was agreed, following up what became of it.
function Agree({ session, to, onChanged, onClose }: Moving & { to: CoachingState }) {
  const [agreement, setAgreement] = useState(session.agreement);
  const [actions, setActions] = useState<CoachingAction[]>(session.actions.length ? session.actions : [noAction()]);
  const command = useCommand();
  const words = t().coaching;
  const isHeld = to === 'held';
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body = { state: to, agreement: agreement.trim(), actions: actions.filter((a) => a.text.trim()) };
    const isDone = await command.run(async (key) => {
      const done = await call<{ session: CoachingSession | null }>('POST', path('/api/v1/coaching/{}/move', session.session_id), { body, revision: session.revision, key });
      if (done.session) onChanged(done.session);
    });
    if (!isDone) return;
    toast(isHeld ? words.heldNow : words.followedUpNow, '', null, 'good');
    onClose();
  }
  return (
    <Dialog title={isHeld ? words.holdTitle : words.followUpTitle} onClose={onClose} wide>
      <form onSubmit={submit} data-testid="agree-form"><p class="quiet">{isHeld ? words.holdAbout : words.followUpAbout}</p>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          <TextField name="agreement" label={words.agreement} value={agreement} onValue={setAgreement} rows={3} most={TEXT_MOST} required={isHeld} />
          {actions.map((a, i) => <ActionRow key={i} action={a} at={i} change={(part) => setActions(actions.map((x, j) => (i === j ? { ...x, ...part } : x)))} remove={() => setActions(actions.filter((_, j) => i !== j))} />)}
          <p><button type="button" onClick={() => setActions([...actions, noAction()])}>{words.addAction}</button></p>
        </Fields>
        <Buttons busy={command.isBusy} act={isHeld ? words.hold : words.followUp} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

function Cancel({ session, onChanged, onClose }: Moving) {
  const [because, setBecause] = useState('');
  const command = useCommand();
  const words = t().coaching;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const isDone = await command.run(async (key) => {
      const done = await call<{ session: CoachingSession | null }>('POST', path('/api/v1/coaching/{}/move', session.session_id), { body: { state: 'cancelled', because: because.trim() }, revision: session.revision, key });
      if (done.session) onChanged(done.session);
    });
    if (isDone) onClose();
  }
  return (
    <Dialog title={words.cancelTitle} onClose={onClose}>
      <form onSubmit={submit}><ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}><TextField name="because" label={words.because} value={because} onValue={setBecause} rows={2} most={TEXT_MOST} required /></Fields>
        <Buttons busy={command.isBusy} act={words.cancelIt} onCancel={onClose} /></form>
    </Dialog>
  );
}

function Acknowledge({ session, onChanged }: { session: CoachingSession; onChanged: Changed }) {
  const [comment, setComment] = useState('');
  const command = useCommand();
  const words = t().coaching;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    await command.run(async (key) => {
      const done = await call<{ session: CoachingSession | null }>('POST', path('/api/v1/coaching/{}/acknowledge', session.session_id), { body: { comment: comment.trim() }, key });
      if (done.session) onChanged(done.session);
    });
  }
  return (
    <form class="inline-form" onSubmit={submit} data-testid="acknowledge-coaching"><p>{words.acknowledgeAbout}</p><ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}><TextField name="comment" label={words.comment} value={comment} onValue={setComment} rows={2} most={TEXT_MOST} /></Fields>
      <Buttons busy={command.isBusy} act={words.acknowledge} /></form>
  );
}

type Doing = 'nothing' | 'editing' | 'holding' | 'following' | 'cancelling';

function Work({ session, onChanged }: { session: CoachingSession; onChanged: Changed }) {
  const [doing, setDoing] = useState<Doing>('nothing');
  const words = t().coaching;
  const close = (): void => setDoing('nothing');
  if (!hasRole('leader', 'coach') || isAboutMe(session.attendee)) return null;
  const isPlanned = session.state === 'planned';
  if (!isPlanned && session.state !== 'held') return null;
  return (
    <div class="buttons page-buttons">
      {isPlanned && <button type="button" class="main-action" data-testid="hold" onClick={() => setDoing('holding')}>{words.hold}…</button>}
      {!isPlanned && <button type="button" class="main-action" data-testid="follow-up" onClick={() => setDoing('following')}>{words.followUp}…</button>}
      <button type="button" onClick={() => setDoing('editing')}>{words.edit}…</button>
      <button type="button" class="danger" data-testid="cancel-coaching" onClick={() => setDoing('cancelling')}>{words.cancelIt}…</button>
      {doing === 'holding' && <Agree session={session} to="held" onChanged={onChanged} onClose={close} />}
      {doing === 'following' && <Agree session={session} to="followed_up" onChanged={onChanged} onClose={close} />}
      {doing === 'cancelling' && <Cancel session={session} onChanged={onChanged} onClose={close} />}
      {doing === 'editing' && <PlanCoaching given={blankPlan({ attendee: session.attendee, planned_at: session.planned_at, topic: session.topic, moment_ids: session.moment_ids, standard_id: session.standard_id, criterion_id: session.criterion_id })} session={session} onClose={close} onDone={onChanged} />}
    </div>
  );
}

function Agreed({ session, onChanged }: { session: CoachingSession; onChanged: Changed }) {
  const words = t().coaching;
  return (
    <section class="panel" aria-labelledby="agreed-title"><h2 id="agreed-title">{words.agreed}</h2>
      {!session.agreement && session.actions.length === 0 ? <p class="quiet">{words.notHeld}</p> : (
        <><p class="wrap">{session.agreement}</p>
          <ul>{session.actions.map((a) => <li key={a.action_id}>{a.text}{a.due_at && <span class="quiet">, {words.dueAt(day(a.due_at))}</span>}{a.done_at && <span class="badge">✓ {words.done}</span>}</li>)}</ul></>)}
      {session.cancelled_at && <p class="problem">{words.cancelledBecause(session.cancelled_because)}</p>}
      {session.acknowledged_at ? <p class="small" data-testid="coaching-acknowledged">{t().evaluation.acknowledged(dayTime(session.acknowledged_at))}{session.acknowledge_comment && <>: <q>{session.acknowledge_comment}</q></>}</p>
        : isAboutMe(session.attendee) && hasRole('agent') && session.held_at && !session.cancelled_at && <Acknowledge session={session} onChanged={onChanged} />}
    </section>
  );
}

export function CoachingSessionPage({ id }: { id: string }) {
  const { data, problem, reload, set } = useLoaded<GetCoachingResponse>(`${path('/api/v1/coaching/{}', id)}${query({ effect_moments: 10 })}`);
  useLive('coaching', (s) => { if (s.session_id === id) reload(); });
  const words = t().coaching;
  const session = data?.session;
  const changed: Changed = (next) => { if (data) set({ ...data, session: next }); reload(); };
  return (
    <div class="coaching-session">
      <PageHead title={session?.topic ?? words.title} about={session ? words.between(session.coach_name, session.attendee_name || personName(session.attendee)) : undefined}><a class="button" href="/coaching">{words.back}</a></PageHead>
      {!session ? <Waiting problem={problem} retry={reload} /> : (
        <>
          <p><span class="badge" data-testid="coaching-state">{word(t().coachingStates, session.state)}</span> {words.at(dayTime(session.held_at ?? session.planned_at))}</p>
          <Work session={session} onChanged={changed} />
          <div class="panels is-wide">
            <Agreed session={session} onChanged={changed} />
            <section class="panel" aria-labelledby="effect-title"><h2 id="effect-title">{words.effect}</h2>{data?.effect ? <Effect effect={data.effect} /> : <p class="quiet">{words.noEffect}</p>}</section>
            <section class="panel" aria-labelledby="moments-title"><h2 id="moments-title">{words.moments}</h2>
              {session.moment_ids.length === 0 ? <p class="quiet">{words.noMoments}</p> : <ul>{session.moment_ids.map((m) => <li key={m}><MomentLink id={m} /></li>)}</ul>}</section>
          </div>
        </>)}
    </div>
  );
}
