// What a form shows while it is being filled in: conditions, the running score, what is missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

globalThis.navigator ??= { languages: ['en'] };
const s = await load('scoring.ts');

const BASE = { section: 'A', kind: 'observed', scale: 'yes_no', weight: 1, critical: false, fatal: null, choices: [], scale_max: 0, condition: null, comment_below: null, not_applicable_allowed: false };
const c = (criterion_id, part = {}) => ({ ...BASE, criterion_id, title: criterion_id, ...part });
const said = (answers) => new Map(Object.entries(answers));
const score = (criteria, answers) => { const { raw, final, critical } = s.scoreOf(criteria, said(answers)); return [raw, final, critical]; };

test('nothing answered is no score, never 0 and never 100', () => {
  assert.deepEqual(score([c('a'), c('b')], {}), [null, null, null]);
  assert.deepEqual(score([c('a', { weight: 0 })], { a: 'yes' }), [null, null, null]);
});

test('weights are shared among what was answered; not applicable leaves both sums', () => {
  const card = [c('a', { weight: 60 }), c('b', { weight: 20, not_applicable_allowed: true }), c('d', { weight: 20 })];
  assert.deepEqual(score(card, { a: 'yes', b: 'n/a', d: 'no' }), [75, 75, null]);
});

test('an answer is worth its share of the best, whatever its scale', () => {
  const choice = c('k', { scale: 'choice', choices: [{ choice_id: 'x', points: 4 }, { choice_id: 'y', points: 1 }] });
  assert.deepEqual(['x', 'y'].map((a) => s.worthOf(choice, a)), [1, 0.25]);
  assert.equal(s.worthOf(c('r', { scale: 'range', scale_max: 5 }), '4'), 0.8);
  assert.deepEqual(['met', 'not_met'].map((a) => s.worthOf(c('m', { kind: 'measured' }), a)), [1, 0]);
});

test('a fatal miss takes its section or all of it; the raw and the critical score stay', () => {
  const card = (fatal) => [c('a', { fatal, critical: true }), c('b'), c('d', { section: 'B', weight: 2, critical: true })];
  assert.deepEqual(score(card('section'), { a: 'no', b: 'yes', d: 'yes' }), [75, 50, 200 / 3]);
  assert.deepEqual(score(card('whole'), { a: 'no', b: 'yes', d: 'yes' }), [75, 0, 200 / 3]);
  assert.deepEqual(s.scoreOf(card('whole'), said({ a: 'yes', b: 'no', d: 'yes' })).fatal, []);
});

test('what hangs on an answer that is not asked itself is not asked either, and does not count', () => {
  const card = [c('a'), c('b', { condition: { criterion_id: 'a', answers: ['no'] } }), c('d', { condition: { criterion_id: 'b', answers: ['yes'] } })];
  assert.deepEqual([...s.given(card, said({ a: 'yes', b: 'yes', d: 'no' })).keys()], ['a']);
  assert.deepEqual([...s.given(card, said({ a: 'no', b: 'yes', d: 'no' })).keys()], ['a', 'b', 'd']);
  assert.deepEqual(score(card, { a: 'yes', b: 'no', d: 'no' }), [100, 100, null]);
});

test('missing is what was asked and not answered, and a comment that its answer needs', () => {
  const card = [c('m', { kind: 'measured' }), c('a', { comment_below: 100 }), c('b', { condition: { criterion_id: 'a', answers: ['no'] } })];
  const missing = (answers, comments = {}) => s.missingIn(card, said(answers), said(comments)).map((x) => `${x.criterion.criterion_id} ${x.what}`);
  assert.deepEqual(missing({}), ['a answer']);
  assert.deepEqual(missing({ a: 'no' }), ['a comment', 'b answer']);
  assert.deepEqual(missing({ a: 'no', b: 'yes' }, { a: '  ' }), ['a comment']);
  assert.deepEqual(missing({ a: 'yes' }), []);
});

test('a dispute proposes something better, and never what is best already', () => {
  const range = c('r', { scale: 'range', scale_max: 3, not_applicable_allowed: true });
  assert.deepEqual(s.betterAnswers(range, '1').map(([a]) => a), ['2', '3', 'n/a']);
  assert.deepEqual(s.betterAnswers(range, '3'), []);
  assert.deepEqual(s.betterAnswers(range, 'n/a'), []);
});

test('a section shows what its own criteria earned', () => {
  const r = (section, points, part = {}) => ({ section, weight: 50, points, points_possible: 1, not_applicable: false, not_asked: false, ...part });
  assert.deepEqual(s.resultSections([r('A', 1), r('B', 0, { not_applicable: true }), r('A', 0)]).map((x) => [x.name, x.results.length, x.score]), [['A', 2, 50], ['B', 1, null]]);
});

test('minutes and seconds are understood, nothing else', () => {
  assert.deepEqual(['1:30', '45', ' 0:05 ', '90 s', '12:00'].map(s.clockMs), [90_000, 45_000, 5_000, 90_000, 720_000]);
  assert.deepEqual(['', 'x', '1:75', '1:2:3', '-1'].map(s.clockMs), [null, null, null, null, null]);
});
