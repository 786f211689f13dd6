import type { Data } from '../types.js';
import { checked, type Past, type Piece } from './protocol.js';

/** A message as a page shows it. Never changed: what happens to it makes a new one with the same `key`. */
export interface ChatMessage {
  /** Its own within the page. */
  readonly key: string;
  /** `null` for what belongs to no room. */
  readonly room: string | null;
  /** What was said, or all of the message where it is none of a room's. */
  readonly text: string;
  /** As it was sent or came. */
  readonly data: unknown;
  readonly mine: boolean;
  /** Who said it; `null` where that is not known. */
  readonly alias: string | null;
  readonly user: string | null;
  /** By the server's clock once the server has it; milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  /** Its number in the room's history, where that is known. */
  readonly number: number | null;
  /**
   * `pending`: waits, or nobody has acknowledged it. `inDoubt`: its session was lost before it was acknowledged.
   * `failed`: it was never delivered. Whatever came from others is `delivered`; an answer in pieces once the last is there.
   */
  readonly status: 'pending' | 'delivered' | 'inDoubt' | 'failed';
}

/** What a room's message says, apart from where it stands. */
export type Said = Pick<ChatMessage, 'text' | 'alias' | 'user' | 'at' | 'number'>;

interface Own {
  id: number;
  data: Data;
}

let keys = 0;

/** The last messages of a room, or of no room: what the server has in its order, then what is on its way. */
export class Log {
  #messages: readonly ChatMessage[] = [];
  /** Of the page's own messages those that wait for something, by key. */
  readonly #own = new Map<string, Own>();
  /** Answers that are still coming: their messages' keys, and the piece that is next. */
  readonly #answers = new Map<string, { key: string; next: number }>();
  /** Up to here a person has cleared it, by the server's clock. */
  #clearedUpTo = -Infinity;

  constructor(readonly room: string | null, readonly limit: number) {}

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** The highest number known. */
  get newest(): number | null {
    return this.#messages.reduce<number | null>((most, { number }) => (number === null || (most !== null && most > number) ? most : number), null);
  }

  /** Whether the server's last message has a number. */
  get isNumbered(): boolean {
    const last = this.#messages[this.#end() - 1];
    return last === undefined || last.number !== null;
  }

  sent(id: number, data: Data, text: string, { alias, user }: { alias: string | null; user: string | null }): ChatMessage {
    const message = this.#make({ text, alias, user, at: Date.now(), number: null }, data, true, 'pending');
    this.#own.set(message.key, { id, data });
    this.#set([...this.#messages, message]);
    return message;
  }

  /** What was held back is on its way. */
  posted(key: string, id: number): void {
    const own = this.#own.get(key);
    if (own !== undefined) own.id = id;
  }

  /** What came and is nobody's echo. */
  received(said: Said, data: unknown, mine: boolean): ChatMessage {
    const message = this.#make(said, data, mine, 'delivered');
    this.#insert(message, this.room === null ? this.#messages.length : this.#end());
    return message;
  }

  /** A part of an answer: pending until the last has come, and then answered. */
  answered({ alias, id, piece, text, last }: Piece, data: unknown): ChatMessage | undefined {
    const question = JSON.stringify([alias, id]);
    const coming = this.#answers.get(question);
    let message = coming === undefined ? undefined : this.#find(coming.key);
    // Questions without an id have one name: where another answer begins, that one ends.
    const begins = piece === 0 && id === '';
    if (message !== undefined && begins) this.#replace(message, { ...message, status: 'failed' });
    if (message === undefined || begins) message = this.received({ text: '', alias, user: null, at: Date.now(), number: null }, data, false);
    else if (piece < (coming?.next ?? 0)) return undefined;
    const grown = { ...message, text: message.text + text, status: last ? ('delivered' as const) : ('pending' as const) };
    this.#replace(message, grown);
    if (last) this.#answers.delete(question);
    else this.#answers.set(question, { key: message.key, next: piece + 1 });
    return last ? grown : undefined;
  }

  /** Whether one of the page's own messages has come back; it takes its place among those that the server has. */
  echoed(said: Said): boolean {
    const message = this.#messages.find(({ key, text, status }) => this.#own.has(key) && text === said.text && status !== 'failed');
    if (message === undefined) return false;
    this.#own.delete(message.key);
    this.#messages = this.#messages.filter((other) => other !== message);
    this.#insert({ ...message, ...said, status: 'delivered' }, this.#place(said.at));
    return true;
  }

