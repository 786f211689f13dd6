// A room over redial.v1: nothing that is written gets lost, whatever the connection does.
import type { Redial } from 'redial';
import type { Monitor } from '../line/monitor';
import { told, type Told } from './protocol';
import { Board, blank, HISTORY, newId, waits, type Message, type Talk } from './talk';

/** Between two questions who is here; the second one where the connection is poor. */
const PRESENCE_MS = 5_000;
const SLOW_PRESENCE_MS = 20_000;
/** How long somebody is taken to type on after having said so, and how often that is said. */
const TYPING_MS = 4_000;
const TYPING_EVERY_MS = 2_000;
/** An answer that has stood still for so long on an open connection is asked for again. */
const STALLED_MS = 3_000;

export class RoomTalk implements Talk {
  readonly #board: Board;
  readonly #typists = new Map<string, ReturnType<typeof setTimeout>>();
  /** Messages without a receipt: their numbers in the session. */
  readonly #posted = new Map<string, number>();
  /** Those of the page's earlier life: their numbers are not known any more. */
  readonly #restored: Set<string>;
  #me = '';
  #typedAt = 0;
  #readUpTo = 0;
  #presence: ReturnType<typeof setTimeout> | undefined;
  #stalled: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly socket: Redial, readonly monitor: Monitor, readonly room: string, messages: readonly Message[]) {
    this.#board = new Board(blank(messages));
    this.#restored = new Set(messages.filter(waits).map((one) => one.key));
    socket.on('message', (event) => this.#receive(event.data));
    socket.on('delivered', ({ upTo }) => this.#delivered(upTo));
    socket.on('sessionStarted', () => this.#begin());
    socket.on('sessionResumed', () => this.#ask({ type: 'who' }));
    socket.on('sessionLost', ({ messages }) => this.#doubt(messages));
    socket.on('undelivered', ({ messages }) => this.#doubt(messages));
    socket.on('qualityChanged', () => this.#degrade());
    socket.on('opened', () => {
      this.#heartbeat();
      this.#watch();
    });
    socket.on('lost', () => this.#pause());
  }

  get view() {
    return this.#board.view;
  }

  get subscribe() {
    return this.#board.subscribe;
  }

  /** A session has neither rooms nor a past when it begins. */
  #begin(): void {
    this.#ask({ type: 'join' });
    this.#ask({ type: 'who' });
    this.#ask({ type: 'history', limit: HISTORY });
    this.#ask({ type: 'members' });
  }

  #ask(what: Record<string, unknown>): void {
    this.socket.send(JSON.stringify({ ...what, room: this.room }));
  }

  send(text: string): void {
    this.#post(newId(), text);
  }

  again(key: string): void {
    const message = this.#board.find(key);
    if (message) this.#post(key, message.text);
  }

  #post(key: string, text: string): void {
    const number = this.socket.post(JSON.stringify({ type: 'message', room: this.room, text, id: key }));
    this.#posted.set(key, number);
    const state = this.socket.status === 'open' ? 'sent' : 'pending';
    this.#board.add({ key, from: 'me', text, at: Date.now(), state });
  }

  #delivered(upTo: number): void {
    for (const [key, number] of this.#posted) {
      if (number <= upTo) this.#posted.delete(key);
    }
    if (this.socket.pending === 0) this.#restored.clear();
    const open = (key: string) => this.#posted.has(key) || this.#restored.has(key);
    this.#board.map((one) => (waits(one) && !open(one.key) ? { state: 'delivered' } : null));
    this.#watch();
  }

  /** Nobody knows whether these have arrived. Others that wait go on to the next session. */
  #doubt(messages: readonly unknown[]): void {
    for (const message of messages) {
      const said = told(message);
      const key = said?.type === 'message' ? said.id : undefined;
      if (key === undefined) continue;
      this.#posted.delete(key);
      this.#restored.delete(key);
      this.#board.map((one) => (one.key === key && waits(one) ? { state: 'doubtful' } : null));
    }
  }

  #receive(data: unknown): void {
    const said = told(data);
    if (said === null) {
      const text = typeof data === 'string' ? data : 'Some bytes';
      this.#board.add({ key: newId(), from: 'server', text, at: Date.now(), state: 'received' });
    } else if (!('room' in said) || said.room === this.room) {
      this.#told(said);
    }
  }

  #told(said: Told): void {
    switch (said.type) {
      case 'you':
        this.#me = said.you.alias;
        break;
      case 'joined':
      case 'left':
        this.#ask({ type: 'members' });
        break;
      case 'members':
        this.#board.change({ members: said.members.filter((one) => one.connected).length + (said.more ?? 0) });
        break;
      case 'typing':
        this.#types(said.alias);
        break;
      case 'read':
        this.#board.change({ read: { ...this.view.read, [said.alias]: Math.max(said.number, this.view.read[said.alias] ?? 0) } });
        break;
      case 'message':
        this.#said(said);
        break;
      case 'piece':
        this.#piece(said);
        break;
      case 'history':
        for (const { message } of said.messages) {
          const past = told(JSON.stringify(message ?? null));
          if (past?.type === 'message') this.#said(past);
        }
        this.#board.change({ messages: this.view.messages.toSorted((a, b) => a.at - b.at) });
        break;
      case 'error':
        this.#board.add({ key: newId(), from: 'server', text: said.reason, at: Date.now(), state: 'received' });
        break;
    }
  }

