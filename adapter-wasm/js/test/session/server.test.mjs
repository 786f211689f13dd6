// Against the server itself, over connections that are cut at any byte: `cargo build -p redial-cli` makes it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { createSession, limits } from './load.mjs';
import { random } from './world.mjs';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../../target', import.meta.url));

let server;
let port;

before(async () => {
  const options = ['--listen', '127.0.0.1:0', '--json', '--messages-per-second', 'none', '--connects-per-minute', 'none'];
  server = spawn(`${target}/debug/redial`, ['serve', ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(server.stdout, 'data');
  port = Number(JSON.parse(line).listening.split(':')[1]);
});

after(() => server.kill());

/** Forwards so many bytes of each connection in either direction, and then destroys it. */
const proxy = async (budgets) => {
  const listener = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const cut = () => [near, far].forEach((socket) => socket.destroy());
    let left = budgets.shift() ?? Infinity;
    const forward = (from, to) =>
      from.on('data', (bytes) => {
        to.write(bytes.subarray(0, left));
        left -= bytes.length;
        if (left <= 0) to.end(cut);
      });
    forward(near, far);
    forward(far, near);
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return listener;
};

/** Does what the layer asks for, and comes back at once. */
class Page {
  events = [];
  #socket = null;
  #timer;

  constructor(url, layer, onMessage, onFrame) {
    Object.assign(this, { url, layer, onMessage, onFrame });
    this.#dial();
  }

  #dial() {
    const socket = (this.#socket = new WebSocket(this.url, 'redial.v1'));
    socket.on('error', () => {});
    socket.on('open', () => {
      assert.equal(socket.protocol, 'redial.v1');
      this.layer.connected();
      this.pump();
    });
    socket.on('message', (frame) => {
      if (socket !== this.#socket) return; // read before it was cut
      const came = this.layer.receive(performance.now(), frame);
      if (came.kind === 'message') {
        this.layer.taken(performance.now());
        this.onMessage(came.data);
      }
      this.pump();
      this.onFrame();
    });
    socket.on('close', () => {
      if (socket !== this.#socket) return;
      this.layer.disconnected();
      this.#dial();
    });
  }

  send(data) {
    const id = this.layer.send(performance.now(), data);
    this.pump();
    return id;
  }

  pump() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    for (let frame; (frame = this.layer.transmit(performance.now())); ) this.#socket.send(frame);
    this.events.push(...this.layer.events());
    clearTimeout(this.#timer);
    const at = this.layer.deadline();
    if (at < Infinity) this.#timer = setTimeout(() => this.pump(), at - performance.now());
  }

  leave() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    socket.terminate();
  }
}

test('a counter goes on over connections that are cut at any byte, and over a reload', async () => {
  const MOST = 2000;
  const AHEAD = 20;
  const next = random(1);
  const listener = await proxy(Array.from({ length: 40 }, () => 800 + Math.floor(next() * 1500)));
  const url = `ws://127.0.0.1:${listener.address().port}/ws/chat/`;

  const events = [];
  const aliases = new Set();
  let [sent, got] = [0, 0];
  let page;
  const open = (saved, finish) => {
    const onMessage = (data) => {
      if (data.startsWith('{')) return aliases.add(JSON.parse(data).you.alias);
      return assert.equal(data, `${++got}`, 'once and in order');
    };
    const onFrame = () => {
      while (sent < MOST && sent < got + AHEAD) {
        page.send(`${++sent}`);
        if (sent === MOST / 2) {
          page.leave();
          events.push(...page.events);
          page = open(JSON.parse(JSON.stringify(page.layer.save())), finish);
          assert.ok(page.layer.pending > 0, 'what was sent goes along');
        }
      }
      if (got === MOST && page.layer.pending === 0) finish();
    };
    const opened = new Page(url, createSession(limits, saved), onMessage, onFrame);
    opened.send('{"type":"who"}');
    return opened;
  };
  await new Promise((resolve) => {
    page = open(null, resolve);
  });
  page.leave();
  listener.close();

  events.push(...page.events);
  const count = (type) => events.filter((event) => event.type === type).length;
  assert.equal(aliases.size, 1, 'the server knows one session');
  assert.deepEqual([count('started'), count('lost'), count('dropped')], [1, 0, 0]);
  assert.ok(count('resumed') >= 20, `resumed ${count('resumed')} times`);
});
