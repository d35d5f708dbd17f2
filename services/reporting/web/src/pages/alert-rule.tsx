// One rule: every part of it in words, and what it would have done in the past.
import { useState } from 'preact/hooks';
import { call, newId, ownZone, path } from '../api';
import { clockTime, number, plainDay, t } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import { UNIT_OF } from '../parts/alert-row';
import { Confirm } from '../parts/confirm';
import { Buttons } from '../parts/dialog';
import { CheckField, Fields, NumberField, objectionsOf, optionsOf, SelectField, TextField } from '../parts/form';
import { PageHead } from '../parts/page-head';
import { QueuesPicker, SitesPicker, TeamsPicker } from '../parts/pickers';
import { ProblemPanel, Waiting } from '../parts/problem';
import { toast } from '../parts/toasts';
import type { AlertRule, AlertSubject, ListAlertRulesResponse, PreviewAlertRuleResponse, SaveAlertRuleResponse } from '../proto';
import { go } from '../router';
import { user } from '../session';
import { comparisonOf, sentenceOf } from './alert-rules';

const QUEUE_SUBJECTS: readonly AlertSubject[] = ['queue_length', 'longest_wait', 'service_level'];
const PREVIEW_DAYS = 7;
const SECOND = 1000;
const MINUTE = 60_000;
const LINES: Record<AlertSubject, number> = {
  waiting: 60_000, ringing: 15_000, held: 120_000, talking: 1_200_000, transfers: 2, repeat_contact: 3, low_survey: 2, queue_length: 5,
  longest_wait: 120_000, service_level: 80, customer_signal: 1,
};

const blank = (): AlertRule => ({
  rule_id: newId(), title: '', subject: 'waiting', threshold: LINES.waiting, clear_threshold: null, cooldown_ms: 5 * MINUTE, minimum_count: 0, severity: 'warning',
  // Those of its maker: for others it would be refused.
  sites: user.value?.sites ?? [], queues: [], teams: user.value?.teams ?? [], escalate_after_ms: 10 * MINUTE, enabled: true, window_ms: 0, target_ms: 0, revision: 0, edited_by: '', edited_by_name: '',
  edited_at: null, removed: false, signal: '',
});

// Another subject has another unit; what only belongs to the old one is left behind.
function withSubject(rule: AlertRule, subject: AlertSubject): AlertRule {
  const isLevel = subject === 'service_level';
  return {
    ...rule, subject, threshold: LINES[subject], clear_threshold: null, signal: '', minimum_count: isLevel ? 20 : 0, window_ms: isLevel ? 30 * MINUTE : 0, target_ms: isLevel ? 20 * SECOND : 0,
  };
}

function Preview({ rule }: { rule: AlertRule }) {
  const [found, setFound] = useState<PreviewAlertRuleResponse | null>(null);
  const command = useCommand();
  const words = t().rules;
  const look = (): Promise<boolean> => command.run(async (key) =>
    setFound(await call<PreviewAlertRuleResponse>('POST', '/api/v1/alert-rules/preview', { body: { rule: { ...rule, title: rule.title || words.newTitle }, days: PREVIEW_DAYS, time_zone: ownZone() }, key })));
  const most = Math.max(1, ...(found?.days ?? []).map((d) => d.fired));
  return (
    <section class="panel" aria-labelledby="preview-title">
      <h2 id="preview-title">{words.preview}</h2>
      <p class="quiet">{words.previewAbout(PREVIEW_DAYS)}</p>
      <ProblemPanel problem={command.problem} />
      <button type="button" onClick={() => void look()} disabled={command.isBusy}>{command.isBusy ? t().action.working : words.preview}</button>
      {found && (
        <div role="status" data-testid="preview">
          <p><strong>{found.moments ? words.fired(found.fired) : words.nothingStored}</strong> {found.moments > 0 && words.looked(number(found.moments))}</p>
          {found.caveat && <p class="note">{found.caveat}</p>}
          <table class="bars" aria-label={words.perDay}><thead class="only-heard"><tr><th scope="col">{words.day}</th><th scope="col">{words.firedHead}</th></tr></thead>
            <tbody>{found.days.map((d) => (
              <tr key={d.date}><th scope="row">{plainDay(d.date)}</th>
                <td><svg width="100%" height="16" aria-hidden="true"><rect class="bar" width={`${(d.fired / most) * 85}%`} height="16" rx="3" /></svg><span class="num">{number(d.fired)}</span></td></tr>))}</tbody></table>
          {found.moment_ids.length > 0 && <p class="buttons small">{words.examples}: {found.moment_ids.slice(0, 5).map((id, i) => <a key={id} class="button" href={`/moments/${id}`} aria-label={`${words.examples} ${i + 1}`}>{i + 1}</a>)}</p>}
        </div>)}
    </section>
  );
}

type Change = (change: Partial<AlertRule>) => void;

