import { byteLength } from '../checks.js';
import type { QueueLimits } from '../types.js';

export type Data = string | Uint8Array;

interface Entry {
  id: number;
  data: Data;
  /** In bytes; a text's in UTF-8. */
  length: number;
}

const lengthOf = (data: Data): number => (typeof data === 'string' ? byteLength(data) : data.length);

/** The messages that nobody has acknowledged: first those that were sent, then those that were not. */
export class Outbox {
  readonly entries: Entry[] = [];
  bytes = 0;
  /** So many at the front have a number in the session: they were sent at least once. */
  sent = 0;
  /** So many at the front were sent on the present connection; no more than `sent`. */
  cursor = 0;
  private lastId = 0;
  private readonly limits: Required<QueueLimits>;

  constructor(limits: Required<QueueLimits>) {
    this.limits = limits;
  }

  /** Puts a message at the end, and answers its id; `dropped` gets those that made room for it. */
  push(data: Data, dropped: (messages: Data[]) => void): number {
    const { messages, bytes: most, overflow } = this.limits;
    const length = lengthOf(data);
    let after = this.bytes + length;
    let count = 0;
    while (this.entries.length - count >= messages || after > most) {
      // What was sent may have arrived: it is not for us to drop.
      const oldest = this.entries[this.sent + count];
      if (overflow === 'reject' || !oldest) {
        throw new DOMException('too much waits to be sent', 'QuotaExceededError');
      }
      after -= oldest.length;
      count++;
    }
    if (count) dropped(this.take(this.sent, count));
    return this.add(data, length);
  }

  /** With no look at the limits. */
  add(data: Data, length = lengthOf(data)): number {
    this.bytes += length;
    this.entries.push({ id: ++this.lastId, data, length });
    return this.lastId;
  }

  /** Takes out `count` from the front, or from behind those that were sent. */
  take(from: number, count: number): Data[] {
    const taken = this.entries.splice(from, count);
    for (const { length } of taken) this.bytes -= length;
    if (!from) {
      this.sent = Math.max(0, this.sent - taken.length);
      this.cursor = Math.max(0, this.cursor - taken.length);
    }
    return taken.map(({ data }) => data);
  }
}
