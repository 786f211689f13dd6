// Behaviours that reconnecting-websocket 4 and partysocket 1 document, under their options' names:
//  - reconnects when a connection is closed, and when it never came to be;
//  - the WebSocket constructor is an option; without it the global one, as it was when the module was loaded;
//  - the URL may be a function, or an async one, asked before each dial; partysocket: so may the protocols;
//  - a listener may be an object with handleEvent; on… and addEventListener both work;
//  - what is sent while there is no connection is kept, up to maxEnqueuedMessages, and sent in order when there is one;
//  - bufferedAmount counts what is kept;
//  - connectionTimeout ends a dial that nobody answers; maxRetries ends it all; the delay grows by reconnectionDelayGrowFactor from
//    minReconnectionDelay to maxReconnectionDelay; a connection that lasted minUptime resets it;
//  - startClosed waits for reconnect(); close() ends it, reconnect() begins again; both take code and reason;
//  - every failed dial tells error and close.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWebSocket, fakeTime, recorded, settle } from './native.mjs';
import { load } from './support.mjs';

const { RedialSocket } = await load('src/plain.ts');
const dials = () => FakeWebSocket.all.length;
const last = () => FakeWebSocket.last();

async function made(t, options = {}, url = 'ws://example.com', protocols) {
  const time = fakeTime(t);
  FakeWebSocket.all = [];
  const socket = new RedialSocket(url, protocols, { WebSocket: FakeWebSocket, seed: 7, ...options, policy: { jitter: false, dialBudget: null, ...options.policy } });
  t.after(() => socket.close());
  await settle();
  return { socket, time };
}

test('comes back after a loss, and after a dial that failed', async (t) => {
  const { socket, time } = await made(t);
  const events = recorded(socket);
  last().open();
  last().end(1012);
  assert.equal(socket.readyState, socket.CONNECTING);
  await time.pass(1000);
  assert.equal(dials(), 2);
  last().end();
  await time.pass(2000);
  last().open();
  assert.deepEqual(events, [['open', null], ['close', 1012], ['error', null], ['close', 1006], ['open', null]]);
});

test('options of theirs, in their words', async (t) => {
  const { time } = await made(t, { minReconnectionDelay: 200, maxReconnectionDelay: 700, reconnectionDelayGrowFactor: 3, maxRetries: 3, minUptime: 900 });
  const waits = [];
  for (let retry = 0; retry < 3; retry++) {
    last().end();
    const before = dials();
    let waited = 0;
    while (dials() == before && waited < 5000) { await time.pass(50); waited += 50; }
    waits.push(waited);
  }
  assert.deepEqual(waits, [200, 600, 700]);
  last().end();
  await time.pass(60_000);
  assert.equal(dials(), 4);
});

test('maxRetries: Infinity is no limit', async (t) => {
  const { time } = await made(t, { maxRetries: Infinity, maxReconnectionDelay: 100, minReconnectionDelay: 100 });
  for (let retry = 0; retry < 40; retry++) { last().end(); await time.pass(100); }
  assert.equal(dials(), 41);
});

test('a connection that lasted for minUptime resets the delay, one that did not does not', async (t) => {
  const { socket, time } = await made(t, { minUptime: 5000 });
  last().end(); await time.pass(1000);
  last().end(); await time.pass(2000);
  last().open(); await time.pass(4000); last().end(1001);
  assert.equal(socket.attempt, 3);
  await time.pass(4000);
  last().open(); await time.pass(5001); last().end(1001);
  assert.equal(socket.attempt, 1);
});

test('connectionTimeout', async (t) => {
  const { socket, time } = await made(t, { connectionTimeout: 700 });
  const events = recorded(socket), first = last();
  await time.pass(699);
  assert.deepEqual(events, []);
  await time.pass(1);
  assert.deepEqual([events, first.readyState], [[['error', null], ['close', 1006]], 2]);
  first.open();
  assert.equal(socket.readyState, 0, 'it opened too late');
});

test('the URL from a function, and from an async one, anew for each dial', async (t) => {
  let count = 0;
  const { socket, time } = await made(t, {}, async () => `ws://example.com/${++count}`);
  assert.deepEqual([socket.url, last().url], ['ws://example.com/1', 'ws://example.com/1']);
  last().end();
  await time.pass(1000);
  assert.equal(last().url, 'ws://example.com/2');
});

