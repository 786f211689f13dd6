import type { Cause, Data, Notices, Options } from './types.js';

/** What a session asks of its socket. */
export interface Host {
  now(): number;
  deliver(data: string | Uint8Array): void;
  /** The session goes on. */
  ready(): void;
  /** A session has begun: the page's setup sends with this; then `done` is called, and the connection is ready. */
  setUp(send: (data: Data) => void, done: () => void): void;
  pong(id: number): void;
  hint(minDelay?: number, spread?: number, stop?: boolean): void;
  /** The next dial goes there. */
  redirect(url: string): void;
  /** Ends the connection for this, and tells the peer the code: one that a page may give. */
  reject(cause: Cause, code?: number): void;
  tell<K extends keyof Notices>(type: K, detail: Notices[K]): void;
  /** There may be something to write. */
  pump(): void;
}

/** A session's part of a socket. */
export interface Glue {
  readonly sessionId: string | null;
  readonly resumed: boolean;
  readonly count: number;
  readonly bytes: number;
  /** Whether the present connection carries frames. */
  readonly framed: boolean;
  /** Whether a dial to this URL offers the session's protocol. */
  offers(url: string): boolean;
  /** The user wants a connection: what is known of the servers may be outdated. */
  anew(): void;
  send(data: Data): number;
  opened(framed: boolean): void;
  receive(data: unknown): void;
  /** The connection is gone; or it never came to be. */
  lost(opened: boolean): void;
  /** The next thing to write. */
  next(): Data | undefined;
  deadline(): number;
  timeout(): void;
  ping(id: number): void;
  takeAll(): Data[];
  end(): void;
  /** The socket is in use: until the answer is called the session is looked after. */
  attend(): () => void;
}

export type GlueFactory = (host: Host, options: Options) => Glue;

/** The subprotocol of sessions. */
export const PROTOCOL = 'redial.v1';
