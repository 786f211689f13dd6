import type { Data, Events, Options, Phase, Quality, Redial, Stats, Status } from '../../src/types.js';

/** A socket of which the test says what happens to it. What it sends is in `sent`. */
export class FakeRedial extends EventTarget implements Redial {
  readonly url: string;
  readonly protocol = '';
  readonly extensions = '';
  binaryType: BinaryType = 'blob';
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  autoReconnect = true;
  status: Status = 'connecting';
  phase: Phase = 'connecting';
  quality: Quality | null = null;
  latency: number | null = null;
  nextRetryAt: number | null = null;
  attempt = 0;
  sessionId: string | null = null;
  resumed = false;
  sent: Data[] = [];
  queue: { id: number; data: Data }[] = [];
  unacknowledged = 0;
  reconnects = 0;
  isClosed = false;
  asksSetup = true;
  #id = 0;
  #listeners = new Map<string, Map<unknown, EventListener>>();

  constructor(url: unknown, readonly options: Options) {
    super();
    this.url = String(url);
    if (options.autoConnect === false) this.#enter('idle', 'closed');
  }

  get readyState(): number {
    return { connecting: 0, open: 1, closed: 3 }[this.status];
  }
  get bufferedAmount(): number {
    return 0;
  }
  get stats(): Stats {
    throw new Error('nobody asks for it');
  }
  get pending(): number {
    return this.queue.length + this.unacknowledged;
  }
  /** The texts of what was sent, read. */
  get said(): unknown[] {
    return this.sent.map((data) => JSON.parse(String(data)));
  }

  send(data: Data): void {
    this.post(data);
  }
  post(data: Data): number {
    this.#id += 1;
    if (this.status === 'open') this.#write(data);
    else this.queue.push({ id: this.#id, data });
    return this.#id;
  }
  close(): void {
    this.isClosed = true;
    this.#enter('closed', 'closed');
  }
  reconnect(): void {
    this.reconnects += 1;
    this.#enter('connecting', 'connecting');
  }
  busy(): void {}
  on<K extends keyof Events>(type: K, listener: (detail: Events[K]) => void): this {
    const wrapped = (event: Event): void => listener((event as CustomEvent).detail);
    const known = this.#listeners.get(type) ?? new Map();
    this.#listeners.set(type, known.set(listener, wrapped));
    this.addEventListener(type, wrapped);
    return this;
  }
  off<K extends keyof Events>(type: K, listener: (detail: Events[K]) => void): this {
    const wrapped = this.#listeners.get(type)?.get(listener);
    if (wrapped !== undefined) this.removeEventListener(type, wrapped);
    return this;
  }

  /** Listeners that somebody has and has not taken away. */
  listening = 0;
  override addEventListener(...[type, listener]: Parameters<EventTarget['addEventListener']>): void {
    this.listening += 1;
    super.addEventListener(type, listener);
  }
  override removeEventListener(...[type, listener]: Parameters<EventTarget['removeEventListener']>): void {
    this.listening -= 1;
    super.removeEventListener(type, listener);
  }

  /** It opens; with `sessionId` on a session, which is an earlier one if `resumed`. */
  opens(sessionId: string | null = null, resumed = false): void {
    this.sessionId = sessionId;
    this.resumed = resumed;
    if (sessionId !== null) this.tells(resumed ? 'sessionResumed' : 'sessionStarted', { sessionId });
    // A session that goes on has its setup already.
    const done = this.asksSetup && !resumed ? this.options.onSetup?.((data) => this.#write(data)) : undefined;
    const opened = (): void => this.#onSetUp();
    if (done === undefined) opened();
    else void done.then(opened);
  }
  #onSetUp(): void {
    this.#enter('open', 'open');
    for (const { data } of this.queue.splice(0)) this.#write(data);
    this.dispatchEvent(new Event('open'));
    this.tells('opened', { connection: 1, attempt: this.attempt, downtime: 0 });
  }
  loses(): void {
    this.#enter('waiting', 'closed');
    this.dispatchEvent(new Event('close'));
    this.tells('lost', { connection: 1, cause: { kind: 'network' }, uptime: 0 });
  }
  hears(data: unknown): void {
    const text = typeof data === 'object' && !(data instanceof ArrayBuffer) ? JSON.stringify(data) : data;
    this.dispatchEvent(new MessageEvent('message', { data: text }));
  }
  acknowledges(upTo: number): void {
    this.unacknowledged = 0;
    this.tells('delivered', { upTo });
  }
  grades(quality: Quality, latency: number): void {
    const from = this.quality;
    this.quality = quality;
    this.latency = latency;
    this.tells('healthCheck', { connection: 1, latency, smoothed: latency, quality });
    this.tells('qualityChanged', { from, to: quality });
  }
  tells<K extends keyof Events>(type: K, detail: Events[K]): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #write(data: Data): void {
    this.sent.push(data);
    if (this.sessionId !== null) this.unacknowledged += 1;
  }
  #enter(phase: Phase, status: Status): void {
    const from = this.phase;
    this.phase = phase;
    this.status = status;
    this.tells('phase', { from, to: phase });
  }
}
