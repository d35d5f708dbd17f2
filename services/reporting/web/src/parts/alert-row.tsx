// One alert: what crossed which line, whose it is, and what can be done about it.
import { useEffect, useState } from 'preact/hooks';
import { call, path, query } from '../api';
import { since } from '../clock';
import { personName, queueName, siteName } from '../directory';
import { dayTime, number, percent, span, t, word } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import type { AcknowledgeAlertResponse, Alert, AlertStep, AlertSubject } from '../proto';
import { hasRole, isMe } from '../session';
import { Buttons, Dialog } from './dialog';
import { Fields, objectionsOf, TextField } from './form';
import { ProblemPanel, Waiting } from './problem';
import { toast } from './toasts';

const NOTE_MOST = 2000;

export type Unit = 'ms' | 'count' | 'length' | 'score' | 'share' | 'signals';
export const UNIT_OF: Record<AlertSubject, Unit> = {
  waiting: 'ms', ringing: 'ms', held: 'ms', talking: 'ms', longest_wait: 'ms', transfers: 'count', repeat_contact: 'count',
  low_survey: 'score', queue_length: 'length', service_level: 'share', customer_signal: 'signals',
};

export function inUnit(subject: AlertSubject | null, value: number): string {
  const unit = subject ? UNIT_OF[subject] : 'count';
  if (unit === 'ms') return span(value);
  return unit === 'share' ? percent(value / 100) : `${number(value)} ${t().rules.units[unit]}`;
}

export const isOpen = (alert: Alert): boolean => alert.state === 'raised' || alert.state === 'acknowledged';

// Somebody is writing about these: they stay in a list of open ones although what they tell of is over.
const attended = new Set<string>();
export const isAttended = (alert: Alert): boolean => attended.has(alert.alert_id);

function Steps({ id }: { id: string }) {
  const { data, problem, reload } = useLoaded<{ steps: AlertStep[] }>(path('/api/v1/alerts/{}/steps', id));
  if (!data) return <Waiting problem={problem} retry={reload} />;
  return (
    <ol class="events">{data.steps.map((s, i) => (
      <li key={i}><time class="num" dateTime={s.at ?? ''}>{dayTime(s.at)}</time>
        <span>{word(t().alertStates, s.state)}{s.escalation_level ? `, ${t().alerts.level(s.escalation_level)}` : ''}{s.comment && `: ${s.comment}`}</span>
        <span class="quiet small">{s.actor_name || t().alerts.service}</span></li>))}</ol>
  );
}

function Close({ alert, onClose, onChanged }: { alert: Alert; onClose: () => void; onChanged: (alert: Alert) => void }) {
  const [note, setNote] = useState('');
  const command = useCommand();
  const words = t().alerts;
  const id = alert.alert_id;
  useEffect(() => {
    attended.add(id);
    return () => { attended.delete(id); };
  }, [id]);
  function cancel(): void {
    attended.delete(id);
    onChanged(alert);
    onClose();
  }
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const isDone = await command.run(async (key) => {
      const done = await call<AcknowledgeAlertResponse>('POST', path('/api/v1/alerts/{}/close', id), { body: { closing_note: note.trim() }, key });
      attended.delete(id);
      if (done.alert) onChanged(done.alert);
    });
    if (!isDone) return;
    toast(words.closed, alert.title, null, 'good');
    onClose();
  }
  return (
    <Dialog title={words.closeTitle} onClose={cancel}>
      <form onSubmit={submit}>
        <p>{alert.title}</p>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          <TextField name="closing_note" label={words.done} hint={words.doneHint} value={note} onValue={setNote} rows={3} most={NOTE_MOST} required />
        </Fields>
        <Buttons busy={command.isBusy} act={words.close} onCancel={cancel} />
      </form>
    </Dialog>
  );
}

function Where({ alert }: { alert: Alert }) {
  const words = t().alerts;
  const where = [queueName(alert.queue), personName(alert.person_id) || alert.agent, siteName(alert.site)].filter(Boolean).join(', ');
  return (
    <p class="quiet small">
      {words.was(inUnit(alert.subject, alert.actual), inUnit(alert.subject, alert.threshold))}
      {where && ` · ${where}`} · <span class="num">{words.age(span(since(alert.crossed_at ?? alert.raised_at)))}</span>
      {' · '}{alert.owner ? words.owner(alert.owner_name || alert.owner) : words.nobody}
      {alert.escalation_level > 0 && <strong> · {words.level(alert.escalation_level)}</strong>}{alert.late && ` · ${words.late}`}
    </p>
  );
}

export function AlertRow({ alert, onChanged, withSteps }: { alert: Alert; onChanged: (alert: Alert) => void; withSteps?: boolean }) {
  const [isClosing, setClosing] = useState(false);
  const [hasSteps, setSteps] = useState(false);
  const command = useCommand();
  const words = t().alerts;
  const severity = alert.severity ?? 'notice';
  async function take(): Promise<void> {
    const isDone = await command.run(async (key) => {
      const done = await call<AcknowledgeAlertResponse>('POST', path('/api/v1/alerts/{}/acknowledge', alert.alert_id), { key });
      if (done.alert) onChanged(done.alert);
    });
    if (isDone) toast(words.taken, alert.title, null, 'good');
  }
  const mayAct = isOpen(alert) && hasRole('leader', 'coach');
  return (
    <li class={`alert-card is-${severity}`} data-testid="alert" data-alert={alert.alert_id}>
      <div class="alert-head"><span class="badge">{t().severities[severity]}</span><strong>{alert.title}</strong>
        {!isOpen(alert) && <span class="quiet small">{word(t().alertStates, alert.state)}</span>}</div>
      <Where alert={alert} />
      {alert.closed_by_name && <p class="small">{words.closedWith(alert.closed_by_name, alert.closing_note)}</p>}
      <ProblemPanel problem={command.problem} />
      <div class="buttons">
        {mayAct && !isMe(alert.owner) && <button type="button" onClick={() => void take()} disabled={command.isBusy}>{words.take}<span class="only-heard">: {alert.title}</span></button>}
        {mayAct && <button type="button" onClick={() => setClosing(true)}>{words.close}…<span class="only-heard"> {alert.title}</span></button>}
        {alert.moment_id && hasRole('leader', 'coach') && <a class="button" data-testid="alert-note" href={`/moments/${alert.moment_id}${query({ note: 'improvement', alert_id: alert.alert_id })}`}>{words.sendNote}<span class="only-heard">: {alert.title}</span></a>}
        {alert.moment_id && <a href={`/moments/${alert.moment_id}`}>{words.moment}</a>}
      </div>
      {withSteps && <details class="small" onToggle={(e) => setSteps(e.currentTarget.open)}><summary>{words.steps}</summary>{hasSteps && <Steps id={alert.alert_id} />}</details>}
      {isClosing && <Close alert={alert} onClose={() => setClosing(false)} onChanged={onChanged} />}
    </li>
  );
}
