// What the evaluated may say to an evaluation, and who decides about it.
import { useState } from 'preact/hooks';
import { call, path } from '../api';
import { now } from '../clock';
import { dayTime, t } from '../i18n';
import { useCommand } from '../loading';
import type { Criterion, CriterionResult, Dispute, Evaluation } from '../proto';
import { betterAnswers } from '../scoring';
import { hasRole, isAboutMe, isMe } from '../session';
import { answerText } from '../standard';
import { Buttons } from './dialog';
import { Evaluated, isByPerson } from './evaluation';
import { Fields, objectionsOf, SelectField, TextField } from './form';
import { ProblemPanel } from './problem';
import { useStandardOf } from './standard-of';
import { toast } from './toasts';

const TEXT_MOST = 4000;
const DECISION_LEAST = 10;

type Changed = (e: Evaluation) => void;
interface Answer { evaluation: Evaluation | null }

// Sends a form about an evaluation, and gives the evaluation that came of it on.
function useSending(onChanged: Changed) {
  const command = useCommand();
  async function send(event: Event, address: string, body: unknown, said: string): Promise<boolean> {
    event.preventDefault();
    const isDone = await command.run(async (key) => {
      const answer = await call<Answer>('POST', address, { body, key });
      if (answer.evaluation) onChanged(answer.evaluation);
    });
    if (isDone) toast(said, '', null, 'good');
    return isDone;
  }
  return { command, send };
}

export function AcknowledgeEvaluation({ e, onChanged }: { e: Evaluation; onChanged: Changed }) {
  const [comment, setComment] = useState('');
  const { command, send } = useSending(onChanged);
  const words = t().evaluation;
  return (
    <form class="inline-form" data-testid="acknowledge-evaluation"
      onSubmit={(event) => void send(event, path('/api/v1/evaluations/{}/acknowledge', e.evaluation_id), { comment: comment.trim() }, words.acknowledgedNow)}>
      <p>{words.acknowledgeAbout}</p>
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}><TextField name="comment" label={words.acknowledgeComment} value={comment} onValue={setComment} rows={2} most={TEXT_MOST} /></Fields>
      <Buttons busy={command.isBusy} act={words.acknowledge} />
    </form>
  );
}

function Raise({ e, criterion, result, onChanged, onCancel }: { e: Evaluation; criterion: Criterion; result: CriterionResult; onChanged: Changed; onCancel: () => void }) {
  const better = betterAnswers(criterion, result.answer);
  const [proposed, setProposed] = useState(better[0]?.[0] ?? '');
  const [reason, setReason] = useState('');
  const { command, send } = useSending(onChanged);
  const words = t().dispute;
  return (
    <form class="inline-form" data-testid="dispute-form"
      onSubmit={(event) => void send(event, path('/api/v1/evaluations/{}/disputes', e.evaluation_id), { criterion_id: criterion.criterion_id, proposed_answer: proposed, reason: reason.trim() }, words.sent)}>
      <p>{words.about}</p>
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}>
        <SelectField name="proposed_answer" label={words.proposed} value={proposed} onValue={setProposed} options={better} />
        <TextField name="reason" label={words.reason} hint={words.reasonHint} value={reason} onValue={setReason} rows={3} most={TEXT_MOST} required />
      </Fields>
      <Buttons busy={command.isBusy} act={words.send} onCancel={onCancel} />
    </form>
  );
}

function Decide({ e, dispute, onChanged }: { e: Evaluation; dispute: Dispute; onChanged: Changed }) {
  const [accept, setAccept] = useState<'yes' | 'no' | ''>('');
  const [reason, setReason] = useState('');
  const { command, send } = useSending(onChanged);
  const words = t().dispute;
  return (
    <form class="inline-form" data-testid="decide-form"
      onSubmit={(event) => void send(event, path('/api/v1/evaluations/{}/disputes/{}/decide', e.evaluation_id, dispute.dispute_id), { accept: accept === 'yes', reason: reason.trim() }, words.decided)}>
      <ProblemPanel problem={command.problem} />
      <fieldset><legend>{words.decide}</legend><div class="choices">
        <label><input type="radio" name={`accept-${dispute.dispute_id}`} value="yes" required checked={accept === 'yes'} onChange={() => setAccept('yes')} />{words.accept}</label>
        <label><input type="radio" name={`accept-${dispute.dispute_id}`} value="no" checked={accept === 'no'} onChange={() => setAccept('no')} />{words.decline}</label></div>
        <p class="hint">{words.neverFalls}</p></fieldset>
      <Fields objections={objectionsOf(command.problem)}>
        <TextField name="reason" label={words.decisionReason} hint={words.decisionHint} value={reason} onValue={setReason} rows={3} least={DECISION_LEAST} most={TEXT_MOST} required />
      </Fields>
      <Buttons busy={command.isBusy} act={words.act} disabled={accept === '' || [...reason.trim()].length < DECISION_LEAST} />
    </form>
  );
}

