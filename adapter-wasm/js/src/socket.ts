import { Alarm } from './alarm.js';
import { checkClose } from './checks.js';
import { translate, type ForeignOptions } from './compat.js';
import { Dialler, isPromise, type Protocols } from './dialler.js';
import * as engine from './engine.js';
import { Budget, Machine, type Output } from './engine.js';
import { closeEvent, Emitter } from './events.js';
import { PROTOCOL, type Glue, type GlueFactory } from './glue.js';
import { listen } from './hints.js';
import { log } from './log.js';
import { Outbox, sizeOf } from './outbox.js';
import type { Cause, Data, Notices, Options, Phase, Preset, Quality, Redial, Stats, Status, UrlProvider } from './types.js';

/** As it was when this module was loaded: a page may put our class in its place. */
const Native = globalThis.WebSocket;
const PRESETS: Preset[] = ['chat', 'assistant', 'support', 'session', 'resilient'];
/** How many messages one task writes, and how much may wait in the browser. */
const BATCH = 64, HIGH_WATER = 1 << 20;
const noop = () => {};
const now = () => performance.now();

/** What a manager gives its sockets. */
export interface Managed { budget?: Budget }

export type { Protocols } from './dialler.js';

export class RedialSocket extends Emitter implements Redial {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;
  /** The whole package puts its sessions here. */
  protected static sessions?: GlueFactory;

  #options: Options;
  #dialler: Dialler;
  #machine: Machine;
  #outbox: Outbox;
  #session: Glue | undefined;
  #budget: Budget | undefined;
  #url = '';
  #binaryType: BinaryType = 'blob';
  #native: WebSocket | undefined;
  /** The last one, for what it is to say once it has ended. */
  #former: WebSocket | undefined;
  /** Closed by the page, and not yet by the peer. */
  #closing: { native?: WebSocket } | undefined;
  /** What the page gave to `close` or `reconnect`. */
  #farewell: { code?: number; reason?: string } = {};
  /** Closed by the page after it had given up, or before it began. */
  #isShut = false;
  #autoReconnect: boolean;
  #sent = 0;
  #discarded = 0;
  #heardAt: number | undefined;
  #ping = 0;
  #alarm = new Alarm(() => this.#tick());
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #unlisten: (() => void) | undefined;
  #events: Event[] = [];
  #draining = false;
  #everOpen = false;
  #opened = false;

