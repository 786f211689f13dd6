import { RedialSocket } from './index.js';
import { Connection, MESSAGES, type Listener } from './rooms/connection.js';
import type { ChatMessage } from './rooms/log.js';
import type { Room, RoomView } from './rooms/room.js';
import type { Data, Options, Redial, UrlProvider } from './types.js';

export type { Change, Listener } from './rooms/connection.js';
export type { ChatMessage } from './rooms/log.js';
export type { Member, Who } from './rooms/protocol.js';
export type { RoomView } from './rooms/room.js';

export interface LeaseOptions extends Options {
  protocols?: string | string[];
  /** Parts of a page share a connection if URL, settings and this are the same; by default they do. */
  connection?: string;
}

/** Makes a socket: `(url, protocols, options) => new RedialSocket(url, protocols, options)`. */
export type Open = (url: UrlProvider, protocols: string | string[] | undefined, options: Options) => Redial;

/** One part of a page's share in a connection. Its rooms are its own: it leaves those it has joined. */
export interface Lease {
  readonly socket: Redial;
  /** How often the connection has opened since it was made. */
  readonly opened: number;
  /** By what others know this page; `null` before the server has said so. */
  readonly alias: string | null;
  /** Messages of the connection that wait, or that nobody has acknowledged. */
  readonly pending: number;
  /** Whether typing and receipts are left out: there is no connection, or a poor one. */
  readonly isDegraded: boolean;
  readonly rooms: readonly RoomView[];
  /** What was sent and came outside of rooms, and in the rooms of this lease: the last 100. */
  readonly messages: readonly ChatMessage[];
  join(room: string): void;
  leave(room: string): void;
  /** Says it in the room, or sends it as it is. Throws what `send` throws. */
  send(data: Data, room?: string | null): ChatMessage;
  /** Sends again what came to nothing; `undefined` where it did not. */
  sendAgain(key: string): ChatMessage | undefined;
  typing(room: string): void;
  /** Receipts everything up to this number of the room's history, or all that is known. */
  read(room: string, number?: number): void;
  /** Asks who is there. */
  members(room: string): void;
  clear(room?: string | null): void;
  subscribe(listener: Listener): () => void;
  /** Gives it back; the last one closes the connection, unless another is taken before the present task ends. */
  release(): void;
}

/** Shares connections between the parts of a page. */
export interface Pool {
  lease(url: UrlProvider, options?: LeaseOptions): Lease;
  /** Connections that are in use. */
  readonly size: number;
}

export function createPool(open: Open): Pool {
  const shared = new Map<string, Shared>();
  return {
    lease(url, options = {}) {
      const key = poolKey(url, options);
      const known = shared.get(key);
      if (known !== undefined) {
        if (options.autoConnect !== false && known.connection.socket.phase === 'idle') known.connection.socket.reconnect();
        return new Share(known);
      }
      const { protocols, connection: _, onSetup, ...rest } = options;
      const connection = new Connection((setUp) =>
        open(url, protocols, {
          ...rest,
          onSetup(send) {
            // The user's own first: who may not speak yet can't join.
            const done = onSetup?.(send);
            if (done === undefined) return setUp(send);
            return done.then(() => setUp(send));
          },
        }),
      );
      const made = new Shared(connection, () => shared.delete(key));
      shared.set(key, made);
      return new Share(made);
    },
    get size() {
      return shared.size;
    },
  };
}

/** The page's connections; none is made before somebody wants one. */
export const pagePool: Pool = createPool((url, protocols, options) => new RedialSocket(url, protocols, options));

/**
 * The same for those who may share a connection: what decides where it goes, how it is kept and what it speaks. Functions but `url` don't
 * count (pages write them anew with each rendering): the first one's are used.
 */
export function poolKey(url: UrlProvider, options: LeaseOptions): string {
  const { connection, protocols, policy, preset, seed, session, queue, hints, heartbeat, debug, WebSocket: native, manager } = options;
  const where = typeof url !== 'function' ? [url].flat().map(String) : connection === undefined ? numberOf(url) : 'function';
  const objects = [native, manager].map((it) => (isObject(it) ? numberOf(it) : null));
  const beat = typeof heartbeat?.message === 'string' ? heartbeat.message : heartbeat != null;
  const numbers = [policy, queue, hints, session].map(sorted);
  return JSON.stringify([where, connection, protocols, preset, seed, beat, debug, numbers, objects]);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value).filter(([, part]) => part !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, sorted(part)]);
}

