import type { Data, Notices, Redial } from '../types.js';
import { Log, type ChatMessage } from './log.js';
import { fromChat, type FromChat, type ToChat, type Who } from './protocol.js';
import { Room } from './room.js';

/** What has changed; a listener may care for less than all of it. */
export type Change = 'state' | 'health' | 'messages';

export interface Listener {
  onChange(change: Change): void;
  onMessage?(message: ChatMessage, event: MessageEvent): void;
  onOpened?(detail: Notices['opened']): void;
}

/** Messages that are kept of each room. */
export const MESSAGES = 100;
/** So often a page says at most that somebody is writing: half of the time that others show it. */
const TYPING_SAID = 2000;
/** As many messages as a socket keeps. */
const HELD = 1024;
/** How long to look away from a queue that is being written. */
const WRITTEN_AGAIN = 20;

/** One socket and its rooms, for all parts of a page. */
export class Connection {
  readonly rooms = new Map<string, Room>();
  readonly loose = new Log(null, MESSAGES);
  readonly listeners = new Set<Listener>();
  readonly socket: Redial;
  /** How often it has opened. */
  opened = 0;
  /** By what others know this page; `null` before the server has said so. */
  alias: string | null = null;
  user: string | null = null;
  /** That, and what it was in sessions that were lost. */
  readonly #aliases = new Set<string>();
  /** To be left as soon as the server can be told: their session goes on without a connection. */
  readonly #toLeave = new Set<string>();
  /** Whether the rooms have been set up on the present connection. */
  #isSetUp = false;
  /** Of what was posted last. */
  #lastId = 0;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  #writtenTimer: ReturnType<typeof setTimeout> | undefined;
  #unlisten: (() => void)[] = [];

