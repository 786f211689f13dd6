import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { act, countListeners, createElement, mount, page, tidy } from './page.js';
import { usePersistentState } from '../../src/react/index.js';

afterEach(async () => {
  await tidy();
  mock.restoreAll();
});

let set: (next: unknown) => void;

function Setting({ name = 'ui:thing', initial = true as unknown }): string {
  const [value, setValue] = usePersistentState<unknown>(name, initial);
  set = setValue;
  return JSON.stringify(value);
}

const setting = (props: Parameters<typeof Setting>[0] = {}): React.ReactNode => createElement(Setting, props);

/** As another tab writes it. */
function elsewhere(key: string | null, raw: string | null): void {
  if (key === null) localStorage.clear();
  else if (raw === null) localStorage.removeItem(key);
  else localStorage.setItem(key, raw);
  act(() => void page.dispatchEvent(new page.StorageEvent('storage', { key } as never)));
}

/** Storage that throws, as it does where cookies are blocked, or there is no room. */
function broken(methods: ('getItem' | 'setItem')[]): () => void {
  const real = globalThis.localStorage;
  const storage = Object.fromEntries(
    ['getItem', 'setItem', 'removeItem', 'clear'].map((name) => [
      name,
      (...all: string[]) => {
        if (methods.includes(name as never)) throw new DOMException('no', 'QuotaExceededError');
        return (real as never as Record<string, (...all: string[]) => unknown>)[name]!(...all);
      },
    ]),
  );
  Object.assign(globalThis, { localStorage: storage });
  return () => Object.assign(globalThis, { localStorage: real });
}

test('it is what is stored, and stored when set', async () => {
  localStorage.setItem('ui:thing', 'false');
  const shown = await mount(setting());
  assert.equal(shown.text, 'false');
  act(() => set(true));
  assert.equal(shown.text, 'true');
  assert.equal(localStorage.getItem('ui:thing'), 'true');
  act(() => set((was: boolean) => !was));
  assert.equal(shown.text, 'false');
});

test('two components see the same', async () => {
  const one = await mount(setting());
  const two = await mount(setting());
  const other = await mount(setting({ name: 'ui:other' }));
  act(() => set(false));
  assert.deepEqual([one.text, two.text, other.text], ['true', 'true', 'false']);
  const again = await mount(setting());
  act(() => set(false));
  assert.deepEqual([one.text, two.text, again.text], ['false', 'false', 'false']);
});

test('another tab changes it, removes it, or clears everything', async () => {
  const shown = await mount(setting());
  elsewhere('ui:thing', 'false');
  assert.equal(shown.text, 'false');
  elsewhere('ui:thing', null);
  assert.equal(shown.text, 'true');
  elsewhere('ui:thing', 'false');
  elsewhere(null, null);
  assert.equal(shown.text, 'true');
});

test('what is no JSON, or of another type, counts as nothing', async () => {
  for (const raw of ['{', '"yes"', 'null', '1', '']) {
    localStorage.setItem('ui:thing', raw);
    const shown = await mount(setting());
    assert.equal(shown.text, 'true', raw);
    await shown.unmount();
  }
  localStorage.setItem('ui:list', '{"0":1}');
  assert.equal((await mount(setting({ name: 'ui:list', initial: [] }))).text, '[]');
});

test('an object is the same object as long as the same is stored', async () => {
  localStorage.setItem('ui:list', '[1]');
  // A new one for each reading would render without end.
  const shown = await mount(setting({ name: 'ui:list', initial: [] }));
  assert.equal(shown.text, '[1]');
});

test('where storage is blocked or full it lasts as long as the page', async () => {
  for (const methods of [['getItem', 'setItem'], ['setItem']] as ('getItem' | 'setItem')[][]) {
    const restore = broken(methods);
    try {
      const name = `ui:${methods.join()}`;
      const shown = await mount(setting({ name }));
      assert.equal(shown.text, 'true');
      act(() => set(false));
      assert.equal(shown.text, 'false');
      await shown.unmount();
      assert.equal((await mount(setting({ name }))).text, 'false');
    } finally {
      restore();
    }
  }
});

test('storage whose very name throws is as one that is blocked', async () => {
  const was = Object.getOwnPropertyDescriptor(globalThis, 'localStorage')!;
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get() {
      throw new DOMException('no', 'SecurityError');
    },
  });
  try {
    const shown = await mount(setting({ name: 'ui:denied' }));
    act(() => set(false));
    assert.equal(shown.text, 'false');
  } finally {
    Object.defineProperty(globalThis, 'localStorage', was);
  }
});

test('unmounted, it leaves no listener', async () => {
  const listeners = countListeners(page as unknown as EventTarget);
  try {
    const one = await mount(setting());
    const two = await mount(setting());
    assert.equal(listeners.count, 1);
    await one.unmount();
    assert.equal(listeners.count, 1);
    await two.unmount();
    assert.equal(listeners.count, 0);
  } finally {
    listeners.restore();
  }
});
