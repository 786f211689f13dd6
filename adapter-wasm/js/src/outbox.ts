import { byteLength } from './checks.js';
import type { Data, QueueLimits } from './types.js';

/** How many bytes a message has. */
export function sizeOf(data: Data): number {
  return typeof data == 'string' ? byteLength(data) : data instanceof Blob ? data.size : data.byteLength;
}

/** As the standard's `send` takes it: what is no data is a text. A buffer is copied, because the page may write into it later. */
export function keep(data: Data): Data {
  if (data instanceof Blob) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return data instanceof ArrayBuffer || /SharedArrayBuffer/.test(Object.prototype.toString.call(data)) ? data.slice(0) : String(data);
}

export function noRoom(): DOMException {
  return new DOMException('The queue of messages that wait for a connection is full.', 'QuotaExceededError');
}

/** What waits for a connection, within bounds. */
export class Outbox {
  bytes = 0;
  #waiting: Data[] = [];
  /** How many of them are gone: nothing is moved for each. */
  #gone = 0;

  constructor(private limits: Required<QueueLimits>) {}

  get count(): number {
    return this.#waiting.length - this.#gone;
  }

  /** Answers what gave way. */
  push(data: Data): Data[] {
    const kept = keep(data), size = sizeOf(kept), dropped: Data[] = [];
    const fits = () => this.count < this.limits.messages && this.bytes + size <= this.limits.bytes;
    if (!fits() && (this.limits.overflow == 'reject' || size > this.limits.bytes || !this.limits.messages)) throw noRoom();
    while (!fits()) dropped.push(this.shift()!);
    this.#waiting.push(kept);
    this.bytes += size;
    return dropped;
  }

  shift(): Data | undefined {
    if (!this.count) return undefined;
    const data = this.#waiting[this.#gone]!;
    this.bytes -= sizeOf(data);
    if (++this.#gone > 64) this.#waiting = this.#waiting.slice(this.#gone), this.#gone = 0;
    return data;
  }

  takeAll(): Data[] {
    const all = this.#waiting.slice(this.#gone);
    this.#waiting = [];
    this.#gone = this.bytes = 0;
    return all;
  }
}