  /** A page of the room's history: what was missed is put in, what is known gets its number. */
  past(page: readonly Past[], isMine: (alias: string) => boolean): void {
    for (const { number, message } of page) {
      const told = checked(message);
      if (told?.type !== 'message' || told.at <= this.#clearedUpTo) continue;
      const { alias, user, text, at } = told;
      const said = { text, alias, user, at, number };
      const known = this.#messages.find((other) => other.at === at && other.alias === alias && other.text === text);
      if (known !== undefined) this.#replace(known, { ...known, number });
      else if (!isMine(alias) || !this.echoed(said)) this.#insert(this.#make(said, told, isMine(alias), 'delivered'), this.#place(at));
    }
  }

  /** The server has what was posted up to this id. */
  delivered(upTo: number): boolean {
    let changed = false;
    for (const [key, own] of [...this.#own]) {
      const message = this.#find(key);
      if (own.id > upTo || message?.status !== 'pending') continue;
      this.#replace(message, { ...message, status: 'delivered' });
      // In a room it is still to come back.
      if (this.room === null) this.#own.delete(key);
      changed = true;
    }
    return changed;
  }

  /** One of the page's own messages has come to nothing, or nobody knows. */
  ended(data: Data, status: 'inDoubt' | 'failed'): boolean {
    for (const [key, own] of this.#own) {
      const message = this.#find(key);
      if (message?.status !== 'pending' || !isSame(own.data, data)) continue;
      this.#replace(message, { ...message, status });
      return true;
    }
    return false;
  }

  /** Takes out what is to be sent again: its data. */
  takeUndelivered(key: string): Data | undefined {
    const message = this.#find(key);
    const own = this.#own.get(key);
    if (message === undefined || own === undefined || message.status === 'pending' || message.status === 'delivered') return undefined;
    this.#own.delete(key);
    this.#set(this.#messages.filter((other) => other !== message));
    return own.data;
  }

  /** The page has learnt by what it is known. */
  own(alias: string): void {
    for (const message of this.#messages) if (message.alias === alias && !message.mine) this.#replace(message, { ...message, mine: true });
  }

  /** A server that has lost its sessions may have lost its rooms, too, and counts anew. */
  forgetNumbers(): void {
    this.#messages = this.#messages.map((message) => (message.number === null ? message : { ...message, number: null }));
  }

  clear(): void {
    for (const { key, at } of this.#messages) if (!this.#own.has(key)) this.#clearedUpTo = Math.max(this.#clearedUpTo, at);
    this.#set([]);
  }

  #make(said: Said, data: unknown, mine: boolean, status: ChatMessage['status']): ChatMessage {
    keys += 1;
    return { key: `message-${keys}`, room: this.room, data, mine, status, ...said };
  }

  #find(key: string): ChatMessage | undefined {
    return this.#messages.find((message) => message.key === key);
  }

  /** Behind what the server has. */
  #end(): number {
    let end = this.#messages.length;
    while (end > 0 && this.#own.has(this.#messages[end - 1]?.key ?? '')) end -= 1;
    return end;
  }

  #place(at: number): number {
    let place = this.#end();
    while (place > 0 && (this.#messages[place - 1]?.at ?? 0) > at) place -= 1;
    return place;
  }

  #insert(message: ChatMessage, place: number): void {
    this.#set([...this.#messages.slice(0, place), message, ...this.#messages.slice(place)]);
  }

  #replace(old: ChatMessage, message: ChatMessage): void {
    this.#messages = this.#messages.map((other) => (other === old ? message : other));
  }

  #set(messages: readonly ChatMessage[]): void {
    this.#messages = messages.slice(-this.limit);
    if (this.#own.size === 0) return;
    const kept = new Set(this.#messages.map(({ key }) => key));
    for (const key of this.#own.keys()) if (!kept.has(key)) this.#own.delete(key);
  }
}

/** A session gives bytes back as a copy. */
function isSame(a: Data, b: Data): boolean {
  return a === b || (typeof a !== 'string' && typeof b !== 'string');
}
