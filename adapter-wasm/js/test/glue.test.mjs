// A socket with sessions: what goes between the layer of redial.v1, the connection and the machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWebSocket, fakeTime, recorded, settle } from './native.mjs';
import { decode, encode } from './session/load.mjs';
import { load } from './support.mjs';

const { RedialSocket } = await load('src/index.ts');
const { RedialSocket: PlainSocket } = await load('src/plain.ts');
const last = () => FakeWebSocket.last();
const [START, RESUME, WELCOME, TEXT, BINARY, ACK, PING, PONG, GOING_AWAY, END] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const KEY = Array.from({ length: 16 }, (_, index) => index + 1);
const ID = KEY.map((byte) => byte.toString(16).padStart(2, '0')).join('');
const NOTICES = ['sessionStarted', 'sessionResumed', 'sessionLost', 'delivered', 'undelivered'];

async function made(t, options = {}, url = 'ws://example.com') {
  const time = fakeTime(t);
  FakeWebSocket.all = [];
  const socket = new RedialSocket(url, ['chat'], { WebSocket: FakeWebSocket, seed: 7, session: true, ...options, policy: { jitter: false, dialBudget: null, ...options.policy } });
  socket.binaryType = 'arraybuffer';
  t.after(() => socket.close());
  await settle();
  return { socket, time };
}

const say = (...frame) => last().say(encode(...frame).buffer);
const written = () => last().sent.map((frame) => { const [kind, ...fields] = decode(frame); return [kind, ...fields.map((field) => (field instanceof Uint8Array ? [...field] : field))]; });
const welcome = async (outcome = 0, received = 0) => {
  last().open('redial.v1');
  await settle();
  say([WELCOME, outcome, ...KEY, ...KEY, received, 60, 0]);
  await settle();
};

test('the protocol is offered before the page\'s own; a plain socket does not know it', async (t) => {
  await made(t);
  assert.deepEqual(last().protocols, ['redial.v1', 'chat']);
  const plain = new PlainSocket('ws://example.com', ['chat'], { WebSocket: FakeWebSocket, session: true });
  assert.deepEqual(last().protocols, ['chat']);
  plain.close();
});

test('open is when the server has welcomed the session; what waited goes in frames, and is acknowledged', async (t) => {
  const { socket, time } = await made(t);
  const events = recorded(socket, ['open', 'message', ...NOTICES]);
  const id = socket.post('early');
  last().open('redial.v1');
  assert.deepEqual([socket.readyState, socket.phase, written()], [0, 'handshaking', [[START]]]);
  say([WELCOME, 0, ...KEY, ...KEY, 0, 60, 0]);
  await settle();
  assert.deepEqual([socket.readyState, socket.sessionId, socket.resumed, socket.pending], [1, ID, false, 1]);
  assert.deepEqual(written().at(-1), [TEXT, 1, 0, 'early']);
  say([TEXT, 1, 1], new TextEncoder().encode('hello'));
  say([BINARY, 2, 1], [1, 2]);
  await settle();
  assert.deepEqual(events.map(([type, detail]) => [type, detail instanceof ArrayBuffer ? [...new Uint8Array(detail)] : detail]), [
    ['sessionStarted', { sessionId: ID }], ['open', null], ['message', 'hello'], ['delivered', { upTo: id }], ['message', [1, 2]],
  ]);
  assert.equal(socket.pending, 0);
  await time.pass(1000);
  assert.deepEqual(written().at(-1), [ACK, 2]);
});

test('a session that is resumed goes on where it was', async (t) => {
  const { socket, time } = await made(t);
  await welcome();
  socket.send('one');
  last().end();
  socket.send('two');
  await time.pass(1000);
  const events = recorded(socket, ['open', ...NOTICES]);
  await welcome(1, 1);
  assert.deepEqual(written(), [[RESUME, KEY, KEY, 0], [TEXT, 2, 0, 'two']]);
  assert.equal(socket.resumed, true);
  assert.deepEqual(events, [['delivered', { upTo: 1 }], ['sessionResumed', { sessionId: ID }], ['open', null]]);
});

