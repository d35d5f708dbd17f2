// Choosing a few moments from the newest of a person (or of everybody), beside those that are given already.
import { query, type Moment } from '../api';
import { personName } from '../directory';
import { dayTime, NO_VALUE, span, t } from '../i18n';
import { useLoaded } from '../loading';
import { useObjection } from './form';

export function MomentsPicker({ name, label, hint, person, values, onValues }: {
  name: string; label: string; hint?: string; person: string; values: readonly string[]; onValues: (ids: string[]) => void;
}) {
  const { data } = useLoaded<{ items: Moment[] }>(`/api/v1/moments${query({ person, limit: 20 })}`);
  const objection = useObjection(name);
  const listed = data?.items.filter((m) => m.state === 'ended') ?? [];
  const further = values.filter((id) => !listed.some((m) => m.moment_id === id));
  const toggle = (id: string, isOn: boolean): void => onValues(isOn ? [...values, id] : values.filter((v) => v !== id));
  return (
    <fieldset class={objection ? 'is-refused' : ''} data-testid="moments-picker"><legend>{label}</legend>
      {hint && <p class="hint">{hint}</p>}
      {objection && <p class="objection">{objection}</p>}
      <div class="moment-choices" tabIndex={0} role="group" aria-label={label}>
        {further.map((id) => <label key={id}><input type="checkbox" checked onChange={() => toggle(id, false)} />{t().moment.title} {id.slice(-8)}</label>)}
        {listed.map((m) => (
          <label key={m.moment_id}><input type="checkbox" name={name} value={m.moment_id} checked={values.includes(m.moment_id)} onChange={(e) => toggle(m.moment_id, e.currentTarget.checked)} />
            {dayTime(m.started_at)}, {m.queue || NO_VALUE}{!person && m.person_id && `, ${personName(m.person_id)}`}, {span(m.talk_ms)}</label>))}
        {data && listed.length + further.length === 0 && <p class="quiet">{t().moments.nothing}</p>}
      </div></fieldset>
  );
}
