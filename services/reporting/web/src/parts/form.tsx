// Labelled fields that show the server's objection at the field it is about.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useId } from 'preact/hooks';
import type { Problem } from '../api';
import type { Objection } from '../proto';
import { t } from '../i18n';

const Objections = createContext<ReadonlyMap<string, string>>(new Map());

const norm = (field: string): string => field.replace(/^\$?\.?/, '');

export function objectionsOf(problem: Problem | null, further: Objection[] = []): Map<string, string> {
  const map = new Map(further.map((o) => [norm(o.field), o.detail]));
  if (problem?.field) map.set(norm(problem.field), problem.detail ?? problem.title);
  return map;
}

export function Fields({ objections, children }: { objections: ReadonlyMap<string, string>; children: ComponentChildren }) {
  return <Objections.Provider value={objections}>{children}</Objections.Provider>;
}

interface Common {
  // The field's path as the server names it: "rule.threshold".
  name: string;
  label: string;
  hint?: ComponentChildren;
  required?: boolean;
  disabled?: boolean;
}

interface Bound {
  id: string;
  name: string;
  required: boolean;
  disabled: boolean;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

export const useObjection = (name: string): string | undefined => useContext(Objections).get(name);

function Field({ name, label, hint, required, disabled, inline, children }: Common & { inline?: boolean; children: (bound: Bound) => ComponentChildren }) {
  const id = useId();
  const objection = useObjection(name);
  const described = [hint ? `${id}-hint` : '', objection ? `${id}-objection` : ''].filter(Boolean).join(' ');
  const bound: Bound = {
    id, name, required: Boolean(required), disabled: Boolean(disabled),
    'aria-describedby': described || undefined, 'aria-invalid': objection ? true : undefined,
  };
  return (
    <div class={`field ${inline ? 'is-inline' : ''} ${objection ? 'is-refused' : ''}`}>
      {inline ? <>{children(bound)}<label for={id}>{label}</label></> : <><label for={id}>{label}</label>{children(bound)}</>}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {objection && <p class="objection" id={`${id}-objection`}>{objection}</p>}
    </div>
  );
}

export function counter(length: number, least: number, most: number | undefined): string {
  const words = t().fields;
  if (least && length < least) return words.atLeast(length, least);
  if (most && length > most * 0.8) return words.left(most - length);
  return least ? words.enough(length) : '';
}

export function TextField({ value, onValue, rows, least = 0, most, type = 'text', placeholder, autocomplete, list, ...common }: Common & {
  value: string; onValue: (value: string) => void; rows?: number; least?: number; most?: number;
  type?: 'text' | 'password' | 'url' | 'date' | 'datetime-local' | 'search'; placeholder?: string; autocomplete?: string; list?: string;
}) {
  const count = counter([...value.trim()].length, least, most);
  const rest = { value, placeholder, maxLength: most, onInput: (e: { currentTarget: { value: string } }) => onValue(e.currentTarget.value) };
  return (
    <Field {...common} hint={common.hint || count ? <>{common.hint} {count && <span class="counter">{count}</span>}</> : undefined}>
      {(bound) => (rows ? <textarea {...bound} {...rest} rows={rows} /> : <input {...bound} {...rest} type={type as 'text'} autocomplete={autocomplete ?? 'off'} list={list} />)}
    </Field>
  );
}

export function NumberField({ value, onValue, min, max, step, unit, ...common }: Common & {
  value: number | null; onValue: (value: number | null) => void; min?: number; max?: number; step?: number | 'any'; unit?: string | undefined;
}) {
  return (
    <Field {...common}>
      {(bound) => (
        <span class="with-unit"><input {...bound} type="number" inputMode="decimal" min={min} max={max} step={step ?? 1} value={value ?? ''}
          onInput={(e) => onValue(e.currentTarget.value === '' || Number.isNaN(e.currentTarget.valueAsNumber) ? null : e.currentTarget.valueAsNumber)} />{unit && <span class="unit">{unit}</span>}</span>)}
    </Field>
  );
}

export function SelectField<V extends string>({ value, onValue, options, ...common }: Common & {
  value: V; onValue: (value: V) => void; options: readonly (readonly [V, string])[];
}) {
  return (
    <Field {...common}>
      {(bound) => <select {...bound} value={value} onChange={(e) => onValue(e.currentTarget.value as V)}>{options.map(([v, name]) => <option key={v} value={v}>{name}</option>)}</select>}
    </Field>
  );
}

export function CheckField({ checked, onChecked, ...common }: Common & { checked: boolean; onChecked: (checked: boolean) => void }) {
  return <Field {...common} inline>{(bound) => <input {...bound} type="checkbox" checked={checked} onChange={(e) => onChecked(e.currentTarget.checked)} />}</Field>;
}

// A few of a known set: one box each.
export function ChecksField<V extends string>({ name, label, hint, values, onValues, options }: {
  name: string; label: string; hint?: string; values: readonly V[]; onValues: (values: V[]) => void; options: readonly (readonly [V, string])[];
}) {
  const id = useId();
  const objection = useObjection(name);
  return (
    <fieldset class={`checks ${objection ? 'is-refused' : ''}`} aria-describedby={objection ? `${id}-objection` : undefined}>
      <legend>{label}</legend>
      <div class="choices">{options.map(([v, text]) => (
        <label key={v}><input type="checkbox" name={name} checked={values.includes(v)}
          onChange={(e) => onValues(e.currentTarget.checked ? [...values, v] : values.filter((x) => x !== v))} />{text}</label>))}</div>
      {hint && <p class="hint">{hint}</p>}
      {objection && <p class="objection" id={`${id}-objection`}>{objection}</p>}
    </fieldset>
  );
}

// The words of an enum as the options of a field.
export const optionsOf = <V extends string>(words: Record<V, string>): [V, string][] => Object.entries(words) as [V, string][];
