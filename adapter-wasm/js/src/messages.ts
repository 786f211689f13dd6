/**
 * Messages without an event of our own for each: making one costs a fifth of all that a message costs. The browser's event goes to
 * the listeners with our socket as its target.
 */

type Listener = EventListenerOrEventListenerObject | null;
type ListenerOptions = boolean | AddEventListenerOptions | undefined;

interface Entry {
  listener: EventListenerOrEventListenerObject;
  capture: boolean;
  once: boolean;
  gone: boolean;
}

const isCapture = (options: ListenerOptions | EventListenerOptions) => (typeof options == 'object' ? !!options.capture : !!options);

/** As the standard reports what a listener throws. */
const report = (error: unknown): void => {
  if (typeof reportError == 'function') reportError(error);
  else setTimeout(() => { throw error; });
};

export class MessageTarget extends EventTarget {
  /** A new list for each change: one that is being told stays as it was. */
  #entries: Entry[] = [];
  #stopped = false;
  #prototype: MessageEvent | undefined;

  override addEventListener(type: string, listener: Listener, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options);
    if (type != 'message' || !listener) return;
    const { once = false, signal } = typeof options == 'object' ? options : {}, capture = isCapture(options);
    if (signal?.aborted || this.#entries.some((entry) => entry.listener == listener && entry.capture == capture)) return;
    const entry = { listener, capture, once, gone: false };
    const [first, rest] = [this.#entries.filter(({ capture }) => capture), this.#entries.filter(({ capture }) => !capture)];
    this.#entries = capture ? [...first, entry, ...rest] : [...first, ...rest, entry];
    signal?.addEventListener('abort', () => this.#forget((other) => other == entry), { once: true });
  }

  override removeEventListener(type: string, listener: Listener, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener, options);
    if (type == 'message') this.#forget((entry) => entry.listener == listener && entry.capture == isCapture(options));
  }

  override dispatchEvent(event: Event): boolean {
    const told = super.dispatchEvent(event);
    if (event.type == 'message') this.#forget(({ once }) => once);
    return told;
  }

  /** Tells an event that is another target's, which is telling it now. */
  protected passOn(event: MessageEvent): void {
    this.#stopped = false;
    Object.setPrototypeOf(event, (this.#prototype ??= this.#makePrototype()));
    for (const entry of this.#entries) {
      if (entry.gone) continue;
      const { listener } = entry;
      if (entry.once) this.removeEventListener('message', listener, entry.capture);
      try {
        if (typeof listener == 'function') listener.call(this, event);
        else listener.handleEvent(event);
      } catch (error) {
        report(error);
      }
      if (this.#stopped) break;
    }
  }

  #forget(which: (entry: Entry) => boolean): void {
    if (!this.#entries.some(which)) return;
    this.#entries = this.#entries.filter((entry) => !(entry.gone ||= which(entry)));
  }

  #makePrototype(): MessageEvent {
    const value = this as EventTarget;
    const stop = () => { this.#stopped = true; };
    return Object.create(MessageEvent.prototype, {
      target: { value }, currentTarget: { value }, srcElement: { value }, stopImmediatePropagation: { value: stop },
      composedPath: { value: () => [value] },
    }) as MessageEvent;
  }
}
