import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { createPool, type Lease, type LeaseOptions, type Pool } from '../../src/rooms.js';
import { FakeRedial } from './fake-redial.js';

const URL_HERE = 'ws://chat.example/ws';
const ME = { alias: 'a'.repeat(16), user: null };
const OTHER = { alias: 'b'.repeat(16), user: 'bob' };

let sockets: FakeRedial[];
let pool: Pool;

beforeEach(() => {
  sockets = [];
  pool = createPool((url, _protocols, options) => {
    const socket = new FakeRedial(url, options);
    sockets.push(socket);
    return socket;
  });
});
afterEach(() => mock.timers.reset());

function lease(options?: LeaseOptions): [Lease, FakeRedial] {
  const made = pool.lease(URL_HERE, options);
  return [made, made.socket as FakeRedial];
}

/** Lets what waits for the end of the task happen. */
const settled = (): Promise<void> => Promise.resolve();

/** In a room, on a session, with all that comes with it said. */
function inRoom(room = 'general-chat'): [Lease, FakeRedial] {
  const [chat, socket] = lease();
  chat.join(room);
  socket.opens('session-1');
  socket.hears({ type: 'you', you: ME });
  socket.hears({ type: 'joined', room, ...ME });
  socket.hears({ type: 'history', room, messages: [] });
  socket.sent = [];
  return [chat, socket];
}

const entering = (room: string): unknown[] => [{ type: 'join', room }];
const texts = (chat: Lease): string[] => chat.messages.map(({ text }) => text);
const states = (chat: Lease): string[] => chat.messages.map(({ text, status }) => `${text}: ${status}`);

test('parts of a page with the same url and settings share a connection', () => {
  const leases = [lease(), lease({}), lease({ onSetup: () => {} })];
  assert.equal(sockets.length, 1);
  assert.equal(pool.size, 1);
  assert.ok(leases.every(([, socket]) => socket === sockets[0]));
});

test('another url, preset, policy or name is another connection', () => {
  for (const options of [{}, { preset: 'support' }, { policy: { baseDelay: 5 } }, { connection: 'card 2' }, { protocols: 'v2' }] as LeaseOptions[]) lease(options);
  pool.lease('ws://chat.example/other');
  assert.equal(pool.size, 6);
});

test("a policy's keys may come in any order", () => {
  lease({ policy: { baseDelay: 5, quality: { good: 1, poor: 2 } } });
  lease({ policy: { quality: { poor: 2, good: 1 }, baseDelay: 5 } });
  assert.equal(pool.size, 1);
});

test('the last one out closes it, and leaves no listener', async () => {
  const [first, socket] = lease();
  const [second] = lease();
  first.subscribe({ onChange: () => {} });
  first.release();
  first.release();
  await settled();
  assert.equal(socket.isClosed, false);
  second.release();
  await settled();
  assert.equal(socket.isClosed, true);
  assert.equal(socket.listening, 0);
  assert.equal(pool.size, 0);
  lease();
  assert.equal(sockets.length, 2);
});

test('given back and taken again in the same task, it stays, and so do its rooms', async () => {
  const [chat, socket] = inRoom();
  chat.release();
  const [again] = lease();
  again.join('general-chat');
  await settled();
  assert.equal(sockets.length, 1);
  assert.equal(socket.isClosed, false);
  assert.deepEqual(socket.sent, []);
});

test('a share that was given back is not used any more', () => {
  const [chat] = lease();
  chat.release();
  assert.throws(() => chat.send('late'), { name: 'InvalidStateError' });
});

test('an idle connection is opened by the first part that wants it', () => {
  const [, socket] = lease({ autoConnect: false });
  assert.equal(socket.reconnects, 0);
  lease({ autoConnect: false });
  assert.equal(socket.reconnects, 0);
  lease();
  assert.equal(socket.reconnects, 1);
});

