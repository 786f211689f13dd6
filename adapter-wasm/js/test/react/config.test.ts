import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { configFromEnv, type Env } from '../../src/config.js';

const BASE = 'NEXT_PUBLIC_';
const of = (env: Record<string, string>): Env => Object.fromEntries(Object.entries(env).map(([name, value]) => [BASE + name, value]));

afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith(BASE)) delete process.env[name];
  delete (globalThis as { location?: unknown }).location;
});

test('nothing set, or set to nothing, is nothing', () => {
  assert.deepEqual(configFromEnv({}), { url: undefined, policy: {} });
  assert.deepEqual(configFromEnv(of({ SOCKET_URL: '', RECONNECTION_BASE_DELAY: ' ' })), { url: undefined, policy: {} });
});

test('everything set', () => {
  const env = of({
    SOCKET_URL: 'wss://chat.example',
    SOCKET_PATH: '/ws/chat/',
    RECONNECTION_MAX_ATTEMPTS: '7',
    RECONNECTION_BASE_DELAY: '250',
    RECONNECTION_MAX_DELAY: '30000.5',
  });
  assert.deepEqual(configFromEnv(env), { url: 'wss://chat.example/ws/chat/', policy: { maxAttempts: 7, baseDelay: 250, maxDelay: 30000.5 } });
});

test('url and path', () => {
  for (const [server, path, url] of [
    ['http://a.example:8000', '', 'ws://a.example:8000/'],
    ['https://a.example/api/', 'ws', 'wss://a.example/api/ws'],
    ['ws://a.example/api/', '/ws?v=1', 'ws://a.example/ws?v=1'],
    ['', '/ws', '/ws'],
  ] as const) {
    assert.equal(configFromEnv(of({ SOCKET_URL: server, SOCKET_PATH: path })).url, url);
  }
});

test("a path alone is the page's own host's", () => {
  Object.assign(globalThis, { location: { href: 'https://page.example/deep/down#part' } });
  assert.equal(configFromEnv(of({ SOCKET_PATH: '/ws' })).url, 'wss://page.example/ws');
});

test('no limit of attempts, and none at all', () => {
  assert.equal(configFromEnv(of({ RECONNECTION_MAX_ATTEMPTS: 'none' })).policy.maxAttempts, null);
  assert.equal(configFromEnv(of({ RECONNECTION_MAX_ATTEMPTS: '0' })).policy.maxAttempts, 0);
});

test('one error names every wrong value, and what is allowed', () => {
  const env = of({
    SOCKET_URL: 'ftp://a.example',
    SOCKET_PATH: '//b.example/ws',
    RECONNECTION_MAX_ATTEMPTS: '2.5',
    RECONNECTION_BASE_DELAY: '1s',
    RECONNECTION_MAX_DELAY: '-1',
  });
  assert.throws(() => configFromEnv(env), (error: Error) => {
    assert.ok(error instanceof RangeError);
    for (const [name, value] of Object.entries(env)) assert.ok(error.message.includes(`${name} is ${JSON.stringify(value)}: it must be `), name);
    return true;
  });
});

test('more wrong values', () => {
  const wrong = {
    SOCKET_URL: ['chat.example', 'ws://', 'ws://a.example/#part'],
    SOCKET_PATH: ['ws://b.example', '/ws#part'],
    RECONNECTION_MAX_ATTEMPTS: ['Infinity', '0x10', '4294967296', '-1'],
    RECONNECTION_BASE_DELAY: ['Infinity', '1e3', 'NaN', '99999999999999999999'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) assert.throws(() => configFromEnv(of({ [name]: value })), RangeError, `${name}=${value}`);
  }
});

test("by default it is the process's environment, and none where there is no process", () => {
  process.env.NEXT_PUBLIC_SOCKET_URL = 'ws://a.example/ws';
  process.env.NEXT_PUBLIC_RECONNECTION_MAX_DELAY = '9000';
  assert.deepEqual(configFromEnv(), { url: 'ws://a.example/ws', policy: { maxDelay: 9000 } });
  const { process: real } = globalThis;
  try {
    Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true, writable: true });
    assert.deepEqual(configFromEnv(), { url: undefined, policy: {} });
  } finally {
    Object.defineProperty(globalThis, 'process', { value: real, configurable: true, writable: true });
  }
});
