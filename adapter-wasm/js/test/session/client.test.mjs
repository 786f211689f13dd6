// What the vectors leave open: the outbox, saved sessions, ends at odd moments, strays, servers without the protocol.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSession, decode, encode, hex, limits } from './load.mjs';

const [NEW, RESUMED, REPLACED] = [0, 1, 2];
const ID = new Uint8Array(16).fill(7);
const SECRET = new Uint8Array(16).fill(9);

const welcome = (outcome, received = 0, most = 0) =>
  encode([3, outcome], [...ID, ...SECRET, ...encode([received, 300_000, most])]);
const message = (number, received = 0) => encode([4, number, received], new TextEncoder().encode('x'));
const ack = (received) => encode([6, received]);
const superseded = encode([10, 1]);

/** A new connection, up to its welcome. */
const greet = (layer, frame, now = 0) => {
  layer.connected();
  assert.ok(layer.transmit(now));
  return layer.receive(now, frame);
};

/** On a connection that was just welcomed. */
const open = (more = {}) => {
  const layer = createSession({ ...limits, ...more }, null);
  greet(layer, welcome(NEW));
  layer.events();
  return layer;
};

const written = (layer, now = 0) => {
  const frames = [];
  for (let frame; (frame = layer.transmit(now)); ) frames.push(decode(frame));
  return frames;
};

const sendAll = (layer, ...texts) => texts.map((text) => layer.send(0, text));
const numbers = (layer) => written(layer).map(([, number]) => number);
const through = (json) => JSON.parse(JSON.stringify(json));

test('the outbox rejects what passes a limit, and counts the bytes of UTF-8', () => {
  const layer = open({ messages: 3, bytes: 10 });
  assert.deepEqual(sendAll(layer, 'Grüße', 'abc'), [1, 2]);
  assert.deepEqual([layer.pending, layer.pendingBytes], [2, 10]);
  assert.throws(() => layer.send(0, 'x'), { name: 'QuotaExceededError' });
  assert.equal(layer.send(0, ''), 3, 'a message that was rejected has no id');
  assert.throws(() => layer.send(0, ''), { name: 'QuotaExceededError' });
  written(layer);
  layer.receive(0, ack(1));
  assert.deepEqual([layer.pending, layer.pendingBytes], [2, 3]);
  assert.equal(layer.send(0, 'seven..'), 4);
});

test('the oldest that were never sent make room, and no others', () => {
  const layer = open({ messages: 4, bytes: 10, overflow: 'dropOldest' });
  sendAll(layer, 'a', 'b');
  written(layer);
  sendAll(layer, 'c', 'd', 'e');
  assert.deepEqual(layer.events(), [{ type: 'dropped', messages: ['c'] }]);
  assert.throws(() => layer.send(0, 'nine.....'), { name: 'QuotaExceededError' }, 'would not fit without d and e either');
  assert.deepEqual([layer.pending, layer.events()], [4, []]);
  layer.send(0, 'eight...');
  assert.deepEqual(layer.events(), [{ type: 'dropped', messages: ['d', 'e'] }]);
  assert.deepEqual(numbers(layer), [3]);
  assert.throws(() => layer.send(0, 'x'), { name: 'QuotaExceededError' }, 'all were sent');
});

test('a message above the most payload is handed back, but not one that an earlier welcome let through', () => {
  const layer = open();
  sendAll(layer, 'sent before');
  written(layer);
  sendAll(layer, 'large', 'just');
  greet(layer, welcome(RESUMED, 0, 4));
  assert.deepEqual(numbers(layer), [1, 2]);
  assert.deepEqual(layer.events().slice(1), [{ type: 'dropped', messages: ['large'] }]);
});

test('a text goes as its UTF-8, as a WebSocket sends it', () => {
  const layer = open();
  sendAll(layer, 'Grüße 🌍', 'half a pair: \ud83c', '\ufeffmarked');
  assert.deepEqual(written(layer), [[4, 1, 0, 'Grüße 🌍'], [4, 2, 0, 'half a pair: \ufffd'], [4, 3, 0, '\ufeffmarked']]);
});

