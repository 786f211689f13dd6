// The layer, a server that may die or forget, and a link between them that does what it likes. Every step is watched.

import assert from 'node:assert/strict';
import { createSession, decode } from './load.mjs';
import { Broken, Server } from './server.mjs';

const MOST_PAYLOAD = 40;

/** Numbers from a seed (mulberry32). */
export const random = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

const decoder = new TextDecoder();
const readable = (data) => (typeof data === 'string' ? data : decoder.decode(data));
const serialOf = (data) => Number.parseInt(readable(data), 10);
const numbered = (serial, length) => `${serial}.`.padEnd(length, 'x');

export class World {
  now = 0;
  counts = { committed: 0, got: 0, resumed: 0, replayed: 0, lost: 0, inDoubt: 0, dropped: 0, plain: 0, restored: 0, errors: 0, full: 0 };
  #server = new Server();
  #toServer = [];
  #toClient = [];
  #up = false;
  /** The link has lost or repeated something on this connection. */
  #hostile = false;
  #amnesia = false;
  #tries = 0;
  #serials = 0;
  #lastId = 0;
  /** By id: what was given to this layer, and what became of it. */
  #given = new Map();

  constructor(seed) {
    this.random = random(seed);
    this.limits = {
      messages: this.upTo(20),
      bytes: this.upTo(8) ? 100 + this.upTo(500) : this.upTo(40),
      overflow: this.upTo(1) ? 'reject' : 'dropOldest',
    };
    this.layer = createSession(this.limits, null);
  }

  upTo(most) {
    return Math.floor(this.random() * (most + 1));
  }

