// What the editor of standards does to criteria, and what it says of two versions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

globalThis.navigator ??= { languages: ['en'] };
const s = await load('standard.ts');

const criterion = (id, section, weight, part = {}) => ({ ...s.newCriterion(section, id), criterion_id: id, weight, ...part });
const standard = (criteria, part = {}) => ({ ...s.blankStandard('x', 'X', 'S', 'C', []), version: 1, criteria, ...part });
const ids = (criteria) => criteria.map((c) => c.criterion_id).join(' ');
const CARD = [criterion('a', 'One', 60), criterion('x', 'Two', 100), criterion('b', 'One', 40)];

test('criteria of one section stand together, sections in the order in which they begin', () => {
  assert.equal(ids(s.tidy(CARD)), 'a b x');
  assert.deepEqual(s.sectionsOf(CARD).map((x) => [x.name, x.items.map((i) => i.index)]), [['One', [0, 2]], ['Two', [1]]]);
});

test('a criterion moves within its section and stops at its ends', () => {
  const tidy = s.tidy(CARD);
  assert.equal(ids(s.moveCriterion(tidy, 'b', -1)), 'b a x');
  assert.equal(ids(s.moveCriterion(tidy, 'b', 1)), 'a b x');
  assert.equal(ids(s.moveCriterion(tidy, 'a', -1)), 'a b x');
  assert.equal(ids(s.moveSection(tidy, 'Two', -1)), 'x a b');
  assert.equal(ids(s.moveSection(tidy, 'Two', 1)), 'a b x');
});

test('equal weights total exactly 100, whatever their number', () => {
  for (let n = 1; n <= 30; n++) {
    const card = Array.from({ length: n }, (_, i) => criterion(`c${i}`, 'One', 1));
    const shared = s.shareWeights(card, 'One');
    assert.ok(s.isFull(s.sectionsOf(shared)[0]), `${n}: ${shared.map((c) => c.weight)}`);
    assert.ok(Math.max(...shared.map((c) => c.weight)) - Math.min(...shared.map((c) => c.weight)) < 1, `${n}`);
  }
});

test('another kind leaves nothing of the old one behind', () => {
  const asked = { ...criterion('a', 'One', 1), scale: 'range', scale_max: 5, wow_at: 5, unacceptable_at: 1, comment_below: 50, not_applicable_allowed: true };
  const measured = s.withKind(asked, 'measured');
  assert.deepEqual([measured.scale, measured.scale_max, measured.wow_at, measured.unacceptable_at, measured.comment_below, measured.not_applicable_allowed, measured.metric],
    [null, 0, null, null, null, false, 'wait_ms']);
  const back = s.withKind({ ...measured, wow_value: 3 }, 'observed');
  assert.deepEqual([back.metric, back.comparison, back.wow_value, back.scale], ['', null, null, 'yes_no']);
});

test('a comment is needed as the criterion says', () => {
  const range = { ...criterion('a', 'One', 1), scale: 'range', scale_max: 4, comment_below: 75 };
  assert.deepEqual(['0', '2', '3', '4', 'n/a', ''].map((x) => s.needsComment(range, x)), [true, true, false, false, false, false]);
  const yesNo = { ...criterion('a', 'One', 1), comment_below: 100 };
  assert.deepEqual(['yes', 'no'].map((x) => s.needsComment(yesNo, x)), [false, true]);
  const choice = { ...criterion('a', 'One', 1), scale: 'choice', choices: [{ ...s.newChoice('Good', 1), choice_id: 'g' }, { ...s.newChoice('Bad', 0), choice_id: 'b', comment_required: true }] };
  assert.deepEqual(['g', 'b'].map((x) => s.needsComment(choice, x)), [false, true]);
});

test('a condition holds only for the answers it names', () => {
  const c = { ...criterion('b', 'One', 1), condition: { criterion_id: 'a', answers: ['yes'] } };
  assert.equal(s.isAsked(c, new Map([['a', 'yes']])), true);
  assert.equal(s.isAsked(c, new Map([['a', 'no']])), false);
  assert.equal(s.isAsked(c, new Map()), false);
  assert.equal(s.isAsked(criterion('c', 'One', 1), new Map()), true);
});

test('an id is plain, bounded and unlike those that are taken', () => {
  assert.equal(s.idFrom('Ein Gespräch über Größe!', []), 'ein-gesprach-uber-grosse');
  assert.equal(s.idFrom('A sales call', ['a-sales-call', 'a-sales-call-2']), 'a-sales-call-3');
  assert.match(s.idFrom('日本語', []), /^standard-[0-9a-f]{8}$/);
  assert.ok(s.idFrom('x'.repeat(500), []).length <= 60);
});

test('what differs between two versions is said in sentences', () => {
  const before = standard([criterion('a', 'One', 60), criterion('b', 'One', 40)]);
  assert.deepEqual(s.differences(before, structuredClone(before)), []);
  const after = standard([criterion('c', 'One', 10), criterion('b', 'One', 90, { critical: true, title: 'B' })], { title: 'Y' });
  const said = s.differences(before, after).join('\n');
  for (const part of ['title “X” → “Y”', 'New: c', 'Gone: a', 'weight 40 → 90', 'critical no → yes', 'B: title “b” → “B”']) assert.ok(said.includes(part), `${part} in\n${said}`);
  assert.ok(!said.includes('order'), said);
  const turned = standard([before.criteria[1], before.criteria[0]]);
  assert.deepEqual(s.differences(before, turned), ['The order of the criteria changed.']);
});

test('a long text is said to be rewritten, not shown twice', () => {
  const before = standard([criterion('a', 'One', 100, { description: 'x'.repeat(200) })]);
  const after = standard([criterion('a', 'One', 100, { description: 'y'.repeat(200) })]);
  assert.deepEqual(s.differences(before, after), ['a: explanation was rewritten']);
});