test('rooms are joined before what waits is sent, behind the own setup', () => {
  const [chat, socket] = lease({ onSetup: (send) => send(JSON.stringify('token')) });
  chat.join('general-chat');
  chat.send('hello', 'general-chat');
  socket.opens();
  assert.deepEqual(socket.said, ['token', { type: 'who' }, ...entering('general-chat'), { type: 'message', room: 'general-chat', text: 'hello' }]);
});

test('who is asked to authenticate first joins no room before', async () => {
  let authenticated = (): void => {};
  const [chat, socket] = lease({ onSetup: () => new Promise<void>((resolve) => (authenticated = resolve)) });
  chat.join('general-chat');
  socket.opens();
  assert.deepEqual(socket.sent, []);
  authenticated();
  for (let times = 0; times < 3; times += 1) await settled();
  assert.deepEqual(socket.said, [{ type: 'who' }, ...entering('general-chat')]);
});

test('once in a room, it asks who is there and what was said', () => {
  const [chat, socket] = lease();
  chat.join('general-chat');
  socket.opens();
  socket.hears({ type: 'you', you: ME });
  socket.sent = [];
  socket.hears({ type: 'joined', room: 'general-chat', ...OTHER });
  assert.deepEqual(socket.sent, []);
  socket.hears({ type: 'joined', room: 'general-chat', ...ME });
  assert.deepEqual(socket.said, [{ type: 'members', room: 'general-chat' }, { type: 'history', room: 'general-chat', limit: 100 }]);
});

test('where a socket does not ask for the setup, a room is joined before anything is said in it all the same', () => {
  const [chat, socket] = lease();
  socket.asksSetup = false;
  chat.join('general-chat');
  chat.send('hello', 'general-chat');
  assert.equal(chat.pending, 1);
  assert.deepEqual(states(chat), ['hello: pending']);
  socket.opens('session-1');
  assert.deepEqual(socket.said, [{ type: 'who' }, { type: 'join', room: 'general-chat' }, { type: 'message', room: 'general-chat', text: 'hello' }]);
  socket.acknowledges(3);
  assert.deepEqual(states(chat), ['hello: delivered']);
});

test('what is held back for a room is bounded, and has failed when the socket has ended', () => {
  const [chat, socket] = lease();
  chat.join('general-chat');
  for (let count = 0; count < 1024; count += 1) chat.send('hello', 'general-chat');
  assert.throws(() => chat.send('too much', 'general-chat'), { name: 'QuotaExceededError' });
  socket.close();
  assert.ok(chat.messages.every(({ status }) => status === 'failed'));
  assert.equal(chat.pending, 0);
});

test('nothing of the chat is said where there are no rooms', () => {
  const [, socket] = lease();
  socket.opens();
  assert.deepEqual(socket.sent, []);
});

test('a room that two parts are in is joined once, and left when both have left', async () => {
  const [one, socket] = inRoom();
  const [two] = lease();
  two.join('general-chat');
  one.leave('general-chat');
  await settled();
  assert.deepEqual(socket.sent, []);
  two.release();
  await settled();
  assert.deepEqual(socket.said, [{ type: 'leave', room: 'general-chat' }]);
});

test('a resumed session is still in its rooms', () => {
  const [chat, socket] = inRoom();
  socket.loses();
  chat.join('support-chat');
  socket.opens('session-1', true);
  assert.deepEqual(socket.said, entering('support-chat'));
});

test('after a lost session, and on each plain connection, rooms are joined again before what waits is sent', () => {
  for (const id of ['session-2', null]) {
    const [chat, socket] = inRoom();
    socket.loses();
    chat.send('offline', 'general-chat');
    socket.opens(id);
    assert.deepEqual(socket.said, [{ type: 'who' }, ...entering('general-chat'), { type: 'message', room: 'general-chat', text: 'offline' }]);
    chat.release();
  }
});

test('what is said after its session was lost waits for the next one to join its rooms', () => {
  const [chat, socket] = inRoom();
  socket.tells('sessionLost', { reason: 'gone', messages: [] });
  socket.loses();
  chat.send('after', 'general-chat');
  assert.deepEqual([socket.queue, states(chat)], [[], ['after: pending']]);
  socket.opens('session-2');
  assert.deepEqual(socket.said.filter(({ type }: any) => type !== 'who'), [...entering('general-chat'), { type: 'message', room: 'general-chat', text: 'after' }]);
});

