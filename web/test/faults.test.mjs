// Real faults: servers that die, browsers that go offline, pages that are left, reloaded and hammered.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Card, closePages, freePort, HASTY, launch, open, Server } from './rig.mjs';
import { Tab } from './tab.mjs';

let browser, folder, args, server;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redial-page-'));
  args = ['--listen', `127.0.0.1:${await freePort()}`, '--store', `sqlite:${join(folder, 'chat.db')}`];
  server = await Server.start(args);
});
afterEach(async () => {
  await closePages();
  await server.kill();
  await rm(folder, { recursive: true });
});

const restart = async () => {
  server = await Server.start(args);
};

async function opened(options) {
  const page = await open(browser, server, options);
  const cards = Object.fromEntries(['general', 'assistant', 'support', 'plain'].map((kind) => [kind, new Card(page, kind)]));
  for (const card of Object.values(cards)) await card.is('open');
  return { page, ...cards };
}

async function done({ page }) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

test('a server that is killed and comes back: yellow with a countdown, then green, and the counter goes on', async () => {
  const all = await opened({ policy: { ...HASTY, baseDelay: 1_000, maxDelay: 1_000, jitter: 'none' } });
  for (const n of [1, 2, 3]) {
    await all.plain.send(`m${n}`);
    await all.plain.says(`#${n}: m${n}`);
  }
  await server.kill();
  for (const card of [all.general, all.plain]) {
    await card.is('connecting');
    assert.equal(await card.dot.evaluate((dot) => getComputedStyle(dot).backgroundColor), 'rgb(249, 168, 37)');
    await card.status.filter({ hasText: /Retry \d+ in \d\.\d s/ }).waitFor();
  }
  assert.equal(await all.general.quality.textContent(), 'disconnected');
  await restart();
  for (const card of [all.general, all.assistant, all.support, all.plain]) await card.is('open');
  await all.general.status.filter({ hasText: 'session resumed' }).waitFor();
  await all.plain.send('m4');
  await all.plain.says('#4: m4');
  await all.general.event('Session resumed');
  assert.equal(await all.general.figure('Connections lost'), '1');
  assert.match(await all.general.figure('Success rate'), /^\d+ %$/);
  await done(all);
});

test('what is written while there is no server waits in sight, and is delivered once', async () => {
  const all = await opened();
  await server.kill();
  for (const card of [all.general, all.plain]) {
    await card.is('connecting');
    await card.root.getByRole('button', { name: 'Queue' }).waitFor();
    await card.send('first');
    await card.send('second');
    await card.says('second', { state: 'pending' });
    await card.status.filter({ hasText: '2 waiting' }).waitFor();
    await card.root.getByRole('button', { name: 'Clear' }).click();
    assert.deepEqual(await card.texts(), ['first', 'second'], 'what waits is not cleared away');
  }
  await restart();
  await all.general.says('first', { state: 'delivered' });
  await all.general.says('second', { state: 'delivered' });
  await all.plain.says('#2: second');
  assert.deepEqual(await all.plain.texts(), ['first', 'second', '#1: first', '#2: second']);

  const other = await opened();
  await other.general.says('second');
  assert.deepEqual(await other.general.texts(), ['first', 'second']);
  await done(other);
  await done(all);
});

test('an answer that the death of the server cuts goes on after it', async () => {
  const all = await opened();
  await all.assistant.send('What is lost?');
  await all.assistant.says('You asked', { from: 'assistant' });
  await server.kill();
  await all.assistant.is('connecting');
  assert.equal(await all.assistant.root.locator('[data-testid=message][data-done=false]').count(), 1);
  await restart();
  await all.assistant.is('open');
  await all.assistant.root.locator('[data-testid=message][data-done=true]').waitFor();
  const texts = await all.assistant.texts();
  assert.equal(texts.length, 2);
  assert.match(texts[1], /^You asked: “What is lost\?”\. Nobody thinks .* and it was worth the wait\.$/);
  await done(all);
});

