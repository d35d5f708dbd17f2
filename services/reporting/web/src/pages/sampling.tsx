// Sampling plans: which moments are drawn for people to evaluate, fairly and so that nobody can choose.
import { useState } from 'preact/hooks';
import { call, newId, ownZone, path, query } from '../api';
import { queueName, siteName, teamName } from '../directory';
import { list as listed, span, t } from '../i18n';
import { useCommand, useLoaded, usePages } from '../loading';
import { Confirm } from '../parts/confirm';
import { Buttons, Dialog } from '../parts/dialog';
import { CheckField, ChecksField, Fields, NumberField, objectionsOf, optionsOf, SelectField, TextField } from '../parts/form';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { QueuesPicker, SitesPicker, TeamsPicker } from '../parts/pickers';
import { ProblemPanel, Waiting } from '../parts/problem';
import { toast } from '../parts/toasts';
import type { Sample, SamplingPlan } from '../proto';
import { user } from '../session';
import { SampleRow } from './queue';

const SECOND = 1000;

const blank = (): SamplingPlan => ({
  plan_id: `plan-${newId().slice(0, 8)}`, title: '', sites: user.value?.sites ?? [], teams: user.value?.teams ?? [], queues: [], channels: [], talk_at_least_ms: 0, talk_at_most_ms: 0, quota: 2, period: 'week', time_zone: ownZone(), seed: '',
  enabled: true, revision: 0, edited_by: '', edited_by_name: '', edited_at: null, removed: false,
});

function filtersOf(plan: SamplingPlan): string {
  const words = t().sampling;
  const parts = [...plan.sites.map(siteName), ...plan.teams.map(teamName), ...plan.queues.map(queueName), ...plan.channels.map((c) => t().channels[c])];
  if (plan.talk_at_least_ms) parts.push(words.atLeast(span(plan.talk_at_least_ms)));
  if (plan.talk_at_most_ms) parts.push(words.atMost(span(plan.talk_at_most_ms)));
  return parts.length ? listed(parts) : words.everything;
}