  constructor(open: (setUp: (send: (data: Data) => void) => void) => Redial) {
    this.socket = open((send) => this.#setUp(send));
    this.#listen();
  }

  /** Whether what may be left out is left out. */
  get isDegraded(): boolean {
    const { status, quality } = this.socket;
    return status !== 'open' || quality === 'poor' || quality === 'disconnected';
  }

  room(name: string): Room {
    const known = this.rooms.get(name);
    if (known !== undefined) return known;
    const room = new Room(name, MESSAGES);
    this.rooms.set(name, room);
    // It may still be in it, as the server sees it: joining again does no harm.
    this.#toLeave.delete(name);
    if (this.#isSetUp) this.#enter(room, (message) => this.#tell(message));
    return room;
  }

  leave(room: Room): void {
    this.rooms.delete(room.name);
    if (!room.asked) return;
    if (this.#isSetUp) this.#tell({ type: 'leave', room: room.name });
    else this.#toLeave.add(room.name);
  }

  /** Messages of the page that wait, or that nobody has acknowledged. */
  get pending(): number {
    return [...this.rooms.values()].reduce((sum, { held }) => sum + held.length, this.socket.pending);
  }

  say(room: Room, text: string): ChatMessage {
    const data = JSON.stringify({ type: 'message', room: room.name, text } satisfies ToChat);
    if (room.asked || this.socket.phase === 'closed') return this.#post(room.log, data, text);
    // It would be said before the room is joined, and nothing of it heard.
    if (room.held.length >= HELD) throw new DOMException('too much waits to be sent', 'QuotaExceededError');
    const message = room.log.sent(Infinity, data, text, this);
    room.held.push({ key: message.key, data });
    this.changed('messages');
    return message;
  }

  sendLoose(data: Data): ChatMessage {
    return this.#post(this.loose, data, textOf(data));
  }

  sendAgain(log: Log, key: string): ChatMessage | undefined {
    const message = log.messages.find((other) => other.key === key);
    const data = log.takeUndelivered(key);
    return message === undefined || data === undefined ? undefined : this.#post(log, data, message.text);
  }

  typing(room: Room): void {
    const now = Date.now();
    if (this.isDegraded || !this.#isSetUp || now - room.toldTyping < TYPING_SAID) return;
    room.toldTyping = now;
    this.#tell({ type: 'typing', room: room.name });
  }

  /** That everything up to this number is read; without one: all that there is. */
  read(room: Room, number?: number): void {
    if (this.isDegraded || !this.#isSetUp) return;
    const newest = number ?? room.log.newest;
    if (number === undefined && !room.log.isNumbered) {
      room.readWanted = true;
      this.#learnNumbers(room);
    } else if (newest !== null) this.#tell({ type: 'read', room: room.name, number: newest });
  }

  ask(message: ToChat): void {
    if (this.#isSetUp) this.#tell(message);
  }

  /** Tells everybody that something has changed. */
  changed(change: Change): void {
    this.#each((listener) => listener.onChange(change));
  }

  /** The end: nothing is left behind. */
  close(): void {
    for (const unlisten of this.#unlisten) unlisten();
    this.#unlisten = [];
    clearTimeout(this.#typingTimer);
    clearTimeout(this.#writtenTimer);
    this.socket.close();
  }

  #listen(): void {
    const { socket } = this;
    const listen = (type: string, listener: (event: Event) => void): void => {
      socket.addEventListener(type, listener);
      this.#unlisten.push(() => socket.removeEventListener(type, listener));
    };
    const on = <K extends keyof Notices>(type: K, listener: (detail: Notices[K]) => void): void => {
      socket.on(type, listener as never);
      this.#unlisten.push(() => socket.off(type, listener as never));
    };
    const state = (): void => this.changed('state');
    listen('message', (event) => this.#onMessage(event as MessageEvent));
    listen('close', () => {
      this.#isSetUp = false;
      state();
    });
    on('opened', (detail) => {
      this.opened += 1;
      // Where the socket did not ask for it.
      if (!this.#isSetUp) this.#setUp((data) => (this.#lastId = this.socket.post(data)));
      this.#onWritten();
      state();
      this.#each((listener) => listener.onOpened?.(detail));
    });
    on('phase', ({ to }) => {
      if (to === 'closed') this.#onEnd();
      state();
    });
    for (const type of ['retryScheduled', 'attemptFailed', 'lost', 'gaveUp', 'sessionStarted', 'sessionResumed', 'stable'] as const) on(type, state);
    on('healthCheck', () => {
      this.#onWritten();
      this.changed('health');
    });
    on('qualityChanged', () => this.changed('health'));
    on('delivered', ({ upTo }) => this.#onDelivered(upTo));
    on('sessionLost', ({ messages }) => {
      // What is said from here on is said in rooms that the next session has to join first.
      for (const room of this.rooms.values()) room.onSessionEnd();
      this.#onEnded(messages, 'inDoubt');
    });
    on('undelivered', ({ messages }) => this.#onEnded(messages, 'failed'));
  }

  /** On each connection or new session, before anything that waits is sent; of a session that goes on, when it is open. */
  #setUp(send: (data: Data) => void): void {
    const { resumed } = this.socket;
    const tell = (message: ToChat): void => send(JSON.stringify(message));
    if (!resumed) {
      this.alias = null;
      this.#toLeave.clear();
      for (const room of this.rooms.values()) room.onSessionEnd();
    }
    this.#isSetUp = true;
    for (const name of this.#toLeave) tell({ type: 'leave', room: name });
    this.#toLeave.clear();
    for (const room of this.rooms.values()) this.#enter(room, tell);
    this.changed('state');
  }

  #enter(room: Room, tell: (message: ToChat) => void): void {
    if (this.alias === null && this.#isFirst(room)) tell({ type: 'who' });
    if (room.asked) return;
    room.asked = true;
    tell({ type: 'join', room: room.name });
    for (const { key, data } of room.held.splice(0)) room.log.posted(key, (this.#lastId = this.socket.post(data)));
  }

  /** One question is enough. */
  #isFirst(room: Room): boolean {
    return this.rooms.values().next().value === room;
  }

  #tell(message: ToChat): void {
    this.#lastId = this.socket.post(JSON.stringify(message));
  }

  #post(log: Log, data: Data, text: string): ChatMessage {
    const id = (this.#lastId = this.socket.post(data));
    const message = log.sent(id, data, text, this);
    // As the standard says, what is sent to a socket that has ended is gone.
    if (this.socket.phase === 'closed') log.ended(data, 'failed');
    this.#onWritten();
    this.changed('messages');
    return message;
  }

  /** Without a session nobody acknowledges anything: what is written counts as delivered. */
  #onWritten(): void {
    const { socket } = this;
    clearTimeout(this.#writtenTimer);
    if (socket.sessionId !== null || socket.status !== 'open') return;
    this.#onDelivered(this.#lastId - socket.pending);
    // The rest is written later, and nothing tells when.
    if (socket.pending > 0) this.#writtenTimer = setTimeout(() => this.#onWritten(), WRITTEN_AGAIN);
  }

  #onDelivered(upTo: number): void {
    let changed = false;
    for (const log of this.#logs()) changed = log.delivered(upTo) || changed;
    if (changed) this.changed('messages');
  }

  #onEnded(messages: readonly Data[], status: 'inDoubt' | 'failed'): void {
    const logs = [...this.#logs()];
    for (const data of messages) logs.some((log) => log.ended(data, status));
    this.changed('messages');
  }

  /** What was held back will not be sent any more. */
  #onEnd(): void {
    for (const { held, log } of this.rooms.values()) for (const { data } of held.splice(0)) log.ended(data, 'failed');
  }

  #logs(): Log[] {
    return [this.loose, ...[...this.rooms.values()].map(({ log }) => log)];
  }

  #onMessage(event: MessageEvent): void {
    this.#onWritten();
    const told = fromChat(event.data);
    const message = told === undefined ? this.#onLoose(event.data) : this.#onTold(told, event.data);
    this.changed('messages');
    if (message !== undefined) this.#each((listener) => listener.onMessage?.(message, event));
  }

  /** One listener's error is not the others'. */
  #each(tell: (listener: Listener) => void): void {
    for (const listener of [...this.listeners]) {
      try {
        tell(listener);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #onLoose(data: unknown): ChatMessage {
    return this.loose.received({ text: textOf(data), alias: null, user: null, at: Date.now(), number: null }, data, false);
  }

  #onTold(told: FromChat, data: unknown): ChatMessage | undefined {
    if (told.type === 'you') return void this.#onYou(told.you);
    if (told.type === 'error') return this.#onLoose(data);
    const room = this.rooms.get(told.room);
    if (room === undefined) return undefined;
    const isMine = (alias: string): boolean => this.#aliases.has(alias);
    switch (told.type) {
      case 'joined':
        return void this.#onJoined(room, told);
      case 'left':
        return void room.onLeft(told, told.alias === this.alias);
      case 'typing':
        room.onTyping(told, Date.now());
        return void this.#watchTyping();
      case 'piece':
        return room.log.answered(told, data);
      case 'read':
        room.onRead(told, told.number);
        if (told.number > (room.log.newest ?? 0)) this.#learnNumbers(room);
        return undefined;
      case 'members':
        return void room.onMembers(told.members);
      case 'history':
        room.log.past(told.messages, isMine);
        return void this.#onNumbers(room);
      case 'message': {
        const { text, alias, user, at } = told;
        const said = { text, alias, user, at, number: null };
        room.onSaid(told);
        return isMine(alias) && room.log.echoed(said) ? undefined : room.log.received(said, data, isMine(alias));
      }
    }
  }

  #onJoined(room: Room, who: Who): void {
    const isMine = who.alias === this.alias;
    room.onJoined(who, isMine);
    if (!isMine) return;
    // Only now: asked together with the join, the server may look before anything of it is stored.
    this.#tell({ type: 'members', room: room.name });
    this.#learnNumbers(room);
  }

  #onYou({ alias, user }: Who): void {
    this.alias = alias;
    this.user = user;
    this.#aliases.add(alias);
    for (const room of this.rooms.values()) room.log.own(alias);
  }

  /** Live messages come without their numbers, and some came while nobody was there. */
  #learnNumbers(room: Room): void {
    if (room.learning) return;
    room.learning = true;
    this.#tell({ type: 'history', room: room.name, limit: MESSAGES });
  }

  #onNumbers(room: Room): void {
    room.learning = false;
    if (!room.readWanted) return;
    room.readWanted = false;
    if (room.log.newest !== null && !this.isDegraded) this.#tell({ type: 'read', room: room.name, number: room.log.newest });
  }

  /** One timer for all who are writing. */
  #watchTyping(): void {
    clearTimeout(this.#typingTimer);
    const next = Math.min(...[...this.rooms.values()].map(({ typingEnds }) => typingEnds));
    if (next === Infinity) return;
    this.#typingTimer = setTimeout(() => {
      const now = Date.now();
      for (const room of this.rooms.values()) room.endTyping(now);
      this.#watchTyping();
      this.changed('state');
    }, Math.max(0, next - Date.now()));
  }
}

/** Bytes are shown by how many they are. */
function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  const size = data instanceof Blob ? data.size : ((data as ArrayBuffer | ArrayBufferView).byteLength ?? 0);
  return `[${size} bytes]`;
}
