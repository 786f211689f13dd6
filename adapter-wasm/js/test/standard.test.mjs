// What the standard says of the interface WebSocket (https, "WebSockets", sections "The WebSocket interface" and "Event handlers"), as
// far as it applies to a socket that comes back. Each test says the same of a bare one where Node's tests could.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWebSocket, recorded, settle } from './native.mjs';
import { load } from './support.mjs';

const { RedialSocket } = await load('src/plain.ts');
const options = { WebSocket: FakeWebSocket, policy: { jitter: false }, hints: false };
const made = async (url = 'ws://example.com/a', protocols = []) => {
  const socket = new RedialSocket(url, protocols, options);
  // Events begin in the next microtask, as a network's would.
  await settle();
  return [socket, FakeWebSocket.last()];
};
const throws = (act, name, kind = DOMException) => assert.throws(act, (error) => error instanceof kind && error.name == name);

test('the constants are on the class and on each object', async () => {
  const [socket] = await made();
  for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
    assert.equal(RedialSocket[name], value);
    assert.equal(socket[name], value);
    assert.throws(() => { 'use strict'; socket[name] = 7; }, TypeError);
  }
  socket.close();
});

test('the constructor wants new and an argument', async () => {
  assert.throws(() => RedialSocket('ws://x'), TypeError);
  assert.throws(() => new RedialSocket(), TypeError);
});

test('a wrong URL throws a SyntaxError at once', async () => {
  for (const url of ['', 'x', '/relative', 'ws://', 'ws:// x', 'ftp://example.com', 'mailto:a@b', 'ws://example.com/#', 'ws://example.com/#a', 'ws://example.com:99999']) {
    throws(() => new RedialSocket(url, [], options), 'SyntaxError');
  }
  throws(() => new RedialSocket([], [], options), 'SyntaxError');
  throws(() => new RedialSocket(['ws://example.com', 'ftp://x'], [], options), 'SyntaxError');
});

test('http and https stand for ws and wss, and the URL is serialised', async () => {
  const cases = [['http://example.com', 'ws://example.com/'], ['https://example.com/a?b', 'wss://example.com/a?b'], ['WS://EXAMPLE.com:80/ä', 'ws://example.com/%C3%A4'], ['wss://example.com:443/..', 'wss://example.com/']];
  for (const [given, url] of cases) {
    const [socket, native] = await made(given);
    assert.deepEqual([socket.url, native.url], [url, url]);
    socket.close();
  }
  const [socket] = await made(new URL('ws://example.com/b'));
  assert.equal(socket.url, 'ws://example.com/b');
  socket.close();
});

test('a relative URL counts from the document', async (t) => {
  globalThis.document = { baseURI: 'https://example.com/chat/index.html' };
  t.after(() => delete globalThis.document);
  const [socket] = await made('socket?x');
  assert.equal(socket.url, 'wss://example.com/chat/socket?x');
  socket.close();
});

test('wrong protocols throw a SyntaxError at once', async () => {
  for (const protocols of ['', 'a b', 'a,b', 'ä', 'a\u0000', '(a)', ['a', 'a'], ['a', ''], ['x', 'y', 'x']]) {
    throws(() => new RedialSocket('ws://example.com', protocols, options), 'SyntaxError');
  }
  const [socket, native] = await made('ws://example.com', ['a', 'A', "!#$%&'*+-.^_`|~09"]);
  assert.deepEqual(native.protocols, ['a', 'A', "!#$%&'*+-.^_`|~09"]);
  socket.close();
});

test('close checks its code', async () => {
  const [socket] = await made();
  for (const code of [0, 999, 1001, 1005, 1006, 2999, 5000, 65536, NaN, -1]) throws(() => socket.close(code), 'InvalidAccessError');
  throws(() => socket.reconnect(1001), 'InvalidAccessError');
  assert.equal(socket.readyState, 0);
  socket.close(3000);
});

test('close checks its reason in bytes, and throws before it does anything', async () => {
  const [socket, native] = await made();
  throws(() => socket.close(1000, 'x'.repeat(124)), 'SyntaxError');
  throws(() => socket.close(1000, 'ä'.repeat(62)), 'SyntaxError');
  throws(() => socket.close(undefined, 'x'.repeat(124)), 'SyntaxError');
  native.open();
  assert.equal(socket.readyState, 1);
  socket.close(4999, 'x'.repeat(123));
  assert.deepEqual(native.closedWith, [4999, 'x'.repeat(123)]);
});