  #said(said: Extract<Told, { type: 'message' }>): void {
    const key = said.id ?? `${said.alias} ${said.at} ${said.text}`;
    const known = this.#board.find(key);
    if (known) {
      // The server's time is everybody's.
      const state = waits(known) || known.state === 'doubtful' ? { state: 'delivered' as const } : {};
      this.#board.map((one) => (one.key === key ? { at: said.at, ...state } : null));
      return;
    }
    this.#typed(said.alias);
    const mine = said.alias === this.#me;
    this.#board.add({ key, from: mine ? 'me' : said.alias, text: said.text, at: said.at, state: mine ? 'delivered' : 'received' });
  }

  #piece(said: Extract<Told, { type: 'piece' }>): void {
    const key = `answer ${said.id}`;
    const known = this.#board.find(key);
    const pieces = known?.pieces ?? 0;
    // A piece may come twice, and none is left out.
    if (said.piece !== pieces) return;
    const message: Message = {
      key, from: said.alias, text: (known?.text ?? '') + said.text, at: known?.at ?? Date.now(), state: 'received',
      pieces: pieces + 1, done: said.last,
    };
    if (known) this.#board.map((one) => (one.key === key ? message : null));
    else this.#board.add(message);
    this.#watch();
  }

  /** The questions whose answers are not complete. */
  #unanswered(): Message[] {
    if (this.room === 'general-chat') return [];
    const mine = this.view.messages.filter((one) => one.from === 'me' && one.state === 'delivered');
    return mine.filter((one) => this.#board.find(`answer ${one.key}`)?.done !== true);
  }

  /** While an answer is under way the server may think: its silence is no death. And a server that died meanwhile is reminded. */
  #watch(): void {
    clearTimeout(this.#stalled);
    const unanswered = this.#unanswered();
    const answering = unanswered.length > 0;
    if (answering !== this.view.answering) {
      this.socket.busy(answering);
      this.#board.change({ answering });
    }
    if (answering) this.#stalled = setTimeout(() => this.#remind(), STALLED_MS);
  }

  #remind(): void {
    if (this.socket.status === 'open') {
      for (const { key, text } of this.#unanswered()) {
        this.#ask({ type: 'continue', id: key, text, from: this.#board.find(`answer ${key}`)?.pieces ?? 0 });
      }
      this.#watch();
    }
  }

  typing(): void {
    const now = Date.now();
    if (this.view.degraded || this.socket.status !== 'open' || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#ask({ type: 'typing' });
  }

  #types(alias: string): void {
    clearTimeout(this.#typists.get(alias));
    this.#typists.set(alias, setTimeout(() => this.#typed(alias), TYPING_MS));
    this.#board.change({ typing: [...this.#typists.keys()] });
  }

  #typed(alias: string): void {
    clearTimeout(this.#typists.get(alias));
    if (this.#typists.delete(alias)) this.#board.change({ typing: [...this.#typists.keys()] });
  }

  /** A receipt names the time of the last message that has been seen. */
  seen(): void {
    const last = this.view.messages.findLast((one) => one.from !== 'me' && one.state === 'received' && one.pieces === undefined);
    if (!last || last.at <= this.#readUpTo || this.view.degraded || this.socket.status !== 'open') return;
    this.#readUpTo = last.at;
    this.#ask({ type: 'read', number: last.at });
  }

  #degrade(): void {
    queueMicrotask(() => {
      const { quality, status } = this.socket;
      const degraded = status === 'open' && (quality === 'poor' || quality === 'disconnected');
      if (degraded === this.view.degraded) return;
      this.#board.change({ degraded });
      const every = `heartbeats every ${(degraded ? SLOW_PRESENCE_MS : PRESENCE_MS) / 1000} s`;
      this.monitor.log(degraded ? `Poor connection: niceties pause, ${every}` : `Good connection again: ${every}`);
      this.#heartbeat();
    });
  }

  /** Who is here, now and then. */
  #heartbeat(): void {
    clearTimeout(this.#presence);
    this.#presence = setTimeout(() => {
      if (this.socket.status !== 'open') return;
      this.#ask({ type: 'members' });
      this.#heartbeat();
    }, this.view.degraded ? SLOW_PRESENCE_MS : PRESENCE_MS);
  }

  #pause(): void {
    clearTimeout(this.#presence);
    for (const alias of [...this.#typists.keys()]) this.#typed(alias);
    this.#board.change({ degraded: false, members: null });
  }

  clear(): void {
    this.#board.change({ messages: this.view.messages.filter(waits) });
    this.#watch();
  }

  close(): void {
    clearTimeout(this.#presence);
    clearTimeout(this.#stalled);
    for (const timer of this.#typists.values()) clearTimeout(timer);
  }
}
