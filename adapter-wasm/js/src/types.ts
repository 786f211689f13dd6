/** The public API, in one place. Durations and times are milliseconds; what the words mean is the project's README. */

/** Sent or received: what `WebSocket` takes and gives. */
export type Data = string | ArrayBufferLike | Blob | ArrayBufferView;

/** Where to connect: one endpoint, several, or whoever is asked for the next one before each dial. */
export type UrlProvider = string | URL | (string | URL)[] | (() => string | URL | Promise<string | URL>);

/** Every rule's number. Each key of the policy, as in its JSON; what is left out is the preset's. */
export interface Policy {
  baseDelay?: number;
  maxDelay?: number;
  minDelay?: number;
  backoffMultiplier?: number;
  jitter?: 'full' | 'equal' | 'none' | 'decorrelated' | boolean | { ratio: number };
  maxAttempts?: number | null;
  maxElapsed?: number | null;
  connectTimeout?: number;
  readyTimeout?: number | null;
  stableAfter?: number;
  autoReconnect?: boolean;
  healthCheckInterval?: number | null;
  pingTimeout?: number;
  busyTimeout?: number;
  quality?: { excellent?: number; good?: number; poor?: number; hysteresis?: number };
  dialBudget?: { burst?: number; refill?: number } | null;
  failover?: 'ordered' | 'roundRobin' | 'random' | 'healthiest';
  maxRetryAfter?: number;
  onlineSpread?: number;
  wakeGap?: number;
  verdicts?: Record<string, 'stop' | 'retry'>;
}

export type Preset = 'chat' | 'assistant' | 'support' | 'session' | 'resilient';
export type Phase = 'idle' | 'connecting' | 'handshaking' | 'open' | 'waiting' | 'held' | 'closed' | 'failed';
/** What a page needs of the phase. */
export type Status = 'connecting' | 'open' | 'closed';
export type Quality = 'excellent' | 'good' | 'poor' | 'disconnected';
export type HoldReason = 'autoReconnectOff' | 'offline' | 'hidden' | 'idle';

/** Why a connection or an attempt ended. */
export type Cause =
  | { kind: 'network' }
  | { kind: 'timeout' }
  | { kind: 'pingTimeout' }
  | { kind: 'http'; status: number; retryAfter?: number }
  | { kind: 'close'; code: number; retryAfter?: number }
  | { kind: 'protocol' }
  | { kind: 'user' }
  | { kind: 'superseded' };

/** How the peer's silence is told from its death, where it speaks no `redial.v1`: browsers have no ping frames. */
export interface Heartbeat {
  /** What is sent for a ping. */
  message: Data | (() => Data);
  /** Whether this message is the answer: it is counted as one, and given to nobody. Without it any traffic is life. */
  isAnswer?: (data: unknown) => boolean;
}

/** Bounds of what waits while there is no connection. */
export interface QueueLimits {
  /** By default 1024. */
  messages?: number;
  /** By default 1 MiB. */
  bytes?: number;
  /** What gives way: the new message (`send` throws a `QuotaExceededError`) or the oldest (an `undelivered` event). By default reject. */
  overflow?: 'reject' | 'dropOldest';
}

