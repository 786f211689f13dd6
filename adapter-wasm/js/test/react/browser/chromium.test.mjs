// The hook in Chromium, against the server itself: `npm run build` and `cargo build -p redial-cli` first.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, serve } from '../../browser/harness.mjs';
import { bundled } from '../../support.mjs';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../../../target', import.meta.url));
let browser, files, script, context, chat;
let port = 0;

async function startServer() {
  chat = spawn(`${target}/debug/redial`, ['serve', '--listen', `127.0.0.1:${port}`, '--json', '--origin', 'any'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(chat.stdout, 'data');
  port = Number(JSON.parse(line).listening.split(':')[1]);
}

async function killServer() {
  chat.kill('SIGKILL');
  await once(chat, 'exit');
}

before(async () => {
  // React as developers have it: there StrictMode mounts twice.
  script = readFileSync(await bundled('test/react/browser/page.js', { define: { 'process.env.NODE_ENV': '"development"' } }), 'utf8');
  files = await serve({ '/': '<!doctype html><div id="root"></div><script type="module" src="/page.js"></script>' });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  files?.close();
});
beforeEach(async () => {
  await startServer();
  context = await browser.newContext();
  await context.route('**/page.js', (route) => route.fulfill({ contentType: 'text/javascript', body: script }));
});
afterEach(async () => {
  await context.close();
  await killServer();
});

/** A page, how many connections it has made, and what went wrong on it. */
async function open() {
  const page = await context.newPage();
  const made = [], errors = [];
  page.on('websocket', (socket) => made.push(socket));
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`${files.url}/?url=${encodeURIComponent(`ws://127.0.0.1:${port}/ws/chat/`)}`);
  await isOpen(page);
  return { page, made, errors };
}

const isOpen = (page) => page.locator('#general-chat output', { hasText: 'open' }).waitFor();
const say = async (page, room, text) => {
  await page.locator(`#${room} input`).fill(text);
  await page.locator(`#${room} button`).click();
};
const shown = (page, room, text, status = 'delivered') => page.locator(`#${room} li[data-status=${status}]`, { hasText: text }).waitFor();

test('under StrictMode two chats have one connection, and none when they are gone', async () => {
  const { page, made, errors } = await open();
  assert.equal(made.length, 1);
  const closed = made[0].waitForEvent('close');
  await page.evaluate(() => window.show(false));
  await closed;
  assert.equal(made.length, 1);
  assert.deepEqual(errors, []);
});

test('what one page says another one shows, in its room only', async () => {
  const [ann, bob] = [await open(), await open()];
  await say(ann.page, 'side-chat', 'help');
  await shown(ann.page, 'side-chat', 'help');
  await shown(bob.page, 'side-chat', 'help');
  assert.equal(await bob.page.locator('#side-chat li').getAttribute('data-mine'), 'false');
  assert.equal(await ann.page.locator('#side-chat li').getAttribute('data-mine'), 'true');
  assert.equal(await bob.page.locator('#general-chat li').count(), 0);
});

test('composed while the server is gone a message is pending, and delivered to everybody when it is back', async () => {
  const [ann, bob] = [await open(), await open()];
  await killServer();
  await ann.page.locator('#general-chat output', { hasText: 'closed' }).waitFor();
  await say(ann.page, 'general-chat', 'composed offline');
  await shown(ann.page, 'general-chat', 'composed offline', 'pending');
  await startServer();
  await shown(ann.page, 'general-chat', 'composed offline');
  await shown(bob.page, 'general-chat', 'composed offline');
  assert.equal(await ann.page.locator('#general-chat li').count(), 1);
  await say(bob.page, 'general-chat', 'welcome back');
  await shown(ann.page, 'general-chat', 'welcome back');
});

test('a reload goes on with the session only if that was asked for', async () => {
  const { page } = await open();
  const session = () => page.evaluate(() => window.chats['general-chat'].sessionId);
  const first = await session();
  await page.reload();
  await isOpen(page);
  const second = await session();
  assert.notEqual(second, first);
  await page.evaluate(() => window.chats['general-chat'].setPersistSession(true));
  await page.waitForFunction((id) => ![null, id].includes(window.chats['general-chat'].sessionId), second);
  const third = await session();
  await page.reload();
  await isOpen(page);
  assert.equal(await session(), third);
  assert.equal(await page.evaluate(() => window.chats['general-chat'].resumed), true);
  await say(page, 'general-chat', 'still here');
  await shown(page, 'general-chat', 'still here');
});

test('the toggle is the same in every tab', async () => {
  const [ann, bob] = [await open(), await open()];
  // Nothing else makes it render.
  await bob.page.evaluate(() => window.chats['general-chat'].socket.close());
  await bob.page.locator('#general-chat output', { hasText: 'closed' }).waitFor();
  await ann.page.evaluate(() => window.chats['general-chat'].setAutoReconnect(false));
  await bob.page.waitForFunction(() => window.chats['general-chat'].autoReconnect === false);
  assert.equal(await bob.page.evaluate(() => window.chats['side-chat'].socket.autoReconnect), false);
});
