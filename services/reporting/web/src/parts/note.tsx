// Notes on a moment: one as it is read and answered, and giving one.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, path, type Moment } from '../api';
import { personName } from '../directory';
import { dayTime, span, t } from '../i18n';
import { useCommand } from '../loading';
import type { Note, NoteKind } from '../proto';
import { clockMs } from '../scoring';
import { hasRole, isAboutMe } from '../session';
import { Buttons } from './dialog';
import { CheckField, Fields, objectionsOf, SelectField, TextField } from './form';
import { PersonPicker } from './pickers';
import { ProblemPanel } from './problem';
import { toast } from './toasts';

const PRAISE_LEAST = 20;
const TEXT_MOST = 2000;

const rangeText = (note: Note): string => (note.from_ms || note.to_ms ? t().note.range(span(note.from_ms), span(note.to_ms)) : '');

function Acknowledge({ note, onChanged }: { note: Note; onChanged: (note: Note) => void }) {
  const [answer, setAnswer] = useState('');
  const command = useCommand();
  const words = t().note;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const isDone = await command.run(async (key) => {
      const done = await call<{ note: Note | null }>('POST', path('/api/v1/notes/{}/acknowledge', note.note_id), { body: { answer: answer.trim() }, key });
      if (done.note) onChanged(done.note);
    });
    if (isDone) toast(words.acknowledged, '', null, 'good');
  }
  return (
    <form class="inline-form" onSubmit={submit} data-testid="acknowledge-note">
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}><TextField name="answer" label={words.answer} hint={words.answerHint(note.giver_name)} value={answer} onValue={setAnswer} rows={2} most={TEXT_MOST} /></Fields>
      <Buttons busy={command.isBusy} act={words.acknowledge} />
    </form>
  );
}

export function NoteItem({ note, onChanged, withMoment }: { note: Note; onChanged: (note: Note) => void; withMoment?: boolean }) {
  const words = t().note;
  const about = [rangeText(note), note.criterion_title].filter(Boolean).join(' · ');
  return (
    <li class={`note-item is-${note.kind}`} data-testid="note" data-note={note.note_id}>
      <p><span class="badge">{note.kind && t().noteKinds[note.kind]}</span> <strong>{t().drill.fromTo(note.giver_name, isAboutMe(note.receiver) ? words.you : note.receiver_name || personName(note.receiver))}</strong>{' '}
        <span class="quiet small">{dayTime(note.given_at)}{about && ` · ${about}`}{note.is_private && ` · ${words.isPrivate}`}</span></p>
      <p class="wrap">{note.text}</p>
      {note.answer && <blockquote><p class="wrap">{note.answer}</p><footer>{note.receiver_name || personName(note.receiver)}</footer></blockquote>}
      {note.acknowledged_at ? <p class="quiet small" data-testid="note-acknowledged">{t().drill.read(dayTime(note.acknowledged_at))}</p>
        : isAboutMe(note.receiver) && hasRole('agent') ? <Acknowledge note={note} onChanged={onChanged} /> : <p class="quiet small">{t().drill.unread}</p>}
      {withMoment && <p class="small"><a href={`/moments/${note.moment_id}`}>{t().drill.moment}</a></p>}
    </li>
  );
}

export interface Answering { kind: NoteKind | null; alertId: string; candidateId: string }

interface Wish { kind: NoteKind; from: string; to: string; criterion: string; text: string; receiver: string; isPrivate: boolean }

// Who had it: everybody who took a part of it.
const handlersOf = (m: Moment): string[] => [...new Set([m.person_id, ...m.visits.map((v) => v.person_id)].filter((p): p is string => Boolean(p)))];

function wrongTimes(wish: Wish): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, text] of [['from_ms', wish.from], ['to_ms', wish.to]] as const) if (text.trim() && clockMs(text) === null) map.set(name, t().note.timeWrong);
  return map;
}