test('a room left while there is no connection is left when its session goes on', async () => {
  const [chat, socket] = inRoom();
  lease();
  socket.loses();
  chat.leave('general-chat');
  await settled();
  socket.opens('session-1', true);
  assert.deepEqual(socket.said, [{ type: 'leave', room: 'general-chat' }]);
});

test('a room left and joined again while there is no connection is not left', async () => {
  const [chat, socket] = inRoom();
  lease();
  socket.loses();
  chat.leave('general-chat');
  await settled();
  chat.join('general-chat');
  socket.opens('session-1', true);
  assert.deepEqual(socket.said, entering('general-chat'));
});

test('a message is pending until it is acknowledged, and its echo is no other message', () => {
  const [chat, socket] = inRoom();
  chat.send('hello', 'general-chat');
  assert.deepEqual(states(chat), ['hello: pending']);
  socket.acknowledges(Infinity);
  assert.deepEqual(states(chat), ['hello: delivered']);
  const [before] = chat.messages;
  socket.hears({ type: 'message', room: 'general-chat', ...ME, text: 'hello', at: 5 });
  assert.equal(chat.messages.length, 1);
  assert.deepEqual(chat.messages[0], { ...before, alias: ME.alias, at: 5 });
});

test('an acknowledgement is of what was posted up to it', () => {
  const [chat, socket] = lease();
  socket.opens('session-1');
  chat.send('one');
  chat.send('two');
  socket.acknowledges(1);
  assert.deepEqual(states(chat), ['one: delivered', 'two: pending']);
});

test('what is on its way stands behind what the server has', () => {
  const [chat, socket] = inRoom();
  chat.send('mine', 'general-chat');
  socket.hears({ type: 'message', room: 'general-chat', ...OTHER, text: 'theirs', at: 1 });
  assert.deepEqual(texts(chat), ['theirs', 'mine']);
  socket.hears({ type: 'message', room: 'general-chat', ...ME, text: 'mine', at: 2 });
  socket.hears({ type: 'message', room: 'general-chat', ...OTHER, text: 'after', at: 3 });
  assert.deepEqual(texts(chat), ['theirs', 'mine', 'after']);
  assert.deepEqual(chat.messages.map(({ mine }) => mine), [false, true, false]);
});

test('composed offline it is pending, and delivered after the reconnect', () => {
  const [chat, socket] = lease();
  socket.opens();
  socket.loses();
  chat.send('offline');
  assert.deepEqual(states(chat), ['offline: pending']);
  socket.opens();
  assert.deepEqual(states(chat), ['offline: delivered']);
});

test('messages of a lost session are in doubt until the history shows them', () => {
  const [chat, socket] = inRoom();
  chat.send('one', 'general-chat');
  chat.send('two', 'general-chat');
  socket.tells('sessionLost', { reason: 'gone', messages: [...socket.sent] });
  assert.deepEqual(states(chat), ['one: inDoubt', 'two: inDoubt']);
  socket.opens('session-2');
  const past = { type: 'message', room: 'general-chat', ...ME, text: 'one', at: 4 };
  socket.hears({ type: 'history', room: 'general-chat', messages: [{ number: 9, at: 4, message: past }] });
  assert.deepEqual(states(chat), ['one: delivered', 'two: inDoubt']);
});

test('what was never delivered can be sent again', () => {
  const [chat, socket] = lease();
  const { key } = chat.send('one');
  socket.tells('undelivered', { messages: ['one'] });
  assert.deepEqual(states(chat), ['one: failed']);
  chat.sendAgain(key);
  assert.deepEqual(states(chat), ['one: pending']);
  assert.equal(chat.sendAgain('no such'), undefined);
});

test('the last 100 messages are kept', () => {
  const [chat, socket] = inRoom();
  for (let at = 1; at <= 130; at += 1) socket.hears({ type: 'message', room: 'general-chat', ...OTHER, text: String(at), at });
  assert.equal(chat.messages.length, 100);
  assert.equal(texts(chat)[0], '31');
});

