// The questions of a standard, one after the other, with what Moment measured beside them: for an evaluation and for
// a calibration.
import { number, t } from '../i18n';
import type { Criterion, CriterionResult, Standard } from '../proto';
import { given, missingIn, scoreOf, type Answers, type Missing } from '../scoring';
import { isAsked, sectionsOf, targetOf } from '../standard';
import { AnswerField } from './answer';
import { VerdictMark, wasText } from './evaluation';

export interface Filled { answers: Answers; comments: Answers }

// As the API takes it: what is neither answered nor commented on is left out.
export function answersOut(standard: Standard, { answers, comments }: Filled): { criterion_id: string; answer: string; comment: string }[] {
  return standard.criteria.filter((c) => c.kind === 'observed').map((c) => ({
    criterion_id: c.criterion_id, answer: answers.get(c.criterion_id) ?? '', comment: comments.get(c.criterion_id)?.trim() ?? '',
  })).filter((a) => a.answer || a.comment);
}

export function filledFrom(results: readonly CriterionResult[]): Filled {
  return { answers: new Map(results.filter((r) => r.answer).map((r) => [r.criterion_id, r.answer])), comments: new Map(results.filter((r) => r.comment).map((r) => [r.criterion_id, r.comment])) };
}

// The server names the answer that it refuses by its place among those that were sent; the fields by their criterion.
export function fieldOf(field: string, sent: readonly { criterion_id: string }[]): string {
  return field.replace(/^answers\[(\d+)\]/, (whole, i: string) => (sent[Number(i)] ? `answers.${sent[Number(i)]!.criterion_id}` : whole));
}

function Measured({ c, result }: { c: Criterion; result: CriterionResult | undefined }) {
  return (
    <p class="measured"><strong>{c.title}</strong> <span class="quiet">{targetOf(c)}.</span>{' '}
      {result ? <>{result.actual !== null && t().evaluation.was(wasText(result, c))} <VerdictMark r={result} /></> : <span class="quiet">{t().standards.measuredByItself}</span>}</p>
  );
}

export function Questions({ standard, results, filled, onFilled, disabled }: {
  standard: Standard; results: readonly CriterionResult[]; filled: Filled; onFilled: (filled: Filled) => void; disabled?: boolean;
}) {
  const { answers, comments } = filled;
  const kept = given(standard.criteria, answers);
  const question = (c: Criterion) => {
    if (c.kind === 'measured') return <Measured key={c.criterion_id} c={c} result={results.find((r) => r.criterion_id === c.criterion_id)} />;
    if (!isAsked(c, kept)) return null;
    return (
      <AnswerField key={c.criterion_id} criterion={c} name={`answers.${c.criterion_id}`} answer={answers.get(c.criterion_id) ?? ''} comment={comments.get(c.criterion_id) ?? ''} disabled={Boolean(disabled)}
        onAnswer={(a) => onFilled({ answers: new Map(answers).set(c.criterion_id, a), comments })} onComment={(x) => onFilled({ answers, comments: new Map(comments).set(c.criterion_id, x) })} />
    );
  };
  return (
    <>{sectionsOf(standard.criteria).map((s) => <section key={s.name}><h4>{s.name}</h4>{s.items.map((i) => question(i.criterion))}</section>)}</>
  );
}

function goTo(m: Missing): void {
  const field = document.querySelector(`[data-criterion="${CSS.escape(m.criterion.criterion_id)}"].answer`);
  field?.scrollIntoView({ block: 'center' });
  field?.querySelector<HTMLElement>(m.what === 'comment' ? 'textarea' : 'input')?.focus();
}

// What it would score now, and what is still missing.
export function Standing({ standard, filled, canAct }: { standard: Standard; filled: Filled; canAct: string }) {
  const score = scoreOf(standard.criteria, filled.answers);
  const missing = missingIn(standard.criteria, filled.answers, filled.comments);
  const words = t().evaluation;
  return (
    <div class="standing">
      <p role="status"><strong data-testid="running-score">{score.final === null ? words.scoreNone : words.scoreNow(number(score.final, 0))}</strong>
        {score.critical !== null && <span class="quiet"> · {words.criticalScore(number(score.critical, 0))}</span>}
        {score.fatal.length > 0 && <span class="problem"> · {words.fatalNow(score.fatal.map((c) => `“${c.title}”`).join(', '))}</span>}</p>
      {missing.length === 0 ? <p class="small" data-testid="complete">✓ {canAct}</p> : (
        <details class="small" data-testid="missing"><summary>{words.missing(missing.length)}</summary>
          <ul>{missing.map((m) => <li key={m.criterion.criterion_id}>{m.what === 'comment' ? words.missingComment : words.missingAnswer}: <button type="button" class="link-button" onClick={() => goTo(m)}>{m.criterion.title}</button></li>)}</ul></details>)}
    </div>
  );
}
