// What a page loads stays within size.json.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits, sizes } from '../scripts/size.mjs';

test('no entry point is larger than its limit', async () => {
  const found = await sizes(), most = limits();
  assert.deepEqual(Object.keys(found), Object.keys(most));
  for (const [name, sizes] of Object.entries(found)) {
    for (const [kind, bytes] of Object.entries(sizes)) assert.ok(bytes <= most[name][kind], `${name} ${kind}: ${bytes} of ${most[name][kind]}`);
  }
});
