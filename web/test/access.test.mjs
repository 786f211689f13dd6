// For everybody: axe, the keyboard, a phone's width, and a strict policy.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';
import { Card, closePages, FUSSY, launch, open, Server } from './rig.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser, server;
before(async () => {
  browser = await launch();
  server = await Server.start(['--listen', '127.0.0.1:0', '--chaos', '127.0.0.1:0']);
});
after(async () => {
  await browser?.close();
  await server?.kill();
});

afterEach(closePages);

async function busy(viewport) {
  const page = await open(browser, server, { policy: FUSSY, viewport });
  const cards = Object.fromEntries(['general', 'assistant', 'support', 'plain'].map((kind) => [kind, new Card(page, kind)]));
  for (const card of Object.values(cards)) {
    await card.is('open');
    await card.beat(2);
  }
  return { page, ...cards };
}

async function violations(page) {
  // As a debugger, not as a script of the page: its policy would not have it.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
}

for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
  test(`axe finds nothing at ${viewport.width} px, open, broken, and with all panels`, async () => {
    const all = await busy(viewport);
    assert.deepEqual(await violations(all.page), []);
    await all.general.send('hello');
    await all.general.says('hello', { state: 'delivered' });
    await all.support.send('billing');
    await all.support.says('Settings, Billing', { from: 'support' });
    await all.general.panel('events');
    await all.general.panel('diagnostics');
    const panel = all.page.getByTestId('break-it');
    await panel.getByRole('switch', { name: 'Slow' }).click();
    await all.general.root.getByTestId('degraded').waitFor();
    assert.deepEqual(await violations(all.page), []);
    await panel.getByRole('switch', { name: 'Refuse' }).click();
    await panel.getByRole('button', { name: 'Cut' }).click();
    await all.general.is('connecting');
    await all.general.send('waits');
    await all.general.says('waits', { state: 'pending' });
    assert.deepEqual(await violations(all.page), []);
    await panel.getByRole('button', { name: 'Heal' }).click();
    await all.general.is('open');
    await all.page.getByRole('button', { name: 'Add card' }).click();
    await all.page.getByRole('menuitem', { name: 'Session' }).waitFor();
    // While it fades in, its colours are others.
    await all.page.waitForFunction(() => getComputedStyle(document.querySelector('.MuiMenu-paper')).opacity === '1');
    assert.deepEqual(await violations(all.page), []);
    assert.deepEqual(all.page.problems, []);
    });
}

test('a phone needs not scroll sideways, and everything is within its width', async () => {
  const all = await busy({ width: 360, height: 740 });
  await all.plain.send('a'.repeat(500));
  await all.plain.says('#1: aaa');
  await all.general.panel('diagnostics');
  await all.general.panel('events');
  const wide = await all.page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll('body *')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.right > width + 1;
    });
    return { scroll: document.documentElement.scrollWidth - width, out: out.map((element) => element.outerHTML.slice(0, 80)) };
  });
  assert.deepEqual(wide, { scroll: 0, out: [] });
  for (const button of await all.page.getByRole('button').all()) {
    const box = await button.boundingBox();
    assert.ok(box.height >= 24 && box.width >= 24, await button.textContent());
  }
});

test('the keyboard alone writes, reconnects, opens panels, adds and closes', async () => {
  const { page, general, plain } = await busy({ width: 1280, height: 900 });
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
  const tabTo = async (wanted) => {
    for (let n = 0; n < 80; n += 1) {
      await page.keyboard.press('Tab');
      if ((await focused()) === wanted) return;
    }
    assert.fail(`no way to ${wanted}`);
  };
  await tabTo('Add card');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'General chat' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('menuitem', { name: 'General chat' }).waitFor({ state: 'detached' });
  await tabTo('Reconnect General chat');
  await page.keyboard.press('Enter');
  await tabTo('Messages of General chat');
  await page.keyboard.press('Tab');
  await page.keyboard.type('by hand');
  await page.keyboard.press('Enter');
  await general.says('by hand', { state: 'delivered' });
  await tabTo('Events of General chat');
  await page.keyboard.press('Enter');
  await general.root.getByTestId('event').filter({ hasText: 'Session resumed' }).waitFor();
  await tabTo('Close Session 1');
  await page.keyboard.press('Space');
  await plain.root.waitFor({ state: 'detached' });
});

test('the policy of the page stops what is not its own', async () => {
  const { page } = await busy({ width: 1280, height: 900 });
  await page.evaluate(() => {
    globalThis.stopped = [];
    document.addEventListener('securitypolicyviolation', (event) => globalThis.stopped.push(event.effectiveDirective));
    const script = document.createElement('script');
    script.textContent = 'globalThis.injected = true';
    document.body.append(script);
    try {
      new WebSocket('ws://127.0.0.1:1/');
    } catch {
      // Some throw, some only fail.
    }
  });
  await page.waitForFunction(() => globalThis.stopped.length >= 2);
  const { stopped, injected } = await page.evaluate(() => ({ stopped: globalThis.stopped, injected: 'injected' in globalThis }));
  assert.deepEqual({ stopped: stopped.toSorted(), injected }, { stopped: ['connect-src', 'script-src-elem'], injected: false });
});
