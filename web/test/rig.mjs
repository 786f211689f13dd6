// A real server, a real browser, and the page as a person sees it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url));
const program = `${target}/debug/redial`;

/** Long for anything that is waited for here. */
export const PATIENCE = 15_000;

/** In a hurry, as a test is no person; and any latency is good, as a computer may have much to do. */
export const HASTY = {
  baseDelay: 200, maxDelay: 400, healthCheckInterval: 300, pingTimeout: 1_500, stableAfter: 500, maxAttempts: null, dialBudget: null,
  onlineSpread: 0, quality: { excellent: 1_000, good: 2_000, poor: 3_000 },
};

/** With the panel's slow network no latency is good. */
export const FUSSY = { ...HASTY, quality: { excellent: 60, good: 220, poor: 280 } };

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Server {
  static async start(args = [], command = ['serve', '--connects-per-minute', 'none', '--connections-per-address', 'none']) {
    const server = new Server();
    server.process = spawn(program, [...command, '--json', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines = createInterface({ input: server.process.stdout });
    const [line] = await Promise.race([once(lines, 'line'), once(server.process, 'exit').then(() => ['{}'])]);
    const { listening, chaos } = JSON.parse(line);
    if (listening === undefined) throw new Error(`no server: ${args.join(' ')}`);
    server.url = `http://${listening}/`;
    server.chaosPort = chaos?.split(':').at(-1);
    return server;
  }

  /** Until so many connections are there, plain ones and sessions. */
  async connections(wanted) {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const { connections } = await (await fetch(`${this.url}health`)).json();
      if (connections === wanted) return;
      if (Date.now() > end) throw new Error(`${connections} connections, not ${wanted}`);
    }
  }

  async kill(signal = 'SIGKILL') {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill(signal);
    await gone;
  }
}

/** As a browser of a person: a tab in the background gets less time. */
const THROTTLED = ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'];

export function launch() {
  return chromium.launch({
    ignoreDefaultArgs: THROTTLED,
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

const contexts = new Set();

/** After a test that has failed in the middle, too. */
export async function closePages() {
  for (const context of [...contexts]) await context.close();
}

/** A page of its own, with nothing stored, that complains about what goes wrong in it. */
export async function open(browser, server, { policy = HASTY, viewport = { width: 1280, height: 900 } } = {}) {
  const context = await browser.newContext({ viewport });
  contexts.add(context);
  context.on('close', () => contexts.delete(context));
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.problems = [];
  /** All frames that the page sends, as text. */
  page.sent = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => page.sent.push(String(payload))));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    // A failed dial is what is tested; the browser tells of it whether one wants or not.
    if (message.type() === 'error' && !/WebSocket|ERR_|Failed to load resource/.test(message.text())) page.problems.push(message.text());
  });
  await page.goto(`${server.url}?policy=${encodeURIComponent(JSON.stringify(policy))}`);
  return page;
}

export class Card {
  constructor(page, kind, nth = 0) {
    this.page = page;
    this.root = page.locator(`[data-testid=card][data-kind=${kind}]`).nth(nth);
    this.dot = this.root.getByTestId('dot');
    this.status = this.root.getByTestId('status');
    this.quality = this.root.getByTestId('quality');
    this.input = this.root.getByRole('textbox');
    this.messages = this.root.getByTestId('message');
  }

  is(status) {
    return this.root.locator(`[data-testid=dot][data-status=${status}]`).waitFor();
  }

  async send(text) {
    await this.input.fill(text);
    await this.input.press('Enter');
  }

  /** Until there is a message with this text. */
  async says(text, { from, state } = {}) {
    let attributes = from === undefined ? '' : `[data-from=${from}]`;
    if (state !== undefined) attributes += `[data-state=${state}]`;
    const message = this.root.locator(`[data-testid=message]${attributes}`).filter({ hasText: text });
    await message.last().waitFor();
    return message.last();
  }

  async texts() {
    return await this.root.getByTestId('text').allTextContents();
  }

  async beats() {
    return Number(await this.dot.getAttribute('data-beats'));
  }

  /** Until there have been so many heartbeats more. */
  async beat(more = 1) {
    const wanted = (await this.beats()) + more;
    await this.page.waitForFunction(
      ([element, count]) => Number(element.getAttribute('data-beats')) >= count, [await this.dot.elementHandle(), wanted]);
  }

  async panel(name) {
    const panel = this.root.getByTestId(name);
    if ((await panel.getAttribute('open')) === null) await panel.locator('summary').click();
    return panel;
  }

  async event(text) {
    const log = await this.panel('events');
    await log.getByTestId('event').filter({ hasText: text }).first().waitFor();
  }

  async figure(name) {
    const panel = await this.panel('diagnostics');
    return await panel.locator(`[data-figure="${name}"]`).textContent();
  }

  reconnect() {
    return this.root.getByRole('button', { name: /^Reconnect/ });
  }
}