test('after a reload the session goes on, with its messages and its counter', async () => {
  const all = await opened();
  await all.plain.send('before');
  await all.plain.says('#1: before');
  await all.support.send('hello');
  await all.support.says('What can support do', { from: 'support' });
  await all.assistant.send('And a reload?');
  await all.assistant.says('You asked', { from: 'assistant' });
  await all.page.reload();
  for (const card of [all.general, all.assistant, all.support, all.plain]) await card.is('open');
  await all.general.status.filter({ hasText: 'session resumed' }).waitFor();
  assert.deepEqual(await all.plain.texts(), ['before', '#1: before']);
  await all.plain.send('after');
  await all.plain.says('#2: after');
  assert.equal((await all.support.texts())[0], 'hello');
  await all.assistant.root.locator('[data-testid=message][data-done=true]').waitFor();
  assert.match((await all.assistant.texts())[1], /^You asked: “And a reload\?”\. Nobody thinks .* worth the wait\.$/);
  await done(all);
});

test('a server that has lost its memory: what is in doubt is shown, and can be sent again', async () => {
  await server.kill();
  args = args.slice(0, 2);
  await restart();
  const all = await opened();
  // It takes what is sent to it, and does nothing with it.
  server.process.kill('SIGSTOP');
  await all.general.send('perhaps');
  await all.general.says('perhaps', { state: 'sent' });
  await server.kill();
  await all.general.is('connecting');
  await all.general.send('in the next session');
  await all.general.says('in the next session', { state: 'pending' });
  await restart();
  await all.general.says('in the next session', { state: 'delivered' });
  const message = await all.general.says('perhaps', { state: 'doubtful' });
  await message.getByText('not confirmed').waitFor();
  await all.general.event('Session lost');
  await message.getByRole('button', { name: 'Send again' }).click();
  await all.general.says('perhaps', { state: 'delivered' });
  const other = await opened();
  await other.general.says('perhaps');
  assert.deepEqual((await other.general.texts()).toSorted(), ['in the next session', 'perhaps']);
  await done(other);
  await done(all);
});

test('without keeping sessions a reload begins anew', async () => {
  const all = await opened();
  await all.page.getByRole('switch', { name: 'Keep sessions' }).click();
  assert.equal(await all.page.evaluate(() => localStorage.getItem('ui:persistSession')), 'false');
  await all.plain.send('gone');
  await all.plain.says('#1: gone');
  await all.page.reload();
  await all.plain.is('open');
  assert.deepEqual(await all.plain.texts(), []);
  await all.plain.send('new');
  await all.plain.says('#1: new');
  await all.general.event('Session started');
  await done(all);
});

test('with reconnecting by itself turned off a lost connection stays lost until it is asked for', async () => {
  const all = await opened();
  const toggle = all.page.getByRole('switch', { name: 'Reconnect by itself' });
  await toggle.click();
  assert.equal(await all.page.evaluate(() => localStorage.getItem('ui:autoReconnect')), 'false');
  await server.kill();
  await all.general.status.filter({ hasText: 'reconnecting by itself is off' }).waitFor();
  await restart();
  assert.equal(await all.general.status.getAttribute('data-phase'), 'held');
  await all.general.reconnect().click();
  await all.general.is('open');
  assert.equal(await all.support.status.getAttribute('data-phase'), 'held');
  await all.page.reload();
  assert.equal(await toggle.isChecked(), false, 'it is remembered');
  await toggle.click();
  for (const card of [all.general, all.assistant, all.support, all.plain]) await card.is('open');
  await done(all);
});

test('the button reconnects at once, however long the wait would be', async () => {
  const all = await opened({ policy: { ...HASTY, baseDelay: 60_000, maxDelay: 60_000, jitter: 'none' } });
  await server.kill();
  await all.general.status.filter({ hasText: /Retry 1 in 5\d\.\d s/ }).waitFor();
  await restart();
  await all.general.reconnect().click();
  await all.general.is('open');
  assert.equal(await all.support.status.getAttribute('data-phase'), 'waiting', 'each by itself');
  await done(all);
});

test('retries that are used up: red, and the button begins anew', async () => {
  const all = await opened({ policy: { ...HASTY, maxAttempts: 2 } });
  await server.kill();
  await all.general.is('closed');
  assert.equal(await all.general.dot.evaluate((dot) => getComputedStyle(dot).backgroundColor), 'rgb(198, 40, 40)');
  await all.general.status.filter({ hasText: /^Gave up after 2 retries/ }).waitFor();
  await restart();
  await all.general.reconnect().click();
  await all.general.is('open');
  await done(all);
});

