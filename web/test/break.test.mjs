// The "break it" panel, and how the page bears it.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Card, closePages, FUSSY, launch, open, Server } from './rig.mjs';

let browser, server, all;
before(async () => {
  browser = await launch();
  server = await Server.start([], ['demo', '--page', '127.0.0.1:0']);
});
after(async () => {
  await browser?.close();
  await server?.kill();
});
beforeEach(async () => {
  const page = await open(browser, server, { policy: FUSSY });
  const cards = Object.fromEntries(['general', 'assistant', 'support', 'plain'].map((kind) => [kind, new Card(page, kind)]));
  for (const card of Object.values(cards)) await card.is('open');
  const panel = page.getByTestId('break-it');
  const network = panel.getByTestId('network');
  const fault = (name) => panel.getByRole('switch', { name });
  const button = (name) => panel.getByRole('button', { name });
  all = { page, ...cards, panel, network, fault, button };
  await network.filter({ hasText: 'no faults' }).waitFor();
});
afterEach(async () => {
  await all.button('Heal').click();
  await all.network.filter({ hasText: 'no faults' }).waitFor();
  assert.deepEqual(all.page.problems, []);
  await closePages();
});

test('cut: the connection breaks, and is back with its session', async () => {
  await all.general.send('before');
  await all.general.says('before', { state: 'delivered' });
  await all.button('Cut').click();
  await all.general.event('Connection lost');
  await all.general.event('Session resumed');
  await all.general.is('open');
  await all.general.send('after');
  await all.general.says('after', { state: 'delivered' });
});

test('refuse: dials fail until it is over', async () => {
  await all.fault('Refuse').click();
  await all.network.filter({ hasText: 'refuse on' }).waitFor();
  await all.button('Cut').click();
  await all.general.event('Attempt failed');
  assert.notEqual(await all.general.dot.getAttribute('data-status'), 'open');
  await all.general.send('queued');
  await all.general.says('queued', { state: 'pending' });
  await all.fault('Refuse').click();
  await all.general.is('open');
  await all.general.says('queued', { state: 'delivered' });
  assert.match(await all.general.figure('Failed attempts'), /^[1-9]\d*$/);
});

test('what waits for the network outlives a reload', async () => {
  await all.fault('Refuse').click();
  await all.network.filter({ hasText: 'refuse on' }).waitFor();
  await all.button('Cut').click();
  await all.general.event('Attempt failed');
  await all.general.send('kept');
  await all.general.says('kept', { state: 'pending' });
  await all.page.reload();
  await all.general.says('kept', { state: 'pending' });
  await all.general.event('Attempt failed');
  await all.button('Heal').click();
  await all.general.says('kept', { state: 'delivered' });
  await all.general.event('Session resumed');
  assert.equal((await all.general.texts()).filter((text) => text === 'kept').length, 1);
});

test('black hole: the heartbeat finds out, and nothing is lost', async () => {
  await all.fault('Black hole').click();
  await all.network.filter({ hasText: 'blackhole on' }).waitFor();
  await all.general.send('into the void');
  await all.general.event('no answer to a heartbeat');
  await all.plain.event('no answer to a heartbeat');
  await all.fault('Black hole').click();
  await all.general.is('open');
  await all.general.says('into the void', { state: 'delivered' });
  assert.equal((await all.general.texts()).filter((text) => text === 'into the void').length, 1);
});

test('slow: the grade falls, niceties pause, the page says why, and messages go as before', async () => {
  const bob = await open(browser, server, { policy: FUSSY });
  const other = new Card(bob, 'general');
  await other.is('open');
  await all.fault('Slow').click();
  await all.network.filter({ hasText: 'delay 150' }).waitFor();
  const notice = all.general.root.getByTestId('degraded');
  await notice.waitFor();
  assert.match(await notice.textContent(), /Slow connection \(\d+ ms\): typing indicators and read receipts pause, and\s+heartbeats slow down/);
  assert.match(await all.general.quality.getAttribute('data-quality'), /^(poor|disconnected)$/);
  await all.general.event('heartbeats every 20 s');
  await other.root.getByTestId('degraded').waitFor();
  all.page.sent.length = 0;
  bob.sent.length = 0;
  await all.general.input.pressSequentially('slow but sure');
  await all.general.input.press('Enter');
  await other.says('slow but sure');
  await all.general.says('slow but sure', { state: 'delivered' });
  const sent = (page, what) => page.sent.filter((frame) => frame.includes(`"type":"${what}"`)).length;
  // Longer than the time between two heartbeats of a good connection.
  await all.general.beat(20);
  assert.deepEqual(['message', 'typing', 'members'].map((what) => sent(all.page, what)), [1, 0, 0]);
  assert.equal(sent(bob, 'read'), 0);
  await all.fault('Slow').click();
  await notice.waitFor({ state: 'detached' });
  await all.general.root.locator('[data-quality=excellent], [data-quality=good]').waitFor();
  await all.general.input.pressSequentially('fast again');
  await all.general.input.press('Enter');
  await (await all.general.says('fast again')).filter({ hasText: 'read by 1' }).waitFor();
  assert.ok(sent(all.page, 'typing') > 0 && sent(bob, 'read') > 0);
});

test('an answer that an outage cuts goes on after it, nothing twice and nothing left out', async () => {
  await all.fault('Refuse').click();
  await all.network.filter({ hasText: 'refuse on' }).waitFor();
  await all.assistant.send('And if it breaks?');
  await all.assistant.says('You asked', { from: 'assistant' });
  await all.button('Cut').click();
  await all.assistant.event('Attempt failed');
  assert.equal(await all.assistant.root.locator('[data-testid=message][data-done=false]').count(), 1);
  await all.fault('Refuse').click();
  await all.assistant.root.locator('[data-testid=message][data-done=true]').waitFor();
  assert.match((await all.assistant.texts())[1], /^You asked: “And if it breaks\?”\. Nobody thinks about it here: .* nothing twice and nothing left out\. That is all .* worth the wait\.$/);
});

test('while an answer is under way a silent server is not given up', async () => {
  await all.assistant.send('Are you busy?');
  await all.assistant.says('You asked', { from: 'assistant' });
  await all.fault('Black hole').click();
  await all.general.event('no answer to a heartbeat');
  assert.equal(await all.assistant.dot.getAttribute('data-status'), 'open');
  await all.button('Heal').click();
  await all.assistant.root.locator('[data-testid=message][data-done=true]').waitFor();
  assert.equal(await all.assistant.figure('Connections lost'), '0');
});

test('another page, or one elsewhere, drives nothing', async () => {
  const answer = await fetch(`${server.url}chaos`, { method: 'POST', body: 'refuse on' });
  assert.equal(answer.status, 403);
  assert.match(await (await fetch(`${server.url}chaos`)).text(), /no faults/);
});
