import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { act, countListeners, countTimers, createElement, mount, page, stopClock, StrictMode, tidy, type Mounted } from './page.js';
import { FakeNative } from './fake-native.js';
import { pagePool, useWebSocket, type UseWebSocketOptions, type UseWebSocketResult } from '../../src/react/index.js';

const URL_HERE = 'ws://chat.example/ws';
const ME = { alias: 'a'.repeat(16), user: null };
const OTHER = { alias: 'b'.repeat(16), user: 'bob' };

afterEach(async () => {
  await tidy();
  mock.restoreAll();
  assert.equal(pagePool.size, 0);
});

type Props = Partial<UseWebSocketOptions> & { seen?: (it: UseWebSocketResult) => void };

/** What the hook gave last. */
let it: UseWebSocketResult;
let renderings = 0;

function Chat({ seen, ...options }: Props): null {
  it = useWebSocket({ url: URL_HERE, WebSocket: FakeNative as never, session: false, policy: { jitter: false, maxAttempts: null }, ...options });
  renderings += 1;
  seen?.(it);
  return null;
}

const chat = (props: Props = {}): React.ReactNode => createElement(Chat, props);
const opened = (protocol?: string): void => act(() => FakeNative.last.opens(protocol));
const states = (): string[] => it.messages.map(({ text, status }) => `${text}: ${status}`);

test('StrictMode makes one connection', async () => {
  await mount(createElement(StrictMode, null, chat()));
  assert.equal(FakeNative.made.length, 1);
  opened();
  assert.equal(it.connectionState, 'open');
  assert.equal(FakeNative.alive, 1);
});

test('it connects when mounted, and ends when unmounted', async () => {
  const chatting = await mount(chat());
  assert.equal(it.connectionState, 'connecting');
  opened();
  assert.equal(it.connectionState, 'open');
  assert.equal(it.phase, 'open');
  await chatting.unmount();
  assert.equal(FakeNative.alive, 0);
});

test('unmounted, it leaves no timer and no listener', async () => {
  const targets = [globalThis, globalThis.document, page as unknown as EventTarget].map(countListeners);
  const timers = countTimers();
  const listening = (): number[] => targets.map(({ count }) => count);
  try {
    const chatting = await mount(chat({ room: 'general-chat' }));
    opened();
    act(() => FakeNative.last.hears({ type: 'typing', room: 'general-chat', ...OTHER }));
    act(() => FakeNative.last.ends());
    assert.equal(it.phase, 'waiting');
    assert.ok(timers.count >= 2, 'a retry, and whoever is writing');
    assert.ok(listening().every((count) => count > 0), listening().join());
    await chatting.unmount();
    assert.equal(timers.count, 0);
    assert.deepEqual(listening(), [0, 0, 0]);
  } finally {
    for (const counted of [...targets, timers]) counted.restore();
  }
});

test('components share a connection, and the last one ends it', async () => {
  const one = await mount(chat({ room: 'general-chat' }));
  const two = await mount(chat({ room: 'support-chat' }));
  await mount(chat({ preset: 'support' }));
  assert.equal(FakeNative.made.length, 2);
  assert.equal(pagePool.size, 2);
  await one.unmount();
  assert.equal(FakeNative.alive, 2);
  await two.unmount();
  assert.equal(FakeNative.alive, 1);
});

test('without autoConnect it waits for reconnect, or for autoConnect', async () => {
  const chatting = await mount(chat({ autoConnect: false }));
  assert.equal(FakeNative.made.length, 0);
  assert.equal(it.connectionState, 'closed');
  act(() => it.reconnect());
  assert.equal(FakeNative.made.length, 1);
  await chatting.unmount();
  const waiting = await mount(chat({ autoConnect: false }));
  assert.equal(FakeNative.made.length, 1);
  waiting.rerender(chat({ autoConnect: true }));
  assert.equal(FakeNative.made.length, 2);
});

test('settings written anew in each rendering are the same connection, another url is another one', async () => {
  const settings = (url = URL_HERE): Props => ({ url, policy: { jitter: false, baseDelay: 9 }, onMessage: () => {}, onSetup: () => {} });
  const chatting = await mount(chat(settings()));
  for (let times = 0; times < 3; times += 1) chatting.rerender(chat(settings()));
  assert.equal(FakeNative.made.length, 1);
  await act(async () => chatting.rerender(chat(settings('ws://chat.example/other'))));
  assert.deepEqual(FakeNative.made.map(({ url }) => url), [URL_HERE, 'ws://chat.example/other']);
  assert.equal(FakeNative.alive, 1);
  await act(async () => chatting.rerender(chat({ ...settings(), url: null })));
  assert.equal(FakeNative.alive, 0);
  assert.equal(it.socket, null);
  assert.throws(() => it.sendMessage('nowhere'), { name: 'InvalidStateError' });
});