test('a button that is hammered dials no more than the budget allows, and ends up with one connection', async () => {
  const all = await opened({ policy: { ...HASTY, dialBudget: { burst: 5, refill: 1_000 } } });
  const begun = Date.now();
  const button = await all.general.reconnect().elementHandle();
  await button.evaluate((element) => {
    for (let n = 0; n < 50; n += 1) element.click();
  });
  for (let n = 0; n < 20; n += 1) await button.click({ force: true, noWaitAfter: true });
  await all.general.is('open');
  await all.general.beat();
  const dials = Number(await all.general.figure('Dials'));
  const allowed = 5 + Math.ceil((Date.now() - begun) / 1_000) + 1;
  assert.ok(dials > 1 && dials <= allowed, `${dials} dials, ${allowed} allowed`);
  await server.connections(4);
  await all.general.send('still here');
  await all.general.says('still here', { state: 'delivered' });
  await done(all);
});

test('offline: no dial is wasted, and with the network the connection is back', async () => {
  const all = await opened();
  await all.page.context().setOffline(true);
  await server.kill();
  await all.general.status.filter({ hasText: 'Waiting: offline' }).waitFor();
  const dials = await all.general.figure('Dials');
  await all.general.send('later');
  await all.general.says('later', { state: 'pending' });
  await restart();
  assert.equal(await all.general.figure('Dials'), dials);
  await all.page.context().setOffline(false);
  await all.general.is('open');
  await all.general.says('later', { state: 'delivered' });
  await done(all);
});

const hasty = () => `${server.url}?policy=${encodeURIComponent(JSON.stringify(HASTY))}`;

test('a tab in the background comes back in the background, and has read nothing until it is looked at', async () => {
  const tab = await Tab.open(browser, hasty());
  await tab.until(`${tab.part('general', 'dot')}?.dataset.status === 'open'`);
  await tab.send('plain', 'before');
  await tab.says('plain', '#1: before');
  await tab.hide();
  await server.kill();
  await tab.until(`${tab.part('general', 'dot')}.dataset.status === 'connecting'`);
  await restart();
  await tab.until(`${tab.part('general', 'status')}.textContent.includes('session resumed')`);
  await tab.until(`${tab.part('plain', 'dot')}.dataset.status === 'open'`);
  await tab.send('plain', 'after');
  await tab.says('plain', '#2: after');

  const other = await opened();
  await other.general.send('Do you see me?');
  await tab.says('general', 'Do you see me?');
  const message = await other.general.says('Do you see me?', { state: 'delivered' });
  await other.general.beat(3);
  assert.doesNotMatch(await message.textContent(), /read by/);
  assert.equal(await tab.ask('document.visibilityState'), 'hidden');
  await tab.show();
  await message.filter({ hasText: 'read by 1' }).waitFor();
  await tab.close();
  await done(other);
});

test('a tab that is frozen while the server restarts goes on when it is thawed', async () => {
  const tab = await Tab.open(browser, hasty());
  await tab.until(`${tab.part('general', 'dot')}?.dataset.status === 'open'`);
  await tab.ask("document.addEventListener('freeze', () => { globalThis.frozen = true; })");
  await tab.send('plain', 'before');
  await tab.says('plain', '#1: before');
  await tab.hide();
  await tab.freeze(true);
  await server.kill();
  await restart();
  await server.connections(0);
  await tab.freeze(false);
  await tab.show();
  assert.equal(await tab.ask('globalThis.frozen'), true);
  await tab.until(`${tab.part('general', 'status')}.textContent.includes('session resumed')`);
  await tab.send('plain', 'after');
  await tab.says('plain', '#2: after');
  await tab.close();
});

test('two tabs are two sessions', async () => {
  const [one, two] = [await opened(), await opened()];
  await one.plain.send('a');
  await one.plain.says('#1: a');
  await two.plain.send('b');
  await two.plain.says('#1: b');
  await done(one);
  await done(two);
});