function Edit({ given, onClose, onSaved }: { given: SamplingPlan; onClose: () => void; onSaved: () => void }) {
  const [plan, setPlan] = useState(given);
  const command = useCommand();
  const words = t().sampling;
  const set = (part: Partial<SamplingPlan>): void => setPlan((old) => ({ ...old, ...part }));
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (!(await command.run((key) => call('PUT', path('/api/v1/sampling-plans/{}', plan.plan_id), { body: { plan }, revision: plan.revision, key })))) return;
    toast(words.saved, plan.title, null, 'good');
    onSaved();
    onClose();
  }
  return (
    <Dialog title={plan.revision ? words.edit : words.add} onClose={onClose} wide>
      <form onSubmit={submit} data-testid="plan-form">
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          <TextField name="plan.title" label={words.name} value={plan.title} onValue={(title) => set({ title })} most={200} required />
          <div class="grid-2">
            <NumberField name="plan.quota" label={words.quota} hint={words.quotaHint} value={plan.quota} onValue={(quota) => set({ quota: quota ?? 0 })} min={1} max={20} required />
            <SelectField name="plan.period" label={words.period} value={plan.period ?? 'week'} onValue={(period) => set({ period })} options={optionsOf(t().samplingPeriods)} />
            <TextField name="plan.time_zone" label={t().fields.timeZone} hint={words.zoneHint} value={plan.time_zone} onValue={(time_zone) => set({ time_zone })} required />
          </div>
          <fieldset><legend>{words.which}</legend>
            <SitesPicker name="plan.sites" values={plan.sites} onValues={(sites) => set({ sites })} />
            <TeamsPicker name="plan.teams" values={plan.teams} onValues={(teams) => set({ teams })} />
            <QueuesPicker name="plan.queues" values={plan.queues} onValues={(queues) => set({ queues })} />
            <ChecksField name="plan.channels" label={t().fields.channels} hint={words.noneIsAll} values={plan.channels} onValues={(channels) => set({ channels })} options={optionsOf(t().channels)} />
            <div class="grid-2">
              <NumberField name="plan.talk_at_least_ms" label={words.talkAtLeast} unit={t().fields.seconds} value={plan.talk_at_least_ms / SECOND} min={0} onValue={(v) => set({ talk_at_least_ms: (v ?? 0) * SECOND })} />
              <NumberField name="plan.talk_at_most_ms" label={words.talkAtMost} hint={words.zeroIsNone} unit={t().fields.seconds} value={plan.talk_at_most_ms / SECOND} min={0} onValue={(v) => set({ talk_at_most_ms: (v ?? 0) * SECOND })} />
            </div></fieldset>
          <TextField name="plan.seed" label={words.seed} hint={words.seedHint} value={plan.seed} onValue={(seed) => set({ seed })} most={64} />
          <CheckField name="plan.enabled" label={t().rules.enabled} checked={plan.enabled} onChecked={(enabled) => set({ enabled })} />
        </Fields>
        <Buttons busy={command.isBusy} act={words.save} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

function PlanCard({ plan, onEdit, onRemove }: { plan: SamplingPlan; onEdit: () => void; onRemove: () => void }) {
  const words = t().sampling;
  return (
    <li class="panel" data-testid="plan" data-plan={plan.plan_id}>
      <h2>{plan.title}{!plan.enabled && <span class="badge"> {t().rules.off}</span>}</h2>
      <p>{words.sentence(plan.quota, plan.period ? t().samplingPeriods[plan.period] : '')} {words.from(filtersOf(plan))}</p>
      <p class="quiet small">{words.zone(plan.time_zone)} · {words.seedIs(plan.seed)}</p>
      <div class="buttons"><button type="button" onClick={onEdit}>{t().action.edit}<span class="only-heard">: {plan.title}</span></button>
        <button type="button" class="danger" onClick={onRemove}>{t().action.remove}<span class="only-heard">: {plan.title}</span></button></div>
    </li>
  );
}

function Unmet() {
  const list = usePages<Sample>(`/api/v1/samples${query({ state: 'unmet', limit: 20 })}`, (s) => s.sample_id);
  const words = t().sampling;
  if (!list.items?.length) return null;
  return <section class="panel" aria-labelledby="unmet-title"><h2 id="unmet-title">{words.unmet}</h2><ul class="plain rows">{list.items.map((s) => <SampleRow key={s.sample_id} sample={s} />)}</ul><More of={list} /></section>;
}

export function SamplingPage() {
  const { data, problem, reload } = useLoaded<{ plans: SamplingPlan[] }>('/api/v1/sampling-plans');
  const [editing, setEditing] = useState<SamplingPlan | null>(null);
  const [removing, setRemoving] = useState<SamplingPlan | null>(null);
  const words = t().sampling;
  const plans = data?.plans.filter((p) => !p.removed);
  return (
    <div class="sampling">
      <PageHead title={words.plans} about={words.about}><button type="button" class="main-action" data-testid="add-plan" onClick={() => setEditing(blank())}>{words.add}</button></PageHead>
      {!plans ? <Waiting problem={problem} retry={reload} /> : plans.length === 0 ? <div class="panel empty"><p>{words.none}</p></div>
        : <ul class="plain cards">{plans.map((p) => <PlanCard key={p.plan_id} plan={p} onEdit={() => setEditing(p)} onRemove={() => setRemoving(p)} />)}</ul>}
      <Unmet />
      {editing && <Edit given={editing} onClose={() => setEditing(null)} onSaved={reload} />}
      {removing && <Confirm title={words.removeTitle} about={words.removeAbout} act={t().action.remove} onClose={() => setRemoving(null)} onDone={() => { setRemoving(null); reload(); }}
        work={(key) => call('DELETE', path('/api/v1/sampling-plans/{}', removing.plan_id), { revision: removing.revision, key })} />}
    </div>
  );
}
