// Calibrations: several people answer the same, blind, and see how far they agree.
import { useState } from 'preact/hooks';
import { call } from '../api';
import { useLive } from '../bus';
import { dayTime, t, word } from '../i18n';
import { useCommand, useLoaded, usePages } from '../loading';
import { Buttons, Dialog } from '../parts/dialog';
import { CheckField, Fields, objectionsOf, SelectField, TextField, useObjection } from '../parts/form';
import { fromLocal, toLocal } from '../parts/local-time';
import { MomentsPicker } from '../parts/moment-picker';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { ProblemPanel, Waiting } from '../parts/problem';
import { toast } from '../parts/toasts';
import type { Calibration, Colleague, ListColleaguesResponse, ListStandardsResponse } from '../proto';
import { go } from '../router';
import { user } from '../session';
import { waitsForMe } from './queue';

interface Wish { title: string; standard: string; deadline: string | null; moments: string[]; people: string[]; expert: string }

const nextWeek = (): string => new Date(Date.now() + 7 * 86_400_000).toISOString();

function People({ colleagues, wish, set }: { colleagues: readonly Colleague[]; wish: Wish; set: (part: Partial<Wish>) => void }) {
  const words = t().calibration;
  const objection = useObjection('calibration.participants');
  const toggle = (id: string, isOn: boolean): void => set({ people: isOn ? [...wish.people, id] : wish.people.filter((p) => p !== id), ...(id === wish.expert && !isOn ? { expert: '' } : {}) });
  const chosen = colleagues.filter((c) => wish.people.includes(c.user_id));
  return (
    <>
      <fieldset class={objection ? 'is-refused' : ''}><legend>{words.people}</legend><p class="hint">{words.peopleHint}</p>{objection && <p class="objection">{objection}</p>}
        <div class="choices">{colleagues.map((c) => <CheckField key={c.user_id} name="participants" label={c.name} checked={wish.people.includes(c.user_id)} onChecked={(isOn) => toggle(c.user_id, isOn)} />)}</div></fieldset>
      <SelectField name="expert" label={words.expert} hint={words.expertHint} value={wish.expert} onValue={(expert) => set({ expert })} options={[['', words.noExpert] as const, ...chosen.map((c) => [c.user_id, c.name] as const)]} />
    </>
  );
}

function Create({ onClose }: { onClose: () => void }) {
  const me = user.value?.user_id ?? '';
  const colleagues = useLoaded<ListColleaguesResponse>('/api/v1/colleagues?roles=leader&roles=coach').data?.colleagues ?? [];
  const standards = useLoaded<ListStandardsResponse>('/api/v1/standards').data?.standards.filter((s) => s.state === 'published') ?? [];
  const [wish, setWish] = useState<Wish>({ title: '', standard: '', deadline: nextWeek(), moments: [], people: [me], expert: '' });
  const command = useCommand();
  const words = t().calibration;
  const set = (part: Partial<Wish>): void => setWish((old) => ({ ...old, ...part }));
  const chosen = standards.find((s) => `${s.standard_id}/${s.version}` === wish.standard);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const calibration = {
      title: wish.title.trim(), standard_id: chosen?.standard_id, standard_version: chosen?.version, moment_ids: wish.moments, deadline_at: wish.deadline,
      participants: wish.people.map((id) => ({ user_id: id, name: colleagues.find((c) => c.user_id === id)?.name ?? user.value?.name, expert: id === wish.expert })),
    };
    let made: Calibration | null = null;
    if (!(await command.run(async (key) => { made = (await call<{ calibration: Calibration | null }>('POST', '/api/v1/calibrations', { body: { calibration }, key })).calibration; }))) return;
    toast(words.created, wish.title, null, 'good');
    if (made) go(`/calibrations/${(made as Calibration).calibration_id}`);
  }
  return (
    <Dialog title={words.add} onClose={onClose} wide>
      <form onSubmit={submit} data-testid="calibration-form">
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          <TextField name="calibration.title" label={words.name} value={wish.title} onValue={(title) => set({ title })} most={200} required />
          <div class="grid-2">
            <SelectField name="calibration.standard_id" label={words.standard} value={wish.standard} onValue={(standard) => set({ standard })} required options={[['', t().fields.choose] as const, ...standards.map((s) => [`${s.standard_id}/${s.version}`, `${s.title} (${t().standards.v(s.version)})`] as const)]} />
            <TextField name="calibration.deadline_at" label={words.deadline} hint={words.deadlineHint} type="datetime-local" value={toLocal(wish.deadline)} onValue={(text) => set({ deadline: fromLocal(text) })} required />
          </div>
          <People colleagues={colleagues} wish={wish} set={set} />
          <MomentsPicker name="calibration.moment_ids" label={words.moments} person="" values={wish.moments} onValues={(moments) => set({ moments })} />
        </Fields>
        <Buttons busy={command.isBusy} act={words.create} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

export function CalibrationsPage() {
  const [isCreating, setCreating] = useState(false);
  const list = usePages<Calibration>('/api/v1/calibrations?limit=50', (c) => c.calibration_id);
  useLive('calibration', (c) => { if (list.items?.some((x) => x.calibration_id === c.calibration_id)) list.put(c.calibration_id, c); });
  const words = t().calibration;
  return (
    <div class="calibrations">
      <PageHead title={t().pages.calibrations} about={words.about}><button type="button" class="main-action" data-testid="add-calibration" onClick={() => setCreating(true)}>{words.add}</button></PageHead>
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <div class="panel empty"><p>{words.none}</p></div> : (
        <ul class="plain rows panel">{list.items.map((c) => (
          <li key={c.calibration_id} data-testid="calibration"><a href={`/calibrations/${c.calibration_id}`}>{c.title}</a><span class="badge">{word(t().calibrationStates, c.state)}</span>{waitsForMe(c) && <strong>{words.yourTurn}</strong>}
            <span class="quiet">{words.until(dayTime(c.deadline_at))}</span></li>))}</ul>)}
      <More of={list} />
      {isCreating && <Create onClose={() => setCreating(false)} />}
    </div>
  );
}