export interface Options {
  policy?: Policy;
  /** What the policy begins with; by default `chat`. */
  preset?: Preset;
  /** For the jitter; by default random. Below 2^53. */
  seed?: number;
  /** Used for every dial; by default the global one as it was when this module was loaded. */
  WebSocket?: typeof WebSocket;
  /** Whether the constructor dials; by default true. If not, `reconnect()` does. */
  autoConnect?: boolean;
  /** Sessions over `redial.v1`, where the server offers them; only of the whole package (`redial`), not of `redial/plain`. */
  session?: boolean | {
    /**
     * Keep id, place and what waits in `sessionStorage` under this key, so that a reload goes on with the session. It is stored while the
     * page is hidden, frozen or unloaded, and taken out when it is back: a page that crashes in the foreground begins a new session, and
     * what was in doubt then is not told. So does a hidden one that crashes after it has acknowledged more; its loss is told.
     */
    storageKey?: string;
    /** Never to do without: `redial.v1` is offered on every dial, and a connection on which the server does not choose it has failed. */
    required?: boolean;
  };
  heartbeat?: Heartbeat | null;
  queue?: QueueLimits;
  /**
   * Called on each connection before the queue is flushed: the setup (authentication, joins). What it sends goes first. With a session
   * it is called once for each that begins, and again if that was cut short: a session that is resumed has its setup already.
   */
  onSetup?: (send: (data: Data) => void) => void | Promise<void>;
  /** Which of the page's events matter: `online` and freeze/pageshow by default; `hidden`: do not dial while the page is hidden. */
  hints?: { online?: boolean; lifecycle?: boolean; hidden?: boolean } | false;
  /** Set by a manager for the sockets that it makes. @internal */
  manager?: unknown;
  /** Log to the console; by default where `localStorage.debug` has `websocket` in it. */
  debug?: boolean;
}

/** The accounts of the machine; times in milliseconds. */
export interface Stats {
  uptime: number; downtime: number; held: number; idle: number; longestOutage: number;
  dials: number; retries: number; opened: number; retriesOpened: number; attemptsFailed: number; lost: number; gaveUp: number; wakes: number;
  /** Retries that opened / retries dialled; `null` before the first. */
  successRate: number | null;
  /** Percentiles of the latency; `null` before the first sample. */
  p50: number | null; p99: number | null;
}

/** `detail` of each event beyond `open`, `message`, `error` and `close`; the contract's notices. */
export interface Notices {
  phase: { from: Phase; to: Phase };
  retryScheduled: { attempt: number; delay: number; dialAt: number; raw: number; jittered: number; hint: number | null; budget: number };
  attemptFailed: { connection: number; attempt: number; cause: Cause };
  opened: { connection: number; attempt: number; downtime: number };
  stable: { connection: number };
  lost: { connection: number; cause: Cause; uptime: number };
  healthCheck: { connection: number; latency: number; smoothed: number; quality: Quality };
  qualityChanged: { from: Quality | null; to: Quality | null };
  gaveUp: { limit: 'attempts' | 'elapsed' | 'verdict'; attempts: number; elapsed: number; cause: Cause };
  /** A session began, went on, or was lost with these messages in doubt. */
  sessionStarted: { sessionId: string };
  sessionResumed: { sessionId: string };
  sessionLost: { reason: string; messages: Data[] };
  /** The server has everything up to the message with this id (what `post` returned). */
  delivered: { upTo: number };
  /** Never delivered: given up, dropped for a newer one, or still waiting when the socket ended for good. */
  undelivered: { messages: Data[] };
}

/** The same under the names that pages know. */
export interface SeedEvents {
  reconnection_attempt: Notices['retryScheduled'];
  reconnection_success: Notices['opened'];
  reconnection_failure: Notices['attemptFailed'] | Notices['gaveUp'];
  health_check: Notices['healthCheck'];
}

export type Events = Notices & SeedEvents & {
  open: Event;
  message: MessageEvent;
  error: Event;
  close: CloseEvent;
};

/**
 * A `WebSocket` that comes back. It is one as far as the standard's interface goes: `open` on every connection, `close` when one is lost or
 * the socket is closed, and `readyState` is CONNECTING while it is coming back; CLOSED only when it has ended for good. Beyond it:
 */
