// Choosing sites, teams, queues and people of the directory. Nothing chosen means all of them.
import { useId, useState } from 'preact/hooks';
import { directory, personName, queueName, siteName, teamName } from '../directory';
import { t } from '../i18n';
import { useObjection } from './form';

function ManyPicker({ name, label, values, onValues, options, nameOf, none }: {
  name: string; label: string; values: readonly string[]; onValues: (values: string[]) => void;
  options: readonly string[]; nameOf: (id: string) => string; none: string;
}) {
  const id = useId();
  const objection = useObjection(name);
  const left = options.filter((o) => !values.includes(o));
  return (
    <div class={`field ${objection ? 'is-refused' : ''}`}>
      <label for={id}>{label}</label>
      <div class="picked">
        {values.length === 0 && <span class="quiet">{none}</span>}
        {values.map((v) => (
          <span class="chip" key={v}>{nameOf(v)}<button type="button" aria-label={t().fields.removeOne(nameOf(v))} onClick={() => onValues(values.filter((x) => x !== v))}>×</button></span>))}
        <select id={id} name={name} value="" aria-invalid={objection ? true : undefined} aria-describedby={objection ? `${id}-objection` : undefined}
          onChange={(e) => { if (e.currentTarget.value) onValues([...values, e.currentTarget.value]); e.currentTarget.value = ''; }}>
          <option value="">{t().action.add}…</option>
          {left.map((o) => <option key={o} value={o}>{nameOf(o)}</option>)}
        </select>
      </div>
      {objection && <p class="objection" id={`${id}-objection`}>{objection}</p>}
    </div>
  );
}

interface Many { name: string; values: readonly string[]; onValues: (values: string[]) => void; label?: string; none?: string }

export const SitesPicker = ({ label, none, ...rest }: Many) => (
  <ManyPicker {...rest} label={label ?? t().fields.sites} none={none ?? t().fields.everySite} options={directory().sites.map((s) => s.site_id)} nameOf={siteName} />);
export const TeamsPicker = ({ label, none, ...rest }: Many) => (
  <ManyPicker {...rest} label={label ?? t().fields.teams} none={none ?? t().fields.everyTeam} options={directory().teams.map((x) => x.team_id)} nameOf={teamName} />);
export const QueuesPicker = ({ label, none, ...rest }: Many) => (
  <ManyPicker {...rest} label={label ?? t().fields.queues} none={none ?? t().fields.everyQueue}
    options={[...new Set([...directory().queues.map((q) => q.queue_id), ...rest.values])]} nameOf={queueName} />);

// One person, by typing a part of the name.
export function PersonPicker({ name, label, value, onValue, required }: {
  name: string; label?: string; value: string; onValue: (personId: string) => void; required?: boolean;
}) {
  const id = useId();
  const objection = useObjection(name);
  const people = directory().people;
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? (value ? personName(value) : '');
  function take(text: string): void {
    setTyped(text);
    const found = people.find((p) => p.name === text || p.person_id === text);
    onValue(found?.person_id ?? '');
  }
  return (
    <div class={`field ${objection ? 'is-refused' : ''}`}>
      <label for={id}>{label ?? t().fields.person}</label>
      <input id={id} name={name} list={`${id}-people`} value={shown} required={required} autocomplete="off" onInput={(e) => take(e.currentTarget.value)}
        aria-invalid={objection ? true : undefined} aria-describedby={objection ? `${id}-objection` : undefined} />
      <datalist id={`${id}-people`}>{people.map((p) => <option key={p.person_id} value={p.name || p.person_id} />)}</datalist>
      {objection && <p class="objection" id={`${id}-objection`}>{objection}</p>}
    </div>
  );
}