test('what is none of the chat is shown as it is', () => {
  const [chat, socket] = lease();
  socket.opens();
  const odd = ['Echo: hello', '{"session":"s","count":1,"message":"hi"}', '{"type":"message","room":5}', '{"type":', '[]'];
  for (const data of odd) socket.hears(data);
  socket.hears(new Uint8Array(3).buffer);
  assert.deepEqual(texts(chat), [...odd, '[3 bytes]']);
});

test('the history fills what was missed, in its place, and is not shown twice', () => {
  const [chat, socket] = inRoom();
  const said = (at: number) => ({ type: 'message', room: 'general-chat', ...OTHER, text: `at ${at}`, at });
  socket.hears(said(1));
  socket.hears(said(4));
  const messages = [1, 2, 3, 4].map((at) => ({ number: at * 10, at, message: said(at) }));
  socket.hears({ type: 'history', room: 'general-chat', messages });
  assert.deepEqual(chat.messages.map(({ text, number }) => [text, number]), [['at 1', 10], ['at 2', 20], ['at 3', 30], ['at 4', 40]]);
});

test('numbers are those of the present session: a server that begins anew counts anew', () => {
  const [chat, socket] = inRoom();
  const said = (text: string, at: number) => ({ type: 'message', room: 'general-chat', ...OTHER, text, at });
  const page = (text: string, at: number) => ({ type: 'history', room: 'general-chat', messages: [{ number: 1, at, message: said(text, at) }] });
  socket.hears(page('before', 1));
  socket.loses();
  socket.opens('session-2');
  socket.hears(page('after', 2));
  assert.deepEqual(chat.messages.map(({ text, number }) => [text, number]), [['before', null], ['after', 1]]);
});

test('what was cleared does not come back with the history', () => {
  const [chat, socket] = inRoom();
  const said = (at: number) => ({ type: 'message', room: 'general-chat', ...OTHER, text: `at ${at}`, at });
  socket.hears(said(1));
  chat.clear('general-chat');
  const messages = [1, 2].map((at) => ({ number: at, at, message: said(at) }));
  socket.hears({ type: 'history', room: 'general-chat', messages });
  assert.deepEqual(texts(chat), ['at 2']);
});

test('an answer in pieces is one message, pending until its last piece, and told of once', () => {
  const [chat, socket] = inRoom();
  const heard: string[] = [];
  chat.subscribe({ onChange: () => {}, onMessage: ({ text }) => heard.push(text) });
  const piece = (number: number, text: string, last = false, id = 'q1'): void =>
    socket.hears({ type: 'piece', room: 'general-chat', alias: 'assistant', id, piece: number, text, last });
  piece(0, 'It ');
  assert.deepEqual(states(chat), ['It : pending']);
  piece(0, 'It ');
  piece(0, 'Another', true, 'q2');
  piece(1, 'is ');
  piece(1, 'is ');
  piece(2, 'so.', true);
  assert.deepEqual(states(chat), ['It is so.: delivered', 'Another: delivered']);
  assert.deepEqual(heard, ['Another', 'It is so.']);
});

test('an answer that is cut short has failed when another one begins under its name', () => {
  const [chat, socket] = inRoom();
  const piece = (number: number, text: string): void =>
    socket.hears({ type: 'piece', room: 'general-chat', alias: 'assistant', id: '', piece: number, text, last: false });
  for (const [number, text] of [[0, 'cut '], [1, 'short'], [0, 'anew']] as const) piece(number, text);
  assert.deepEqual(states(chat), ['cut short: failed', 'anew: pending']);
});

test('members come and go', () => {
  const [chat, socket] = inRoom();
  const members = (): string[] => chat.rooms[0]!.members.map(({ alias }) => alias);
  assert.deepEqual(members(), [ME.alias]);
  assert.equal(chat.rooms[0]!.joined, true);
  socket.hears({ type: 'joined', room: 'general-chat', ...OTHER });
  assert.deepEqual(members(), [ME.alias, OTHER.alias]);
  socket.hears({ type: 'left', room: 'general-chat', ...OTHER });
  assert.deepEqual(members(), [ME.alias]);
});