test('acknowledgements go out after 32 messages or 50 ms, and ride on messages', () => {
  const layer = open();
  const receive = (from, to, now) => {
    for (let number = from; number <= to; number++) {
      layer.receive(now, message(number));
      layer.taken(now);
    }
  };
  receive(1, 31, 100);
  assert.deepEqual([layer.deadline(), written(layer, 149)], [150, []]);
  receive(32, 32, 149);
  assert.deepEqual(written(layer, 149), [[6, 32]]);
  assert.equal(layer.deadline(), Infinity);
  receive(33, 33, 200);
  receive(34, 34, 249);
  assert.equal(layer.deadline(), 250, 'since the first');
  assert.deepEqual(written(layer, 250), [[6, 34]]);
  receive(35, 35, 300);
  sendAll(layer, 'one', 'two');
  assert.deepEqual(written(layer, 300), [[4, 1, 35, 'one'], [4, 2, 0, 'two']]);
  assert.equal(layer.deadline(), Infinity);
});

test('what the application has not got is neither acknowledged nor saved as received, but is received on a resume', () => {
  const layer = open();
  layer.receive(0, message(1));
  layer.receive(0, message(2));
  assert.deepEqual([layer.deadline(), written(layer, 1000), layer.save().received], [Infinity, [], 0]);
  layer.taken(0);
  assert.deepEqual([written(layer, 1000), layer.save().received], [[[6, 1]], 1]);
  layer.connected();
  assert.equal(decode(layer.transmit(0))[3], 2);
  layer.receive(0, welcome(RESUMED));
  layer.taken(2000);
  assert.deepEqual([layer.deadline(), written(layer, 9000)], [Infinity, []], 'the server was told');
  layer.taken(2000);
  layer.receive(0, message(2));
  assert.deepEqual(written(layer), [[6, 2]], 'and no more than came');
});

test('what breaks the protocol names the code to close with', () => {
  const at = (code, frame, layer = open()) => assert.throws(() => layer.receive(0, frame), { name: 'Error', code });
  at(4416, message(2));
  at(4416, ack(1));
  const unsent = open();
  sendAll(unsent, 'not sent yet');
  at(4416, ack(1), unsent);
  at(1002, new Uint8Array());
  at(1002, encode([1]));
  at(1002, welcome(NEW));
  const fresh = createSession(limits, null);
  at(1002, welcome(NEW), fresh);
  fresh.connected();
  fresh.transmit(0);
  at(1002, message(1), fresh);
  at(1002, encode([8, 1]), fresh);
  at(1002, welcome(RESUMED), fresh);
  assert.equal(fresh.receive(0, welcome(NEW)).kind, 'welcome');
});

test('an unknown frame, the advice and the end may come before the welcome', () => {
  const layer = createSession(limits, null);
  layer.connected();
  layer.transmit(0);
  assert.deepEqual(layer.receive(0, Uint8Array.of(0x99, 1)), { kind: 'nothing' });
  assert.deepEqual(layer.receive(0, encode([9, 5, 100])), { kind: 'goingAway', stop: true, minDelay: 100 });
  assert.deepEqual(layer.receive(0, encode([10, 3])), { kind: 'end', reason: 'gone' });
  assert.deepEqual(layer.receive(0, welcome(NEW)), { kind: 'nothing' }, 'nothing counts after the end');
  assert.equal(layer.isOpen, false);
});

test('of several pings the newest is answered, and sent', () => {
  const layer = open();
  layer.send(0, 'waits');
  for (const id of [1, 0]) layer.receive(0, encode([7, id]));
  for (const id of [5, 6]) layer.ping(id);
  assert.deepEqual(written(layer), [[8, 0], [7, 6], [4, 1, 0, 'waits']]);
  assert.deepEqual(layer.receive(0, encode([8, 6])), { kind: 'pong', id: 6 });
  layer.receive(0, encode([7, 2]));
  layer.ping(7);
  greet(layer, welcome(RESUMED, 1));
  assert.deepEqual(written(layer), [], 'the next connection has none of them');
});

test('the session is asked for on ten connections, and then a new one', () => {
  const layer = open();
  sendAll(layer, 'in doubt');
  written(layer);
  sendAll(layer, 'kept');
  const first = () => {
    layer.connected();
    return decode(layer.transmit(0))[0];
  };
  for (let turn = 0; turn < 10; turn++) assert.equal(first(), 2);
  assert.deepEqual(layer.events(), []);
  assert.equal(first(), 1);
  assert.deepEqual(layer.events(), [{ type: 'lost', reason: 'noAnswer', messages: ['in doubt'] }]);
  layer.receive(0, welcome(NEW));
  assert.deepEqual(written(layer), [[4, 1, 0, 'kept']]);
  assert.equal(first(), 2, 'which is asked for as often');
});