test('a url that is a function is asked before each dial, the one of the last rendering', async () => {
  const go = stopClock();
  let token = 0;
  const settings = (): Props => ({ url: () => `ws://chat.example/ws?token=${(token += 1)}` });
  const chatting = await mount(chat(settings()));
  chatting.rerender(chat({ url: () => 'ws://chat.example/newest' }));
  act(() => FakeNative.last.ends());
  act(() => go(1000));
  assert.deepEqual(FakeNative.made.map(({ url }) => url), ['ws://chat.example/ws?token=1', 'ws://chat.example/newest']);
});

test('its functions are the same in every rendering', async () => {
  const seen: unknown[][] = [];
  const chatting = await mount(chat({ seen: (now) => seen.push(Object.values(now).filter((part) => typeof part === 'function')) }));
  opened();
  chatting.rerender(chat({ room: 'general-chat', seen: (now) => seen.push(Object.values(now).filter((part) => typeof part === 'function')) }));
  assert.ok(seen.length > 2);
  assert.ok(seen.every((functions) => functions.every((one, index) => one === seen[0]![index])));
});

test('composed while offline a message is pending, and then delivered, in order and behind the joins', async () => {
  const go = stopClock();
  await mount(chat({ room: 'general-chat' }));
  opened();
  act(() => FakeNative.last.ends());
  act(() => void it.sendMessage('one'));
  act(() => void it.sendMessage('two'));
  assert.deepEqual(states(), ['one: pending', 'two: pending']);
  assert.equal(it.pending, 2);
  act(() => go(1000));
  opened();
  assert.deepEqual(states(), ['one: delivered', 'two: delivered']);
  assert.equal(it.pending, 0);
  const types = FakeNative.last.said.map((message) => (message as { type: string }).type);
  assert.deepEqual(types, ['who', 'join', 'message', 'message']);
});

test('a hundred messages composed offline are all delivered, though they are written in parts', async () => {
  const go = stopClock();
  await mount(chat());
  act(() => {
    for (let count = 0; count < 100; count += 1) it.sendMessage(`message ${count}`);
  });
  opened();
  act(() => go(100));
  assert.equal(FakeNative.last.sent.length, 100);
  assert.ok(it.messages.every(({ status }) => status === 'delivered'));
});

test('it tells of messages, reconnects and quality by the callbacks of the last rendering', async () => {
  const go = stopClock();
  const told: unknown[] = [];
  const heartbeat = { message: 'ping', isAnswer: (data: unknown) => data === 'pong' };
  const settings = (): Props => ({
    heartbeat,
    onMessage: ({ text }) => told.push(text),
    onReconnect: ({ attempt }) => told.push(`reconnected, ${attempt}`),
    onConnectionQualityChange: (quality, latency) => told.push([quality, latency]),
  });
  const chatting = await mount(chat({ ...settings(), onMessage: () => told.push('stale') }));
  chatting.rerender(chat(settings()));
  opened();
  act(() => FakeNative.last.hears('hello'));
  act(() => go(5000));
  act(() => go(70));
  act(() => FakeNative.last.hears('pong'));
  assert.deepEqual(told, ['hello', ['good', 70]]);
  assert.equal(it.quality, 'good');
  assert.equal(it.latency, 70);
  act(() => FakeNative.last.ends());
  act(() => go(1000));
  opened();
  assert.deepEqual(told.slice(2), [['disconnected', null], 'reconnected, 1']);
});

test('without enableConnectionQuality a component hears nothing of it', async () => {
  const go = stopClock();
  let told = 0;
  await mount(chat({ enableConnectionQuality: false, heartbeat: { message: 'ping', isAnswer: (data) => data === 'pong' }, onConnectionQualityChange: () => (told += 1) }));
  opened();
  act(() => go(5000));
  const before = renderings;
  act(() => FakeNative.last.hears('pong'));
  assert.equal(renderings, before);
  assert.equal(it.quality, null);
  assert.equal(told, 0);
  assert.notEqual(it.socket?.quality, null);
});

