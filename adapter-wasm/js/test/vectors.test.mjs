// The golden vectors give the same outputs in wasm in Node, bit for bit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from './replay.js';
import { allVectors, load } from './support.mjs';

const { Machine } = await load('src/engine.ts');
const vectors = allVectors();

test('all of them are there', () => assert.ok(vectors.length >= 105, `${vectors.length}`));

for (const [name, text] of vectors) {
  test(name, () => {
    const { expected, found } = replay(Machine, text);
    assert.ok(expected.lines.length > 0);
    assert.deepEqual(found, expected);
  });
}
