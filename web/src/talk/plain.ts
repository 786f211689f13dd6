// The plain protocol: JSON messages are counted for the session, everything else is echoed.
import type { Redial } from 'redial';
import { Board, blank, newId, waits, type Message, type Talk } from './talk';

export class PlainTalk implements Talk {
  readonly #board: Board;
  /** Keys of what has not been answered, in order. */
  #waiting: string[] = [];

  constructor(readonly socket: Redial, messages: readonly Message[]) {
    // What was under way when the page went is not answered any more.
    this.#board = new Board(blank(messages.map((one) => (waits(one) ? { ...one, state: 'doubtful' } : one))));
    socket.on('message', (event) => this.#receive(event.data));
    socket.on('opened', () => this.#board.map((one) => (one.state === 'pending' ? { state: 'sent' } : null)));
    socket.on('lost', () => {
      // Whether it came there nobody knows.
      this.#board.map((one) => (one.state === 'sent' ? { state: 'doubtful' } : null));
      this.#waiting = this.#waiting.filter((key) => this.#board.find(key)?.state === 'pending');
    });
  }

  get view() {
    return this.#board.view;
  }

  get subscribe() {
    return this.#board.subscribe;
  }

  send(text: string, raw: boolean): void {
    this.#post(newId(), text, raw);
  }

  again(key: string): void {
    const message = this.#board.find(key);
    if (message) this.#post(key, message.text, false);
  }

  #post(key: string, text: string, raw: boolean): void {
    const open = this.socket.status === 'open';
    this.socket.send(raw ? text : JSON.stringify({ message: text }));
    this.#waiting.push(key);
    this.#board.add({ key, from: 'me', text, at: Date.now(), state: open ? 'sent' : 'pending' });
  }

  #receive(data: unknown): void {
    const text = typeof data === 'string' ? data : 'Some bytes';
    const key = this.#waiting.shift();
    if (key !== undefined) this.#board.map((one) => (one.key === key ? { state: 'delivered' } : null));
    this.#board.add({ key: newId(), from: 'server', text: said(text), at: Date.now(), state: 'received' });
  }

  typing(): void {}
  seen(): void {}

  clear(): void {
    this.#board.change({ messages: this.view.messages.filter(waits) });
  }

  close(): void {}
}

/** A counted answer in words; everything else as it is. */
function said(text: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null && 'count' in answer && 'message' in answer) {
      const { count, message } = answer;
      return `#${String(count)}: ${typeof message === 'string' ? message : JSON.stringify(message)}`;
    }
  } catch {
    // No JSON.
  }
  return text;
}