const numbers = new WeakMap<object, number>();
let last = 0;

function numberOf(it: object): number {
  const known = numbers.get(it);
  if (known !== undefined) return known;
  last += 1;
  numbers.set(it, last);
  return last;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A connection and how many use it. */
class Shared {
  shares = 0;
  #settling = false;

  constructor(readonly connection: Connection, private readonly onEnd: () => void) {}

  enter(name: string): Room {
    const room = this.connection.room(name);
    room.users += 1;
    return room;
  }

  /** Rooms and the connection itself end when the present task is over: who mounts anew in the meantime finds them as they were. */
  settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    queueMicrotask(() => {
      this.#settling = false;
      if (this.shares === 0) {
        this.onEnd();
        this.connection.close();
        return;
      }
      for (const room of [...this.connection.rooms.values()]) if (room.users === 0) this.connection.leave(room);
    });
  }
}

class Share implements Lease {
  readonly #shared: Shared;
  readonly #rooms = new Map<string, Room>();
  readonly #listeners = new Set<Listener>();
  #released = false;

  constructor(shared: Shared) {
    this.#shared = shared;
    shared.shares += 1;
  }

  get socket(): Redial {
    return this.#connection.socket;
  }

  get opened(): number {
    return this.#connection.opened;
  }

  get alias(): string | null {
    return this.#connection.alias;
  }

  get pending(): number {
    return this.#connection.pending;
  }

  get isDegraded(): boolean {
    return this.#connection.isDegraded;
  }

  get rooms(): readonly RoomView[] {
    return [...this.#rooms.values()].map((room) => room.view);
  }

  get messages(): readonly ChatMessage[] {
    const rooms = [...this.#rooms.values()].map(({ log }) => log.messages);
    const loose = this.#connection.loose.messages;
    if (rooms.length === 0) return loose;
    const [only] = rooms;
    if (rooms.length === 1 && only !== undefined && loose.length === 0) return only;
    // Pending ones stay last.
    const order = (message: ChatMessage): number => (message.status === 'delivered' ? message.at : Infinity);
    const all = [loose, ...rooms].flat();
    return all.sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b))).slice(-MESSAGES);
  }

  join(name: string): void {
    this.#check();
    if (this.#rooms.has(name)) return;
    this.#rooms.set(name, this.#shared.enter(name));
    this.#connection.changed('state');
  }

  leave(name: string): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    this.#rooms.delete(name);
    room.users -= 1;
    this.#shared.settle();
    this.#connection.changed('state');
  }

  send(data: Data, room: string | null = null): ChatMessage {
    this.#check();
    if (room === null) return this.#connection.sendLoose(data);
    if (typeof data !== 'string') throw new TypeError('a room is told texts only');
    return this.#connection.say(this.#room(room), data);
  }

  sendAgain(key: string): ChatMessage | undefined {
    this.#check();
    const logs = [this.#connection.loose, ...[...this.#rooms.values()].map(({ log }) => log)];
    const log = logs.find(({ messages }) => messages.some((message) => message.key === key));
    return log === undefined ? undefined : this.#connection.sendAgain(log, key);
  }

  typing(room: string): void {
    this.#check();
    this.#connection.typing(this.#room(room));
  }

  read(room: string, number?: number): void {
    this.#check();
    this.#connection.read(this.#room(room), number);
  }

  members(room: string): void {
    this.#check();
    this.#connection.ask({ type: 'members', room });
  }

  clear(room?: string | null): void {
    if (room === undefined || room === null) this.#connection.loose.clear();
    for (const [name, { log }] of this.#rooms) if (room === undefined || room === name) log.clear();
    this.#connection.changed('messages');
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#connection.listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#connection.listeners.delete(listener);
    };
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const room of this.#rooms.values()) room.users -= 1;
    for (const listener of this.#listeners) this.#connection.listeners.delete(listener);
    this.#rooms.clear();
    this.#listeners.clear();
    this.#shared.shares -= 1;
    this.#shared.settle();
  }

  get #connection(): Connection {
    return this.#shared.connection;
  }

  #room(name: string): Room {
    const room = this.#rooms.get(name);
    if (room === undefined) throw new RangeError(`the room ${JSON.stringify(name)} is not joined`);
    return room;
  }

  #check(): void {
    if (this.#released) throw new DOMException('this part of the page has given its connection back', 'InvalidStateError');
  }
}
