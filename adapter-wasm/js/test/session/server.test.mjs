// Against the server itself, over connections that are cut at any byte and over its own death: `cargo build -p redial-cli` makes it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { createSession, limits } from './load.mjs';
import { random } from './world.mjs';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../../target', import.meta.url));

/** How far the counter is ahead of what came back. */
const AHEAD = 20;
const children = new Set();

after(() => children.forEach((child) => child.kill('SIGKILL')));

const serve = async (listen, ...more) => {
  const options = ['--listen', listen, '--json', '--messages-per-second', 'none', '--connects-per-minute', 'none', ...more];
  const child = spawn(`${target}/debug/redial`, ['serve', ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.add(child);
  const [line] = await once(child.stdout, 'data');
  return { child, address: JSON.parse(line).listening };
};

/** Forwards so many bytes of each connection in either direction, and then destroys it. */
const proxy = async (address, budgets) => {
  const [host, port] = address.split(':');
  const listener = createServer((near) => {
    const far = connect(Number(port), host);
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

/** Counts up to `most`, some ahead of what came back. Each number is to come back once and in order; `at` is told of it. */
const count = async (address, most, at) => {
  const url = `ws://${address}/ws/chat/`;
  const events = [];
  const aliases = new Set();
  let [sent, got] = [0, 0];
  let page;
  await new Promise((finish) => {
    const onMessage = (data) => {
      if (data.startsWith('{')) return aliases.add(JSON.parse(data).you.alias);
      assert.equal(data, `${++got}`, 'once and in order');
      return at(got, reload);
    };
    const onFrame = () => {
      while (sent < most && sent < got + AHEAD) page.send(`${++sent}`);
      if (got === most && page.layer.pending === 0) finish();
    };
    const open = (saved) => {
      page = new Page(url, createSession(limits, saved), onMessage, onFrame);
      page.send('{"type":"who"}');
    };
    const reload = () => {
      page.leave();
      events.push(...page.events);
      open(JSON.parse(JSON.stringify(page.layer.save())));
    };
    open(null);
  });
  page.leave();
  events.push(...page.events);
  const of = (type) => events.filter((event) => event.type === type).length;
  assert.equal(aliases.size, 1, 'the server knows one session');
  assert.deepEqual([of('started'), of('lost'), of('dropped')], [1, 0, 0]);
  return of('resumed');
};

test('a counter goes on over connections that are cut at any byte, and over reloads', async () => {
  const { address } = await serve('127.0.0.1:0');
  const next = random(1);
  const listener = await proxy(address, Array.from({ length: 40 }, () => 800 + Math.floor(next() * 1500)));
  const resumed = await count(`127.0.0.1:${listener.address().port}`, 2000, (got, reload) => {
    if (got === 500 || got === 1000) queueMicrotask(reload);
  });
  listener.close();
  assert.ok(resumed >= 20, `resumed ${resumed} times`);
});

test('a counter goes on over a server that is killed and comes back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'redial-session-'));
  const store = ['--store', `sqlite:${join(folder, 'store')}`];
  let { child, address } = await serve('127.0.0.1:0', ...store);
  let kills = 0;
  const resumed = await count(address, 400, async (got) => {
    if (got % 100 || got === 400) return;
    child.kill('SIGKILL');
    kills++;
    ({ child } = await serve(address, ...store));
  });
  assert.deepEqual([kills, resumed], [3, 3]);
  rmSync(folder, { recursive: true });
});
