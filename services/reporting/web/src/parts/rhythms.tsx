// What a leader promises to do: declaring and ending rhythms.
import { useState } from 'preact/hooks';
import { call, ownZone, path } from '../api';
import { t } from '../i18n';
import { useCommand } from '../loading';
import type { Practice, RhythmPeriod } from '../proto';
import { Confirm } from './confirm';
import { Buttons, Dialog } from './dialog';
import { Fields, NumberField, objectionsOf, optionsOf, SelectField, TextField } from './form';
import { ProblemPanel } from './problem';
import { toast } from './toasts';

export function Declare({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [practice, setPractice] = useState<Practice>('praise');
  const [times, setTimes] = useState<number | null>(2);
  const [period, setPeriod] = useState<RhythmPeriod>('week');
  const [zone, setZone] = useState(ownZone());
  const command = useCommand();
  const words = t().flame;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body = { practice, times, period, time_zone: zone };
    if (!(await command.run((key) => call('POST', '/api/v1/rhythms', { body, key })))) return;
    toast(words.declared, '', null, 'good');
    onDone();
    onClose();
  }
  return (
    <Dialog title={words.declare} onClose={onClose}>
      <form onSubmit={submit}>
        <p class="quiet">{words.declareAbout}</p>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          <div class="grid-2">
            <SelectField name="practice" label={words.practice} value={practice} onValue={setPractice} options={optionsOf(t().practices)} />
            <NumberField name="times" label={words.times} value={times} onValue={setTimes} min={1} max={100} required />
            <SelectField name="period" label={words.per} value={period} onValue={setPeriod} options={optionsOf(t().periods)} />
            <TextField name="time_zone" label={t().fields.timeZone} value={zone} onValue={setZone} required />
          </div>
        </Fields>
        <Buttons busy={command.isBusy} act={words.act} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

export function End({ rhythmId, onClose, onDone }: { rhythmId: string; onClose: () => void; onDone: () => void }) {
  const words = t().flame;
  const done = (): void => { toast(words.ended, '', null, 'good'); onDone(); onClose(); };
  return <Confirm title={words.endTitle} about={words.endAbout} act={words.end} onClose={onClose} onDone={done} work={(key) => call('POST', path('/api/v1/rhythms/{}/end', rhythmId), { key })} />;
}
