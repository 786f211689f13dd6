/** A native WebSocket of which the test says what happens to it. `FakeNative.made` has all of them. */
export class FakeNative extends EventTarget {
  static made: FakeNative[] = [];
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readyState = 0;
  protocol = '';
  extensions = '';
  bufferedAmount = 0;
  binaryType = 'blob';
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: unknown) => void) | null = null;
  sent: unknown[] = [];
  readonly url: string;

  constructor(url: string | URL, readonly offered: string | string[] = []) {
    super();
    this.url = String(url);
    FakeNative.made.push(this);
  }

  static get last(): FakeNative {
    return FakeNative.made[FakeNative.made.length - 1]!;
  }
  /** Those that somebody still holds. */
  static get alive(): number {
    return FakeNative.made.filter(({ readyState }) => readyState < 2).length;
  }

  send(data: unknown): void {
    this.sent.push(data);
  }
  close(code = 1005): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    queueMicrotask(() => this.ends(code));
  }

  opens(protocol = ''): void {
    this.protocol = protocol;
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }
  hears(data: unknown): void {
    this.onmessage?.(new MessageEvent('message', { data: typeof data === 'string' ? data : JSON.stringify(data) }));
  }
  ends(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: '', wasClean: code !== 1006 });
  }
  get said(): unknown[] {
    return this.sent.map((data) => JSON.parse(String(data)));
  }
}
