// RedialSocket in a real Chromium, from a plain <script type="module">.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { allVectors, bundled } from '../support.mjs';
import { launch, serve } from './harness.mjs';

let browser, server, page;
const PAGE = `<!doctype html><script type="module">
  import RedialSocket, { getGlobalReconnectionManager } from '/dist/index.min.js';
  Object.assign(window, { RedialSocket, getGlobalReconnectionManager, loaded: true });
</script>`;

before(async () => {
  server = await serve({ '/': PAGE });
  browser = await launch();
  page = await browser.newPage();
  await page.goto(server.url);
  await page.waitForFunction('window.loaded');
});
after(async () => { await browser?.close(); server?.close(); });

test('the golden vectors, bit for bit', async () => {
  const engine = readFileSync(await bundled('src/engine.ts'), 'utf8');
  const replay = readFileSync(new URL('../replay.js', import.meta.url), 'utf8');
  const vectors = allVectors();
  const results = await page.evaluate(async ({ engine, replay, vectors }) => {
    const load = (text) => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
    const [{ Machine }, { replay: run }] = await Promise.all([load(engine), load(replay)]);
    return vectors.map(([name, text]) => [name, run(Machine, text)]);
  }, { engine, replay, vectors });
  assert.equal(results.length, vectors.length);
  assert.ok(results.length >= 106);
  for (const [name, { expected, found }] of results) {
    assert.ok(expected.lines.length > 0, name);
    assert.deepEqual(found, expected, name);
  }
});

/** The same story told of a bare WebSocket and of ours. */
async function both(story, argument) {
  const run = (name) => page.evaluate(async ({ story, name, argument, ws }) => {
    const wait = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
    return await new Function('make', 'wait', 'ws', 'argument', `return (${story})(make, wait, ws, argument)`)(
      (...args) => new window[name](...args), wait, ws, argument);
  }, { story: story.toString(), name, argument, ws: server.ws });
  const [bare, ours] = [await run('WebSocket'), await run('RedialSocket')];
  assert.deepEqual(ours, bare);
  return ours;
}

test('an echo of every kind of data is what a bare WebSocket gives', async () => {
  const told = await both(async (make, wait, ws) => {
    const socket = make(`${ws}/echo`), told = [];
    await wait(socket, 'open');
    const echo = async (data) => { socket.send(data); const { data: back, origin, lastEventId, isTrusted: _ } = await wait(socket, 'message'); return [Object.prototype.toString.call(back), typeof back == 'string' ? back : await new Response(back).text(), origin, lastEventId]; };
    told.push(await echo('text ä'), await echo(new Blob(['blob'])), await echo(new TextEncoder().encode('view')), await echo(7));
    socket.binaryType = 'arraybuffer';
    told.push(await echo(new TextEncoder().encode('buffer').buffer));
    socket.close(3000, 'done');
    const { code, reason, wasClean } = await wait(socket, 'close');
    return [...told, code, reason, wasClean, socket.readyState];
  });
  assert.equal(told.length, 9);
});

test('exceptions are those of a bare WebSocket, by name', async () => {
  await both(async (make, wait, ws) => {
    const name = (act) => { try { act(); return 'nothing'; } catch (error) { return [error.name, error.constructor.name]; } };
    const urls = ['', 'foo', 'ftp://x', 'ws://x/#', 'ws://x/#f', 'http://', 'ws://x:99999', 'javascript:1'];
    const protocols = ['', 'a b', ['a', 'a'], 'a,b', ['a', ''], '\u0000', 'ä'];
    const told = [name(() => make()), ...urls.map((url) => name(() => make(url))), ...protocols.map((protocol) => name(() => make(`${ws}/echo`, protocol)))];
    const socket = make(`${ws}/echo`);
    told.push(...[0, 999, 1001, 2999, 5000, 'x', NaN].map((code) => name(() => socket.close(code))));
    told.push(...['x'.repeat(124), 'ä'.repeat(62)].map((reason) => name(() => socket.close(1000, reason))), name(() => socket.send()), name(() => socket.close(1000, 'x'.repeat(123))));
    return told;
  });
});

test('URLs and properties are those of a bare WebSocket', async () => {
  await both(async (make, wait, ws) => {
    const told = ['/echo', 'echo?a#'.slice(0, 6), ws.replace('ws', 'http'), `${ws}/ä b`, new URL(`${ws}/x`)].map((url) => { const socket = make(url); const { url: shown } = socket; socket.close(); return shown; });
    const socket = make(`${ws}/echo`, ['first', 'second']);
    const state = () => [socket.readyState, socket.protocol, socket.extensions, socket.binaryType, socket.bufferedAmount, socket.onopen, socket.onclose];
    told.push(state());
    await wait(socket, 'open');
    told.push(state());
    socket.close();
    told.push(state().slice(0, 1));
    const close = await wait(socket, 'close');
    told.push([close.constructor.name, close.code, close.reason, close.wasClean, socket.readyState]);
    return told;
  });
});

