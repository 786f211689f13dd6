// What RedialSocket does beyond the standard's interface.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWebSocket, fakeTime, recorded, settle } from './native.mjs';
import { load } from './support.mjs';

const { RedialSocket } = await load('src/plain.ts');
const dials = () => FakeWebSocket.all.length;
const last = () => FakeWebSocket.last();

async function made(t, options = {}, url = 'ws://example.com') {
  const time = fakeTime(t);
  FakeWebSocket.all = [];
  const socket = new RedialSocket(url, [], { WebSocket: FakeWebSocket, seed: 7, ...options, policy: { jitter: false, dialBudget: null, ...options.policy } });
  t.after(() => socket.close());
  await settle();
  return { socket, time };
}

/** A page: what `window` and `document` tell. Answers how many listeners it has. */
function page(t) {
  const [window, document] = [new EventTarget(), new EventTarget()];
  let count = 0;
  for (const target of [window, document]) {
    const { addEventListener: add, removeEventListener: remove } = target;
    target.addEventListener = (...args) => { count++; add.apply(target, args); };
    target.removeEventListener = (...args) => { count--; remove.apply(target, args); };
  }
  Object.assign(globalThis, { addEventListener: window.addEventListener, removeEventListener: window.removeEventListener, document });
  t.after(() => { for (const name of ['addEventListener', 'removeEventListener', 'document']) delete globalThis[name]; });
  const tell = (target, type, fields = {}) => target.dispatchEvent(Object.assign(new Event(type), fields));
  return { window, document, tell, listeners: () => count };
}

test('phases, status and the countdown', async (t) => {
  const { socket, time } = await made(t);
  assert.deepEqual([socket.phase, socket.status, socket.nextRetryAt], ['connecting', 'connecting', null]);
  last().end();
  assert.deepEqual([socket.phase, socket.status, socket.attempt], ['waiting', 'closed', 1]);
  assert.ok(Math.abs(socket.nextRetryAt - Date.now() - 1000) < 50);
  await time.pass(1000);
  last().open();
  assert.deepEqual([socket.phase, socket.status, socket.nextRetryAt], ['open', 'open', null]);
});

test('notices, under both names, to listeners and to on', async (t) => {
  const { socket, time } = await made(t, { policy: { maxAttempts: 1 } });
  const heard = [];
  const types = ['retryScheduled', 'reconnection_attempt', 'opened', 'reconnection_success', 'attemptFailed', 'reconnection_failure', 'lost', 'gaveUp'];
  for (const type of types) socket.on(type, (detail) => heard.push([type, detail.attempt ?? detail.limit ?? detail.cause?.kind]));
  last().open();
  last().end();
  await time.pass(1000);
  last().open();
  last().end();
  assert.deepEqual(heard, [
    ['opened', 0], ['lost', 'close'], ['retryScheduled', 1], ['reconnection_attempt', 1], ['opened', 1], ['reconnection_success', 1],
    ['lost', 'close'], ['gaveUp', 'attempts'], ['reconnection_failure', 'attempts'],
  ]);
  assert.deepEqual([socket.readyState, socket.phase], [3, 'failed']);
});

test('whoever makes it hears of it from the beginning', async (t) => {
  fakeTime(t);
  const socket = new RedialSocket('ws://example.com', [], { WebSocket: FakeWebSocket });
  const events = recorded(socket, ['phase']);
  await settle();
  assert.deepEqual(events, [['phase', { from: 'idle', to: 'connecting' }]]);
  socket.close();
});

test('off takes a listener away, of that type only', async (t) => {
  const { socket } = await made(t);
  const heard = [];
  const listener = (event) => heard.push(event.type);
  socket.on('open', listener).on('close', listener).on('open', listener).off('open', listener).off('message', listener);
  last().open();
  last().end();
  assert.deepEqual(heard, ['close']);
});

test('close 1000 from the peer is the end, and what waits is given back', async (t) => {
  const { socket, time } = await made(t);
  const events = recorded(socket, ['close', 'undelivered', 'gaveUp']);
  last().open();
  last().readyState = 2;
  socket.send('late');
  last().end(1000, '', true);
  await time.pass(60_000);
  assert.deepEqual([dials(), socket.readyState, events], [1, 3, [['close', 1000], ['undelivered', { messages: ['late'] }]]]);
});

