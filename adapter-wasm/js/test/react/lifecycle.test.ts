import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { renderToString } from 'react-dom/server';
import { act, createElement, hydrate, mount, StrictMode, tidy } from './page.js';
import { FakeRedial } from './fake-redial.js';
import { createPool, useWebSocket, type UseWebSocketOptions, type UseWebSocketResult } from '../../src/react/index.js';

const URL_HERE = 'ws://chat.example/ws';
const ME = { alias: 'a'.repeat(16), user: null };

let sockets: FakeRedial[] = [];
const pool = createPool((url, _protocols, options) => {
  const socket = new FakeRedial(url, options);
  sockets.push(socket);
  return socket;
});

afterEach(async () => {
  await tidy();
  mock.restoreAll();
  assert.ok(sockets.every(({ isClosed, listening }) => isClosed && listening === 0));
  sockets = [];
});

let it: UseWebSocketResult;

function Chat(options: Partial<UseWebSocketOptions>): string {
  it = useWebSocket({ url: URL_HERE, pool, ...options });
  return `${it.connectionState} ${it.autoReconnect} ${it.messages.map(({ text }) => text).join()}`;
}

const chat = (options: Partial<UseWebSocketOptions> = {}): React.ReactNode => createElement(Chat, options);
const sessions = (): unknown[] => sockets.map(({ options }) => options.session);
const states = (): string[] => it.messages.map(({ text, status }) => `${text}: ${status}`);

test('StrictMode joins a room once', async () => {
  await mount(createElement(StrictMode, null, chat({ room: 'general-chat' })));
  assert.equal(sockets.length, 1);
  act(() => sockets[0]!.opens('session-1'));
  assert.deepEqual(sockets[0]!.said, [{ type: 'who' }, { type: 'join', room: 'general-chat' }]);
});

test('what a server has rendered is taken over without a word, whatever is stored here', async () => {
  localStorage.setItem('ui:autoReconnect', 'false');
  const html = renderToString(chat());
  assert.equal(html, 'connecting true ');
  const complaints = mock.method(console, 'error', () => {});
  const shown = await hydrate(html, chat());
  // Node has something to say of its mocks.
  const said = complaints.mock.calls.map(({ arguments: all }) => String(all[0])).filter((text) => !text.includes('ExperimentalWarning'));
  assert.deepEqual(said, []);
  assert.equal(shown.text, 'connecting false ');
  assert.equal(sockets[0]!.autoReconnect, false);
});

test('a session is kept for a reload only if that is asked for, each in a place of its own', async () => {
  await mount(chat());
  await mount(chat({ persistSession: true }));
  await mount(chat({ persistSession: true, preset: 'support' }));
  await mount(chat({ session: false, persistSession: true, connection: 'none' }));
  const [plain, one, two, none] = sessions() as [unknown, { storageKey: string }, { storageKey: string }, unknown];
  assert.deepEqual([plain, none], [true, false]);
  assert.match(one.storageKey, /^redial:session:/);
  assert.match(two.storageKey, /^redial:session:/);
  assert.notEqual(one.storageKey, two.storageKey);
});

test('whether it is kept is stored, and begins another connection', async () => {
  localStorage.setItem('ui:persistSession', 'true');
  await mount(chat());
  assert.equal(it.persistSession, true);
  await act(async () => it.setPersistSession(false));
  assert.equal(localStorage.getItem('ui:persistSession'), 'false');
  assert.equal(sockets.length, 2);
  assert.equal(sockets[0]!.isClosed, true);
  assert.equal(sessions()[1], true);
});

test('after a lost session the hook joins again before what waits is sent, and shows what is in doubt', async () => {
  await mount(chat({ room: 'general-chat' }));
  const socket = sockets[0]!;
  act(() => {
    socket.opens('session-1');
    socket.hears({ type: 'you', you: ME });
    it.sendMessage('in doubt');
  });
  act(() => socket.loses());
  act(() => void it.sendMessage('composed offline'));
  assert.deepEqual(states(), ['in doubt: pending', 'composed offline: pending']);
  const [lost] = socket.sent.splice(0).slice(-1);
  act(() => {
    socket.tells('sessionLost', { reason: 'gone', messages: [lost!] });
    socket.opens('session-2');
  });
  assert.deepEqual(socket.said.map((message) => (message as { type: string }).type), ['who', 'join', 'message']);
  assert.deepEqual(states(), ['in doubt: inDoubt', 'composed offline: pending']);
  const { key } = it.messages[0]!;
  act(() => void it.resendMessage(key));
  act(() => socket.acknowledges(Infinity));
  assert.deepEqual(states(), ['composed offline: delivered', 'in doubt: delivered']);
});

test('a message that finds no room is refused, and not shown', async () => {
  await mount(chat());
  mock.method(sockets[0]!, 'post', () => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  assert.throws(() => it.sendMessage('too much'), { name: 'QuotaExceededError' });
  assert.deepEqual(it.messages, []);
});

test('sent to a socket that has ended, a message has failed', async () => {
  await mount(chat());
  act(() => sockets[0]!.close());
  act(() => void it.sendMessage('too late'));
  assert.deepEqual(states(), ['too late: failed']);
});

test("a callback that throws is nobody else's trouble", async () => {
  const thrown: unknown[] = [];
  const real = globalThis.queueMicrotask;
  // Where it would be reported.
  globalThis.queueMicrotask = (run) => {
    real(() => {
      try {
        run();
      } catch (error) {
        thrown.push(error);
      }
    });
  };
  try {
    let heard = 0;
    await mount(chat({ onMessage: () => { throw new Error('mine'); } }));
    await mount(chat({ onMessage: () => { heard += 1; } }));
    await act(async () => sockets[0]!.hears('hello'));
    assert.equal(heard, 1);
    assert.deepEqual(thrown.map(String), ['Error: mine']);
  } finally {
    globalThis.queueMicrotask = real;
  }
});

test('typing and receipts go to the own room, and not over a poor connection', async () => {
  await mount(chat({ room: 'general-chat' }));
  const socket = sockets[0]!;
  act(() => socket.opens('session-1'));
  socket.sent = [];
  act(() => {
    it.sendTyping();
    it.markRead(7);
  });
  assert.deepEqual(socket.said, [{ type: 'typing', room: 'general-chat' }, { type: 'read', room: 'general-chat', number: 7 }]);
  assert.equal(it.isDegraded, false);
  act(() => socket.grades('poor', 150));
  assert.equal(it.isDegraded, true);
  act(() => it.markRead(8));
  assert.equal(socket.sent.length, 2);
});
