import type { ChatMessage, Change, Lease, RoomView } from '../rooms.js';
import type { Data, Notices, Phase, Quality, Redial, Status } from '../types.js';

/** What a component sees; a new object for each change. */
export interface Snapshot {
  /** `null` on the server, before the component is mounted, and without a URL. */
  readonly socket: Redial | null;
  readonly connectionState: Status;
  readonly phase: Phase;
  readonly rooms: readonly RoomView[];
  /** The last 100: of `room` if one was named, else of all that this component has to do with. */
  readonly messages: readonly ChatMessage[];
  /** `null` before the first sample, and where `enableConnectionQuality` is `false`. */
  readonly quality: Quality | null;
  readonly latency: number | null;
  readonly nextRetryAt: number | null;
  readonly attempt: number;
  /** Messages of the connection that wait, or that nobody has acknowledged. */
  readonly pending: number;
  readonly sessionId: string | null;
  readonly resumed: boolean;
  /** By what others know this page in its rooms. */
  readonly alias: string | null;
  /** Whether typing and receipts are left out, as the connection is poor or there is none. */
  readonly isDegraded: boolean;
}

/** What may be done; the same functions in every rendering. */
export interface Actions {
  joinRoom(room: string): void;
  leaveRoom(room: string): void;
  /**
   * Sends text (an object as JSON) to `room`, by default the hook's own; `null` for none: as it is. It is queued while there is no
   * connection. Throws what `send` throws, and an `InvalidStateError` before the component is mounted.
   */
  sendMessage(content: Data | object, room?: string | null): ChatMessage;
  /** Sends again what is `failed` or `inDoubt`. */
  resendMessage(key: string): ChatMessage | undefined;
  clearMessages(): void;
  /** Tells a room that somebody is writing here; no oftener than each two seconds, and not over a poor connection. */
  sendTyping(room?: string): void;
  /** Tells a room how far it is read: up to the last message, or to this number of its history. Not over a poor connection. */
  markRead(number?: number, room?: string): void;
  /** Asks who is in a room; its `members` change when the answer comes. */
  refreshMembers(room?: string): void;
  /** Dials now. */
  reconnect(): void;
}

export interface Callbacks {
  onMessage?: ((message: ChatMessage, event: MessageEvent) => void) | undefined;
  onReconnect?: ((detail: Notices['opened']) => void) | undefined;
  onConnectionQualityChange?: ((quality: Quality, latency: number | null) => void) | undefined;
}

/** Between one component and its share of a connection. */
export class Store implements Actions {
  room: string | undefined;
  watchesQuality = true;
  callbacks: Callbacks = {};
  #lease: Lease | undefined;
  #unsubscribe: (() => void) | undefined;
  #snapshot: Snapshot | undefined;
  #quality: Quality | null = null;
  #nextRetryAt: number | null = null;
  readonly #wanted = new Set<string>();
  readonly #listeners = new Set<() => void>();

  constructor(private readonly initial: Snapshot) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): Snapshot => (this.#snapshot ??= this.#take());

  readonly serverSnapshot = (): Snapshot => this.initial;

  attach(lease: Lease): void {
    this.#lease = lease;
    this.#quality = lease.socket.quality;
    this.#unsubscribe = lease.subscribe({
      onChange: (change) => this.#onChange(change),
      onMessage: (message, event) => this.#onMessage(message, event),
      onOpened: (detail) => {
        if (lease.opened > 1) this.callbacks.onReconnect?.(detail);
      },
    });
    for (const room of this.#wanted) lease.join(room);
    this.#changed();
  }

  detach(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#lease?.release();
    this.#lease = undefined;
    this.#changed();
  }

  /** What a rendering says about how it is to be shown. */
  show(room: string | undefined, watchesQuality: boolean): void {
    if (room === this.room && watchesQuality === this.watchesQuality) return;
    this.room = room;
    this.watchesQuality = watchesQuality;
    this.#changed();
  }

  readonly joinRoom = (room: string): void => {
    this.#wanted.add(room);
    this.#lease?.join(room);
  };

  readonly leaveRoom = (room: string): void => {
    this.#wanted.delete(room);
    this.#lease?.leave(room);
  };

  readonly sendMessage = (content: Data | object, room: string | null = this.room ?? null): ChatMessage =>
    this.#leased().send(isData(content) ? content : JSON.stringify(content), room);

  readonly resendMessage = (key: string): ChatMessage | undefined => this.#leased().sendAgain(key);

  readonly clearMessages = (): void => this.#lease?.clear(this.room);

  readonly sendTyping = (room: string | undefined = this.room): void => {
    if (room !== undefined) this.#lease?.typing(room);
  };

  readonly markRead = (number?: number, room: string | undefined = this.room): void => {
    if (room !== undefined) this.#lease?.read(room, number);
  };

  readonly refreshMembers = (room: string | undefined = this.room): void => {
    if (room !== undefined) this.#lease?.members(room);
  };

  readonly reconnect = (): void => this.#lease?.socket.reconnect();

  #leased(): Lease {
    if (this.#lease === undefined) throw new DOMException('there is no connection: the component is not mounted, or has no URL', 'InvalidStateError');
    return this.#lease;
  }

  #onChange(change: Change): void {
    const { quality, latency } = this.#lease?.socket ?? { quality: null, latency: null };
    if (this.watchesQuality || change !== 'health') this.#changed();
    if (!this.watchesQuality || quality === this.#quality) return;
    this.#quality = quality;
    // A new connection has none before its first sample.
    if (quality !== null) this.callbacks.onConnectionQualityChange?.(quality, latency);
  }

  #onMessage(message: ChatMessage, event: MessageEvent): void {
    const { room } = message;
    const isOurs = this.room === undefined ? room === null || this.#wanted.has(room) : room === this.room;
    if (isOurs) this.callbacks.onMessage?.(message, event);
  }

  #changed(): void {
    this.#snapshot = undefined;
    for (const listener of [...this.#listeners]) listener();
  }

  /** The same number for the same moment: a countdown is not to begin anew. */
  #steady(at: number | null): number | null {
    if (at === null || this.#nextRetryAt === null || Math.abs(at - this.#nextRetryAt) > SAME_MOMENT) this.#nextRetryAt = at;
    return this.#nextRetryAt;
  }

  #take(): Snapshot {
    const lease = this.#lease;
    if (lease === undefined) return this.initial;
    const { socket, rooms, pending, alias, isDegraded } = lease;
    const { status, phase, attempt, sessionId, resumed } = socket;
    const messages = this.room === undefined ? lease.messages : (rooms.find(({ name }) => name === this.room)?.messages ?? []);
    const nextRetryAt = this.#steady(socket.nextRetryAt);
    const quality = this.watchesQuality ? socket.quality : null;
    const latency = this.watchesQuality ? socket.latency : null;
    return { socket, connectionState: status, phase, rooms, messages, quality, latency, nextRetryAt, attempt, pending, sessionId, resumed, alias, isDegraded };
  }
}

/** Two readings of one moment by two clocks differ by less. */
const SAME_MOMENT = 50;

function isData(content: Data | object): content is Data {
  return (
    typeof content === 'string' ||
    content instanceof ArrayBuffer ||
    ArrayBuffer.isView(content) ||
    (typeof Blob !== 'undefined' && content instanceof Blob) ||
    (typeof SharedArrayBuffer !== 'undefined' && content instanceof SharedArrayBuffer)
  );
}