  #some() {
    return [1, 1 + this.upTo(4), Infinity][this.upTo(2)];
  }

  moves = {
    send: () => {
      const serial = ++this.#serials;
      const text = numbered(serial, this.upTo(50));
      const data = this.upTo(1) ? text : new TextEncoder().encode(text);
      try {
        const id = this.layer.send(this.now, data);
        assert.equal(id, ++this.#lastId, 'ids count up');
        this.#given.set(id, { serial, data, written: false, fate: null });
      } catch (error) {
        assert.equal(error.name, 'QuotaExceededError');
        this.counts.full++;
      }
    },
    push: () => this.#server.push((serial) => numbered(serial, this.upTo(40))),
    wait: () => (this.now += [50, this.upTo(100), 5000][this.upTo(2)]),
    connect: () => this.#connect(),
    meet: () => {
      this.#connect();
      this.#clientWrites(1);
      this.#serverReads(1);
      this.#serverWrites(1);
      this.#clientReads(1);
    },
    exchange: () => this.#exchange(2),
    plain: () => {
      this.#cut();
      this.layer.plain();
      this.#tries = 0;
    },
    cut: () => this.#cut(),
    /** The server does not know. */
    hang: () => this.#clientIsCut(),
    clientWrites: () => this.#clientWrites(this.#some()),
    serverWrites: () => this.#serverWrites(this.#some()),
    toServer: () => this.#serverReads(this.#some()),
    toClient: () => this.#clientReads(this.#some()),
    lose: () => this.#disturb((queue, index) => queue.splice(index, 1)),
    repeat: () => this.#disturb((queue, index) => queue.push(queue[index])),
    commit: () => this.#server.commit(this.#some(), serialOf),
    crash: () => this.#cut(),
    forget: () => this.#server.forget(),
    halfForget: () => {
      this.#amnesia ||= this.#server.halfForget();
      this.#clientIsCut();
    },
    ping: () => this.layer.ping(this.upTo(1000)),
    probe: () => this.#server.ping(this.upTo(1000)),
    advise: () => this.#server.goAway(),
    clientEnds: () => this.layer.end(),
    serverEnds: () => this.#server.end([0, 2, 3][this.upTo(2)]),
    reload: () => this.#reload(),
  };

  play(moves, count) {
    for (let turn = 0; turn < count; turn++) {
      this.moves[moves[this.upTo(moves.length - 1)]]();
      this.#look();
    }
    this.#comeToRest();
    this.counts.committed = this.#server.committed.length;
    return this.counts;
  }

  #connect() {
    this.#clientIsCut();
    this.#up = true;
    this.#server.accept();
    this.layer.connected();
  }

  #cut() {
    this.#server.hangUp();
    this.#clientIsCut();
  }

  #clientIsCut() {
    this.#toServer = [];
    this.#toClient = [];
    this.#up = this.#hostile = false;
    this.layer.disconnected();
  }

  #exchange(times) {
    for (let turn = 0; turn < times; turn++) {
      this.#clientWrites(Infinity);
      this.#serverReads(Infinity);
      this.#server.commit(2, serialOf);
      this.#serverWrites(Infinity);
      this.#clientReads(Infinity);
    }
  }

  #disturb(what) {
    const queue = this.upTo(1) ? this.#toServer : this.#toClient;
    if (queue === this.#toServer) this.#clientWrites(3);
    else this.#serverWrites(3);
    if (queue.length) {
      what(queue, this.upTo(queue.length - 1));
      this.#hostile = true;
    }
  }

  #clientWrites(most) {
    this.#listen();
    for (let count = 0; count < most; count++) {
      assert.ok(count < 10_000, 'no-busy-loop: it writes for ever');
      const next = this.layer.transmit(this.now);
      this.#listen();
      if (next === undefined) {
        assert.ok(this.layer.deadline() > this.now, `no-busy-loop: ${this.layer.deadline()} at ${this.now}`);
        return;
      }
      if (this.#up) {
        this.#onFrame(decode(next));
        this.#toServer.push(next);
      } else {
        this.#onPlain(next);
      }
    }
  }

  #onFrame([kind, , , payload]) {
    if (kind === 2) assert.ok(++this.#tries <= 10, 'resume-tries');
    if (kind === 1) this.#tries = 0;
    if (payload !== undefined && kind > 3) {
      const given = this.#open().find(({ serial }) => serial === serialOf(payload));
      assert.ok(given, `one-fate: ${readable(payload)} is sent after its end`);
      assert.ok(given.written || payload.length <= MOST_PAYLOAD, 'too-large');
      assert.equal(typeof payload, typeof given.data, 'what was text is text');
      if (given.written) this.counts.replayed++;
      given.written = true;
    }
  }

  #onPlain(data) {
    const [given] = this.#open();
    assert.equal(readable(data), readable(given.data), 'in-order: plain');
    given.fate = 'plain';
    this.counts.plain++;
  }

  #open() {
    return [...this.#given.values()].filter(({ fate }) => !fate);
  }

  #serverWrites(most) {
    for (let count = 0; count < most; count++) {
      const frame = this.#server.write();
      if (!frame) return;
      if (this.#up) this.#toClient.push(frame);
    }
  }

  #serverReads(most) {
    for (let count = 0; count < most && this.#toServer.length; count++) {
      try {
        this.#server.read(this.#toServer.shift());
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        return this.#broken(error);
      }
    }
  }

  #clientReads(most) {
    for (let count = 0; count < most && this.#toClient.length; count++) {
      let came;
      try {
        came = this.layer.receive(this.now, this.#toClient.shift());
      } catch (error) {
        if (!error.code) throw error;
        this.#listen();
        return this.#broken(error);
      }
      if (came.kind === 'message') {
        this.#onGot(serialOf(came.data));
        this.layer.taken(this.now);
      }
      if (came.kind === 'welcome') this.#tries = 0;
      if (came.kind === 'end' || came.kind === 'stray') {
        this.#listen();
        return this.#cut();
      }
    }
  }

  #broken(error) {
    assert.ok(this.#hostile || this.#amnesia, `a-good-link-has-no-errors: ${error.message}`);
    this.counts.errors++;
    this.#cut();
  }

  #onGot(serial) {
    this.counts.got++;
    const session = this.#server.connection?.session;
    if (session) assert.equal(serial, session.pushes[session.got++], 'once-in-order: to the client');
  }

  /** Into another life of the page. */
  #reload() {
    this.#listen();
    const saved = JSON.parse(JSON.stringify(this.layer.save()));
    if (!saved) return;
    this.#cut();
    this.layer = createSession(this.limits, saved);
    const left = this.#open();
    assert.deepEqual([this.layer.pending, saved.sent], [left.length, left.filter(({ written }) => written).length], 'saved');
    this.#given = new Map(left.map((given, index) => [index + 1, given]));
    this.#lastId = left.length;
    this.#tries = 0;
    this.counts.restored++;
  }

  #listen() {
    for (const event of this.layer.events()) {
      if (event.type === 'delivered') {
        const named = [...this.#given].filter(([id, { fate }]) => id <= event.upTo && !fate);
        assert.equal(named.at(-1)?.[0], event.upTo, 'one-fate: delivered for the second time');
        for (const [id, given] of named) {
          assert.ok(given.written && this.#server.committed.includes(given.serial), `delivered-is-true: ${id}`);
          given.fate = 'delivered';
        }
      } else if (event.type === 'dropped') {
        const dropped = this.#open().filter(({ data }) => event.messages.some((other) => readable(other) === readable(data)));
        assert.equal(dropped.length, event.messages.length, 'one-fate: dropped');
        for (const given of dropped) {
          assert.ok(!given.written, 'one-fate: what was sent is dropped');
          given.fate = 'dropped';
          this.counts.dropped++;
        }
      } else if (event.type === 'lost') {
        const expected = this.#open().filter(({ written }) => written);
        assert.deepEqual(event.messages.map(readable), expected.map(({ data }) => readable(data)), `in-doubt-is-exact: ${event.reason}`);
        for (const given of expected) given.fate = 'inDoubt';
        this.counts.lost++;
        this.counts.inDoubt += expected.length;
      } else if (event.type === 'resumed') {
        this.counts.resumed++;
      }
    }
  }

  #look() {
    this.#listen();
    const { pending, pendingBytes } = this.layer;
    const left = this.#open();
    const size = left.reduce((sum, { data }) => sum + data.length, 0);
    assert.deepEqual([pending, pendingBytes], [left.length, size], 'everything-has-its-place');
    assert.ok(pending <= this.limits.messages && pendingBytes <= this.limits.bytes, 'outbox-bounds');
  }

  /** The link is good again and the server stays: everything comes through. */
  #comeToRest() {
    this.#cut();
    for (let turn = 0; turn < 5 && !this.layer.isOpen; turn++) {
      this.#connect();
      for (let idle = 0; idle < 30 && this.#up; idle++) {
        this.#exchange(1);
        this.#look();
        this.now += 5000;
      }
    }
    const session = this.#server.connection?.session;
    assert.ok(this.layer.isOpen && session, 'everything-comes-out: there is no connection');
    assert.equal(this.layer.pending, 0, 'everything-comes-out: to the server');
    assert.deepEqual([session.got, session.outbox], [session.pushes.length, []], 'everything-comes-out: to the client');
    assert.deepEqual(this.#open(), [], 'one-fate: some have none');
  }
}
