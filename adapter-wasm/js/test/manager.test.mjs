// Several sockets with one policy and one dial budget.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWebSocket, fakeTime, settle } from './native.mjs';
import { load } from './support.mjs';

const dials = () => FakeWebSocket.all.length;

async function made(t, config = {}) {
  const time = fakeTime(t);
  FakeWebSocket.all = [];
  const { getGlobalReconnectionManager, RedialSocket } = await load('src/plain.ts');
  const manager = getGlobalReconnectionManager({ policy: { jitter: false }, options: { WebSocket: FakeWebSocket }, ...config });
  t.after(() => manager.destroy());
  return { time, manager, getGlobalReconnectionManager, RedialSocket };
}

test('there is one, until it is destroyed', async (t) => {
  const { manager, getGlobalReconnectionManager } = await made(t);
  assert.equal(getGlobalReconnectionManager(), manager);
  manager.destroy();
  assert.throws(() => manager.connect('ws://x'), { name: 'InvalidStateError' });
  const other = getGlobalReconnectionManager();
  assert.notEqual(other, manager);
  other.destroy();
});

test('one dial budget for all: dials wait for their turns, and no more are made than it allows', async (t) => {
  const { manager, time } = await made(t, { dialBudget: { burst: 2, refill: 1000 } });
  for (let index = 0; index < 6; index++) manager.connect(`ws://example.com/${index}`);
  await time.pass(10);
  assert.equal(dials(), 2);
  for (let more = 3; more <= 6; more++) {
    await time.pass(980);
    assert.equal(dials(), more - 1);
    await time.pass(20);
    assert.equal(dials(), more);
  }
  await time.pass(5000);
  assert.equal(dials(), 6);
});

test('a socket that gives its turn back leaves none waiting for nothing', async (t) => {
  const { manager, time } = await made(t, { dialBudget: { burst: 1, refill: 1000 } });
  const sockets = [0, 1].map((index) => manager.connect(`ws://example.com/${index}`));
  await time.pass(10);
  FakeWebSocket.last().open();
  sockets[1].close();
  manager.connect('ws://example.com/2');
  await time.pass(1000);
  assert.deepEqual(FakeWebSocket.all.map(({ url }) => url), ['ws://example.com/0', 'ws://example.com/2']);
});

test('events of all sockets, with the socket', async (t) => {
  const { manager, time } = await made(t);
  const heard = [];
  const listener = ({ socket, detail }) => heard.push([socket.url, detail.type ?? detail.attempt]);
  const [a, b] = [manager.connect('ws://a.example'), manager.connect('ws://b.example')];
  await time.pass(1);
  for (const type of ['open', 'close', 'message', 'retryScheduled', 'reconnection_attempt']) manager.on(type, listener);
  FakeWebSocket.all[0].open();
  FakeWebSocket.all[0].say('x');
  FakeWebSocket.all[1].end();
  assert.deepEqual(heard, [
    ['ws://a.example/', 'open'], ['ws://a.example/', 'message'], ['ws://b.example/', 'close'], ['ws://b.example/', 1], ['ws://b.example/', 1],
  ]);
  manager.off('open', listener);
  assert.deepEqual(manager.health, { sockets: 2, open: 1, connecting: 0, closed: 1, best: 'disconnected', worst: 'disconnected' });
  assert.deepEqual(manager.sockets, [a, b]);
});

test('policy of all, and the own keys of one', async (t) => {
  const { manager, time } = await made(t, { policy: { jitter: false, baseDelay: 300, maxAttempts: 1 }, preset: 'support' });
  const socket = manager.connect('ws://a.example', [], { policy: { baseDelay: 700 } });
  await time.pass(1);
  FakeWebSocket.last().end();
  assert.ok(Math.abs(socket.nextRetryAt - Date.now() - 700) < 50);
});

test('a socket that was closed is let go, one that comes back is there again', async (t) => {
  const { manager, time } = await made(t);
  const socket = manager.connect('ws://a.example');
  await time.pass(1);
  FakeWebSocket.last().open();
  socket.close();
  FakeWebSocket.last().end(1005, '', true);
  assert.deepEqual(manager.sockets, []);
  socket.reconnect();
  await time.pass(1);
  assert.deepEqual(manager.sockets, [socket]);
});

test('reconnectAll, autoReconnect and destroy reach all', async (t) => {
  const { manager, time } = await made(t, { dialBudget: null });
  for (const name of ['a', 'b', 'c']) manager.connect(`ws://${name}.example`);
  await time.pass(1);
  FakeWebSocket.all[0].open();
  manager.autoReconnect = false;
  FakeWebSocket.all[1].end();
  FakeWebSocket.all[2].end();
  await time.pass(60_000);
  assert.equal(dials(), 3);
  manager.reconnectAll();
  assert.equal(dials(), 5);
  manager.destroy();
  await settle();
  assert.deepEqual([manager.sockets.length, time.timers.size], [0, 0]);
});

test('a dial budget that makes no sense is refused, and it says what is allowed', async (t) => {
  const { RedialSocket } = await made(t);
  const { ReconnectionManager } = await load('src/index.ts');
  const refused = (dialBudget, text) => assert.throws(() => new ReconnectionManager(RedialSocket, { dialBudget }), { name: 'TypeError', message: text });
  for (const burst of [0, -1, NaN, 1.5]) refused({ burst }, new RegExp(`^policy key dialBudget.burst: ${burst} is not allowed; allowed: .`));
  for (const refill of [0, -5, Infinity]) refused({ refill }, new RegExp(`^policy key dialBudget.refill: ${refill} is not allowed; allowed: .`));
  refused({ brust: 1 }, /^policy key dialBudget.brust: 1 is not allowed; allowed: the keys /);
  refused(5, /^policy key dialBudget: 5 is not allowed; allowed: ./);
});

test('autoReconnect can be read, and holds for sockets to come', async (t) => {
  const { manager, time } = await made(t);
  assert.equal(manager.autoReconnect, true);
  manager.autoReconnect = false;
  const socket = manager.connect('ws://a.example', [], { policy: { autoReconnect: true } });
  await time.pass(1);
  assert.deepEqual([manager.autoReconnect, socket.autoReconnect, dials()], [false, false, 1]);
  FakeWebSocket.last().open();
  FakeWebSocket.last().end();
  await time.pass(60_000);
  assert.deepEqual([socket.phase, dials()], ['held', 1]);
  manager.autoReconnect = true;
  await time.pass(10);
  assert.equal(dials(), 2);
});