test('a server that does not choose it gets messages as they are', async (t) => {
  const { socket } = await made(t);
  socket.send('early');
  last().open('chat');
  await settle();
  socket.send(new Uint8Array([1]));
  assert.deepEqual([socket.readyState, last().sent, last().binaryType], [1, ['early', new Uint8Array([1])], 'arraybuffer']);
});

/** Whether each of the next dials offers the protocol; each fails. */
async function offers(time, count) {
  const all = [];
  for (let round = 0; round < count; round++) { all.push(last().protocols[0] == 'redial.v1'); last().end(); await time.pass(10_000); }
  return all;
}
const patient = { policy: { maxAttempts: null, maxDelay: 5000 } };

test('failed dials say nothing of the protocol; after three it is tried without, every other time', async (t) => {
  const { time } = await made(t, patient);
  assert.deepEqual(await offers(time, 8), [true, true, true, false, true, false, true, false]);
});

test('a connection that never opened because of a timeout counts the same', async (t) => {
  const { time } = await made(t, { policy: { ...patient.policy, connectTimeout: 1000 } });
  await time.pass(30_000);
  const dials = FakeWebSocket.all.slice(0, 5).map(({ protocols }) => protocols.length);
  assert.deepEqual(dials, [2, 2, 2, 1, 2]);
});

test('a server that was found to be plain is offered nothing until reconnect()', async (t) => {
  for (const answer of ['', 'chat']) {
    const { socket, time } = await made(t, patient);
    last().open(answer);
    last().end();
    await time.pass(5000);
    assert.deepEqual(await offers(time, 5), [false, false, false, false, false], answer);
    last().end();
    socket.reconnect();
    assert.equal(last().protocols[0], 'redial.v1');
    socket.close();
  }
});

test('what one server is found to be says nothing of another', async (t) => {
  const { time } = await made(t, patient, ['ws://a.example', 'ws://b.example']);
  last().open('chat');
  last().end();
  await time.pass(10_000);
  const offered = {};
  for (let round = 0; round < 4; round++) { (offered[last().url] ??= []).push(last().protocols.length); last().end(); await time.pass(10_000); }
  assert.deepEqual(offered, { 'ws://a.example/': [1, 1], 'ws://b.example/': [2, 2] });
});

test('a session that is required is offered on every dial, and no connection is open without it', async (t) => {
  const { socket, time } = await made(t, { ...patient, session: { required: true } });
  const events = recorded(socket, ['open']);
  assert.deepEqual(await offers(time, 6), Array(6).fill(true));
  last().open('chat');
  await settle();
  assert.deepEqual([socket.phase, last().readyState, events], ['waiting', 2, []]);
  await time.pass(10_000);
  assert.equal(last().protocols[0], 'redial.v1');
});

test('who has met it goes on offering it', async (t) => {
  const { time } = await made(t);
  await welcome();
  last().end();
  for (let round = 0; round < 3; round++) { await time.pass(5000); assert.equal(last().protocols[0], 'redial.v1'); last().end(); }
});

test('a welcome that does not come is a failed attempt', async (t) => {
  const { socket, time } = await made(t, { policy: { connectTimeout: 3000 } });
  last().open('redial.v1');
  await time.pass(3000);
  assert.equal(socket.phase, 'waiting');
});

test('pings go in frames, and their pongs are latencies', async (t) => {
  const { socket, time } = await made(t);
  await welcome();
  await time.pass(5000);
  assert.deepEqual(written().at(-1), [PING, 1]);
  await time.pass(30);
  say([PONG, 1]);
  assert.equal(socket.latency, 30);
});

test('how a session ends decides what follows', async (t) => {
  for (const [reason, phase] of [[0, 'closed'], [1, 'failed'], [2, 'waiting'], [3, 'waiting']]) {
    const { socket } = await made(t);
    await welcome();
    say([END, reason]);
    assert.equal(socket.phase, phase, `${reason}`);
    socket.close();
  }
});

