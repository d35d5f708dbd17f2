// What the page knows about standards: sections, orders, weights, what differs between two versions.
import { list as listed, number, span, t, word } from './i18n';
import { newId } from './api';
import { queueName, siteName } from './directory';
import type { AnswerScale, Choice, Criterion, CriterionKind, Standard, StandardScope } from './proto';

export const WEIGHT_TOTAL = 100;
export const isTime = (metric: string): boolean => metric.endsWith('_ms');
export const NOT_APPLICABLE = 'n/a';

const shortId = (kind: string): string => `${kind}-${newId().slice(0, 8)}`;

export interface Section { name: string; items: { criterion: Criterion; index: number }[] }

// In the order in which they first come; the index is the criterion's place in the whole standard.
export function sectionsOf(criteria: readonly Criterion[]): Section[] {
  const sections: Section[] = [];
  criteria.forEach((criterion, index) => {
    const known = sections.find((s) => s.name === criterion.section);
    if (known) known.items.push({ criterion, index });
    else sections.push({ name: criterion.section, items: [{ criterion, index }] });
  });
  return sections;
}

const flat = (sections: Section[]): Criterion[] => sections.flatMap((s) => s.items.map((i) => i.criterion));
// Criteria of one section stand together, so that their order on the page is the order that is kept.
export const tidy = (criteria: readonly Criterion[]): Criterion[] => flat(sectionsOf(criteria));

function swapped<T>(items: readonly T[], at: number, step: 1 | -1): T[] {
  const copy = [...items];
  const other = at + step;
  if (at < 0 || other < 0 || other >= copy.length) return copy;
  [copy[at], copy[other]] = [copy[other]!, copy[at]!];
  return copy;
}

export function moveCriterion(criteria: readonly Criterion[], id: string, step: 1 | -1): Criterion[] {
  return flat(sectionsOf(criteria).map((s) => ({ ...s, items: swapped(s.items, s.items.findIndex((i) => i.criterion.criterion_id === id), step) })));
}

export function moveSection(criteria: readonly Criterion[], name: string, step: 1 | -1): Criterion[] {
  const sections = sectionsOf(criteria);
  return flat(swapped(sections, sections.findIndex((s) => s.name === name), step));
}

export const weightOf = (section: Section): number => section.items.reduce((sum, i) => sum + i.criterion.weight, 0);
export const isFull = (section: Section): boolean => Math.abs(weightOf(section) - WEIGHT_TOTAL) < 1e-6;

// Equal parts of 100 in hundredths; what does not divide goes to the first.
export function shareWeights(criteria: readonly Criterion[], name: string): Criterion[] {
  const ids = criteria.filter((c) => c.section === name).map((c) => c.criterion_id);
  const part = Math.floor((WEIGHT_TOTAL * 100) / ids.length) / 100;
  const first = Math.round((WEIGHT_TOTAL - part * (ids.length - 1)) * 100) / 100;
  return criteria.map((c) => (c.section === name ? { ...c, weight: c.criterion_id === ids[0] ? first : part } : c));
}

const BLANK: Omit<Criterion, 'criterion_id' | 'section' | 'title'> = {
  kind: 'observed', weight: 0, critical: false, fatal: null, metric: '', comparison: null, value: 0, wow_value: null, unacceptable: false, example_good: '', example_bad: '',
  scale: 'yes_no', choices: [], scale_max: 0, not_applicable_allowed: false, condition: null, description: '', comment_below: null, wow_at: null, unacceptable_at: null,
};
export const newCriterion = (section: string, title: string): Criterion => ({ ...BLANK, criterion_id: shortId('criterion'), section, title });
export const newChoice = (title: string, points: number): Choice => ({ choice_id: shortId('choice'), title, points, comment_required: false, unacceptable: false, wow: false });

// What belongs to another kind or scale would do nothing, and is refused: it goes when the kind does.
export function withScale(c: Criterion, scale: AnswerScale): Criterion {
  return {
    ...c, scale, unacceptable: false, wow_at: null, unacceptable_at: null, comment_below: null, scale_max: scale === 'range' ? 5 : 0,
    choices: scale === 'choice' ? [newChoice(t().yes, 1), newChoice(t().no, 0)] : [],
  };
}
export function withKind(c: Criterion, kind: CriterionKind): Criterion {
  if (kind === 'observed') return withScale({ ...c, kind, metric: '', comparison: null, value: 0, wow_value: null }, 'yes_no');
  return {
    ...c, kind, scale: null, choices: [], scale_max: 0, not_applicable_allowed: false, comment_below: null, wow_at: null, unacceptable_at: null, unacceptable: false,
    metric: 'wait_ms', comparison: 'at_most', value: 20_000, wow_value: null,
  };
}

// What somebody wrote down is shown to the tenth of a second.
export const measureText = (metric: string, value: number): string =>
  !isTime(metric) ? number(value) : value < 60_000 ? `${number(value / 1000, 1)} s` : span(value);
export const targetOf = (c: Criterion): string =>
  `${word(t().metrics, c.metric)} ${c.comparison ? t().comparisons[c.comparison] : ''} ${measureText(c.metric, c.value)}`;

// Every answer that can be given, with its words.
export function answersOf(c: Criterion): [string, string][] {
  const answers: [string, string][] =
    c.kind === 'measured' ? [['met', t().moment.met], ['not_met', t().moment.notMet]]
    : c.scale === 'choice' ? c.choices.map((x) => [x.choice_id, x.title])
    : c.scale === 'range' ? Array.from({ length: c.scale_max + 1 }, (_, i) => [String(i), String(i)])
    : [['yes', t().yes], ['no', t().no]];
  return c.not_applicable_allowed ? [...answers, [NOT_APPLICABLE, t().standards.notApplicable]] : answers;
}
export const answerText = (c: Criterion, answer: string): string => answersOf(c).find(([a]) => a === answer)?.[1] ?? answer;

