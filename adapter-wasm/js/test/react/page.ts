import { mock } from 'node:test';
import { Window } from 'happy-dom';
import { FakeNative } from './fake-native.js';

const globals = globalThis as unknown as Record<string, unknown>;

/** The page's globals; they are there before React is loaded. */
export const page = new Window({ url: 'http://chat.example/' });
for (const name of ['document', 'navigator', 'localStorage', 'sessionStorage', 'HTMLElement', 'HTMLIFrameElement', 'Node', 'location']) {
  Object.defineProperty(globalThis, name, { value: (page as never)[name], configurable: true, writable: true });
}
globals.window = page;
globals.IS_REACT_ACT_ENVIRONMENT = true;

const { act, createElement, StrictMode } = await import('react');
const { createRoot, hydrateRoot } = await import('react-dom/client');
export { act, createElement, StrictMode };

export interface Mounted {
  text: string;
  rerender(element: React.ReactNode): void;
  unmount(): Promise<void>;
}

const mounted = new Set<Mounted>();

export function mount(element: React.ReactNode): Promise<Mounted> {
  return put((container) => {
    const root = createRoot(container);
    root.render(element);
    return root;
  });
}

/** Takes over what a server has rendered. */
export function hydrate(html: string, element: React.ReactNode): Promise<Mounted> {
  return put((container) => {
    container.innerHTML = html;
    return hydrateRoot(container, element);
  });
}

async function put(make: (container: HTMLElement) => import('react-dom/client').Root): Promise<Mounted> {
  const container = page.document.createElement('div') as unknown as HTMLElement;
  const root = await act(async () => make(container));
  const it: Mounted = {
    get text() {
      return container.textContent ?? '';
    },
    rerender: (next) => act(() => root.render(next)),
    async unmount() {
      mounted.delete(it);
      // What ends with the task ends, too.
      await act(async () => root.unmount());
    },
  };
  mounted.add(it);
  return it;
}

/** The end of a test: nothing of it is left. */
export async function tidy(): Promise<void> {
  for (const it of [...mounted]) await it.unmount();
  await act(async () => {});
  FakeNative.made = [];
  localStorage.clear();
  sessionStorage.clear();
  mock.timers.reset();
}

/** A clock that goes on only when told; both of the clocks there are. */
export function stopClock(): (ms: number) => void {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_700_000_000_000 });
  let elapsed = 0;
  mock.method(performance, 'now', () => elapsed);
  return (ms) => {
    // Each millisecond by itself: timers that ring read the clock.
    for (let left = ms; left > 0; left -= 1) {
      elapsed += 1;
      mock.timers.tick(1);
    }
  };
}

interface Counted {
  readonly count: number;
  restore(): void;
}

/** How many listeners a target has more than now. */
export function countListeners(target: EventTarget | typeof globalThis): Counted {
  let count = 0;
  const put = (name: 'addEventListener' | 'removeEventListener', by: number): (() => void) => {
    const was = Object.getOwnPropertyDescriptor(target, name);
    const real = target[name] as ((...all: unknown[]) => void) | undefined;
    const value = (...all: unknown[]): void => {
      count += by;
      real?.apply(target, all);
    };
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    return () => (was === undefined ? delete (target as never)[name] : Object.defineProperty(target, name, was));
  };
  const undo = [put('addEventListener', 1), put('removeEventListener', -1)];
  return {
    get count() {
      return count;
    },
    restore: () => undo.forEach((act) => act()),
  };
}

/** How many timers there are that have been set since and neither rang nor were cleared. */
export function countTimers(): Counted {
  const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
  const timers = new Set<unknown>();
  globalThis.setTimeout = ((run: () => void, ms?: number) => {
    const timer = realSet(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
    return timer;
  }) as never;
  globalThis.clearTimeout = ((timer: never) => {
    timers.delete(timer);
    realClear(timer);
  }) as never;
  return {
    get count() {
      return timers.size;
    },
    restore: () => Object.assign(globalThis, { setTimeout: realSet, clearTimeout: realClear }),
  };
}