test('what waits when it gives up stays for reconnect()', async (t) => {
  const { socket } = await made(t, { policy: { maxAttempts: 0 } });
  last().end();
  socket.send('kept');
  assert.deepEqual([socket.phase, socket.pending], ['failed', 1]);
  socket.reconnect();
  last().open();
  assert.deepEqual(last().sent, ['kept']);
});

test('the queue is bounded: the new one is refused, or the oldest gives way', async (t) => {
  const { socket } = await made(t, { queue: { messages: 3, bytes: 5 } });
  socket.send('abc');
  assert.throws(() => socket.send('def'), { name: 'QuotaExceededError' });
  socket.send('de');
  assert.throws(() => socket.send('f'), { name: 'QuotaExceededError' });
  assert.equal(socket.bufferedAmount, 5);
  const { socket: other } = await made(t, { queue: { messages: 2, bytes: 5, overflow: 'dropOldest' } });
  const events = recorded(other, ['undelivered']);
  for (const text of ['abc', 'd', 'e', 'fghij']) other.send(text);
  assert.throws(() => other.send('klmnop'), { name: 'QuotaExceededError' });
  assert.deepEqual(events.map(([, { messages }]) => messages), [['abc'], ['d', 'e']]);
  last().open();
  assert.deepEqual(last().sent, ['fghij']);
});

test('a long queue goes out in batches, in order, and what is sent meanwhile behind it', async (t) => {
  const { socket, time } = await made(t);
  for (let index = 0; index < 150; index++) socket.send(`${index}`);
  last().open();
  socket.send('150');
  assert.equal(last().sent.length, 64);
  last().bufferedAmount = 2 << 20;
  await time.pass(100);
  assert.equal(last().sent.length, 64, 'the browser has enough to write');
  last().bufferedAmount = 0;
  await time.pass(100);
  assert.deepEqual(last().sent, Array.from({ length: 151 }, (_, index) => `${index}`));
});

test('a batch that a loss cuts off goes on with the next connection, with none twice', async (t) => {
  const { socket, time } = await made(t);
  for (let index = 0; index < 100; index++) socket.send(`${index}`);
  const first = last();
  first.open();
  first.end();
  await time.pass(1000);
  last().open();
  await time.pass(10);
  assert.deepEqual([...first.sent, ...last().sent], Array.from({ length: 100 }, (_, index) => `${index}`));
});

test('the setup goes first, and the connection is open when it is done', async (t) => {
  let done;
  const onSetup = (send) => { send('auth'); return new Promise((resolve) => (done = resolve)); };
  const { socket, time } = await made(t, { onSetup });
  const events = recorded(socket);
  socket.send('queued');
  last().open();
  last().say('welcome');
  socket.send('queued too');
  assert.deepEqual([socket.phase, socket.readyState, last().sent, events], ['handshaking', 0, ['auth'], [['message', 'welcome']]]);
  done();
  await settle();
  assert.deepEqual([socket.readyState, last().sent, events.at(-1)], [1, ['auth', 'queued', 'queued too'], ['open', null]]);
  last().end();
  await time.pass(1000);
  last().open();
  await time.pass(10_000);
  assert.equal(socket.phase, 'waiting', 'a setup that is never done times out');
});

test('a setup that fails is a failed attempt', async (t) => {
  for (const onSetup of [() => { throw new Error('no'); }, () => Promise.reject(new Error('no'))]) {
    const { socket } = await made(t, { onSetup });
    last().open();
    await settle();
    assert.equal(socket.phase, 'waiting');
    assert.equal(last().readyState, 2);
  }
});

test('several endpoints: the next after a failure', async (t) => {
  const { socket, time } = await made(t, {}, ['ws://a.example', new URL('ws://b.example')]);
  last().end();
  await time.pass(1000);
  assert.deepEqual([last().url, socket.url], ['ws://b.example/', 'ws://b.example/']);
});

test('autoReconnect off holds a lost connection, reconnect() passes it, on goes on', async (t) => {
  const { socket, time } = await made(t);
  last().open();
  socket.autoReconnect = false;
  last().end();
  await time.pass(60_000);
  assert.deepEqual([socket.autoReconnect, socket.phase, dials()], [false, 'held', 1]);
  socket.reconnect();
  last().end();
  await time.pass(60_000);
  assert.equal(dials(), 2);
  socket.autoReconnect = true;
  await time.pass(0);
  assert.deepEqual([dials(), socket.autoReconnect], [3, true]);
});

