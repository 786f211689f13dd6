// A server as short as `docs/protocol.md` lets it be: a store that outlives it, and one connection.

import { decode, encode, hex } from './load.mjs';

const MOST_PAYLOAD = 40;

export class Broken extends Error {}

export class Server {
  /** By id: what outlives a connection. */
  store = new Map();
  /** What came from clients and is safe, by serial. */
  committed = [];
  connection = null;
  #sessions = 0;
  #pushed = 0;

  accept() {
    this.connection = { session: null, out: [], uncommitted: [], received: 0, told: 0, missed: false, sent: 0, over: false };
  }

  hangUp() {
    this.connection = null;
  }

  forget() {
    this.store.clear();
  }

  /** The store was restored from a copy that is a little old. */
  halfForget() {
    const session = [...this.store.values()].at(-1);
    if (session?.committed) {
      session.committed--;
      this.committed.pop();
    }
    this.hangUp();
    return !!session;
  }

  push(payload) {
    const session = [...this.store.values()].at(-1);
    if (session) session.outbox.push(payload(++this.#pushed));
    if (session) session.pushes.push(this.#pushed);
  }

  ping(id) {
    this.#urgent([7, id]);
  }

  goAway() {
    this.#urgent([9, 2, 5]);
  }

  end(reason) {
    const session = this.connection?.session;
    if (session && this.store.delete(session.id)) {
      this.connection.out = [[10, reason]];
      this.connection.over = true;
    }
  }

  #urgent(frame) {
    if (this.connection?.session && !this.connection.over) this.connection.out.push(frame);
  }

  /** Throws `Broken` where it would close the connection. */
  read(bytes) {
    const at = this.connection;
    if (!at) return;
    const frame = decode(bytes);
    if (!at.session) return this.#greet(frame);
    const [kind, first, received, payload] = frame;
    switch (kind) {
      case 4:
      case 5:
        this.#acknowledge(received);
        if (first > at.received + 1) throw new Broken('gap');
        if (first <= at.received) at.missed = true;
        else at.uncommitted.push([(at.received = first), payload]);
        break;
      case 6:
        this.#acknowledge(first);
        break;
      case 7:
        this.#urgent([8, first]);
        break;
      case 8:
        break;
      case 10:
        this.store.delete(at.session.id);
        break;
      default:
        throw new Broken(`kind ${kind}`);
    }
  }

  #greet([kind, id, secret, received]) {
    const at = this.connection;
    if (kind !== 1 && kind !== 2) throw new Broken(`began with ${kind}`);
    let session = kind === 2 && this.store.get(hex(id));
    const resumed = session && hex(session.secret) === hex(secret);
    if (resumed) {
      const last = session.acknowledged + session.outbox.length;
      if (received < session.acknowledged || received > last) throw new Error(`claims-are-true: ${received} of ${last}`);
    } else {
      const seed = ++this.#sessions;
      const [own, proof] = [new Uint8Array(16).fill(seed), new Uint8Array(16).fill(255 - seed)];
      session = { id: hex(own), own, secret: proof, committed: 0, acknowledged: 0, outbox: [], pushes: [], got: 0 };
      this.store.set(session.id, session);
    }
    at.session = session;
    at.received = at.told = session.committed;
    at.sent = session.acknowledged;
    if (resumed) this.#acknowledgeAtLeast(received);
    at.sent = session.acknowledged;
    const numbers = encode([session.committed, 60_000, MOST_PAYLOAD]);
    at.out.push([3, kind === 1 ? 0 : resumed ? 1 : 2, [...session.own, ...session.secret, ...numbers]]);
  }

  #acknowledge(claimed) {
    if (claimed > this.connection.sent) throw new Broken(`offset ${claimed}`);
    this.#acknowledgeAtLeast(claimed);
  }

  #acknowledgeAtLeast(claimed) {
    const { session } = this.connection;
    while (session.acknowledged < claimed) {
      session.outbox.shift();
      session.acknowledged++;
    }
  }

  /** Makes safe what came, so many messages of it; `serialOf` tells which they are. */
  commit(most, serialOf) {
    const at = this.connection;
    if (!at?.session || at.over || !this.store.has(at.session.id)) return;
    for (const [number, payload] of at.uncommitted.splice(0, most)) {
      if (number !== at.session.committed + 1) throw new Error(`in-order: ${number} after ${at.session.committed}`);
      at.session.committed = number;
      const serial = serialOf(payload);
      const last = this.committed.at(-1) ?? 0;
      if (serial <= last) throw new Error(`once-in-order: ${serial} is committed after ${last}`);
      this.committed.push(serial);
    }
  }

  /** The next frame, or nothing. */
  write() {
    const at = this.connection;
    if (!at?.session) return undefined;
    const frame = at.out.shift();
    if (frame?.[0] === 3) return encode(frame.slice(0, 2), frame[2]);
    if (frame) return encode(frame);
    if (at.over || !this.store.has(at.session.id)) return undefined;
    const next = at.session.outbox[at.sent - at.session.acknowledged];
    const owes = at.missed || at.session.committed > at.told;
    if (!next && !owes) return undefined;
    at.missed = false;
    at.told = owes ? at.session.committed : at.told;
    const received = owes ? at.told : 0;
    return next ? encode([4, ++at.sent, received], new TextEncoder().encode(next)) : encode([6, received]);
  }
}