test('before the connection is open: CONNECTING, no protocol, no extensions', async () => {
  const [socket, native] = await made('ws://example.com', 'chat');
  assert.deepEqual([socket.readyState, socket.protocol, socket.extensions, socket.bufferedAmount, socket.binaryType], [0, '', '', 0, 'blob']);
  native.extensions = 'permessage-deflate';
  native.open('chat');
  assert.deepEqual([socket.readyState, socket.protocol, socket.extensions], [1, 'chat', 'permessage-deflate']);
  socket.close();
});

test('binaryType takes its two words and no other', async () => {
  const [socket, native] = await made();
  socket.binaryType = 'arraybuffer';
  assert.deepEqual([socket.binaryType, native.binaryType], ['arraybuffer', 'arraybuffer']);
  socket.binaryType = 'nonsense';
  assert.equal(socket.binaryType, 'arraybuffer');
  socket.close();
});

test('send takes texts, buffers, views and Blobs, and what is none of them as a text', async () => {
  const [socket, native] = await made();
  native.open();
  const blob = new Blob(['b']), buffer = new Uint8Array([1, 2, 3]).buffer, view = new Uint8Array(buffer, 1, 1);
  for (const data of ['text', buffer, view, blob, '']) socket.send(data);
  assert.deepEqual(native.sent, ['text', buffer, view, blob, '']);
  assert.throws(() => socket.send(), TypeError);
  socket.close();
});

test('a message is a MessageEvent of the socket with data and origin', async () => {
  const [socket, native] = await made();
  native.open();
  const seen = [];
  socket.onmessage = function (event) { seen.push([this === socket, event instanceof MessageEvent, event.type, event.data, event.origin, event.target === socket, event.bubbles, event.cancelable]); };
  native.say('hello');
  assert.deepEqual(seen, [[true, true, 'message', 'hello', 'ws://x', true, false, false]]);
  socket.close();
});

test('handlers: null at first, what is no function counts as null, and each keeps its place among the listeners', async () => {
  const [socket, native] = await made();
  for (const name of ['onopen', 'onmessage', 'onerror', 'onclose']) {
    assert.equal(socket[name], null);
    socket[name] = 5;
    assert.equal(socket[name], null);
    const handler = () => {};
    socket[name] = handler;
    assert.equal(socket[name], handler);
    socket[name] = null;
    assert.equal(socket[name], null);
  }
  const order = [];
  socket.onopen = () => order.push('replaced');
  socket.addEventListener('open', () => order.push('listener'));
  socket.onopen = () => order.push('handler');
  native.open();
  assert.deepEqual(order, ['handler', 'listener']);
  socket.onmessage = () => order.push('no more');
  socket.onmessage = null;
  native.say('x');
  assert.equal(order.length, 2);
  socket.close();
});

test('a listener that throws keeps no other from hearing', async () => {
  const [socket, native] = await made();
  const heard = [], thrown = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error.message));
  socket.addEventListener('open', () => { throw new Error('mine'); });
  socket.addEventListener('open', () => heard.push('open'));
  native.open();
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners('uncaughtException');
  for (const listener of listeners) process.on('uncaughtException', listener);
  assert.deepEqual([heard, thrown], [['open'], ['mine']]);
  socket.close();
});

test('close while open: CLOSING until the peer has answered, then a close event with what it said', async () => {
  const [socket, native] = await made();
  native.open();
  const events = recorded(socket);
  socket.close(3001, 'bye');
  socket.close();
  assert.deepEqual([socket.readyState, events, native.closedWith], [2, [], [3001, 'bye']]);
  let event;
  socket.onclose = (of) => (event = of);
  native.end(3001, 'bye', true);
  assert.deepEqual([socket.readyState, event.code, event.reason, event.wasClean, event.target === socket], [3, 3001, 'bye', true, true]);
  socket.close();
  await settle();
  assert.equal(events.length, 1);
});

