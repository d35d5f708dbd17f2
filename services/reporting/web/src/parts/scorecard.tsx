// A standard as others see it: the form of an evaluator, and what the agent reads.
import { useState } from 'preact/hooks';
import { dayTime, number, t } from '../i18n';
import type { Criterion, Standard } from '../proto';
import { isAsked, measureText, scopeText, sectionsOf, targetOf } from '../standard';
import { AnswerField } from './answer';

export function EvaluatorView({ standard }: { standard: Standard }) {
  const [answers, setAnswers] = useState<ReadonlyMap<string, string>>(new Map());
  const [comments, setComments] = useState<ReadonlyMap<string, string>>(new Map());
  const words = t().standards;
  return (
    <div class="scorecard" data-testid="as-evaluator">
      <p class="note">{words.asEvaluatorAbout}</p>
      {sectionsOf(standard.criteria).map((s) => (
        <section key={s.name} class="panel"><h3>{s.name}</h3>
          {s.items.map(({ criterion: c, index }) => (
            c.kind === 'measured' ? <p key={c.criterion_id}><strong>{c.title}</strong>: {targetOf(c)}. <span class="quiet">{words.measuredByItself}</span></p>
            : !isAsked(c, answers) ? <p key={c.criterion_id} class="quiet">{c.title}: {words.notAsked}</p>
            : <AnswerField key={c.criterion_id} criterion={c} name={`answers[${index}]`} answer={answers.get(c.criterion_id) ?? ''} comment={comments.get(c.criterion_id) ?? ''}
                onAnswer={(a) => setAnswers(new Map(answers).set(c.criterion_id, a))} onComment={(x) => setComments(new Map(comments).set(c.criterion_id, x))} />))}
        </section>))}
    </div>
  );
}

function wowOf(c: Criterion): string {
  if (c.kind === 'measured') return c.wow_value === null ? '' : measureText(c.metric, c.wow_value);
  if (c.scale === 'range') return c.wow_at === null ? '' : number(c.wow_at);
  return c.choices.filter((x) => x.wow).map((x) => x.title).join(', ');
}

function Expected({ c }: { c: Criterion }) {
  const words = t().standards;
  const wow = wowOf(c);
  return (
    <li class="expected">
      <h4>{c.title}{c.fatal && <span class="badge">{t().criterion.fatal}: {t().criterion.fatals[c.fatal]}</span>}{c.critical && <span class="badge">{t().moment.critical}</span>}</h4>
      {c.description && <p>{c.description}</p>}
      <p class="quiet small">{c.kind === 'measured' ? targetOf(c) : c.scale && t().criterion.scales[c.scale]} · {t().moment.weight} {number(c.weight)}{wow && ` · ${words.wowAt(wow)}`}</p>
      {(c.example_good || c.example_bad) && (
        <dl class="examples">{c.example_good && <div class="is-good"><dt>✓ {words.good}</dt><dd>{c.example_good}</dd></div>}
          {c.example_bad && <div class="is-bad"><dt>✗ {words.bad}</dt><dd>{c.example_bad}</dd></div>}</dl>)}
    </li>
  );
}

export function AgentView({ standard, level }: { standard: Standard; level: 'page' | 'part' }) {
  const words = t().standards;
  return (
    <article class="scorecard" data-testid="as-agent">
      {level === 'page' ? <h2>{standard.title}</h2> : <p class="note">{words.asAgentAbout}</p>}
      <p class="quiet">{words.scope}: {scopeText(standard.scope)}{standard.version > 0 && ` · ${words.v(standard.version)}`}{standard.effective_at && ` · ${words.from(dayTime(standard.effective_at))}`}</p>
      {standard.why && <blockquote><p>{standard.why}</p>{standard.signed_by && <footer>— {standard.signed_by}</footer>}</blockquote>}
      {standard.example && <p><strong>{words.example}:</strong> {standard.example}</p>}
      {sectionsOf(standard.criteria).map((s) => <section key={s.name} class="panel"><h3>{s.name}</h3><ul class="plain">{s.items.map((i) => <Expected key={i.criterion.criterion_id} c={i.criterion} />)}</ul></section>)}
    </article>
  );
}