test('reconnect() while it waits is instant, and mashing it dials once', async (t) => {
  const { socket } = await made(t);
  last().end();
  for (let click = 0; click < 50; click++) socket.reconnect();
  assert.equal(dials(), 2);
});

test('a wrong policy throws at once, and says what is allowed', () => {
  const refused = (policy, text) => assert.throws(() => new RedialSocket('ws://x', [], { WebSocket: FakeWebSocket, policy }), { name: 'TypeError', message: text });
  refused({ baseDelay: -1 }, 'policy key baseDelay: -1 is not allowed; allowed: milliseconds from 0 to 9007199254740.992, at most three decimals');
  refused({ jitter: 'some' }, /^policy key jitter: "some" is not allowed; allowed: true, false, "full"/);
  refused({ baseDlay: 5 }, /^policy key baseDlay: 5 is not allowed; allowed: the keys baseDelay/);
  refused({ quality: { god: 1 } }, /^policy key quality.god: 1 is not allowed/);
  refused({ minDelay: 9000 }, 'policy key minDelay: 9000 is not allowed; allowed: milliseconds from 0 to maxDelay, at most three decimals');
  refused({ verdicts: { 'close:99': 'stop' } }, /^policy key verdicts.close:99: "stop" is not allowed; allowed: close:CODE/);
  refused({ baseDelay: {} }, /^policy key baseDelay: .* is not allowed/);
});

test('an unknown preset throws at once, and says which there are', () => {
  const refused = (preset, text) => assert.throws(() => new RedialSocket('ws://x', [], { WebSocket: FakeWebSocket, preset }), { name: 'TypeError', message: text });
  const allowed = 'allowed: "chat", "assistant", "support", "session", "resilient"';
  refused('nonsense', `option preset: "nonsense" is not allowed; ${allowed}`);
  refused(null, `option preset: null is not allowed; ${allowed}`);
});

test('where there is no WebSocket and none was given, it says so at once', async (t) => {
  const native = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  delete globalThis.WebSocket;
  t.after(() => { if (native) Object.defineProperty(globalThis, 'WebSocket', native); });
  const { RedialSocket: Bare } = await load('src/plain.ts');
  assert.throws(() => new Bare('ws://x'), { name: 'TypeError', message: /^There is no WebSocket here/ });
});

test('close ends one that has given up, or never began: what waited is given back, and nothing waits any more', async (t) => {
  for (const [options, phase] of [[{ policy: { maxAttempts: 0 } }, 'failed'], [{ autoConnect: false }, 'idle']]) {
    const { socket, time } = await made(t, options);
    if (phase == 'failed') last().end();
    await time.pass(0);
    assert.equal(socket.phase, phase);
    socket.send('waits');
    const events = recorded(socket, ['close', 'undelivered', 'phase']);
    socket.close();
    assert.deepEqual(events, [['phase', { from: phase, to: 'closed' }], ['undelivered', { messages: ['waits'] }]]);
    socket.send('more');
    assert.deepEqual([socket.phase, socket.readyState, socket.pending, socket.bufferedAmount], ['closed', 3, 0, 4]);
    socket.reconnect();
    assert.equal(socket.readyState, 0);
    socket.close();
  }
});

test('verdicts, limits and presets of the policy', async (t) => {
  const { socket, time } = await made(t, { preset: 'support', policy: { verdicts: { 'close:4401': 'stop' }, dialBudget: { burst: 3, refill: 1 }, jitter: { ratio: 0 } } });
  last().end();
  assert.ok(Math.abs(socket.nextRetryAt - Date.now() - 500) < 50);
  await time.pass(500);
  last().open();
  last().end(4401);
  assert.equal(socket.phase, 'failed');
});

test('a heartbeat: what answers it is counted and given to nobody, silence ends the connection', async (t) => {
  const heartbeat = { message: () => 'ping', isAnswer: (data) => data == 'pong' };
  const { socket, time } = await made(t, { heartbeat });
  const events = recorded(socket, ['message', 'healthCheck', 'health_check', 'lost', 'close']);
  last().open();
  await time.pass(5000);
  assert.deepEqual(last().sent, ['ping']);
  await time.pass(40);
  last().say('pong');
  last().say('other');
  assert.deepEqual(events.map(([type, detail]) => [type, detail.latency ?? detail]), [['healthCheck', 40], ['health_check', 40], ['message', 'other']]);
  assert.deepEqual([socket.latency, socket.quality], [40, 'excellent']);
  await time.pass(4960);
  assert.equal(last().sent.length, 2);
  await time.pass(3000);
  assert.deepEqual(events.slice(3).map(([type, detail]) => [type, detail.cause?.kind ?? detail]), [['close', 1006], ['lost', 'pingTimeout']]);
});

