// What is said on a connection, whatever protocol it speaks.

export interface Message {
  key: string;
  /** Who says it: `me`, an alias, or a name. */
  from: string;
  text: string;
  at: number;
  state: 'sent' | 'pending' | 'delivered' | 'doubtful' | 'received';
  /** An answer that comes in pieces: how many there are, and whether that is all. */
  pieces?: number;
  done?: boolean;
}

export interface TalkView {
  messages: readonly Message[];
  /** Aliases of those who are typing. */
  typing: readonly string[];
  /** How far others have read: by alias, the time of the last message. */
  read: Readonly<Record<string, number>>;
  members: number | null;
  /** Whether niceties pause because the connection is poor. */
  degraded: boolean;
  /** Whether an answer is under way. */
  answering: boolean;
}

/** So many messages are kept. */
export const HISTORY = 100;

export interface Talk {
  readonly view: TalkView;
  readonly subscribe: (listener: () => void) => () => void;
  send(text: string, raw: boolean): void;
  again(key: string): void;
  typing(): void;
  /** All that is there has been seen. */
  seen(): void;
  clear(): void;
  close(): void;
}

/** A view with listeners. */
export class Board {
  #listeners = new Set<() => void>();

  constructor(public view: TalkView) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  change(change: Partial<TalkView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.#listeners) listener();
  }

  add(message: Message): void {
    const messages = this.view.messages.filter((one) => one.key !== message.key);
    this.change({ messages: [...messages, message].slice(-HISTORY) });
  }

  find(key: string): Message | undefined {
    return this.view.messages.find((message) => message.key === key);
  }

  /** Changes the messages for which `change` has something to change. */
  map(change: (message: Message) => Partial<Message> | null | undefined): void {
    let changed = false;
    const messages = this.view.messages.map((message) => {
      const wanted = change(message);
      if (!wanted) return message;
      changed = true;
      return { ...message, ...wanted };
    });
    if (changed) this.change({ messages });
  }
}

export function blank(messages: readonly Message[]): TalkView {
  return { messages, typing: [], read: {}, members: null, degraded: false, answering: false };
}

/** Whether nobody has acknowledged it, and somebody may. */
export function waits({ state }: Message): boolean {
  return state === 'pending' || state === 'sent';
}

export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
