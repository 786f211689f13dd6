// The laws, over hundreds of scenarios each. The seed of a scenario that fails is in its message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './world.mjs';

const SCENARIOS = 300;

const times = (count, ...names) => names.flatMap((name) => Array(count).fill(name));
const ordinary = [
  ...times(10, 'send'),
  ...times(8, 'exchange', 'clientWrites', 'serverWrites', 'toServer', 'toClient'),
  ...times(6, 'push', 'meet', 'commit'),
  ...times(4, 'wait'),
  ...times(2, 'connect'),
  ...times(1, 'cut', 'hang', 'crash', 'ping', 'probe', 'advise'),
];

const search = (moves) => {
  const sum = {};
  for (let seed = 0; seed < SCENARIOS; seed++) {
    const world = new World(seed);
    try {
      for (const [name, count] of Object.entries(world.play(moves, 1 + world.upTo(119)))) sum[name] = (sum[name] ?? 0) + count;
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
  return sum;
};

/** A law that is never tried proves nothing. */
const assertAbove = (counts, least) => {
  for (const [name, count] of Object.entries(least)) assert.ok(counts[name] > count, `${name}: ${JSON.stringify(counts)}`);
};

test('every message comes out once and in order over cuts, crashes and reloads', () => {
  const counts = search([...ordinary, 'reload']);
  assertAbove(counts, { committed: 400, got: 300, resumed: 400, replayed: 100, restored: 50 });
  assert.deepEqual([counts.errors, counts.lost], [0, 0], 'a link that is only cut has no errors');
});

test('what a link loses or repeats is neither lost nor doubled', () => {
  const counts = search([...ordinary, ...times(6, 'lose', 'repeat')]);
  assertAbove(counts, { errors: 20, committed: 400, replayed: 100 });
  assert.equal(counts.lost, 0);
});

test('each message has one fate where servers forget', () => {
  const counts = search([...ordinary, ...times(2, 'forget'), 'halfForget', 'clientEnds', 'serverEnds', 'reload']);
  assertAbove(counts, { lost: 200, inDoubt: 80, committed: 200 });
});

test('each message has one fate with servers without the protocol in between', () => {
  assertAbove(search([...ordinary, ...times(2, 'plain')]), { plain: 60, lost: 100, committed: 200 });
});

test('the outbox is bounded where nobody acknowledges', () => {
  const silence = ordinary.filter((name) => !['exchange', 'serverWrites', 'toClient'].includes(name));
  assertAbove(search(silence), { full: 200, dropped: 200 });
});

test('all laws where everything happens', () => {
  const rare = ['forget', 'halfForget', 'clientEnds', 'serverEnds', 'reload', 'plain', 'lose', 'repeat'];
  assertAbove(search([...ordinary, ...times(2, ...rare)]), { lost: 200, errors: 6, plain: 60, restored: 30 });
});