const mayDecide = (e: Evaluation, d: Dispute): boolean =>
  d.state === 'open' && hasRole('leader', 'coach') && !isMe(e.evaluator) && !isMe(d.raised_by) && !isAboutMe(e.person_id) && !isAboutMe(e.evaluator_person_id);

function One({ e, dispute, criterion, onChanged }: { e: Evaluation; dispute: Dispute; criterion: Criterion | undefined; onChanged: Changed }) {
  const words = t().dispute;
  const say = (answer: string): string => (criterion ? answerText(criterion, answer) : answer);
  const title = e.results.find((r) => r.criterion_id === dispute.criterion_id)?.title ?? dispute.criterion_id;
  return (
    <li class="dispute" data-testid="dispute" data-state={dispute.state}>
      <p><span class="badge">{dispute.state && words.states[dispute.state]}</span> <strong>{title}</strong>: {words.asks(dispute.raised_by_name, say(dispute.proposed_answer), say(dispute.answer_before))}</p>
      <blockquote><p class="wrap">{dispute.reason}</p><footer>{dispute.raised_by_name}, {dayTime(dispute.raised_at)}</footer></blockquote>
      {dispute.decided_at && <blockquote><p class="wrap">{dispute.decision_reason}</p><footer>{words.decidedBy(dispute.decided_by_name, dayTime(dispute.decided_at))}{dispute.score_kept && ` · ${words.kept}`}</footer></blockquote>}
      {mayDecide(e, dispute) ? <Decide e={e} dispute={dispute} onChanged={onChanged} /> : dispute.state === 'open' && <p class="quiet small">{isMe(e.evaluator) ? words.notYours : words.waits}</p>}
    </li>
  );
}

const isInTime = (e: Evaluation): boolean => e.dispute_until_at !== null && now.value < Date.parse(e.dispute_until_at);

// An evaluation with all that its reader may do about it.
export function LivingEvaluation({ e, onChanged }: { e: Evaluation; onChanged: Changed }) {
  const [disputing, setDisputing] = useState('');
  const isMine = isAboutMe(e.person_id);
  const standard = useStandardOf(isMine || e.disputes.length ? e.standard_id : '', e.standard_version);
  const words = t().dispute;
  const criterionOf = (id: string): Criterion | undefined => standard?.criteria.find((c) => c.criterion_id === id);
  const changed: Changed = (next) => { setDisputing(''); onChanged(next); };
  const mayDispute = (r: CriterionResult): boolean => {
    const criterion = criterionOf(r.criterion_id);
    return isMine && isInTime(e) && Boolean(criterion) && !r.not_asked && !e.disputes.some((d) => d.criterion_id === r.criterion_id) && betterAnswers(criterion!, r.answer).length > 0;
  };
  function actOn(r: CriterionResult) {
    if (disputing === r.criterion_id) return <Raise e={e} criterion={criterionOf(r.criterion_id)!} result={r} onChanged={changed} onCancel={() => setDisputing('')} />;
    return mayDispute(r) ? <p><button type="button" class="small" data-testid="dispute" onClick={() => setDisputing(r.criterion_id)}>{words.dispute}<span class="only-heard">: {r.title}</span></button></p> : null;
  }
  return (
    <Evaluated e={e} actOn={isMine ? actOn : undefined}>
      {isMine && isInTime(e) && <p class="small quiet" data-testid="dispute-until">{words.until(dayTime(e.dispute_until_at))}</p>}
      {e.disputes.length > 0 && <ul class="plain" aria-label={words.title}>{e.disputes.map((d) => <One key={d.dispute_id} e={e} dispute={d} criterion={criterionOf(d.criterion_id)} onChanged={changed} />)}</ul>}
      {isMine && isByPerson(e) && !e.acknowledged_at && <AcknowledgeEvaluation e={e} onChanged={changed} />}
    </Evaluated>
  );
}