test('protocol and extensions stay what they were, until the next connection is made', async () => {
  const [socket, native] = await made('ws://example.com', ['chat']);
  native.extensions = 'permessage-deflate';
  native.open('chat');
  const chosen = () => [socket.readyState, socket.protocol, socket.extensions];
  let atClose;
  socket.onclose = () => (atClose = chosen());
  socket.close();
  assert.deepEqual(chosen(), [2, 'chat', 'permessage-deflate']);
  native.end(1005, '', true);
  assert.deepEqual([atClose, chosen()], [[3, 'chat', 'permessage-deflate'], [3, 'chat', 'permessage-deflate']]);
  socket.reconnect();
  assert.deepEqual(chosen(), [0, '', '']);
  FakeWebSocket.last().open('chat');
  FakeWebSocket.last().end();
  assert.deepEqual(atClose, [0, 'chat', '']);
  socket.close();
});

test('close while connecting: error and close 1006', async () => {
  const [socket, native] = await made();
  const events = recorded(socket);
  socket.close();
  assert.equal(socket.readyState, 2);
  native.end();
  assert.deepEqual([socket.readyState, events], [3, [['error', null], ['close', 1006]]]);
});

test('a message that comes while the socket is closing is not told', async () => {
  const [socket, native] = await made();
  native.open();
  const events = recorded(socket);
  socket.close();
  native.say('late');
  assert.deepEqual(events, []);
});

test('what is sent when it has ended is dropped, and counts in bufferedAmount', async () => {
  const [socket, native] = await made();
  native.open();
  socket.close();
  socket.send('äx');
  assert.deepEqual([native.sent, socket.bufferedAmount], [[], 3]);
  native.end(1005, '', true);
  socket.send(new Uint8Array(5));
  assert.equal(socket.bufferedAmount, 8);
});

test('bufferedAmount has what the browser still has to write', async () => {
  const [socket, native] = await made();
  native.open();
  native.bufferedAmount = 7;
  assert.equal(socket.bufferedAmount, 7);
  socket.close();
});

test('a failed connection: error, then close 1006, and no open', async () => {
  const [socket, native] = await made();
  const events = recorded(socket);
  native.end();
  assert.deepEqual(events, [['error', null], ['close', 1006]]);
  socket.close();
});

test('the readyState has changed when the event is told', async () => {
  const [socket, native] = await made();
  const states = [];
  for (const type of ['open', 'close']) socket.addEventListener(type, () => states.push(socket.readyState));
  native.open();
  native.end(1001);
  assert.deepEqual(states, [1, 0]);
  socket.close();
});

test('listeners of messages: once, capture, signal, twice the same, taken away and added meanwhile, stopped, thrown', async () => {
  const [socket, native] = await made();
  native.open();
  let heard = [];
  const hear = (name) => () => heard.push(name);
  const same = hear('same'), gone = hear('gone'), controller = new AbortController();
  socket.addEventListener('message', hear('once'), { once: true });
  socket.addEventListener('message', same);
  socket.addEventListener('message', same);
  socket.addEventListener('message', () => { socket.removeEventListener('message', gone); socket.addEventListener('message', hear('late'), { once: true }); }, { once: true });
  socket.addEventListener('message', gone);
  socket.addEventListener('message', null);
  socket.addEventListener('message', hear('signal'), { signal: controller.signal });
  socket.addEventListener('message', hear('capture'), true);
  native.say(1);
  assert.deepEqual(heard, ['capture', 'once', 'same', 'signal']);
  heard = [];
  controller.abort();
  native.say(2);
  assert.deepEqual(heard, ['capture', 'same', 'late']);
  heard = [];
  socket.addEventListener('message', (event) => { heard.push('stop'); event.stopImmediatePropagation(); }, true);
  native.say(3);
  assert.deepEqual(heard, ['capture', 'stop']);
  socket.close();
});

test("a message event of the page's own reaches the listeners, and once is once", async () => {
  const [socket, native] = await made();
  native.open();
  const heard = [];
  socket.addEventListener('message', ({ data, target }) => heard.push([data, target === socket]), { once: true });
  socket.dispatchEvent(new MessageEvent('message', { data: 'own' }));
  native.say('after');
  assert.deepEqual(heard, [['own', true]]);
  socket.close();
});

test('a listener of messages that throws keeps no other from hearing', async () => {
  const [socket, native] = await made();
  native.open();
  const heard = [], thrown = [], listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error.message));
  socket.addEventListener('message', () => { throw new Error('mine'); });
  socket.addEventListener('message', () => heard.push('message'));
  native.say('x');
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.removeAllListeners('uncaughtException');
  for (const listener of listeners) process.on('uncaughtException', listener);
  assert.deepEqual([heard, thrown], [['message'], ['mine']]);
  socket.close();
});