test('a refused connection tells error, then close 1006', async () => {
  await both(async (make, wait) => {
    const socket = make('ws://127.0.0.1:1/'), told = [];
    for (const type of ['open', 'error', 'close']) socket.addEventListener(type, ({ type, code, wasClean, constructor }) => told.push([type, code, wasClean, constructor.name]));
    await wait(socket, 'close');
    const seen = [...told];
    socket.close();
    return seen;
  });
});

test('close while connecting tells error, then close 1006', async () => {
  await both(async (make, wait, ws) => {
    const socket = make(`${ws}/echo`), told = [];
    for (const type of ['open', 'error', 'close']) socket.addEventListener(type, ({ type, code, wasClean }) => told.push([type, code, wasClean]));
    socket.close();
    told.push(socket.readyState);
    await wait(socket, 'close');
    return [...told, socket.readyState];
  });
});

test('cut connections come back, and what was sent meanwhile arrives in order', async () => {
  await page.evaluate((ws) => {
    window.socket = new RedialSocket(`${ws}/echo`, [], { policy: { jitter: false, baseDelay: 100 } });
    window.told = [];
    socket.onmessage = ({ data }) => told.push(data);
  }, server.ws);
  for (let round = 0; round < 3; round++) {
    await page.waitForFunction('socket.readyState == 1');
    server.cut();
    await page.waitForFunction('socket.readyState == 0');
    await page.evaluate((round) => { for (let index = 0; index < 5; index++) socket.send(`${round}.${index}`); }, round);
  }
  await page.waitForFunction('told.length == 15');
  assert.deepEqual(await page.evaluate('told'), Array.from({ length: 15 }, (_, index) => `${Math.floor(index / 5)}.${index % 5}`));
  await page.evaluate('socket.close()');
});

test('offline holds, online dials', async () => {
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(server.url);
  await other.waitForFunction('window.loaded');
  await other.evaluate((ws) => { window.socket = new RedialSocket(`${ws}/echo`, [], { policy: { onlineSpread: 0 } }); }, server.ws);
  await other.waitForFunction('socket.readyState == 1');
  await context.setOffline(true);
  server.cut();
  await other.waitForFunction('socket.phase == "held"');
  await context.setOffline(false);
  await other.waitForFunction('socket.phase == "open"');
  await context.close();
});

test('the back-forward cache takes a page with an open socket, and the socket comes back with it', async () => {
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(server.url);
  await other.waitForFunction('window.loaded');
  await other.evaluate((ws) => { window.socket = new RedialSocket(`${ws}/echo`); window.shown = []; addEventListener('pageshow', ({ persisted }) => shown.push(persisted)); }, server.ws);
  await other.waitForFunction('socket.readyState == 1');
  await other.goto(`${server.url}/package.json`);
  await other.goBack({ waitUntil: 'commit' });
  await other.waitForFunction('window.shown?.[0] && socket.phase == "open"');
  assert.deepEqual(await other.evaluate('[shown, socket.stats.lost, socket.stats.opened]'), [[true], 1, 2]);
  await context.close();
});

test('1,000 sockets made and closed leave nothing behind', async () => {
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(server.url);
  await other.waitForFunction('window.loaded');
  const client = await context.newCDPSession(other);
  await client.send('Performance.enable');
  const cycles = (count) => other.evaluate(async ({ ws, count }) => {
    const wait = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
    for (let index = 0; index < count; index++) {
      const socket = new RedialSocket(`${ws}/echo`, [], { session: index % 4 == 1, heartbeat: { message: 'ping' } });
      socket.onmessage = () => {};
      socket.on('phase', () => {});
      if (index % 4 == 3) await wait(socket, 'open');
      else socket.send('never sent');
      if (index % 4 == 2) socket.reconnect();
      socket.close();
      if (socket.readyState != 3) await wait(socket, 'close');
    }
  }, { ws: server.ws, count });
  const measured = async () => {
    for (let round = 0; round < 3; round++) await client.send('HeapProfiler.collectGarbage');
    const { metrics } = await client.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  await cycles(200);
  const earlier = await measured();
  await cycles(1000);
  const later = await measured();
  const grown = later.JSHeapUsedSize - earlier.JSHeapUsedSize;
  console.log(`heap: ${grown} bytes more after 1,000 cycles; listeners: ${earlier.JSEventListeners} before, ${later.JSEventListeners} after`);
  // A socket's machine alone has 1.2 KiB.
  assert.ok(grown < 100_000, `${grown}`);
  assert.ok(later.JSEventListeners <= earlier.JSEventListeners, `${later.JSEventListeners}`);
  await context.close();
});
