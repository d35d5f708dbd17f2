// Answering an observed criterion: the same for an evaluation, a calibration, a dispute and the preview.
import { useId } from 'preact/hooks';
import { t } from '../i18n';
import type { Criterion } from '../proto';
import { answersOf, needsComment } from '../standard';
import { TextField, useObjection } from './form';

const COMMENT_MOST = 4000;

// name: the field's path as the server names it.
export function AnswerField({ criterion, name, answer, comment, onAnswer, onComment, disabled }: {
  criterion: Criterion; name: string; answer: string; comment: string; onAnswer: (answer: string) => void; onComment?: (comment: string) => void; disabled?: boolean;
}) {
  const id = useId();
  const objection = useObjection(name) ?? useObjection(`${name}.answer`);
  const isNeeded = needsComment(criterion, answer);
  return (
    <fieldset class={`answer ${objection ? 'is-refused' : ''}`} aria-describedby={`${id}-about`} disabled={disabled} data-criterion={criterion.criterion_id}>
      <legend>{criterion.title}</legend>
      <div id={`${id}-about`}>
        {criterion.description && <p class="hint">{criterion.description}</p>}
        {objection && <p class="objection">{objection}</p>}
      </div>
      <div class="choices">{answersOf(criterion).map(([value, text]) => (
        <label key={value}><input type="radio" name={id} value={value} checked={answer === value} onChange={() => onAnswer(value)} />{text}</label>))}</div>
      {onComment && (answer !== '' || comment !== '') && (
        <TextField name={`${name}.comment`} label={isNeeded ? t().standards.commentNeeded : t().standards.comment} value={comment} onValue={onComment} rows={2} most={COMMENT_MOST} required={isNeeded} />)}
    </fieldset>
  );
}
