// Autosave: one save at a time, nothing typed is lost, nobody's work is overwritten without being asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { Autosave } = await load('autosave.ts');

function setUp() {
  const seen = { saves: [], states: [], answers: [] };
  const saver = {
    save: (value, revision) => new Promise((resolve, reject) => {
      seen.saves.push([value, revision]);
      seen.answers.push({ resolve, reject });
    }),
    newest: async () => 9,
    changed: (state) => seen.states.push(state.kind),
  };
  return { seen, autosave: new Autosave(3, saver, 0) };
}
const turn = () => new Promise((done) => setTimeout(done, 2));
const refused = (status) => Object.assign(new Error('refused'), { problem: { status, title: 'no' } });

test('several edits become one save, on the revision that was read', async () => {
  const { seen, autosave } = setUp();
  autosave.edit('a');
  autosave.edit('ab');
  await turn();
  assert.deepEqual(seen.saves, [['ab', 3]]);
  seen.answers[0].resolve(4);
  await turn();
  assert.equal(autosave.state.kind, 'saved');
  assert.equal(autosave.revision, 4);
});

test('what is typed while a save is under way goes with the next one, on the new revision', async () => {
  const { seen, autosave } = setUp();
  autosave.edit('a');
  await turn();
  autosave.edit('ab');
  await turn();
  assert.equal(seen.saves.length, 1);
  seen.answers[0].resolve(4);
  await turn();
  assert.deepEqual(seen.saves[1], ['ab', 4]);
});

test('flush waits until everything is on the server', async () => {
  const { seen, autosave } = setUp();
  autosave.edit('a');
  await turn();
  autosave.edit('ab');
  let isDone = false;
  const done = autosave.flush().then((state) => { isDone = true; return state; });
  seen.answers[0].resolve(4);
  await turn();
  assert.equal(isDone, false);
  seen.answers[1].resolve(5);
  assert.equal((await done).kind, 'saved');
});

test('after somebody else saved nothing is sent until a person has chosen', async () => {
  const { seen, autosave } = setUp();
  autosave.edit('mine');
  await turn();
  seen.answers[0].reject(refused(412));
  await turn();
  assert.equal(autosave.state.kind, 'stale');
  autosave.edit('mine too');
  await turn();
  assert.equal(seen.saves.length, 1);
  const keeping = autosave.keepMine();
  await turn();
  assert.deepEqual(seen.saves[1], ['mine too', 9]);
  seen.answers[1].resolve(10);
  await keeping;
  assert.equal(autosave.state.kind, 'saved');
});

test('a save that failed is tried again with the same value', async () => {
  const { seen, autosave } = setUp();
  autosave.edit('a');
  await turn();
  seen.answers[0].reject(refused(503));
  await turn();
  assert.equal(autosave.state.kind, 'failed');
  const again = autosave.flush();
  await turn();
  assert.deepEqual(seen.saves[1], ['a', 3]);
  seen.answers[1].resolve(4);
  assert.equal((await again).kind, 'saved');
});
