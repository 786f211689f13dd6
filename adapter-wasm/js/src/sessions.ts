import type { Glue, GlueFactory, Host } from './glue.js';
import { listenToLeaving } from './hints.js';
import { keep } from './outbox.js';
import { SessionError } from './session/frame.js';
import { createSession } from './session/index.js';
import type { Cause, Data, FromServer, Options, SessionLayer } from './types.js';

/** What ended a session, as the machine is to judge it. */
const ENDS: Record<(FromServer & { kind: 'end' })['reason'], Cause> = {
  done: { kind: 'close', code: 1000 },
  superseded: { kind: 'superseded' },
  overflow: { kind: 'close', code: 1013 },
  gone: { kind: 'close', code: 4410 },
};

/** `sessionStorage`, where there is one that may be used. */
function storage(): Storage | undefined {
  try {
    return globalThis.sessionStorage;
  } catch {
    return undefined;
  }
}

function restored(key: string | undefined): unknown {
  try {
    return key === undefined ? null : JSON.parse(storage()?.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

/** After so many failures in a row it may be the offer that a server does not bear. */
const DOUBTFUL = 3;

/** What is known of a server as far as the protocol goes. */
interface Server {
  /** Dials in a row that never opened. */
  failures: number;
  /** It has chosen the protocol at least once. */
  spoke: boolean;
  /** A connection to it has opened without. */
  plain: boolean;
}

class SessionGlue implements Glue {
  framed = false;
  resumed = false;
  #layer: SessionLayer;
  #key: string | undefined;
  #required: boolean;
  /** By origin: a path or query may have a token in it that no other dial has. */
  #servers = new Map<string, Server>();
  #server: Server | undefined;
  /** Whether the session has got all of the page's setup. */
  #isSetUp = true;

  constructor(private host: Host, { session, queue }: Options) {
    const { storageKey, required = false } = typeof session == 'object' ? session : {};
    this.#key = storageKey;
    this.#required = required;
    this.#layer = createSession({ messages: 1024, bytes: 1 << 20, overflow: 'reject', ...queue }, restored(this.#key));
  }

  get sessionId(): string | null { return this.#layer.sessionId; }
  get count(): number { return this.#layer.pending; }
  get bytes(): number { return this.#layer.pendingBytes; }

  send(data: Data): number {
    const kept = plainBytes(keep(data)), id = this.#layer.send(this.host.now(), kept);
    this.#read(kept);
    return id;
  }

  #read(data: unknown): void {
    if (!(data instanceof Blob)) return;
    const read = (bytes?: ArrayBuffer) => {
      this.#layer.read(data, bytes && new Uint8Array(bytes));
      this.#collect();
      this.host.pump();
    };
    data.arrayBuffer().then(read, () => read());
  }

  #setUp(): void {
    const layer = this.#layer;
    let isDone = false;
    this.#isSetUp = false;
    layer.setUp();
    this.host.setUp((data) => {
      if (isDone) this.send(data);
      else {
        const kept = plainBytes(keep(data));
        layer.sendSetup(kept);
        this.#read(kept);
      }
      this.host.pump();
    }, () => {
      isDone = this.#isSetUp = true;
      layer.isSetUp();
    });
  }

  /** Browsers take an answer without a protocol for a failure, and no failure says why: so who does not speak it is found out by trying. */
  offers(url: string): boolean {
    const { origin } = new URL(url);
    const server = (this.#server = this.#servers.get(origin) ?? { failures: 0, spoke: false, plain: false });
    this.#servers.set(origin, server);
    if (this.#required || this.sessionId) return true;
    return !server.plain && (server.spoke || server.failures < DOUBTFUL || server.failures % 2 != DOUBTFUL % 2);
  }

  anew(): void {
    for (const server of this.#servers.values()) server.failures = 0, server.plain = false;
  }

  opened(framed: boolean): void {
    const server = this.#server!;
    server.failures = 0;
    if (!framed && this.#required) return this.host.reject({ kind: 'network' });
    this.framed = framed;
    this.resumed = false;
    server.plain = !framed;
    if (framed) {
      server.spoke = true;
      this.#layer.connected();
      this.host.pump();
    } else {
      this.#layer.plain();
      this.#collect();
    }
  }

  receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer) && !ArrayBuffer.isView(data)) return this.host.reject({ kind: 'protocol' });
    const { host } = this, layer = this.#layer;
    let from: FromServer;
    try {
      from = layer.receive(host.now(), ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      this.#collect();
      return host.reject({ kind: 'protocol' }, error.code == 1002 ? undefined : error.code);
    }
    this.#collect();
    switch (from.kind) {
      case 'message':
        host.deliver(from.data);
        layer.taken(host.now());
        break;
      case 'welcome':
        if (this.resumed && this.#isSetUp) host.ready();
        else this.#setUp();
        break;
      case 'pong': return host.pong(from.id);
      case 'stray': return host.reject({ kind: 'network' });
      case 'end': return host.reject(ENDS[from.reason]);
      case 'goingAway':
        if (from.redirect) host.redirect(from.redirect);
        host.hint(from.minDelay, from.spread, from.stop);
    }
    host.pump();
  }

  lost(opened: boolean): void {
    if (!opened && this.#server) this.#server.failures++;
    this.framed = false;
    this.#layer.disconnected();
    this.#collect();
  }

  next(): Data | undefined { return this.#layer.transmit(this.host.now()); }
  deadline(): number { return this.#layer.deadline(); }
  ping(id: number): void { this.#layer.ping(id); }
  end(): void {
    this.#layer.end();
    this.#collect();
    if (this.#key !== undefined) this.#store(null);
  }

  timeout(): void {
    this.#layer.timeout(this.host.now());
    this.#collect();
  }

  /**
   * What is stored is a session that nobody has at hand: a tab that is duplicated takes a copy along, and two with one session would drive
   * each other out; and one that is older than an acknowledgement is of no use to the server.
   */
  attend(): () => void {
    if (this.#key === undefined) return () => {};
    const leave = () => this.#store(this.#isSetUp ? this.#layer.save() : null), stay = () => this.#store(null);
    stay();
    const unlisten = listenToLeaving({ leave, stay });
    return () => { unlisten(); leave(); };
  }

  takeAll(): Data[] {
    const messages = this.#layer.takePending();
    this.#collect();
    return messages;
  }

  #collect(): void {
    for (const event of this.#layer.events()) {
      if (event.type == 'started' || event.type == 'resumed') {
        const { type, sessionId } = event;
        this.resumed = type == 'resumed';
        this.host.tell(this.resumed ? 'sessionResumed' : 'sessionStarted', { sessionId });
      } else if (event.type == 'delivered') this.host.tell('delivered', { upTo: event.upTo });
      else if (event.type == 'dropped') this.host.tell('undelivered', { messages: event.messages });
      // Ended by the page, with nothing in doubt: that is no loss.
      else if (event.type == 'lost' && (event.reason != 'user' || event.messages.length)) this.host.tell('sessionLost', { reason: event.reason, messages: event.messages });
    }
  }

  #store(saved: unknown): void {
    try {
      if (saved) storage()?.setItem(this.#key!, JSON.stringify(saved));
      else storage()?.removeItem(this.#key!);
    } catch {
      // No room, or not allowed: a reload begins anew then.
    }
  }
}

const plainBytes = (data: Data): string | Uint8Array | Blob => {
  if (typeof data == 'string' || data instanceof Uint8Array || data instanceof Blob) return data;
  return new Uint8Array(data as ArrayBuffer);
};

export const sessions: GlueFactory = (host, options) => new SessionGlue(host, options);