test('a server that has less than it acknowledged, or more than was sent, has lost its memory', () => {
  for (const received of [0, 3]) {
    const layer = open();
    sendAll(layer, 'one', 'two');
    written(layer);
    layer.receive(0, ack(1));
    layer.events();
    assert.throws(() => greet(layer, welcome(RESUMED, received)), { code: 4416 });
    assert.deepEqual(layer.events(), [{ type: 'lost', reason: 'outOfStep', messages: ['two'] }]);
    assert.deepEqual([layer.isOpen, layer.sessionId], [false, null]);
    assert.deepEqual(layer.receive(0, welcome(RESUMED, received)), { kind: 'nothing' });
  }
});

test('without the protocol messages go as they are, and a session is lost', () => {
  const layer = createSession(limits, null);
  const bytes = Uint8Array.of(1);
  layer.send(0, 'text');
  layer.send(0, bytes);
  layer.plain();
  assert.deepEqual([layer.transmit(0), layer.transmit(0), layer.transmit(0)], ['text', bytes, undefined]);
  assert.deepEqual([layer.events(), layer.isOpen, layer.deadline()], [[], false, Infinity]);
  assert.throws(() => layer.receive(0, message(1)), { code: 1002 });

  const had = open();
  sendAll(had, 'in doubt');
  written(had);
  sendAll(had, 'kept');
  had.plain();
  assert.deepEqual(had.events(), [{ type: 'lost', reason: 'plain', messages: ['in doubt'] }]);
  assert.deepEqual([had.transmit(0), had.sessionId], ['kept', null]);
});

test('an end that was not written does not end the next session', () => {
  const layer = open();
  layer.end();
  greet(layer, welcome(NEW));
  sendAll(layer, 'on the new one');
  assert.deepEqual(written(layer), [[4, 1, 0, 'on the new one']]);

  layer.connected();
  layer.end(); // before it was asked for
  assert.deepEqual(written(layer), [[1]]);
  layer.receive(0, welcome(NEW));
  assert.deepEqual([written(layer), layer.sessionId], [[], hex(ID)]);
});

test('a session that is ended while it is asked for is ended once welcomed', () => {
  for (const outcome of [RESUMED, REPLACED, NEW]) {
    const layer = open();
    layer.connected();
    layer.transmit(0);
    layer.end();
    assert.equal(layer.transmit(0), undefined, 'the welcome comes first');
    layer.receive(0, welcome(outcome));
    assert.deepEqual(written(layer), [[10, 0]]);
    assert.deepEqual(layer.events(), [{ type: 'lost', reason: 'user', messages: [] }], 'once');
    assert.equal(layer.sessionId, null);
  }
});

test('what waits can be taken out, and the session is over', () => {
  const layer = open();
  sendAll(layer, 'one', 'two');
  layer.transmit(0);
  assert.deepEqual(layer.takePending(), ['one', 'two']);
  assert.deepEqual([layer.pending, layer.pendingBytes, layer.sessionId], [0, 0, null]);
  assert.deepEqual(layer.events(), [{ type: 'lost', reason: 'user', messages: [] }]);
  assert.deepEqual(written(layer), [[10, 0]]);
});

test('a client takes its session back from greetings that it gave up, once for each and within a minute', () => {
  const ask = (layer) => {
    layer.connected();
    layer.transmit(0);
  };
  const asked = (times) => {
    const layer = open();
    sendAll(layer, 'kept');
    layer.transmit(0);
    for (let turn = 0; turn < times; turn++) ask(layer);
    layer.receive(0, welcome(RESUMED));
    layer.events();
    return layer;
  };
  const layer = asked(2);
  assert.deepEqual(layer.receive(59_999, superseded), { kind: 'stray' });
  assert.deepEqual([layer.transmit(0), layer.events()], [undefined, []]);
  ask(layer);
  layer.receive(0, welcome(RESUMED));
  layer.events();
  assert.deepEqual(layer.receive(0, superseded), { kind: 'end', reason: 'superseded' }, 'there was but one');
  assert.deepEqual(layer.events(), [{ type: 'lost', reason: 'superseded', messages: ['kept'] }]);
  assert.equal(asked(2).receive(60_000, superseded).kind, 'end', 'long ago');
  const twice = asked(3);
  assert.equal(twice.receive(1000, superseded).kind, 'stray');
  ask(twice);
  twice.receive(30_000, welcome(RESUMED));
  assert.equal(twice.receive(60_000, superseded).kind, 'end', 'the minute is that of the first');
  assert.equal(asked(1).receive(0, superseded).kind, 'end', 'none was given up');
  assert.equal(asked(2).receive(0, encode([10, 3])).kind, 'end', 'another reason');
});

