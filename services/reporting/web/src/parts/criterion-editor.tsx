// One criterion of a draft.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t, number } from '../i18n';
import type { Choice, Criterion } from '../proto';
import { answersOf, isTime, newChoice, targetOf, withKind, withScale } from '../standard';
import { CheckField, ChecksField, NumberField, optionsOf, SelectField, TextField } from './form';

const SECOND = 1000;

export interface Editing {
  criterion: Criterion;
  // Where it stands in the standard; its fields are "standard.criteria[index]...".
  index: number;
  // Those that come before it: only on them can it depend.
  earlier: readonly Criterion[];
  change: (next: Criterion) => void;
}
type Part = Editing & { at: string; set: (part: Partial<Criterion>) => void };

function Measured({ criterion: c, at, set }: Part) {
  const words = t().criterion;
  const scale = isTime(c.metric) ? SECOND : 1;
  const unit = isTime(c.metric) ? t().fields.seconds : undefined;
  return (
    <div class="grid-2">
      <SelectField name={`${at}.metric`} label={words.metric} value={c.metric} onValue={(metric) => set({ metric, value: isTime(metric) === isTime(c.metric) ? c.value : 0, wow_value: null })} options={optionsOf(t().metrics)} />
      <SelectField name={`${at}.comparison`} label={words.comparison} value={c.comparison ?? 'at_most'} onValue={(comparison) => set({ comparison, wow_value: comparison === 'equal' ? null : c.wow_value })} options={optionsOf(t().comparisons)} />
      <NumberField name={`${at}.value`} label={words.value} unit={unit} value={c.value / scale} step="any" onValue={(v) => set({ value: (v ?? 0) * scale })} />
      {c.comparison !== 'equal' && <NumberField name={`${at}.wow_value`} label={words.wowValue} hint={words.wowHint} unit={unit} value={c.wow_value === null ? null : c.wow_value / scale} step="any" onValue={(v) => set({ wow_value: v === null ? null : v * scale })} />}
    </div>
  );
}

function ChoiceRow({ choice, at, place, change, remove }: { choice: Choice; at: string; place: number; change: (part: Partial<Choice>) => void; remove: () => void }) {
  const words = t().criterion;
  return (
    <div class="choice-row">
      <TextField name={`${at}.title`} label={words.choice(place)} value={choice.title} onValue={(title) => change({ title })} most={300} />
      <NumberField name={`${at}.points`} label={words.points} value={choice.points} min={0} max={1000} step="any" onValue={(points) => change({ points: points ?? 0 })} />
      <div class="choice-flags">
        <CheckField name={`${at}.wow`} label={words.wow} checked={choice.wow} onChecked={(wow) => change({ wow })} />
        <CheckField name={`${at}.unacceptable`} label={words.unacceptable} checked={choice.unacceptable} onChecked={(unacceptable) => change({ unacceptable })} />
        <CheckField name={`${at}.comment_required`} label={words.commentRequired} checked={choice.comment_required} onChecked={(comment_required) => change({ comment_required })} />
      </div>
      <button type="button" class="plain-button" aria-label={words.remove(choice.title)} onClick={remove}>×</button>
    </div>
  );
}

function Observed(part: Part) {
  const { criterion: c, at, set, change } = part;
  const words = t().criterion;
  const changeChoice = (id: string, to: Partial<Choice>): void => set({ choices: c.choices.map((x) => (x.choice_id === id ? { ...x, ...to } : x)) });
  return (
    <>
      <SelectField name={`${at}.scale`} label={words.scale} value={c.scale ?? 'yes_no'} onValue={(scale) => change(withScale(c, scale))} options={optionsOf(words.scales)} />
      {c.scale === 'choice' && (
        <fieldset><legend>{words.choices}</legend>
          {c.choices.map((x, i) => <ChoiceRow key={x.choice_id} choice={x} at={`${at}.choices[${i}]`} place={i + 1} change={(to) => changeChoice(x.choice_id, to)} remove={() => set({ choices: c.choices.filter((y) => y !== x) })} />)}
          <button type="button" onClick={() => set({ choices: [...c.choices, newChoice('', 0)] })}>{words.addChoice}</button></fieldset>)}
      {c.scale === 'range' && (
        <div class="grid-2">
          <NumberField name={`${at}.scale_max`} label={words.scaleMax} value={c.scale_max} min={1} max={100} onValue={(v) => set({ scale_max: v ?? 0 })} />
          <NumberField name={`${at}.wow_at`} label={words.wowFrom} value={c.wow_at} min={1} max={c.scale_max} onValue={(wow_at) => set({ wow_at })} />
          <NumberField name={`${at}.unacceptable_at`} label={words.unacceptableUpTo} value={c.unacceptable_at} min={0} max={c.scale_max} onValue={(unacceptable_at) => set({ unacceptable_at })} />
        </div>)}
      {c.scale === 'yes_no' && <CheckField name={`${at}.unacceptable`} label={words.noIsUnacceptable} checked={c.unacceptable} onChecked={(unacceptable) => set({ unacceptable })} />}
      <CheckField name={`${at}.not_applicable_allowed`} label={words.notApplicable} checked={c.not_applicable_allowed} onChecked={(not_applicable_allowed) => set({ not_applicable_allowed })} />
    </>
  );
}

