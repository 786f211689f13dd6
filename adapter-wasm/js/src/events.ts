import { MessageTarget } from './messages.js';
import type { Events } from './types.js';

/** Node has none of its own before 23. */
const CloseEventClass: typeof CloseEvent = globalThis.CloseEvent ?? class extends Event {
  code: number; reason: string; wasClean: boolean;
  constructor(type: string, init: CloseEventInit = {}) {
    super(type);
    this.code = init.code ?? 0;
    this.reason = init.reason ?? '';
    this.wasClean = init.wasClean ?? false;
  }
};

export function closeEvent(code = 1005, reason = '', wasClean = false): CloseEvent {
  return new CloseEventClass('close', { code, reason, wasClean });
}

type Handler = ((event: never) => void) | null;

/** An `EventTarget` with `on…` handlers, and with `on` and `off` that give the detail. */
export class Emitter<E = Events> extends MessageTarget {
  #handlers: Record<string, { handler: Handler; listener: (event: Event) => void } | undefined> = {};
  #listeners = new Map<unknown, Map<string, (event: Event) => void>>();

  protected handler(type: string): never {
    return (this.#handlers[type]?.handler ?? null) as never;
  }

  /** As the standard says: a handler has its place among the listeners from when it was first set. */
  protected setHandler(type: string, handler: unknown): void {
    const old = this.#handlers[type];
    if (typeof handler != 'function' && !(handler && typeof handler == 'object')) {
      if (old) this.removeEventListener(type, old.listener);
      this.#handlers[type] = undefined;
    } else if (old) {
      old.handler = handler as Handler;
    } else {
      const entry = {
        handler: handler as Handler,
        listener: (event: Event) => {
          if (typeof entry.handler == 'function') entry.handler.call(this as never, event as never);
        },
      };
      this.addEventListener(type, entry.listener);
      this.#handlers[type] = entry;
    }
  }

  on<K extends keyof E & string>(type: K, listener: (detail: E[K]) => void): this {
    const byType = this.#listeners.get(listener) ?? new Map<string, (event: Event) => void>();
    if (!byType.has(type)) {
      const inner = (event: Event) => listener((event instanceof CustomEvent ? event.detail : event) as E[K]);
      this.#listeners.set(listener, byType.set(type, inner));
      this.addEventListener(type, inner);
    }
    return this;
  }

  off<K extends keyof E & string>(type: K, listener: (detail: E[K]) => void): this {
    const byType = this.#listeners.get(listener), inner = byType?.get(type);
    if (inner) {
      this.removeEventListener(type, inner);
      byType!.delete(type);
      if (!byType!.size) this.#listeners.delete(listener);
    }
    return this;
  }
}
