// Planning a coaching session, and changing what was planned.
import { useState } from 'preact/hooks';
import { call, path } from '../api';
import { t } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import type { CoachingSession, ListStandardsResponse } from '../proto';
import { Buttons, Dialog } from './dialog';
import { Fields, objectionsOf, SelectField, TextField } from './form';
import { fromLocal, toLocal } from './local-time';
import { MomentsPicker } from './moment-picker';
import { PersonPicker } from './pickers';
import { ProblemPanel } from './problem';
import { toast } from './toasts';

const TOPIC_MOST = 200;

type Plan = Pick<CoachingSession, 'attendee' | 'planned_at' | 'topic' | 'moment_ids' | 'standard_id' | 'criterion_id'>;

const tomorrow = (): string => new Date(Date.now() + 86_400_000).toISOString();
export const blankPlan = (part: Partial<Plan> = {}): Plan => ({ attendee: '', planned_at: tomorrow(), topic: '', moment_ids: [], standard_id: '', criterion_id: '', ...part });

function CriterionPicker({ plan, set, prefix }: { plan: Plan; set: (part: Partial<Plan>) => void; prefix: string }) {
  const { data } = useLoaded<ListStandardsResponse>('/api/v1/standards');
  const options = (data?.standards ?? []).filter((s) => s.state === 'published')
    .flatMap((s) => s.criteria.map((c) => [`${s.standard_id} ${c.criterion_id}`, `${s.title}: ${c.title}`] as const));
  const words = t().coaching;
  return (
    <SelectField name={`${prefix}criterion_id`} label={words.criterion} hint={words.criterionHint} value={plan.criterion_id ? `${plan.standard_id} ${plan.criterion_id}` : ''}
      onValue={(v) => { const at = v.indexOf(' '); set({ standard_id: v.slice(0, Math.max(0, at)), criterion_id: v.slice(at + 1) }); }}
      options={[['', words.noCriterion] as const, ...new Map(options)]} />
  );
}

// given: a session that is there already is edited, anything else begins one.
export function PlanCoaching({ given, session, onClose, onDone }: { given: Plan; session?: CoachingSession; onClose: () => void; onDone: (session: CoachingSession) => void }) {
  const [plan, setPlan] = useState(given);
  const command = useCommand();
  const words = t().coaching;
  const prefix = session ? 'session.' : '';
  const set = (part: Partial<Plan>): void => setPlan((old) => ({ ...old, ...part }));
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    let done: CoachingSession | null = null;
    const isDone = await command.run(async (key) => {
      const answer = session
        ? await call<{ session: CoachingSession | null }>('PUT', path('/api/v1/coaching/{}', session.session_id), { body: { session: { ...session, ...plan } }, revision: session.revision, key })
        : await call<{ session: CoachingSession | null }>('POST', '/api/v1/coaching', { body: plan, key });
      done = answer.session;
    });
    if (!isDone || !done) return;
    toast(words.planned, '', null, 'good');
    onDone(done);
    onClose();
  }
  return (
    <Dialog title={session ? words.editTitle : words.planTitle} onClose={onClose} wide>
      <form onSubmit={submit} data-testid="coaching-form">
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          {!session && <PersonPicker name="attendee" label={words.attendee} value={plan.attendee} onValue={(attendee) => set({ attendee, moment_ids: attendee === plan.attendee ? plan.moment_ids : [] })} required />}
          <div class="grid-2">
            <TextField name={`${prefix}topic`} label={words.topic} hint={words.topicHint} value={plan.topic} onValue={(topic) => set({ topic })} most={TOPIC_MOST} required />
            <TextField name={`${prefix}planned_at`} label={words.when} type="datetime-local" value={toLocal(plan.planned_at)} onValue={(text) => set({ planned_at: fromLocal(text) })} required />
          </div>
          <CriterionPicker plan={plan} set={set} prefix={prefix} />
          {plan.attendee && <MomentsPicker name={`${prefix}moment_ids`} label={words.moments} hint={words.momentsHint} person={plan.attendee} values={plan.moment_ids} onValues={(moment_ids) => set({ moment_ids })} />}
        </Fields>
        <Buttons busy={command.isBusy} act={session ? t().action.save : words.plan} onCancel={onClose} />
      </form>
    </Dialog>
  );
}