function Line({ rule, change }: { rule: AlertRule; change: Change }) {
  const words = t().rules;
  const unit = UNIT_OF[rule.subject ?? 'waiting'];
  const scale = unit === 'ms' ? SECOND : 1;
  const isLevel = rule.subject === 'service_level';
  return (
    <>
      <div class="grid-2">
        <NumberField name="rule.threshold" label={`${words.threshold}: ${comparisonOf(rule)}`} unit={words.units[unit]} value={rule.threshold / scale} min={0} step="any" required onValue={(v) => change({ threshold: (v ?? 0) * scale })} />
        {rule.subject && QUEUE_SUBJECTS.includes(rule.subject) && (
          <NumberField name="rule.clear_threshold" label={words.clear} hint={words.clearHint} unit={words.units[unit]} value={rule.clear_threshold === null ? null : rule.clear_threshold / scale} min={0} step="any"
            onValue={(v) => change({ clear_threshold: v === null ? null : v * scale })} />)}
        {rule.subject === 'customer_signal' && <TextField name="rule.signal" label={words.signal} hint={words.signalHint} value={rule.signal} onValue={(signal) => change({ signal })} most={64} />}
      </div>
      {isLevel && (
        <div class="grid-2">
          <NumberField name="rule.target_ms" label={words.target} value={rule.target_ms / SECOND} min={1} required onValue={(v) => change({ target_ms: (v ?? 0) * SECOND })} />
          <NumberField name="rule.window_ms" label={words.window} value={rule.window_ms / MINUTE} min={1} required onValue={(v) => change({ window_ms: (v ?? 0) * MINUTE })} />
          <NumberField name="rule.minimum_count" label={words.minimum} value={rule.minimum_count} min={1} required onValue={(v) => change({ minimum_count: v ?? 0 })} />
        </div>)}
    </>
  );
}

function Form({ rule, change }: { rule: AlertRule; change: Change }) {
  const words = t().rules;
  return (
    <>
      <TextField name="rule.title" label={words.name} hint={words.nameHint} value={rule.title} onValue={(title) => change({ title })} most={200} required />
      <SelectField name="rule.subject" label={words.subject} value={rule.subject ?? 'waiting'} onValue={(s) => change(withSubject(rule, s))} options={optionsOf(t().alertSubjects)} />
      <Line rule={rule} change={change} />
      <fieldset><legend>{words.where}</legend>
        <SitesPicker name="rule.sites" values={rule.sites} onValues={(sites) => change({ sites })} />
        <QueuesPicker name="rule.queues" values={rule.queues} onValues={(queues) => change({ queues })} />
        <TeamsPicker name="rule.teams" values={rule.teams} onValues={(teams) => change({ teams })} /></fieldset>
      <div class="grid-2">
        <SelectField name="rule.severity" label={words.severity} value={rule.severity ?? 'warning'} onValue={(severity) => change({ severity })} options={optionsOf(t().severities)} />
        <NumberField name="rule.escalate_after_ms" label={words.escalate} hint={words.escalateHint} value={rule.escalate_after_ms / MINUTE} min={0} step="any" onValue={(v) => change({ escalate_after_ms: Math.round((v ?? 0) * MINUTE) })} />
        <NumberField name="rule.cooldown_ms" label={words.cooldown} hint={words.cooldownHint} value={rule.cooldown_ms / MINUTE} min={0} step="any" onValue={(v) => change({ cooldown_ms: Math.round((v ?? 0) * MINUTE) })} />
      </div>
      <CheckField name="rule.enabled" label={words.enabled} checked={rule.enabled} onChecked={(enabled) => change({ enabled })} />
    </>
  );
}

function Remove({ rule, onClose }: { rule: AlertRule; onClose: () => void }) {
  const words = t().rules;
  const done = (): void => { toast(words.removed); go('/alerts/rules'); };
  return <Confirm title={words.removeTitle} about={words.removeAbout} act={words.remove} onClose={onClose} onDone={done} work={(key) => call('DELETE', path('/api/v1/alert-rules/{}', rule.rule_id), { revision: rule.revision, key })} />;
}

function Editor({ given, reload }: { given: AlertRule; reload: () => void }) {
  const [rule, setRule] = useState(given);
  const [savedAt, setSavedAt] = useState<number | null>(null);
  const [isRemoving, setRemoving] = useState(false);
  const command = useCommand();
  const words = t().rules;
  const change: Change = (part) => { setRule((old) => ({ ...old, ...part })); setSavedAt(null); };
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    await command.run(async (key) => {
      const done = await call<SaveAlertRuleResponse>('PUT', path('/api/v1/alert-rules/{}', rule.rule_id), { body: { rule }, revision: rule.revision, key });
      if (done.rule) setRule(done.rule);
      setSavedAt(Date.now());
    });
  }
  const isStale = command.problem?.status === 412;
  return (
    <div class="panels is-wide">
      <form class="panel" onSubmit={submit} data-testid="rule-form">
        <p class="good-panel" aria-live="polite">{sentenceOf(rule)}</p>
        <ProblemPanel problem={command.problem} />
        {isStale && <p><button type="button" onClick={reload}>{words.loadTheirs}</button></p>}
        <Fields objections={objectionsOf(command.problem)}><Form rule={rule} change={change} /></Fields>
        <Buttons busy={command.isBusy} act={words.save} />
        <p role="status" class="saving is-saved" hidden={savedAt === null}>{savedAt !== null && words.saved(clockTime(savedAt))}</p>
        {rule.revision > 0 && <p><button type="button" class="danger" onClick={() => setRemoving(true)}>{words.remove}…</button></p>}
      </form>
      <Preview rule={rule} />
      {isRemoving && <Remove rule={rule} onClose={() => setRemoving(false)} />}
    </div>
  );
}

export function AlertRulePage({ id }: { id: string }) {
  const isNew = id === 'new';
  const { data, problem, reload } = useLoaded<ListAlertRulesResponse>(isNew ? null : '/api/v1/alert-rules');
  const [fresh] = useState(blank);
  const words = t().rules;
  const rule = isNew ? fresh : data?.rules.find((r) => r.rule_id === id && !r.removed);
  return (
    <div class="rule">
      <PageHead title={isNew ? words.newTitle : words.edit} about={words.about}><a class="button" href="/alerts/rules">{words.back}</a></PageHead>
      {rule ? <Editor key={`${rule.rule_id}/${rule.revision}`} given={rule} reload={reload} />
        : data ? <ProblemPanel problem={{ status: 404, title: '' }} /> : <Waiting problem={problem} retry={reload} />}
    </div>
  );
}