/** With three messages in flight, and one or more that wait. */
const saved = (...more) => {
  const layer = open();
  sendAll(layer, 'one');
  layer.send(0, Uint8Array.of(0, 255));
  sendAll(layer, 'three');
  written(layer);
  sendAll(layer, 'four', ...more);
  return through(layer.save());
};

test('a saved session goes on from where the server is', () => {
  assert.equal(createSession(limits, null).save(), null);
  for (let received = 0; received <= 3; received++) {
    const layer = createSession(limits, saved());
    assert.deepEqual([layer.pending, layer.sessionId], [4, hex(ID)]);
    assert.equal(layer.send(0, 'five'), 5);
    assert.equal(greet(layer, welcome(RESUMED, received)).kind, 'welcome');
    const delivered = { type: 'delivered', upTo: received };
    assert.deepEqual(layer.events(), [...(received ? [delivered] : []), { type: 'resumed', sessionId: hex(ID) }]);
    const all = [[4, 1, 0, 'one'], [5, 2, 0, Uint8Array.of(0, 255)], [4, 3, 0, 'three'], [4, 4, 0, 'four'], [4, 5, 0, 'five']];
    assert.deepEqual(written(layer), all.slice(received));
  }
});

test('where the saved session is gone, what was sent is in doubt and the rest goes into the new one', () => {
  const layer = createSession(limits, saved());
  greet(layer, welcome(REPLACED));
  const [lost, started] = layer.events();
  assert.deepEqual(lost, { type: 'lost', reason: 'unknown', messages: ['one', Uint8Array.of(0, 255), 'three'] });
  assert.equal(started.type, 'started');
  assert.deepEqual(written(layer), [[4, 1, 0, 'four']]);
});

test('what a stale save had is delivered where the server has more, and nothing that was sent after it', () => {
  for (const received of [4, 7]) {
    const layer = createSession(limits, saved());
    layer.send(0, 'after');
    greet(layer, welcome(RESUMED, received));
    assert.deepEqual(layer.events(), [{ type: 'delivered', upTo: 4 }, { type: 'resumed', sessionId: hex(ID) }]);
    assert.deepEqual(written(layer), [[4, received + 1, 0, 'after']]);
  }
});

test('of what waited when it was saved only what the server has is delivered', () => {
  const layer = createSession(limits, saved('five', 'six'));
  greet(layer, welcome(RESUMED, 5));
  assert.deepEqual(layer.events()[0], { type: 'delivered', upTo: 5 });
  assert.deepEqual(written(layer), [[4, 6, 0, 'six']]);
});

test('a stale save is right about what it dropped after it', () => {
  const layer = createSession({ ...limits, messages: 4, overflow: 'dropOldest' }, saved());
  layer.send(0, 'after'); // in the place of four
  layer.events();
  greet(layer, welcome(RESUMED, 4));
  assert.deepEqual(layer.events()[0], { type: 'delivered', upTo: 3 });
  assert.deepEqual(written(layer), [[4, 5, 0, 'after']]);
});

test('without messages the session goes on with the number that the server expects', () => {
  for (let received = 0; received <= 3; received++) {
    const layer = createSession(limits, { ...saved(), sent: 0, messages: [] });
    layer.send(0, 'next');
    greet(layer, welcome(RESUMED, received));
    assert.deepEqual(layer.events(), [{ type: 'resumed', sessionId: hex(ID) }]);
    assert.deepEqual(numbers(layer), [received + 1]);
  }
});

test('only the first welcome may know better than what was saved', () => {
  const layer = createSession(limits, saved());
  greet(layer, welcome(RESUMED, 5));
  layer.events();
  assert.throws(() => greet(layer, welcome(RESUMED, 6)), { code: 4416 });
  assert.equal(layer.events()[0].reason, 'outOfStep');
});

test('what no version of ours has saved begins a new session', () => {
  for (const other of [null, undefined, 7, 'text', {}, { ...saved(), v: 2 }]) {
    const layer = createSession(limits, other);
    layer.connected();
    assert.deepEqual(decode(layer.transmit(0)), [1]);
  }
});