/** What is logged as an error. */
function errors(t) {
  const lines = [], { error } = console;
  console.error = (...args) => lines.push(args);
  t.after(() => { console.error = error; });
  return lines;
}

test('a heartbeat that can not be made is told of, and ends the connection', async (t) => {
  const lines = errors(t);
  const { socket, time } = await made(t, { heartbeat: { message: () => { throw new Error('boom'); } } });
  const events = recorded(socket, ['error', 'close', 'lost']);
  last().open();
  await time.pass(5000);
  assert.deepEqual(events.map(([type, detail]) => [type, detail?.cause?.kind ?? detail]), [['error', null], ['close', 1006], ['lost', 'network']]);
  assert.deepEqual([socket.phase, lines.length], ['waiting', 1]);
});

test('a matcher that throws has not known the message', async (t) => {
  const lines = errors(t);
  const { socket, time } = await made(t, { heartbeat: { message: 'ping', isAnswer: (data) => JSON.parse(data).pong } });
  const events = recorded(socket, ['message', 'lost']);
  last().open();
  await time.pass(5000);
  last().say('no JSON');
  last().say('{"pong":true}');
  assert.deepEqual([events, lines.length, socket.phase, socket.latency], [[['message', 'no JSON']], 1, 'open', 0]);
  await time.pass(8000);
  assert.deepEqual(events.at(-1)[1].cause, { kind: 'pingTimeout' });
});

test('traffic is life, from when it came', async (t) => {
  const { socket, time } = await made(t, { heartbeat: { message: 'ping', isAnswer: () => false } });
  last().open();
  await time.pass(7000);
  last().say('news');
  await time.pass(2999);
  assert.equal(socket.phase, 'open');
  await time.pass(2);
  assert.equal(socket.phase, 'waiting');
});

test('busy bears a long silence', async (t) => {
  const { socket, time } = await made(t, { heartbeat: { message: 'ping', isAnswer: () => false } });
  last().open();
  socket.busy(true);
  await time.pass(34_000);
  assert.equal(socket.phase, 'open');
  await time.pass(1001);
  assert.equal(socket.phase, 'waiting');
});

test('a heartbeat without a matcher: the first traffic after it answers it', async (t) => {
  const { socket, time } = await made(t, { heartbeat: { message: 'ping' } });
  const events = recorded(socket);
  last().open();
  for (let round = 0; round < 5; round++) { await time.pass(5000); last().say('any'); }
  assert.deepEqual([last().sent.length, socket.phase, events.length], [5, 'open', 6]);
});

test('without a heartbeat nothing is sent and no silence ends anything', async (t) => {
  const { socket, time } = await made(t);
  last().open();
  await time.pass(3_600_000);
  assert.deepEqual([last().sent, socket.phase, time.timers.size], [[], 'open', 0]);
});

test('offline holds, online goes on; a closed socket listens to nothing', async (t) => {
  const { window, tell, listeners } = page(t);
  const { socket, time } = await made(t, { policy: { onlineSpread: 0 } });
  last().open();
  tell(window, 'offline');
  last().end();
  await time.pass(60_000);
  assert.deepEqual([socket.phase, dials()], ['held', 1]);
  tell(window, 'online');
  await time.pass(1);
  assert.equal(dials(), 2);
  assert.ok(listeners() > 0);
  socket.close();
  last().end();
  assert.equal(listeners(), 0);
  socket.reconnect();
  assert.ok(listeners() > 0);
});

test('the back-forward cache: the connection is given up, and comes back with the page', async (t) => {
  const { window, tell } = page(t);
  const { socket, time } = await made(t);
  last().open();
  tell(window, 'pagehide', { persisted: false });
  assert.equal(socket.phase, 'open');
  tell(window, 'pagehide', { persisted: true });
  await time.pass(60_000);
  assert.deepEqual([socket.phase, last().readyState, dials()], ['held', 2, 1]);
  tell(window, 'pageshow', { persisted: true });
  await time.pass(1);
  assert.equal(dials(), 2);
});