function Kind({ wish, set, who }: { wish: Wish; set: (part: Partial<Wish>) => void; who: string }) {
  const words = t().note;
  const seen = wish.kind === 'improvement' ? words.seenImprovement(who) : wish.isPrivate ? words.seenPrivate(who) : words.seenPraise;
  return (
    <fieldset><legend>{words.kind}</legend>
      <div class="choices">{(['praise', 'improvement'] as const).map((kind) => (
        <label key={kind}><input type="radio" name="note-kind" value={kind} checked={wish.kind === kind} onChange={() => set({ kind, isPrivate: false })} />{t().noteKinds[kind]}</label>))}</div>
      <p class="hint" role="status" data-testid="who-sees"><strong>{words.whoSees}</strong> {seen}</p></fieldset>
  );
}

export function GiveNote({ moment, criteria, answering, onGiven, onCancel }: {
  moment: Moment; criteria: readonly (readonly [string, string])[]; answering: Answering; onGiven: (note: Note) => void; onCancel: () => void;
}) {
  const handlers = handlersOf(moment);
  const form = useRef<HTMLFormElement>(null);
  // Whoever asked for it goes on in it.
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const [wish, setWish] = useState<Wish>({ kind: answering.kind ?? 'praise', from: '', to: '', criterion: '', text: '', receiver: handlers[0] ?? '', isPrivate: false });
  const command = useCommand();
  const words = t().note;
  const set = (part: Partial<Wish>): void => { setWish((old) => ({ ...old, ...part })); command.clear(); };
  const who = personName(wish.receiver) || words.somebody;
  const wrong = wrongTimes(wish);
  const least = wish.kind === 'praise' ? PRAISE_LEAST : 1;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body = {
      kind: wish.kind, moment_id: moment.moment_id, from_ms: clockMs(wish.from || '0') ?? 0, to_ms: clockMs(wish.to || '0') ?? 0, criterion_id: wish.criterion, text: wish.text.trim(),
      receiver: wish.receiver, is_private: wish.isPrivate, alert_id: answering.alertId, candidate_id: wish.kind === 'praise' ? answering.candidateId : '',
    };
    const isDone = await command.run(async (key) => {
      const done = await call<{ note: Note | null }>('POST', '/api/v1/notes', { body, key });
      if (done.note) onGiven(done.note);
    });
    if (isDone) toast(words.given(who), '', null, 'good');
  }
  return (
    <form class="inline-form" ref={form} onSubmit={submit} data-testid="note-form">
      {answering.alertId && <p class="small">{words.answersAlert}</p>}
      <ProblemPanel problem={command.problem} />
      <Fields objections={new Map([...objectionsOf(command.problem), ...wrong])}>
        <Kind wish={wish} set={set} who={who} />
        {handlers.length > 1 ? <SelectField name="receiver" label={words.receiver} value={wish.receiver} onValue={(receiver) => set({ receiver })} options={handlers.map((p) => [p, personName(p)] as const)} />
          : handlers.length === 0 && <PersonPicker name="receiver" label={words.receiver} value={wish.receiver} onValue={(receiver) => set({ receiver })} required />}
        <TextField name="text" label={wish.kind === 'praise' ? t().today.whatSaw : words.whatBetter} hint={wish.kind === 'praise' ? t().today.whatSawHint : words.whatBetterHint}
          value={wish.text} onValue={(text) => set({ text })} rows={4} least={least > 1 ? least : 0} most={TEXT_MOST} required />
        <div class="grid-2">
          <TextField name="from_ms" label={words.from} hint={words.timeHint} value={wish.from} onValue={(from) => set({ from })} placeholder="0:00" />
          <TextField name="to_ms" label={words.to} value={wish.to} onValue={(to) => set({ to })} placeholder="0:00" />
          {criteria.length > 0 && <SelectField name="criterion_id" label={words.criterion} value={wish.criterion} onValue={(criterion) => set({ criterion })} options={[['', words.noCriterion] as const, ...criteria]} />}
        </div>
        {wish.kind === 'praise' && <CheckField name="is_private" label={t().today.between} checked={wish.isPrivate} onChecked={(isPrivate) => set({ isPrivate })} />}
      </Fields>
      <Buttons busy={command.isBusy} act={wish.kind === 'praise' ? words.sendPraise : words.sendImprovement} onCancel={onCancel} disabled={wrong.size > 0 || [...wish.text.trim()].length < least} />
    </form>
  );
}
