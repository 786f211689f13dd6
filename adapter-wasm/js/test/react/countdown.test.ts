import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { act, countTimers, createElement, mount, stopClock, tidy } from './page.js';
import { useRetryCountdown } from '../../src/react/index.js';

afterEach(async () => {
  await tidy();
  mock.restoreAll();
});

let renderings = 0;

function Countdown({ at }: { at: number | null }): string {
  renderings += 1;
  return String(useRetryCountdown(at));
}

const countdown = (at: number | null): React.ReactNode => createElement(Countdown, { at });

test('it counts whole seconds down to 0, and renders once for each', async () => {
  const go = stopClock();
  const shown = await mount(countdown(Date.now() + 2500));
  let last = shown.text;
  const seen = [last];
  renderings = 0;
  for (let times = 0; times < 35; times += 1) {
    act(() => go(100));
    if (last !== shown.text) seen.push(`${shown.text} after ${times + 1}`);
    last = shown.text;
  }
  assert.deepEqual(seen, ['3', '2 after 5', '1 after 15', '0 after 25']);
  assert.equal(renderings, 3);
});

test('another moment begins another countdown, at once', async () => {
  stopClock();
  const shown = await mount(countdown(null));
  assert.equal(shown.text, 'null');
  shown.rerender(countdown(Date.now() + 5000));
  assert.equal(shown.text, '5');
  shown.rerender(countdown(null));
  assert.equal(shown.text, 'null');
  shown.rerender(countdown(Date.now() - 5000));
  assert.equal(shown.text, '0');
});

test('unmounted or done, it leaves no timer', async () => {
  const timers = countTimers();
  try {
    const shown = await mount(countdown(Date.now() + 60_000));
    assert.equal(timers.count, 1);
    shown.rerender(countdown(Date.now() - 1));
    assert.equal(timers.count, 0);
    shown.rerender(countdown(Date.now() + 60_000));
    await shown.unmount();
    assert.equal(timers.count, 0);
  } finally {
    timers.restore();
  }
});