export interface Redial extends EventTarget {
  readonly url: string;
  readonly protocol: string;
  readonly extensions: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: Data): void;
  close(code?: number, reason?: string): void;

  /** Dials now, whatever it was waiting for; an open connection is replaced. */
  reconnect(code?: number, reason?: string): void;
  /** Whether it comes back by itself. While off, a lost connection stays lost until `reconnect()`. */
  autoReconnect: boolean;
  readonly status: Status;
  readonly phase: Phase;
  /** `null` before the first sample. */
  readonly quality: Quality | null;
  /** Smoothed, in milliseconds. */
  readonly latency: number | null;
  /** When the next dial is made, as `Date.now()` counts; `null` where none is scheduled. */
  readonly nextRetryAt: number | null;
  /** Retries of this outage so far. */
  readonly attempt: number;
  readonly stats: Stats;
  /** `null` without a session. */
  readonly sessionId: string | null;
  /** Whether the present connection goes on with a session that an earlier one began. */
  readonly resumed: boolean;
  /** Messages that wait, or that nobody has acknowledged. */
  readonly pending: number;
  /** As `send`, and answers the message's id; with a session, `delivered` names it later. */
  post(data: Data): number;
  /** The peer is (not) expected to be silent for long: `busyTimeout` in place of `pingTimeout`. */
  busy(on: boolean): void;
  on<K extends keyof Events>(type: K, listener: (detail: Events[K]) => void): this;
  off<K extends keyof Events>(type: K, listener: (detail: Events[K]) => void): this;
}

/** What a session layer does for the socket: the client's half of `redial.v1`, without I/O, clock or timers. `now` is milliseconds. */
export interface SessionLayer {
  /** A new connection on which the server has chosen `redial.v1`. */
  connected(): void;
  /** A new connection on which it has not: messages go as they are. */
  plain(): void;
  disconnected(): void;
  /** Keeps a message until it is acknowledged. Answers its id; throws a `QuotaExceededError` where there is no room. */
  send(now: number, data: string | Uint8Array | Blob): number;
  /** What a Blob that was sent holds; nothing goes past it before. `undefined`: it can't be read. */
  read(blob: Blob, data: Uint8Array | undefined): void;
  /** After a welcome: until `isSetUp` nothing is written but what `sendSetup` takes, which goes before all that was not sent. */
  setUp(): void;
  sendSetup(data: string | Uint8Array | Blob): void;
  isSetUp(): void;
  /** A frame that came. The message in it, or what else it was. Throws on what breaks the protocol; the caller hangs up. */
  receive(now: number, frame: Uint8Array): FromServer;
  /** The application has the message that `receive` gave. */
  taken(now: number): void;
  /** The next thing to write: a frame; or on a plain connection a message as it is. */
  transmit(now: number): Uint8Array | string | Blob | undefined;
  /** When `timeout` is to be called; `Infinity` for never. */
  deadline(): number;
  timeout(now: number): void;
  ping(id: number): void;
  /** The session is to end: nothing follows. */
  end(): void;
  readonly sessionId: string | null;
  readonly isOpen: boolean;
  readonly pending: number;
  readonly pendingBytes: number;
  takePending(): (string | Uint8Array | Blob)[];
  /** What a reload needs; `null` before the first welcome. JSON. */
  save(): unknown;
  /** Things to tell, in order; emptied by the call. */
  events(): SessionEvent[];
}

export type FromServer =
  | { kind: 'message'; data: string | Uint8Array }
  | { kind: 'welcome' }
  | { kind: 'pong'; id: number }
  | { kind: 'goingAway'; minDelay?: number; spread?: number; stop: boolean; redirect?: string }
  | { kind: 'end'; reason: 'done' | 'superseded' | 'overflow' | 'gone' }
  | { kind: 'stray' }
  | { kind: 'nothing' };

export type SessionEvent =
  | { type: 'started' | 'resumed'; sessionId: string }
  | { type: 'delivered'; upTo: number }
  | { type: 'lost'; reason: string; messages: (string | Uint8Array | Blob)[] }
  | { type: 'dropped'; messages: (string | Uint8Array | Blob)[] };

/** Makes one; `saved` is what `save()` gave in another life of the page. */
export type SessionFactory = (limits: Required<QueueLimits>, saved: unknown) => SessionLayer;