test('nextRetryAt, attempt and the state tell of a retry that waits', async () => {
  const go = stopClock();
  await mount(chat());
  opened();
  act(() => FakeNative.last.ends());
  assert.equal(it.connectionState, 'closed');
  assert.equal(it.phase, 'waiting');
  assert.equal(it.attempt, 1);
  const at = it.nextRetryAt;
  assert.equal(at, Date.now() + 1000);
  act(() => go(400));
  act(() => void it.sendMessage('meanwhile'));
  assert.equal(it.nextRetryAt, at);
  act(() => it.reconnect());
  assert.equal(it.nextRetryAt, null);
  assert.equal(FakeNative.made.length, 2);
});

test('autoReconnect is kept, and holds back a retry', async () => {
  const go = stopClock();
  const chatting = await mount(chat());
  opened();
  assert.equal(it.autoReconnect, true);
  act(() => it.setAutoReconnect(false));
  assert.equal(localStorage.getItem('ui:autoReconnect'), 'false');
  act(() => FakeNative.last.ends());
  act(() => go(5000));
  assert.equal(FakeNative.made.length, 1);
  assert.equal(it.phase, 'held');
  await chatting.unmount();
  await mount(chat());
  assert.equal(it.autoReconnect, false);
  assert.equal(it.socket?.autoReconnect, false);
  opened();
  act(() => FakeNative.last.ends());
  act(() => go(5000));
  assert.equal(FakeNative.made.length, 2);
  act(() => it.setAutoReconnect(true));
  act(() => go(5000));
  assert.equal(FakeNative.made.length, 3);
});

test('a component in a room has its messages only, and joins another when told', async () => {
  const heard: string[] = [];
  await mount(chat({ room: 'two' }));
  const chatting = await mount(chat({ room: 'one', onMessage: ({ text }) => heard.push(text) }));
  opened();
  act(() => {
    FakeNative.last.hears({ type: 'you', you: ME });
    for (const room of ['one', 'two', 'three']) FakeNative.last.hears({ type: 'message', room, ...OTHER, text: `in ${room}`, at: 1 });
    FakeNative.last.hears('in none');
  });
  assert.deepEqual(heard, ['in one']);
  chatting.rerender(chat({ room: 'one', onMessage: ({ text }) => heard.push(text) }));
  assert.deepEqual(states(), ['in one: delivered']);
  FakeNative.last.sent = [];
  await act(async () => chatting.rerender(chat({ room: 'three' })));
  assert.deepEqual(FakeNative.last.said, [
    { type: 'join', room: 'three' },
    { type: 'leave', room: 'one' },
  ]);
});

test('without a room it has what is in none, and what is in the rooms that it has joined', async () => {
  await mount(chat());
  opened();
  act(() => it.joinRoom('one'));
  act(() => {
    FakeNative.last.hears('Echo: hello');
    FakeNative.last.hears({ type: 'message', room: 'one', ...OTHER, text: 'in one', at: Date.now() + 1 });
  });
  assert.deepEqual(states(), ['Echo: hello: delivered', 'in one: delivered']);
  assert.deepEqual(it.rooms.map(({ name }) => name), ['one']);
  act(() => it.clearMessages());
  assert.deepEqual(it.messages, []);
  act(() => it.leaveRoom('one'));
  assert.deepEqual(it.rooms, []);
  act(() => void it.sendMessage({ message: 'counted' }));
  assert.equal(FakeNative.last.sent.at(-1), '{"message":"counted"}');
});

test('rooms are joined again on each plain connection', async () => {
  const go = stopClock();
  await mount(chat({ room: 'general-chat' }));
  opened();
  act(() => FakeNative.last.ends());
  act(() => go(1000));
  opened();
  assert.equal(FakeNative.made.length, 2);
  assert.deepEqual(FakeNative.last.said[1], { type: 'join', room: 'general-chat' });
});

test('a component that suspends its effects and takes them up again finds its connection anew', async () => {
  const chatting: Mounted = await mount(createElement('div', { key: 'a' }, chat()));
  // As hot reload does: the effects of one are undone and those of another begin in the same commit.
  await act(async () => chatting.rerender(createElement('div', { key: 'b' }, chat())));
  assert.equal(FakeNative.made.length, 1);
  assert.equal(FakeNative.alive, 1);
});
