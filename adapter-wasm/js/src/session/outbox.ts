import { byteLength } from '../checks.js';
import type { QueueLimits } from '../types.js';

export type Data = string | Uint8Array;
/** A Blob has its place before it is read. */
export type Unread = Data | Blob;

interface Entry {
  /** 0: the session's own setup. It is no message of the page's. */
  id: number;
  data: Unread;
  /** In bytes; a text's in UTF-8. */
  length: number;
}

export const isRead = (data: Unread): data is Data => typeof data === 'string' || data instanceof Uint8Array;

const lengthOf = (data: Unread): number => {
  if (typeof data === 'string') return byteLength(data);
  return data instanceof Uint8Array ? data.length : data.size;
};

/** The messages that nobody has acknowledged: first those that were sent, then the rest of the setup, then those that were not sent. */
export class Outbox {
  readonly entries: Entry[] = [];
  bytes = 0;
  /** So many at the front have a number in the session: they were sent at least once. */
  sent = 0;
  /** So many behind them are setup. */
  setup = 0;
  /** So many at the front were sent on the present connection; no more than `sent`. */
  cursor = 0;
  private lastId = 0;
  private readonly limits: Required<QueueLimits>;

  constructor(limits: Required<QueueLimits>) {
    this.limits = limits;
  }

  /** Puts a message at the end, and answers its id; `dropped` gets those that made room for it. */
  push(data: Unread, dropped: (messages: Unread[]) => void): number {
    const { messages, bytes: most, overflow } = this.limits;
    const length = lengthOf(data);
    let after = this.bytes + length;
    const from = this.sent + this.setup;
    let count = 0;
    while (this.entries.length - count >= messages || after > most) {
      // What was sent may have arrived: it is not for us to drop.
      const oldest = this.entries[from + count];
      if (overflow === 'reject' || !oldest) {
        throw new DOMException('too much waits to be sent', 'QuotaExceededError');
      }
      after -= oldest.length;
      count++;
    }
    if (count) dropped(this.take(from, count));
    return this.add(data, length);
  }

  /** With no look at the limits. */
  add(data: Unread, length = lengthOf(data)): number {
    this.bytes += length;
    this.entries.push({ id: ++this.lastId, data, length });
    return this.lastId;
  }

  /** Setup goes before all that was not sent, and is not bounded: it is what makes the rest of use. */
  addSetup(data: Unread): void {
    const length = lengthOf(data);
    this.bytes += length;
    this.entries.splice(this.sent + this.setup++, 0, { id: 0, data, length });
  }

  /** What was not sent of the setup is of no use any more. */
  dropSetup(): void {
    this.take(this.sent, this.setup);
    this.setup = 0;
  }

  /** The one at the cursor is sent. */
  advance(): void {
    if (++this.cursor <= this.sent) return;
    this.sent++;
    if (this.setup) this.setup--;
  }

  /** A Blob has been read; or can't be, and is taken out. Answers whether it was. */
  fill(blob: Blob, data: Data | undefined): boolean {
    const found = this.entries.filter((entry) => entry.data === blob);
    for (const entry of found) {
      if (data) entry.data = data;
      else {
        const at = this.entries.indexOf(entry);
        this.take(at, 1);
        if (at < this.sent + this.setup) this.setup--;
      }
    }
    return !data && found.length > 0;
  }

  /** Takes out `count` from the front, or from behind those that were sent. Answers the page's own of them. */
  take(from: number, count: number): Unread[] {
    const taken = this.entries.splice(from, count);
    for (const { length } of taken) this.bytes -= length;
    if (!from) {
      this.sent = Math.max(0, this.sent - taken.length);
      this.cursor = Math.max(0, this.cursor - taken.length);
    }
    return taken.filter(({ id }) => id).map(({ data }) => data);
  }
}