  constructor(url: UrlProvider, protocols: Protocols = [], options: Options & ForeignOptions = {}) {
    super();
    if (!arguments.length) throw new TypeError('1 argument required, but only 0 present.');
    if (!options.WebSocket && !Native) throw new TypeError('There is no WebSocket here; give one: new RedialSocket(url, protocols, { WebSocket }).');
    this.#dialler = new Dialler(url, protocols);
    this.#url = this.#dialler.endpoints?.[0] ?? '';
    options = this.#options = translate(options);
    const { policy = {}, queue = {} } = options;
    const factory = (new.target as typeof RedialSocket).sessions;
    if (options.session && factory) {
      this.#session = factory({
        now, pump: () => this.#flush(), tell: (type, detail) => { this.#tell(type, detail); queueMicrotask(() => this.#drain()); },
        deliver: (data) => this.#deliver(data), ready: () => this.#ready(),
        setUp: (send, done) => this.#setUp(this.#native!, send, done), pong: (id) => this.#pong(id),
        hint: (minDelay, spread, stop) => this.#do(this.#machine.hint(now(), minDelay, spread, stop)),
        redirect: (to) => this.#dialler.redirect(this.#url, to), reject: (cause, code) => this.#reject(cause, code),
      }, options);
    }
    // The setup is the application's own handshake, and so is the session's; and what can't be answered is not sent.
    const ready = this.#session || options.onSetup ? { readyTimeout: policy.connectTimeout ?? 10000 } : {};
    const silent = this.#session || options.heartbeat ? {} : { healthCheckInterval: null };
    const seed = options.seed ?? Math.floor(Math.random() * 2 ** 53);
    const preset = options.preset === undefined ? 0 : PRESETS.indexOf(options.preset);
    if (preset < 0) throw new TypeError(`option preset: ${JSON.stringify(options.preset)} is not allowed; allowed: ${PRESETS.map((name) => `"${name}"`).join(', ')}`);
    this.#machine = new Machine({ ...ready, ...policy, ...silent }, preset, seed, this.#dialler.endpoints?.length ?? 1);
    this.#autoReconnect = policy.autoReconnect !== false;
    this.#outbox = new Outbox({ messages: 1024, bytes: 1 << 20, overflow: 'reject', ...queue });
    this.#budget = (options.manager as Managed | undefined)?.budget;
    if (this.#budget) this.#machine.handle(now(), engine.BUDGET);
    // Whoever makes it is to hear of it all.
    this.#draining = true;
    queueMicrotask(() => { this.#draining = false; this.#drain(); });
    if (options.autoConnect !== false) this.#command(engine.START);
  }

  get url(): string { return this.#url; }
  get protocol(): string { return (this.#native ?? this.#former)?.protocol ?? ''; }
  get extensions(): string { return (this.#native ?? this.#former)?.extensions ?? ''; }
  get readyState(): number {
    if (this.#closing) return 2;
    const { phase } = this.#machine;
    return phase == 'open' ? 1 : isTerminal(phase) ? 3 : 0;
  }
  get bufferedAmount(): number {
    return this.#discarded + (this.#native?.bufferedAmount ?? 0) + (this.#session ?? this.#outbox).bytes;
  }
  get binaryType(): BinaryType { return this.#binaryType; }
  set binaryType(type: BinaryType) {
    if (type != 'blob' && type != 'arraybuffer') return;
    this.#binaryType = type;
    if (this.#native && !this.#session?.framed) this.#native.binaryType = type;
  }
  get onopen() { return this.handler('open'); }
  set onopen(handler: ((event: Event) => void) | null) { this.setHandler('open', handler); }
  get onmessage() { return this.handler('message'); }
  set onmessage(handler: ((event: MessageEvent) => void) | null) { this.setHandler('message', handler); }
  get onerror() { return this.handler('error'); }
  set onerror(handler: ((event: Event) => void) | null) { this.setHandler('error', handler); }
  get onclose() { return this.handler('close'); }
  set onclose(handler: ((event: CloseEvent) => void) | null) { this.setHandler('close', handler); }

  get status(): Status {
    const { phase } = this.#machine;
    return phase == 'open' ? 'open' : phase == 'connecting' || phase == 'handshaking' ? 'connecting' : 'closed';
  }
  get phase(): Phase { return this.#isShut ? 'closed' : this.#machine.phase; }
  get quality(): Quality | null { return this.#machine.quality; }
  get latency(): number | null { return this.#machine.latency; }
  get nextRetryAt(): number | null {
    const at = this.#machine.nextDialAt;
    return at == null ? null : at - now() + Date.now();
  }
  get attempt(): number { return this.#machine.attempt; }
  get stats(): Stats { return this.#machine.stats(now()); }
  get sessionId(): string | null { return this.#session?.sessionId ?? null; }
  get resumed(): boolean { return this.#session?.resumed ?? false; }
  get pending(): number { return (this.#session ?? this.#outbox).count; }
  get autoReconnect(): boolean { return this.#autoReconnect; }
  set autoReconnect(on: boolean) {
    this.#autoReconnect = !!on;
    this.#feed(on ? engine.RELEASE : engine.HOLD, 0);
  }

  send(data: Data): void {
    if (!arguments.length) throw new TypeError('1 argument required, but only 0 present.');
    this.post(data);
  }

  post(data: Data): number {
    const native = this.#native, ended = this.#closing || this.phase == 'closed';
    if (this.#session && !ended) {
      const id = this.#session.send(data);
      this.#flush();
      return id;
    }
    if (ended) this.#discarded += sizeOf(typeof data == 'object' ? data : String(data));
    else if (this.#machine.phase == 'open' && native!.readyState == 1 && !this.#outbox.count) native!.send(data as never);
    else {
      const messages = this.#outbox.push(data);
      if (messages.length) this.#tell('undelivered', { messages }), this.#drain();
    }
    return ++this.#sent;
  }

  close(code?: number, reason?: string): void {
    checkClose(code = code === undefined ? code : Number(code), reason = reason === undefined ? reason : String(reason));
    if (this.#closing || this.phase == 'closed') return;
    this.#session?.end();
    this.#flush();
    // It has ended already, and the standard tells it once.
    if (this.readyState == 3) return this.#shut();
    this.#farewell = { code, reason };
    const closing: { native?: WebSocket } = (this.#closing = {});
    this.#feed(engine.STOP);
    if (!closing.native) queueMicrotask(() => this.#closing == closing && this.#closed(code ?? 1005, reason, true));
  }

  /** For the machine it had ended before, and stays as it was. */
  #shut(): void {
    this.#tell('phase', { from: this.phase, to: 'closed' });
    this.#isShut = true;
    this.#giveUpMessages();
    this.#drain();
  }

  reconnect(code?: number, reason?: string): void {
    checkClose(code, reason);
    if (this.#closing) this.#closed(1006, '', false);
    this.#farewell = { code: code ?? 1000, reason };
    this.#session?.anew();
    this.#command(engine.RECONNECT);
  }

  busy(on: boolean): void { this.#feed(engine.BUSY, Number(on)); }

  /** The user's will, from which on the page's events matter. */
  #command(input: number): void {
    this.#discarded = 0;
    this.#isShut = false;
    if (!this.#unlisten) this.#listen();
    this.#feed(input);
  }

  #listen(): void {
    const leave = this.#session?.attend();
    const unlisten = listen({
      hold: (reason, on) => this.#feed(on ? engine.HOLD : engine.RELEASE, reason),
      suspend: () => this.#native && this.#reject({ kind: 'network' }),
      wake: () => this.#tick(),
    }, this.#options.hints);
    this.#unlisten = () => { unlisten(); leave?.(); };
  }

  #feed(input: number, a?: number, b?: number, c?: number, d?: number): void {
    const machine = this.#machine, at = now();
    this.#tellOfTraffic();
    if (this.#budget && machine.nextDialAt != null && machine.nextDialAt <= at) {
      // Only a timeout is to make the dial: what else comes may hold it back, and would use a token up for nothing.
      const turn = input == engine.TIMEOUT ? machine.take(at, this.#budget) : at + 0.001;
      if (turn != null) this.#do(machine.handle(at, engine.BUDGET, Math.max(0, Math.round((turn - at) * 1000))));
    }
    this.#do(machine.handle(at, input, a, b, c, d));
  }

  #end(input: number, cause: Cause): void {
    this.#tellOfTraffic();
    this.#do(this.#machine.end(now(), input, this.#machine.connection, cause));
  }

  /** Only while a ping is unanswered does it matter, and then from when it came. */
  #tellOfTraffic(): void {
    const at = this.#heardAt, machine = this.#machine;
    if (at === undefined) return;
    this.#heardAt = undefined;
    if (machine.awaitsPong) this.#do(machine.handle(at, engine.RECEIVED, machine.connection));
  }

  /** Commands first, then whoever listens: a listener may command anew. */
  #do(outputs: Output[]): void {
    for (const output of outputs) {
      if (output.output == 'dial') this.#dial(output.connection, output.endpoint);
      else if (output.output == 'hangUp') this.#hangUp(output.cause);
      else if (output.output == 'ping') this.#sendPing(output.ping);
    }
    const { phase } = this.#machine;
    for (const { output, ...detail } of outputs) {
      if (output == 'dial' || output == 'hangUp' || output == 'ping') continue;
      if (output == 'opened') this.#push(new Event('open'));
      if ('dialAt' in detail) detail.dialAt += Date.now() - now();
      this.#tell(output, detail as never);
      if (output == 'retryScheduled') this.#tell('reconnection_attempt' as never, detail as never);
      if (output == 'attemptFailed' || output == 'gaveUp') this.#tell('reconnection_failure' as never, detail as never);
      if (output == 'healthCheck') this.#tell('health_check' as never, detail as never);
      if (output == 'opened') {
        if (this.#everOpen) this.#tell('reconnection_success' as never, detail as never);
        this.#everOpen = true;
      }
    }
    if (this.#budget && phase != 'waiting') this.#machine.giveBack(this.#budget);
    if (phase == 'closed') this.#giveUpMessages();
    if (isTerminal(phase)) {
      this.#unlisten?.();
      this.#unlisten = undefined;
      clearTimeout(this.#flushTimer);
    }
    if (outputs.length && phase == 'open') this.#flush();
    this.#arm();
    this.#drain();
  }

  #giveUpMessages(): void {
    const messages = this.#session?.takeAll() ?? this.#outbox.takeAll();
    if (messages.length) this.#tell('undelivered', { messages }), this.#drain();
  }

  #tell<K extends keyof Notices>(type: K, detail: Notices[K]): void {
    log(this.#options.debug, this.#url, type, detail);
    this.#push(new CustomEvent(type, { detail }));
  }

  #push(event: Event): void { this.#events.push(event); }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (let event; (event = this.#events.shift()); ) this.dispatchEvent(event);
    this.#draining = false;
  }

  #arm(): void {
    this.#alarm.set(Math.min(this.#machine.deadline, this.#session?.deadline() ?? Infinity));
  }

  #tick(): void {
    // Nothing can answer a ping on a connection without frames and heartbeat.
    if (this.#machine.awaitsPong && !this.#options.heartbeat && !this.#session?.framed) this.#heardAt = now();
    this.#tellOfTraffic();
    if (this.#session && this.#session.deadline() <= now()) this.#session.timeout(), this.#flush();
    if (this.#machine.deadline <= now()) this.#feed(engine.TIMEOUT);
    else this.#arm();
  }

  #dial(connection: number, endpoint: number): void {
    const mine = () => this.#machine.connection == connection && !this.#native;
    this.#dialler.next(endpoint, (url, protocols) => {
      if (!mine()) return;
      this.#url = url;
      this.#open(protocols);
    }, (error) => {
      log(this.#options.debug, this.#url, error);
      if (mine()) this.#failed();
    });
  }

  #open(protocols: string[]): void {
    const offered = this.#session?.offers(this.#url) ? [PROTOCOL, ...protocols] : protocols;
    const native = (this.#native = new (this.#options.WebSocket ?? Native)(this.#url, offered));
    native.binaryType = this.#session ? 'arraybuffer' : this.#binaryType;
    native.onopen = () => {
      const framed = native.protocol == PROTOCOL && !!this.#session;
      if (!framed) native.binaryType = this.#binaryType;
      this.#opened = true;
      this.#feed(engine.OPENED, this.#machine.connection);
      if (this.#native != native) return;
      this.#session?.opened(framed);
      if (!framed && this.#native == native) this.#setUp(native, (data) => native.send(data as never), noop);
    };
    native.onmessage = (event) => this.#onMessage(event);
    native.onerror = noop;
    native.onclose = (event) => this.#onClose(event);
  }

  #setUp(native: WebSocket, send: (data: Data) => void, isDone: () => void): void {
    // What has become of the session is to be known before it is set up.
    this.#drain();
    const isMine = () => this.#native == native;
    const done = () => { if (isMine()) isDone(), this.#ready(); };
    const failed = () => isMine() && this.#reject({ kind: 'network' });
    if (!isMine()) return;
    try {
      const setup = this.#options.onSetup?.((data) => { if (isMine()) send(data); });
      if (isPromise(setup)) setup.then(done, failed);
      else done();
    } catch {
      failed();
    }
  }

  #ready(): void {
    if (this.#machine.phase == 'handshaking') this.#feed(engine.READY, this.#machine.connection);
  }

  #onMessage(event: MessageEvent): void {
    if (this.#machine.awaitsPong) this.#heardAt = now();
    if (this.#session?.framed) {
      this.#session.receive(event.data);
      return this.#drain();
    }
    const { heartbeat } = this.#options;
    if (heartbeat) {
      const answer = heartbeat.isAnswer ? this.#isAnswer(event.data) : this.#machine.awaitsPong;
      if (answer) this.#pong(this.#ping);
      if (answer && heartbeat.isAnswer) return;
    }
    if (event instanceof MessageEvent) this.passOn(event);
    else this.#tellMessage((event as MessageEvent).data);
  }

  /** One that throws has not known the message, which is then the page's. */
  #isAnswer(data: unknown): boolean {
    try {
      return !!this.#options.heartbeat!.isAnswer!(data);
    } catch (error) {
      console.error('redial: heartbeat.isAnswer failed', error);
      return false;
    }
  }

  #deliver(data: string | Uint8Array): void {
    const given = typeof data == 'string' ? data : this.#binaryType == 'blob' ? new Blob([data as never]) : data.slice().buffer;
    this.#tellMessage(given);
  }

  #tellMessage(data: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data, origin: new URL(this.#url).origin }));
  }

  #pong(ping: number): void {
    if (this.#machine.awaitsPong) this.#feed(engine.PONG, this.#machine.connection, ping);
  }

  #sendPing(ping: number): void {
    const { heartbeat } = this.#options;
    this.#ping = ping;
    if (this.#session?.framed) this.#session.ping(ping), this.#flush();
    else if (heartbeat && this.#native?.readyState == 1) {
      const native = this.#native;
      try {
        native.send((typeof heartbeat.message == 'function' ? heartbeat.message() : heartbeat.message) as never);
      } catch (error) {
        // Who can't ask is not to wait for an answer. Not at once: the machine is just being asked what to do.
        console.error('redial: heartbeat.message failed', error);
        queueMicrotask(() => {
          if (this.#native != native) return;
          this.#push(new Event('error'));
          this.#reject({ kind: 'network' });
        });
      }
    }
  }

  /** The native socket is none of ours any more. */
  #unlink(): WebSocket | undefined {
    const native = this.#native;
    this.#native = undefined;
    clearTimeout(this.#flushTimer);
    if (native) native.onopen = native.onmessage = native.onclose = null, native.onerror = noop;
    if (native) this.#former = native, this.#session?.lost(this.#opened);
    this.#opened = false;
    return native;
  }

  #onClose(event: CloseEvent): void {
    const { phase } = this.#machine;
    this.#unlink();
    if (phase == 'connecting') this.#push(new Event('error'));
    this.#push(closeEvent(event.code, event.reason, event.wasClean));
    if (phase == 'connecting') this.#end(engine.FAILED, { kind: 'network' });
    else this.#end(engine.CLOSED, { kind: 'close', code: event.code });
  }

  /** The dial could not even begin. */
  #failed(): void {
    this.#push(new Event('error'));
    this.#push(closeEvent(1006));
    this.#end(engine.FAILED, { kind: 'network' });
  }

  /** We end the connection, and the machine learns why. */
  #reject(cause: Cause, code?: number): void {
    const native = this.#unlink();
    if (!native) return;
    native.close(code);
    this.#push(closeEvent(code ?? (cause.kind == 'close' ? cause.code : cause.kind == 'protocol' ? 1002 : 1006)));
    this.#end(engine.CLOSED, cause);
  }

  #hangUp(cause: Cause): void {
    const native = this.#unlink(), { code, reason } = this.#farewell;
    if (cause.kind != 'user') {
      native?.close();
      if (cause.kind == 'timeout') this.#push(new Event('error'));
      this.#push(closeEvent(1006));
    } else if (this.#closing && native) {
      this.#closing.native = native;
      native.onerror = () => { this.#push(new Event('error')); };
      native.onclose = (event) => this.#closed(event.code, event.reason, event.wasClean);
      native.close(code, reason);
    } else if (!this.#closing) {
      native?.close(code, reason);
      this.#push(closeEvent(code, reason, true));
    }
  }

  /** What `close` began is done. */
  #closed(code: number, reason?: string, wasClean?: boolean): void {
    if (!this.#closing) return;
    const { native } = this.#closing;
    if (native) native.onclose = null, native.onerror = noop;
    this.#closing = undefined;
    this.#push(closeEvent(code, reason, wasClean));
    this.#drain();
  }

  /** Writes what waits, in order, and not all at once. */
  #flush(): void {
    clearTimeout(this.#flushTimer);
    const framed = this.#session?.framed;
    for (let count = 0; this.#native?.readyState == 1 && (framed || this.#machine.phase == 'open'); count++) {
      const full = this.#native.bufferedAmount > HIGH_WATER;
      if ((count >= BATCH || full) && (framed || this.pending)) {
        this.#flushTimer = setTimeout(() => this.#flush(), full ? 20 : 0);
        return;
      }
      const data = this.#session ? this.#session.next() : this.#outbox.shift();
      if (data === undefined) break;
      this.#native.send(data as never);
    }
    if (this.#session) this.#arm();
  }
}

for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
  for (const of of [RedialSocket, RedialSocket.prototype]) Object.defineProperty(of, name, { value, enumerable: true });
}

const isTerminal = (phase: Phase) => phase == 'idle' || phase == 'closed' || phase == 'failed';