test('a URL that could not be had, or is none, is a failed dial', async (t) => {
  let count = 0;
  const bad = [() => { throw new Error('no'); }, () => Promise.reject(new Error('no')), () => 'ftp://x', () => 'ws://example.com/good'];
  const { socket, time } = await made(t, {}, () => bad[count++]());
  const events = recorded(socket);
  await time.pass(10_000);
  assert.equal(last().url, 'ws://example.com/good');
  assert.equal(events.filter(([type]) => type == 'close').length >= 2, true);
  assert.equal(dials(), 1);
});

test('what an async URL brings after close() is not dialled', async (t) => {
  let bring;
  const { socket, time } = await made(t, {}, () => new Promise((resolve) => (bring = resolve)));
  socket.close();
  bring('ws://example.com');
  await time.pass(1000);
  assert.deepEqual([dials(), socket.readyState], [0, 3]);
});

test('protocols from a function', async (t) => {
  await made(t, {}, 'ws://example.com', async () => ['a', 'b']);
  assert.deepEqual(last().protocols, ['a', 'b']);
});

test('a listener may be an object', async (t) => {
  const { socket } = await made(t);
  const heard = [];
  socket.addEventListener('open', { handleEvent: (event) => heard.push(event.type) });
  last().open();
  assert.deepEqual(heard, ['open']);
});

test('what is sent while connecting is kept, counts, and goes out in order', async (t) => {
  const { socket } = await made(t);
  const bytes = new Uint8Array([1, 2]);
  socket.send('ä');
  socket.send(bytes);
  bytes[0] = 9;
  assert.deepEqual([socket.bufferedAmount, socket.pending], [4, 2]);
  socket.onopen = () => socket.send('from onopen');
  last().open();
  assert.deepEqual(last().sent, ['ä', new Uint8Array([1, 2]), 'from onopen']);
  assert.deepEqual([socket.bufferedAmount, socket.pending], [0, 0]);
});

test('maxEnqueuedMessages', async (t) => {
  const { socket } = await made(t, { maxEnqueuedMessages: 1 });
  socket.send('1');
  assert.throws(() => socket.send('2'), { name: 'QuotaExceededError' });
  last().open();
  assert.deepEqual(last().sent, ['1']);
});

test('startClosed', async (t) => {
  const { socket } = await made(t, { startClosed: true });
  assert.deepEqual([dials(), socket.readyState, socket.phase], [0, 3, 'idle']);
  socket.send('kept');
  socket.reconnect();
  last().open();
  assert.deepEqual([socket.readyState, last().sent], [1, ['kept']]);
});

test('close() is the end, also while it waits; reconnect() begins again', async (t) => {
  const { socket, time } = await made(t);
  last().end();
  const events = recorded(socket);
  socket.close(3000, 'bye');
  await time.pass(60_000);
  assert.deepEqual([dials(), socket.readyState, events], [1, 3, [['close', 3000]]]);
  socket.reconnect();
  last().open();
  assert.deepEqual([dials(), socket.readyState], [2, 1]);
});

test('reconnect() replaces an open connection at once, with code and reason', async (t) => {
  const { socket } = await made(t);
  last().open();
  const events = recorded(socket), old = last();
  socket.reconnect(4000, 'again');
  assert.deepEqual([old.closedWith, dials(), socket.readyState], [[4000, 'again'], 2, 0]);
  old.say('stale');
  old.end();
  last().open();
  assert.deepEqual(events, [['close', 4000], ['open', null]]);
});

test('our class in the place of the global one does not dial itself', async (t) => {
  const kept = globalThis.WebSocket;
  t.after(() => { globalThis.WebSocket = kept; });
  FakeWebSocket.all = [];
  globalThis.WebSocket = FakeWebSocket;
  const { RedialSocket: Fresh } = await load('src/plain.ts');
  globalThis.WebSocket = Fresh;
  const socket = new WebSocket('ws://example.com');
  assert.equal(dials(), 1);
  assert.ok(socket instanceof Fresh);
  socket.close();
});
