// What an evaluation would score as it stands: the sums of the server (feedback/rules/answers.h, score.h), so that
// the form shows them while it is being filled in. What counts is the server's, at the release.
import type { Criterion, CriterionResult } from './proto';
import { answersOf, isAsked, needsComment, NOT_APPLICABLE } from './standard';

export type Answers = ReadonlyMap<string, string>;

// Answers to what is asked: one whose condition does not hold is not, and opens no other.
export function given(criteria: readonly Criterion[], answers: Answers): Map<string, string> {
  const kept = new Map<string, string>();
  for (const c of criteria) {
    const answer = answers.get(c.criterion_id) ?? '';
    if (answer !== '' && isAsked(c, kept)) kept.set(c.criterion_id, answer);
  }
  return kept;
}

// 0..1 of the best answer; null: not applicable.
export function worthOf(c: Criterion, answer: string): number | null {
  if (answer === NOT_APPLICABLE) return null;
  if (c.kind === 'measured') return answer === 'met' ? 1 : 0;
  if (c.scale === 'range') return Number(answer) / Math.max(1, c.scale_max);
  if (c.scale !== 'choice') return answer === 'yes' ? 1 : 0;
  const best = Math.max(...c.choices.map((x) => x.points));
  return best > 0 ? (c.choices.find((x) => x.choice_id === answer)?.points ?? 0) / best : 0;
}

export interface Score { raw: number | null; final: number | null; critical: number | null; fatal: Criterion[] }

const percentOf = (items: readonly { weight: number; worth: number }[]): number | null => {
  const weight = items.reduce((sum, i) => sum + i.weight, 0);
  return weight > 0 ? (100 * items.reduce((sum, i) => sum + i.weight * i.worth, 0)) / weight : null;
};

export function scoreOf(criteria: readonly Criterion[], answers: Answers): Score {
  const kept = given(criteria, answers);
  const items = criteria.flatMap((c) => {
    const answer = kept.get(c.criterion_id);
    const worth = answer === undefined ? null : worthOf(c, answer);
    return worth === null ? [] : [{ criterion: c, weight: c.weight, worth }];
  });
  const failed = items.filter((i) => i.criterion.fatal && i.worth < 1).map((i) => i.criterion);
  const lost = new Set(failed.filter((c) => c.fatal === 'section').map((c) => c.section));
  const final = percentOf(items.map((i) => (lost.has(i.criterion.section) ? { ...i, worth: 0 } : i)));
  return {
    raw: percentOf(items),
    final: final !== null && failed.some((c) => c.fatal === 'whole') ? 0 : final,
    critical: percentOf(items.filter((i) => i.criterion.critical)),
    fatal: failed,
  };
}

export interface Missing { criterion: Criterion; what: 'answer' | 'comment' }

// What has to be said before it can be released.
export function missingIn(criteria: readonly Criterion[], answers: Answers, comments: Answers): Missing[] {
  const kept = given(criteria, answers);
  return criteria.filter((c) => c.kind === 'observed' && isAsked(c, kept)).flatMap((criterion): Missing[] => {
    const answer = kept.get(criterion.criterion_id);
    if (answer === undefined) return [{ criterion, what: 'answer' }];
    return needsComment(criterion, answer) && !comments.get(criterion.criterion_id)?.trim() ? [{ criterion, what: 'comment' }] : [];
  });
}

// Better than the one it has; "not applicable" takes nothing away, so it is better than all but the best.
export function betterAnswers(c: Criterion, now: string): [string, string][] {
  const present = worthOf(c, now);
  if (present === null || present >= 1) return [];
  return answersOf(c).filter(([answer]) => { const worth = worthOf(c, answer); return worth === null || worth > present; });
}

export interface ResultSection { name: string; results: CriterionResult[]; score: number | null }

// In the order in which they first come. A section's score is without what a fatal criterion took away.
export function resultSections(results: readonly CriterionResult[]): ResultSection[] {
  return [...new Set(results.map((r) => r.section))].map((name) => {
    const own = results.filter((r) => r.section === name);
    const counting = own.filter((r) => !r.not_applicable && !r.not_asked && r.points_possible > 0);
    return { name, results: own, score: percentOf(counting.map((r) => ({ weight: r.weight, worth: r.points / r.points_possible }))) };
  });
}

// "1:30" or "90 s" of a moment: minutes and seconds. null: not understood.
export function clockMs(text: string): number | null {
  const found = /^\s*(?:(\d{1,3}):)?(\d{1,4})\s*s?\s*$/.exec(text);
  if (!found || (found[1] !== undefined && Number(found[2]) > 59)) return null;
  return (Number(found[1] ?? 0) * 60 + Number(found[2])) * 1000;
}