test('what breaks the protocol ends the connection', async (t) => {
  for (const data of [new Uint8Array([99]).buffer, new Uint8Array([]).buffer, 'text']) {
    const { socket } = await made(t);
    await welcome();
    last().say(data);
    assert.deepEqual([socket.phase, last().readyState], ['waiting', 2]);
  }
});

test('going away: the hint is heeded, and a redirect is followed once, never into the open', async (t) => {
  const away = (url) => say([GOING_AWAY, 9, 700], url);
  const { time } = await made(t, {}, 'wss://example.com');
  await welcome();
  away('wss://other.example/x');
  last().end(1001);
  await time.pass(2000);
  assert.equal(last().url, 'wss://other.example/x');
  last().end();
  await time.pass(3000);
  assert.equal(last().url, 'wss://example.com/');
  await welcome();
  away('ws://other.example/x');
  last().end(1001);
  await time.pass(10_000);
  assert.equal(last().url, 'wss://example.com/');
});

test('a Blob keeps its place among the messages', async (t) => {
  const { socket } = await made(t);
  await welcome();
  const ids = [socket.post('1'), socket.post(new Blob(['2'])), socket.post('3')];
  assert.deepEqual([ids, socket.pending], [[1, 2, 3], 3]);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(written().slice(1).map(([, number, , data]) => [number, typeof data == 'string' ? data : String.fromCharCode(...data)]), [[1, '1'], [2, '2'], [3, '3']]);
});

test('close ends the session, and says what was not delivered', async (t) => {
  const { socket } = await made(t);
  await welcome();
  socket.send('sent');
  const events = recorded(socket, NOTICES);
  socket.close();
  assert.deepEqual(written().at(-1), [END, 0]);
  assert.deepEqual(events, [['sessionLost', { reason: 'user', messages: ['sent'] }]]);
});

/** A page with storage. Answers what is stored, how often it was written, and how the page is told something. */
function page(t) {
  const items = new Map(), window = new EventTarget(), document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const kept = { writes: 0 };
  Object.assign(globalThis, {
    document, addEventListener: window.addEventListener.bind(window), removeEventListener: window.removeEventListener.bind(window),
    sessionStorage: { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => { kept.writes++; items.set(key, value); }, removeItem: (key) => items.delete(key) },
  });
  t.after(() => { for (const name of ['document', 'addEventListener', 'removeEventListener', 'sessionStorage']) delete globalThis[name]; });
  const tell = (type, visibilityState) => {
    if (visibilityState) document.visibilityState = visibilityState;
    (type.startsWith('page') ? window : document).dispatchEvent(Object.assign(new Event(type), { persisted: false }));
  };
  return { items, kept, tell };
}

const KEPT = { session: { storageKey: 'chat' } };

test('with a key, a reload goes on with the session', async (t) => {
  const { items, tell } = page(t);
  await made(t, KEPT);
  await welcome();
  tell('pagehide');
  const { socket } = await made(t, KEPT);
  await welcome(1, 0);
  assert.deepEqual([written()[0], socket.resumed, socket.sessionId], [[RESUME, KEY, KEY, 0], true, ID]);
  tell('pagehide');
  socket.close();
  assert.ok(!items.has('chat'), 'an ended session is forgotten');
  items.set('chat', '{broken');
  await made(t, KEPT);
  await welcome();
  assert.deepEqual(written()[0], [START]);
});

test('a tab that is duplicated does not take the session away from the first', async (t) => {
  const { items, tell } = page(t);
  await made(t, KEPT);
  await welcome();
  assert.ok(!items.has('chat'));
  await made(t, KEPT);
  await welcome();
  assert.deepEqual(written()[0], [START]);
  for (const [away, back] of [[['pagehide'], ['pageshow']], [['freeze'], ['resume']], [['visibilitychange', 'hidden'], ['visibilitychange', 'visible']]]) {
    tell(...away);
    assert.ok(items.has('chat'), away[0]);
    tell(...back);
    assert.ok(!items.has('chat'), back[0]);
  }
});