test('a frozen page does not dial; a hidden one only where that is asked for', async (t) => {
  const { document, tell } = page(t);
  const { socket, time } = await made(t, { hints: { hidden: true } });
  tell(document, 'freeze');
  last().end();
  await time.pass(60_000);
  assert.equal(dials(), 1);
  tell(document, 'resume');
  await time.pass(1);
  assert.equal(dials(), 2);
  document.visibilityState = 'hidden';
  tell(document, 'visibilitychange');
  last().end();
  await time.pass(60_000);
  assert.deepEqual([socket.phase, dials()], ['held', 2]);
  document.visibilityState = 'visible';
  tell(document, 'visibilitychange');
  await time.pass(1);
  assert.equal(dials(), 3);
});

test('a timer longer than the browser takes is cut', async (t) => {
  const { time } = await made(t, { policy: { connectTimeout: 2 ** 40 } });
  assert.deepEqual([...time.timers.values()].map(({ delay }) => delay), [2 ** 31 - 1]);
  await time.pass(2 ** 31 + 5);
  assert.equal(time.timers.size, 1);
});

test('closed or given up: no timer, no listener, and no handler on a native socket', async (t) => {
  const { listeners } = page(t);
  const { socket, time } = await made(t, { policy: { maxAttempts: 1 }, heartbeat: { message: 'ping' } });
  for (let index = 0; index < 100; index++) socket.send('x');
  const first = last();
  first.open();
  first.end();
  assert.deepEqual([first.onopen, first.onmessage, first.onclose], [null, null, null]);
  await time.pass(1000);
  last().end();
  assert.deepEqual([socket.phase, time.timers.size, listeners()], ['failed', 0, 0]);
  socket.reconnect();
  last().open();
  socket.close();
  last().end(1005, '', true);
  assert.deepEqual([last().onopen, last().onmessage, last().onclose, time.timers.size, listeners()], [null, null, null, 0, 0]);
});

test('listeners may close, reconnect and send from within an event', async (t) => {
  const { socket, time } = await made(t);
  const events = recorded(socket);
  socket.addEventListener('close', () => socket.reconnect(), { once: true });
  last().open();
  last().end();
  assert.deepEqual([dials(), socket.phase], [2, 'connecting']);
  socket.addEventListener('open', () => { socket.send('1'); socket.close(); }, { once: true });
  last().open();
  assert.deepEqual([last().sent, socket.readyState], [['1'], 2]);
  last().end(1005, '', true);
  await time.pass(60_000);
  assert.deepEqual([dials(), events.map(([type]) => type)], [2, ['open', 'close', 'open', 'close']]);
});

test('a message costs no call of the machine', async (t) => {
  let calls = 0;
  const { Instance } = WebAssembly;
  t.after(() => { WebAssembly.Instance = Instance; });
  WebAssembly.Instance = function (module) {
    const { exports } = new Instance(module);
    return { exports: { ...exports, handle: (...args) => (calls++, exports.handle(...args)) } };
  };
  const { RedialSocket: Counted } = await load('src/plain.ts');
  const time = fakeTime(t);
  const socket = new Counted('ws://example.com', [], { WebSocket: FakeWebSocket, heartbeat: { message: 'ping', isAnswer: () => false } });
  await settle();
  last().open();
  const before = calls;
  for (let index = 0; index < 1000; index++) { last().say('x'); socket.send('y'); }
  assert.equal(calls, before);
  await time.pass(5000);
  const pinged = calls;
  for (let index = 0; index < 1000; index++) last().say('x');
  assert.equal(calls, pinged, 'nor while a ping is unanswered');
  await time.pass(3000);
  assert.ok(calls - pinged <= 3, `${calls - pinged}`);
  socket.close();
});

test('debug logs, by option or by the page\'s storage', async (t) => {
  const lines = [], { debug } = console;
  console.debug = (...args) => lines.push(args);
  t.after(() => { console.debug = debug; delete globalThis.localStorage; });
  await made(t);
  assert.equal(lines.length, 0);
  Object.defineProperty(globalThis, 'localStorage', { value: { debug: 'app,websocket' }, configurable: true });
  await made(t);
  assert.ok(lines.length > 0);
  const count = lines.length;
  await made(t, { debug: false });
  assert.equal(lines.length, count);
});

test('stats', async (t) => {
  const { socket, time } = await made(t);
  last().end();
  await time.pass(1000);
  last().open();
  await time.pass(5000);
  const stats = socket.stats;
  assert.deepEqual([stats.dials, stats.retries, stats.opened, stats.successRate, stats.uptime, stats.downtime, stats.p50], [2, 1, 1, 1, 5000, 1000, null]);
});