function Condition({ criterion: c, at, earlier, set }: Part) {
  const words = t().criterion;
  const on = earlier.find((x) => x.criterion_id === c.condition?.criterion_id);
  if (earlier.length === 0) return null;
  return (
    <>
      <SelectField name={`${at}.condition.criterion_id`} label={words.condition} value={c.condition?.criterion_id ?? ''}
        onValue={(criterion_id) => set({ condition: criterion_id ? { criterion_id, answers: [] } : null })}
        options={[['', words.always], ...earlier.map((x): [string, string] => [x.criterion_id, x.title])]} />
      {on && <ChecksField name={`${at}.condition.answers`} label={words.answered} values={c.condition?.answers ?? []} onValues={(answers) => set({ condition: { criterion_id: on.criterion_id, answers } })} options={answersOf(on)} />}
    </>
  );
}

function Further(part: Part) {
  const { criterion: c, at, set } = part;
  const words = t().criterion;
  return (
    <details><summary>{words.further}</summary>
      <TextField name={`${at}.description`} label={words.description} value={c.description} onValue={(description) => set({ description })} rows={2} most={2000} />
      <Condition {...part} />
      {c.kind === 'observed' && c.scale !== 'choice' && <NumberField name={`${at}.comment_below`} label={words.commentBelow} hint={words.commentHint} unit="%" value={c.comment_below} min={1} max={100} onValue={(comment_below) => set({ comment_below })} />}
      <div class="grid-2">
        <TextField name={`${at}.example_good`} label={words.exampleGood} value={c.example_good} onValue={(example_good) => set({ example_good })} rows={2} most={2000} />
        <TextField name={`${at}.example_bad`} label={words.exampleBad} value={c.example_bad} onValue={(example_bad) => set({ example_bad })} rows={2} most={2000} />
      </div>
    </details>
  );
}

// isRefused: the server objects to something in it, so it is shown open.
export function CriterionEditor({ isRefused, startsOpen, actions, ...editing }: Editing & { isRefused: boolean; startsOpen: boolean; actions: ComponentChildren }) {
  const { criterion: c, index, change } = editing;
  const [isOpen, setOpen] = useState(startsOpen);
  useEffect(() => { if (isRefused) setOpen(true); }, [isRefused]);
  const words = t().criterion;
  const at = `standard.criteria[${index}]`;
  const part: Part = { ...editing, at, set: (to) => change({ ...c, ...to }) };
  return (
    <div class="criterion" data-testid="criterion">
      <details open={isOpen} onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary><strong>{c.title || words.untitled}</strong> <span class="quiet small">{c.kind === 'measured' ? targetOf(c) : c.scale && words.scales[c.scale]} · {t().moment.weight} {number(c.weight)}{c.fatal ? ` · ${t().moment.fatal}` : ''}{c.critical ? ` · ${t().moment.critical}` : ''}</span></summary>
        {isOpen && (
          <div class="criterion-form">
            <TextField name={`${at}.title`} label={words.title} hint={words.titleHint} value={c.title} onValue={(title) => part.set({ title })} most={300} />
            <div class="grid-2">
              <SelectField name={`${at}.kind`} label={words.kind} value={c.kind ?? 'observed'} onValue={(kind) => change(withKind(c, kind))} options={optionsOf(t().criterionKinds)} />
              <NumberField name={`${at}.weight`} label={words.weight} value={c.weight} min={0} max={100} step="any" onValue={(weight) => part.set({ weight: weight ?? 0 })} />
            </div>
            {c.kind === 'measured' ? <Measured {...part} /> : <Observed {...part} />}
            <SelectField name={`${at}.fatal`} label={words.fatal} value={c.fatal ?? 'none'} onValue={(fatal) => part.set({ fatal: fatal === 'none' ? null : fatal })} options={optionsOf(words.fatals)} />
            <CheckField name={`${at}.critical`} label={words.critical} checked={c.critical} onChecked={(critical) => part.set({ critical })} />
            <Further {...part} />
          </div>)}
      </details>
      <div class="criterion-actions">{actions}</div>
    </div>
  );
}