test('what comes and goes writes nothing to storage; what is stored is as new as what was acknowledged', async (t) => {
  const { items, kept, tell } = page(t);
  const { socket, time } = await made(t, KEPT);
  await welcome();
  for (let number = 1; number <= 100; number++) { say([TEXT, number, 0], 'x'); socket.send('y'); await time.pass(20); }
  assert.equal(kept.writes, 0);
  say([TEXT, 101, 0], 'x');
  socket.send('rides');
  assert.equal(written().at(-1)[2], 101);
  tell('pagehide');
  assert.deepEqual([kept.writes, JSON.parse(items.get('chat')).received], [1, 101]);
});

test('a session outlives a reload where the socket does not dial, and where it has given up', async (t) => {
  const { items, tell } = page(t);
  const { socket } = await made(t, { ...KEPT, policy: { maxAttempts: 0 } });
  await welcome();
  last().end();
  assert.equal(socket.phase, 'failed');
  const stored = items.get('chat');
  assert.ok(stored);
  const { socket: idle } = await made(t, { ...KEPT, autoConnect: false });
  tell('pagehide');
  assert.equal(items.get('chat'), stored);
  idle.reconnect();
  assert.ok(!items.has('chat'));
  idle.close();
  assert.ok(!items.has('chat'));
});

test('a session whose setup is not done is not kept', async (t) => {
  const { items, tell } = page(t);
  await made(t, { ...KEPT, onSetup: () => new Promise(() => {}) });
  await welcome();
  tell('pagehide');
  assert.ok(!items.has('chat'));
});

const turns = async () => { for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve)); };
const OTHER = KEY.map((byte) => byte + 50);
const replaced = async () => {
  last().open('redial.v1');
  await settle();
  say([WELCOME, 2, ...OTHER, ...OTHER, 0, 60, 0]);
  await settle();
};

test('the setup of a session that begins goes before all that waits, and its messages have no ids', async (t) => {
  let done;
  const onSetup = (send) => { send('auth'); return new Promise((resolve) => (done = resolve)).then(() => send('join')); };
  const { socket } = await made(t, { onSetup });
  const events = recorded(socket, ['open', ...NOTICES]);
  socket.on('sessionStarted', () => socket.send('heard'));
  assert.equal(socket.post('early'), 1);
  await welcome();
  say([TEXT, 1, 1], 'challenge');
  await settle();
  assert.deepEqual([socket.readyState, written()], [0, [[START], [TEXT, 1, 0, 'auth']]]);
  done();
  await settle();
  assert.deepEqual([socket.readyState, written().slice(2).map(([, number, , data]) => [number, data])], [1, [[2, 'join'], [3, 'early'], [4, 'heard']]]);
  assert.equal(socket.post('late'), 3);
  say([ACK, 2]);
  say([ACK, 5]);
  await settle();
  assert.deepEqual(events, [['sessionStarted', { sessionId: ID }], ['open', null], ['delivered', { upTo: 3 }]]);
});

test('a session that goes on has its setup already; one that takes its place is set up before what waits', async (t) => {
  let count = 0;
  const { socket, time } = await made(t, { onSetup: (send) => { count++; send('join'); } });
  const events = recorded(socket, ['sessionLost']);
  await welcome();
  last().end();
  await time.pass(1000);
  await welcome(1, 1);
  assert.deepEqual([count, written().length, socket.readyState], [1, 1, 1]);
  socket.send('sent');
  last().end();
  socket.send('offline');
  await time.pass(5000);
  await replaced();
  assert.deepEqual([count, written().slice(1).map(([, number, , data]) => [number, data])], [2, [[1, 'join'], [2, 'offline']]]);
  assert.deepEqual(events, [['sessionLost', { reason: 'unknown', messages: ['sent'] }]]);
});

test('a setup that was cut short is done again, in the session that goes on as in another', async (t) => {
  for (const again of [() => welcome(1, 0), replaced]) {
    let count = 0;
    const onSetup = (send) => { send(`auth ${++count}`); return count == 1 ? new Promise(() => {}) : undefined; };
    const { socket, time } = await made(t, { onSetup });
    socket.send('early');
    await welcome();
    last().end();
    await time.pass(1000);
    await again();
    const sent = written().slice(1).map(([, , , data]) => data);
    assert.deepEqual([socket.readyState, sent], [1, again == replaced ? ['auth 2', 'early'] : ['auth 1', 'auth 2', 'early']]);
    socket.close();
  }
});

