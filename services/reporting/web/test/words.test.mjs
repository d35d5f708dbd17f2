// The languages say the same things: TypeScript holds the shape, here is what it cannot see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { en } = await load('words/en.ts');
const { de } = await load('words/de.ts');

// Words that are the same in both, and names.
const SAME = new Set([
  'n', 'Team', 'Teams', 'Person', 'Queue', 'Status', 'Moment', 'Agent', 'Coach', 'Integrator', 'Live', 'Name', 'Webhooks', 'Standards', 'wow', 'System', 'Chat', 'SMS', 'Video',
  'min', 'Filter', 'CSV', 'Text', 'Version', 'version', 'Wow', '–',
]);

function* leaves(words, path = '') {
  for (const [key, value] of Object.entries(words)) {
    const at = path ? `${path}.${key}` : key;
    if (value && typeof value === 'object') yield* leaves(value, at);
    else yield [at, value];
  }
}
const valueAt = (words, path) => path.split('.').reduce((at, key) => at?.[key], words);
// Numbers above one, so that both choose the plural.
const said = (fn) => fn(...Array.from({ length: fn.length }, (_, i) => i + 2));

test('every English text has a German one of the same kind, and none is left over', () => {
  for (const [at, value] of leaves(en)) assert.equal(typeof valueAt(de, at), typeof value, at);
  for (const [at] of leaves(de)) assert.notEqual(valueAt(en, at), undefined, at);
});

test('nothing is empty, and nothing was left in English', () => {
  for (const [at, value] of leaves(en)) {
    const german = valueAt(de, at);
    const [a, b] = typeof value === 'function' ? [said(value), said(german)] : [value, german];
    assert.ok(a.trim() && b.trim(), at);
    const long = a.match(/\p{L}{3,}/gu) ?? [];
    // A single word may be the same in both; a sentence never is.
    if (long.length > 1 || (long.length === 1 && !SAME.has(long[0]))) assert.notEqual(a, b, at);
  }
});

test('what is put into a text is in it, in both languages', () => {
  for (const [at, value] of leaves(en)) {
    if (typeof value !== 'function') continue;
    assert.equal(valueAt(de, at).length, value.length, at);
    for (const words of [value, valueAt(de, at)])
      for (let i = 0; i < value.length; i++) {
        const args = Array.from({ length: value.length }, (_, j) => 700 + j);
        assert.ok(String(words(...args)).replace(/[.,\s]/g, '').includes(String(700 + i)), `${at} leaves out its argument ${i + 1}`);
      }
  }
});
