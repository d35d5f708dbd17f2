// An evaluation as it was released: scores, results by section, what became of it, and its earlier revisions.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { query } from '../api';
import { dayTime, number, span, t, word } from '../i18n';
import { useLoaded } from '../loading';
import type { Criterion, CriterionResult, Evaluation, Standard } from '../proto';
import { resultSections } from '../scoring';
import { answerText, NOT_APPLICABLE } from '../standard';
import { Waiting } from './problem';
import { useStandardOf } from './standard-of';

export const isByPerson = (e: Evaluation): boolean => e.evaluator !== '' && e.evaluator !== 'moment';

export const scoreText = (score: number | null): string => (score === null ? t().moment.noScore : number(score, 0));

const isTime = (metric: string): boolean => metric.endsWith('_ms');
const measured = (r: CriterionResult, value: number | null): string => (value === null ? '–' : isTime(r.metric) ? span(value) : number(value));
const SIGNS = { at_most: '≤', at_least: '≥', equal: '=' } as const;

export const shouldBe = (r: CriterionResult): string =>
  r.kind === 'observed' ? '–' : `${word(t().metrics, r.metric)} ${r.comparison ? SIGNS[r.comparison] : ''} ${measured(r, r.value)}`;

export function wasText(r: CriterionResult, criterion: Criterion | undefined): string {
  if (r.kind !== 'observed') return measured(r, r.actual);
  if (r.answer === NOT_APPLICABLE) return t().standards.notApplicable;
  if (r.answer === '') return t().moment.unanswered;
  return criterion ? answerText(criterion, r.answer) : r.answer;
}

type Verdict = 'notApplicable' | 'wow' | 'met' | 'partly' | 'notMet';
const LOOK: Record<Verdict, string> = { notApplicable: 'is-not-applicable', wow: 'is-wow', met: 'is-met', partly: 'is-partly', notMet: 'is-not-met' };

export function verdictOf(r: CriterionResult): Verdict {
  if (r.not_applicable || r.not_asked) return 'notApplicable';
  if (r.wow) return 'wow';
  return r.met ? 'met' : r.points > 0 ? 'partly' : 'notMet';
}

export function VerdictMark({ r }: { r: CriterionResult }) {
  const verdict = verdictOf(r);
  return <span class={`verdict ${LOOK[verdict]}`}>{verdict === 'partly' ? t().evaluation.partly : t().moment[verdict]}</span>;
}

function Row({ r, criterion, act }: { r: CriterionResult; criterion: Criterion | undefined; act: ComponentChildren }) {
  const words = t().moment;
  return (
    <tr class={LOOK[verdictOf(r)]} data-criterion={r.criterion_id}>
      <th scope="row">{r.title}{r.fatal ? ` (${words.fatal})` : r.critical ? ` (${words.critical})` : ''}
        {r.comment && <p class="quiet small wrap">{r.comment}</p>}{act}</th>
      <td>{shouldBe(r)}</td><td class={r.kind === 'observed' ? '' : 'num'}>{wasText(r, criterion)}</td>
      <td><VerdictMark r={r} />{r.unacceptable && <span class="small problem"> {t().evaluation.unacceptable}</span>}</td><td class="num">{number(r.weight)}</td>
    </tr>
  );
}

function Results({ e, standard, actOn }: { e: Evaluation; standard: Standard | null; actOn: ((r: CriterionResult) => ComponentChildren) | undefined }) {
  const words = t().moment;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={words.criteriaOf(e.standard_title)}><table class="results">
      <thead><tr><th scope="col">{words.criterion}</th><th scope="col">{words.shouldBe}</th><th scope="col">{words.was}</th><th scope="col">{words.verdict}</th><th scope="col" class="num">{words.weight}</th></tr></thead>
      {resultSections(e.results).map((s) => (
        <tbody key={s.name}>
          <tr class="section-row"><th scope="rowgroup" colSpan={5}>{s.name}: {s.score === null ? words.noScore : number(s.score, 0)}</th></tr>
          {s.results.map((r) => <Row key={r.criterion_id} r={r} criterion={standard?.criteria.find((c) => c.criterion_id === r.criterion_id)} act={actOn?.(r)} />)}
        </tbody>))}
    </table></div>
  );
}

function Revisions({ e }: { e: Evaluation }) {
  const { data, problem, reload } = useLoaded<{ items: Evaluation[] }>(`/api/v1/evaluations${query({ moment_id: e.moment_id, history: true })}`);
  if (!data) return <Waiting problem={problem} retry={reload} />;
  const own = data.items.filter((x) => x.evaluation_id === e.evaluation_id).sort((a, b) => b.revision - a.revision);
  return (
    <ol class="plain rows">{own.map((x) => (
      <li key={x.revision}><strong>{t().moment.revision(x.revision)}</strong><span>{word(t().evaluationStates, x.state ?? 'released')}</span><span class="num">{scoreText(x.final_score)}</span>
        <time class="quiet" dateTime={x.evaluated_at ?? ''}>{dayTime(x.evaluated_at)}</time></li>))}</ol>
  );
}

// Which one took the score away, and what it would be without.
function Fatal({ e }: { e: Evaluation }) {
  const failed = e.results.filter((r) => r.fatal_failed);
  if (failed.length === 0 || e.raw_score === e.final_score) return null;
  return <p class="problem" data-testid="fatal">{t().evaluation.fatal(failed.map((r) => `“${r.title}”`).join(', '), scoreText(e.raw_score))}</p>;
}

// actOn: what can be done about one criterion, under its name.
export function Evaluated({ e, actOn, children }: { e: Evaluation; actOn?: ((r: CriterionResult) => ComponentChildren) | undefined; children?: ComponentChildren }) {
  const [hasHistory, setHistory] = useState(false);
  const standard = useStandardOf(isByPerson(e) ? e.standard_id : '', e.standard_version);
  const words = t().evaluation;
  return (
    <article class="evaluation" data-testid="evaluation" data-evaluation={e.evaluation_id} data-evaluator={isByPerson(e) ? 'person' : 'moment'} data-state={e.state ?? 'released'}>
      <h3>{e.standard_title} <span class="quiet small">{t().moment.version(e.standard_version)}{e.revision > 1 ? `, ${t().moment.revision(e.revision)}` : ''}</span>
        <strong class="score" data-testid="final-score">{scoreText(e.final_score)}</strong></h3>
      <p class="quiet small">{isByPerson(e) ? words.by(e.evaluator_name || e.evaluator, dayTime(e.released_at ?? e.evaluated_at)) : words.byMoment}
        {e.state && e.state !== 'released' && <> <span class="badge">{t().evaluationStates[e.state]}</span></>}
        {e.critical_score !== null && ` · ${words.criticalScore(number(e.critical_score, 0))}`}</p>
      <Fatal e={e} />
      {e.provenance?.plan_title && <p class="small quiet">{words.drawn(e.provenance.plan_title, e.provenance.filters)}</p>}
      <Results e={e} standard={standard} actOn={actOn} />
      {e.comment && <blockquote><p class="wrap">{e.comment}</p><footer>{e.evaluator_name}</footer></blockquote>}
      {e.acknowledged_at && <p class="small">{words.acknowledged(dayTime(e.acknowledged_at))}{e.acknowledge_comment && <>: <q>{e.acknowledge_comment}</q></>}</p>}
      {children}
      {e.revision > 1 && <details class="small" onToggle={(x) => setHistory(x.currentTarget.open)}><summary>{words.history}</summary>{hasHistory && <Revisions e={e} />}</details>}
    </article>
  );
}