test('setup that was not written is not told as lost, and goes to no other session', async (t) => {
  const blob = Object.assign(new Blob(['x']), { arrayBuffer: () => new Promise(() => {}) });
  const { socket } = await made(t, { onSetup: (send) => send(blob) });
  const events = recorded(socket, ['undelivered', 'sessionLost']);
  await welcome();
  socket.send('waits');
  socket.close();
  assert.deepEqual(events, [['undelivered', { messages: ['waits'] }]]);
});

test('a setup that sends a Blob is complete before anything else goes', async (t) => {
  const { socket } = await made(t, { onSetup: (send) => { send(new Blob(['1'])); send('2'); } });
  socket.send('3');
  await welcome();
  await turns();
  assert.deepEqual(written().slice(1).map(([, , , data]) => (typeof data == 'string' ? data : String.fromCharCode(...data))), ['1', '2', '3']);
});

test('a Blob that is not read yet waits like any message, and is given back', async (t) => {
  const { socket } = await made(t, { queue: { bytes: 10 } });
  const events = recorded(socket, NOTICES);
  await welcome();
  const blob = new Blob(['precious']);
  socket.send(blob);
  assert.deepEqual([socket.pending, socket.bufferedAmount], [1, 8]);
  assert.throws(() => socket.send('too much'), { name: 'QuotaExceededError' });
  socket.close();
  assert.deepEqual(events.slice(1), [['undelivered', { messages: [blob] }]]);
  assert.equal(events[1][1].messages[0], blob);
  await turns();
  assert.deepEqual([socket.pending, events.length], [0, 2]);
});

test('there is no room for a Blob where there is none for a text, and no id is given twice', async (t) => {
  const { socket } = await made(t, { queue: { messages: 1 } });
  const events = recorded(socket, ['delivered', 'undelivered']);
  await welcome();
  const one = socket.post('one');
  assert.throws(() => socket.post(new Blob(['two'])), { name: 'QuotaExceededError' });
  await turns();
  say([ACK, 1]);
  const three = socket.post('three');
  say([ACK, 2]);
  await settle();
  assert.deepEqual([[one, three], events], [[1, 2], [['delivered', { upTo: 1 }], ['delivered', { upTo: 2 }]]]);
});

test('a Blob that can not be read is told of, and holds nothing up', async (t) => {
  const { socket } = await made(t);
  const events = recorded(socket, ['undelivered']);
  await welcome();
  const blob = new Blob(['x']);
  blob.arrayBuffer = () => Promise.reject(new Error('gone'));
  socket.send(blob);
  socket.send('next');
  await turns();
  assert.deepEqual([events, written().at(-1)], [[['undelivered', { messages: [blob] }]], [TEXT, 1, 0, 'next']]);
});

test('the server learns with which code the session was broken', async (t) => {
  const { socket } = await made(t);
  await welcome();
  const closes = recorded(socket, ['close']);
  say([TEXT, 5, 0], 'a gap');
  assert.deepEqual([last().closedWith[0], closes], [4416, [['close', 4416]]]);
});

test('an error that is not of the protocol is not taken for one', async (t) => {
  const { socket } = await made(t);
  await welcome();
  const { subarray } = Uint8Array.prototype, frame = encode([BINARY, 1, 0], [1]).buffer;
  t.after(() => { Uint8Array.prototype.subarray = subarray; });
  Uint8Array.prototype.subarray = () => { throw new RangeError('no memory'); };
  assert.throws(() => last().say(frame), { name: 'RangeError', message: 'no memory' });
  Uint8Array.prototype.subarray = subarray;
  assert.equal(socket.phase, 'open');
});

test('close forgets the session of a socket that has given up', async (t) => {
  const { items } = page(t);
  const { socket } = await made(t, { ...KEPT, policy: { maxAttempts: 0 } });
  await welcome();
  last().end();
  assert.ok(items.has('chat'));
  socket.close();
  assert.ok(!items.has('chat'));
});