export const isAsked = (c: Criterion, answers: ReadonlyMap<string, string>): boolean =>
  !c.condition?.criterion_id || c.condition.answers.includes(answers.get(c.condition.criterion_id) ?? '');

// Does this answer need a comment?
export function needsComment(c: Criterion, answer: string): boolean {
  if (!answer || answer === NOT_APPLICABLE) return false;
  if (c.scale === 'choice') return c.choices.find((x) => x.choice_id === answer)?.comment_required ?? false;
  if (c.comment_below === null) return false;
  const worth = c.scale === 'range' ? (Number(answer) / Math.max(1, c.scale_max)) * 100 : answer === 'yes' ? 100 : 0;
  return worth < c.comment_below;
}

export function scopeText(scope: StandardScope | null): string {
  const parts = scope
    ? [...scope.queues.map(queueName), ...scope.sites.map(siteName), ...scope.channels.map((c) => t().channels[c]), ...scope.directions.map((d) => t().directions[d])] : [];
  return parts.length ? listed(parts) : t().standards.everywhere;
}

// A new id from a title, unlike those that are taken.
export function idFrom(title: string, taken: readonly string[]): string {
  const plain = title.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/ß/g, 'ss').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60).replace(/-+$/, '');
  const base = plain || shortId('standard');
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(id)) return id;
  }
}

// sites: those of its maker; for others it would be refused.
export const blankStandard = (id: string, title: string, section: string, criterion: string, sites: string[]): Standard => ({
  standard_id: id, version: 0, title, state: 'draft', scope: { sites, queues: [], channels: [], directions: [] }, criteria: [{ ...newCriterion(section, criterion), weight: WEIGHT_TOTAL }],
  signed_by: '', why: '', example: '', effective_at: null, published_at: null, canary_sites: [], rolled_out_at: null, copy_of_version: 0, retired_at: null, retired_by: '',
  retired_because: '', revision: 0, edited_by: '', edited_at: null, signed_by_id: '', edited_by_name: '', retired_by_name: '', rolled_out_by: '', rolled_out_by_name: '',
});

/* --- what differs between two versions, in sentences --- */

const LONG = 60;
const FIELDS: readonly (keyof Criterion)[] = [
  'title', 'section', 'description', 'kind', 'weight', 'metric', 'comparison', 'value', 'wow_value', 'scale', 'scale_max', 'choices', 'critical', 'fatal', 'not_applicable_allowed',
  'condition', 'comment_below', 'wow_at', 'unacceptable_at', 'unacceptable', 'example_good', 'example_bad',
];

function shown(c: Criterion, field: keyof Criterion, all: readonly Criterion[]): string {
  const value = c[field];
  if (field === 'choices') return listed(c.choices.map((x) => `${x.title} (${number(x.points)})`)) || t().difference.nothing;
  if (field === 'condition') {
    const on = all.find((x) => x.criterion_id === c.condition?.criterion_id);
    return on ? `${on.title}: ${listed(c.condition!.answers.map((a) => answerText(on, a)))}` : t().difference.nothing;
  }
  if (field === 'metric') return word(t().metrics, c.metric);
  if (field === 'kind' && c.kind) return t().criterionKinds[c.kind];
  if (field === 'comparison' && c.comparison) return t().comparisons[c.comparison];
  if (field === 'scale' && c.scale) return t().criterion.scales[c.scale];
  if (field === 'fatal') return t().criterion.fatals[c.fatal ?? 'none'];
  if ((field === 'value' || field === 'wow_value') && typeof value === 'number') return measureText(c.metric, value);
  if (typeof value === 'boolean') return value ? t().yes : t().no;
  if (typeof value === 'number') return number(value);
  return value ? `“${String(value)}”` : t().difference.nothing;
}

function change(what: string, field: string, from: string, to: string): string {
  const words = t().difference;
  const name = word(words.fields, field);
  return from.length > LONG || to.length > LONG ? words.rewritten(what, name) : words.changed(what, name, from, to);
}

export function differences(before: Standard, after: Standard): string[] {
  const words = t().difference;
  const said: string[] = [];
  for (const field of ['title', 'why', 'example'] as const)
    if (before[field] !== after[field]) said.push(change(words.standard, field, `“${before[field]}”`, `“${after[field]}”`));
  if (scopeText(before.scope) !== scopeText(after.scope)) said.push(change(words.standard, 'scope', scopeText(before.scope), scopeText(after.scope)));
  const old = new Map(before.criteria.map((c) => [c.criterion_id, c]));
  for (const c of after.criteria) {
    const was = old.get(c.criterion_id);
    if (!was) { said.push(words.added(c.title)); continue; }
    for (const field of FIELDS) {
      const [from, to] = [shown(was, field, before.criteria), shown(c, field, after.criteria)];
      if (from !== to) said.push(change(c.title, field, from, to));
    }
  }
  const kept = after.criteria.map((c) => c.criterion_id);
  for (const c of before.criteria) if (!kept.includes(c.criterion_id)) said.push(words.removed(c.title));
  const orderOf = (list: readonly Criterion[], others: readonly string[]): string => list.map((c) => c.criterion_id).filter((id) => others.includes(id)).join(' ');
  if (orderOf(before.criteria, kept) !== orderOf(after.criteria, [...old.keys()])) said.push(words.order);
  return said;
}
