import type { Options } from './types.js';

/** What the page's events mean to a socket. */
export interface Hinted {
  /** A hold begins (or ends) to stand: 1 the device is offline, 2 the page is hidden, frozen or in the back-forward cache. */
  hold(reason: 1 | 2, on: boolean): void;
  /** The page goes into the back-forward cache, which no connection survives. */
  suspend(): void;
  /** The clock may have jumped. */
  wake(): void;
}

/** What to do when the page may be gone the next moment, and when it turns out that it is not. */
export interface Leaving {
  leave(): void;
  stay(): void;
}

/** Not a matter of hints: each of these may be the last that a page hears. */
export function listenToLeaving({ leave, stay }: Leaving): () => void {
  const { document } = globalThis, page = globalThis as unknown as EventTarget;
  const look = () => (document.visibilityState == 'hidden' ? leave() : stay());
  const listeners = [
    [page, 'pagehide', leave], [page, 'pageshow', stay], [document, 'freeze', leave], [document, 'resume', stay], [document, 'visibilitychange', look],
  ] as const;
  for (const [target, type, act] of listeners) target?.addEventListener?.(type, act);
  return () => { for (const [target, type, act] of listeners) target?.removeEventListener?.(type, act); };
}

/** Listens to the page until the answer is called. */
export function listen(to: Hinted, hints: Options['hints']): () => void {
  const undo: (() => void)[] = [];
  const on = (target: EventTarget | undefined, type: string, act: (event: Event) => void) => {
    target?.addEventListener?.(type, act);
    undo.push(() => target?.removeEventListener?.(type, act));
  };
  const { document } = globalThis, page = globalThis as unknown as EventTarget;
  const { online = true, lifecycle = true, hidden = false } = hints === false ? { online: false, lifecycle: false } : (hints ?? {});
  let away = false;
  const look = () => to.hold(2, away || (hidden && document?.visibilityState == 'hidden'));
  if (online) {
    on(page, 'online', () => to.hold(1, false));
    on(page, 'offline', () => to.hold(1, true));
    to.hold(1, globalThis.navigator?.onLine === false);
  }
  if (hidden) on(document, 'visibilitychange', look);
  if (lifecycle) {
    const back = () => { away = false; look(); to.wake(); };
    on(document, 'freeze', () => { away = true; look(); });
    on(document, 'resume', back);
    on(page, 'pagehide', (event) => {
      if ((event as PageTransitionEvent).persisted) { away = true; look(); to.suspend(); }
    });
    on(page, 'pageshow', (event) => { if ((event as PageTransitionEvent).persisted) back(); });
  }
  look();
  return () => undo.forEach((act) => act());
}