test('who writes is shown for a while, and no timer is left', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const [chat, socket] = inRoom();
  const typing = (): string[] => chat.rooms[0]!.typing.map(({ alias }) => alias);
  let changes = 0;
  chat.subscribe({ onChange: () => (changes += 1) });
  socket.hears({ type: 'typing', room: 'general-chat', ...OTHER });
  mock.timers.tick(3999);
  assert.deepEqual(typing(), [OTHER.alias]);
  const before = changes;
  mock.timers.tick(1);
  assert.deepEqual(typing(), []);
  assert.equal(changes, before + 1);
  socket.hears({ type: 'typing', room: 'general-chat', ...OTHER });
  socket.hears({ type: 'message', room: 'general-chat', ...OTHER, text: 'done', at: 1 });
  assert.deepEqual(typing(), []);
  socket.hears({ type: 'typing', room: 'general-chat', ...OTHER });
  const after = changes;
  chat.release();
  await settled();
  mock.timers.tick(60_000);
  assert.equal(changes, after);
});

test('typing is said at most every two seconds', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const [chat, socket] = inRoom();
  for (let times = 0; times < 5; times += 1) {
    chat.typing('general-chat');
    mock.timers.tick(500);
  }
  assert.equal(socket.sent.length, 2);
});

test('typing and receipts are left out on a poor connection and while there is none', () => {
  const [chat, socket] = inRoom();
  socket.hears({ type: 'history', room: 'general-chat', messages: [{ number: 3, at: 1, message: { type: 'message', room: 'general-chat', ...OTHER, text: 'x', at: 1 } }] });
  const both = (): void => {
    chat.typing('general-chat');
    chat.read('general-chat');
  };
  for (const quality of ['poor', 'disconnected'] as const) {
    socket.grades(quality, 300);
    assert.equal(chat.isDegraded, true);
    both();
  }
  socket.grades('good', 60);
  socket.loses();
  both();
  assert.deepEqual(socket.sent, []);
  assert.deepEqual(socket.queue, []);
  socket.opens('session-1', true);
  both();
  assert.deepEqual(socket.said, [{ type: 'typing', room: 'general-chat' }, { type: 'read', room: 'general-chat', number: 3 }]);
});

test('a live message is receipted by its number once the history has told it', () => {
  const [chat, socket] = inRoom();
  const said = { type: 'message', room: 'general-chat', ...OTHER, text: 'x', at: 1 };
  socket.hears(said);
  chat.read('general-chat');
  chat.read('general-chat');
  assert.deepEqual(socket.said, [{ type: 'history', room: 'general-chat', limit: 100 }]);
  socket.hears({ type: 'history', room: 'general-chat', messages: [{ number: 7, at: 1, message: said }] });
  assert.deepEqual(socket.said.slice(1), [{ type: 'read', room: 'general-chat', number: 7 }]);
});

test("others' receipts go up only", () => {
  const [chat, socket] = inRoom();
  for (const number of [5, 3]) socket.hears({ type: 'read', room: 'general-chat', ...OTHER, number });
  assert.deepEqual(chat.rooms[0]!.receipts, { [OTHER.alias]: 5 });
});

test("messages of another part's room are not this part's", () => {
  const [one, socket] = inRoom();
  const [two] = lease();
  two.join('support-chat');
  const heard: string[] = [];
  one.subscribe({ onChange: () => {}, onMessage: ({ text }) => heard.push(text) });
  socket.hears({ type: 'message', room: 'support-chat', ...OTHER, text: 'elsewhere', at: 1 });
  assert.deepEqual(texts(one), []);
  assert.deepEqual(texts(two), ['elsewhere']);
  assert.throws(() => one.send('x', 'support-chat'), RangeError);
  assert.deepEqual(heard, ['elsewhere']);
});
