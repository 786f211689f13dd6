// What the page does where nothing goes wrong.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Card, closePages, HASTY, launch, open, Server } from './rig.mjs';

let server, browser;
before(async () => {
  server = await Server.start(['--listen', '127.0.0.1:0']);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.kill();
});

afterEach(closePages);

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

test('four cards connect, and each heartbeat is a pulse with a latency, a grade and a line', async () => {
  const all = await opened();
  for (const card of [all.general, all.assistant, all.support, all.plain]) {
    await card.beat(3);
    await card.root.getByTestId('pulse').waitFor({ state: 'attached' });
    assert.match(await card.quality.textContent(), /^(excellent|good|poor|disconnected) · \d+ ms$/);
    const label = await card.root.getByTestId('latencies').getAttribute('aria-label');
    assert.match(label, /^Latency, the last \d+ heartbeats: now \d+ ms, at most \d+ ms$/);
    assert.equal(await card.dot.evaluate((dot) => getComputedStyle(dot).backgroundColor), 'rgb(46, 125, 50)');
  }
  assert.equal(await all.page.getByTestId('break-it').count(), 0, 'nothing to break unless asked for');
  await done(all);
});

test('a plain session counts JSON, and shows what is no JSON as it is', async () => {
  const all = await opened();
  const { plain } = all;
  await plain.send('one');
  await plain.says('#1: one', { from: 'server' });
  await plain.send('two');
  await plain.says('#2: two', { from: 'server' });
  await plain.root.getByRole('switch', { name: 'As JSON' }).click();
  await plain.send('<b>three</b> {');
  await plain.says('Echo: <b>three</b> {', { from: 'server' });
  assert.deepEqual(await plain.texts(), ['one', '#1: one', 'two', '#2: two', '<b>three</b> {', 'Echo: <b>three</b> {']);
  await plain.root.getByRole('button', { name: 'Clear' }).click();
  assert.deepEqual(await plain.texts(), []);
  await done(all);
});

test('the last hundred messages are kept', async () => {
  const all = await opened();
  for (let n = 1; n <= 60; n += 1) await all.plain.send(`m${n}`);
  await all.plain.says('#60: m60', { from: 'server' });
  const texts = await all.plain.texts();
  assert.equal(texts.length, 100);
  assert.ok(!texts.includes('m1') && texts.includes('#60: m60'));
  await done(all);
});

test('a room hears who types, what is said and who has read it', async () => {
  const [ann, bob] = [await opened(), await opened()];
  await ann.general.root.getByText('2 here').waitFor();
  await ann.general.input.pressSequentially('Hello');
  await bob.general.root.getByTestId('typing').filter({ hasText: /^Guest [0-9a-f]{4} is typing/ }).waitFor();
  await ann.general.input.press('Enter');
  await bob.general.says('Hello');
  await bob.general.root.getByTestId('typing').filter({ hasText: /^$/ }).waitFor();
  await (await ann.general.says('Hello', { state: 'delivered' })).filter({ hasText: 'read by 1' }).waitFor();
  await bob.general.send('Good day');
  await ann.general.says('Good day', { state: 'received' });
  assert.deepEqual(await ann.general.texts(), await bob.general.texts());
  await done(bob);

  const carl = await opened();
  await carl.general.says('Good day', { state: 'received' });
  assert.deepEqual((await carl.general.texts()).slice(-2), ['Hello', 'Good day'], 'the past of the room');
  await done(carl);
  await done(ann);
});

test('the assistant answers piece by piece, and support to a keyword', async () => {
  const all = await opened();
  await all.assistant.send('Why?');
  await all.assistant.root.getByText('An answer is being written').waitFor();
  await all.assistant.root.locator('[data-testid=message][data-done=false]').waitFor();
  await all.assistant.root.locator('[data-testid=message][data-done=true]').waitFor();
  const [question, answer] = await all.assistant.texts();
  assert.equal(question, 'Why?');
  assert.match(answer, /^You asked: “Why\?”\. .* and it was worth the wait\.$/);
  await all.assistant.root.getByTestId('typing').filter({ hasText: /^$/ }).waitFor();
  await all.support.send('I forgot my password');
  await all.support.says('Security', { from: 'support' });
  await done(all);
});

test('what is cleared away in the middle of an answer stays away', async () => {
  const all = await opened();
  await all.assistant.send('First?');
  await all.assistant.says('You asked: “First?”', { from: 'assistant' });
  await all.assistant.root.getByRole('button', { name: 'Clear' }).click();
  await all.assistant.root.getByTestId('typing').filter({ hasText: /^$/ }).waitFor();
  await all.assistant.send('Second?');
  await all.assistant.root.locator('[data-testid=message][data-done=true]').waitFor();
  const texts = await all.assistant.texts();
  assert.equal(texts.length, 2);
  assert.match(texts[1], /^You asked: “Second\?”\. Nobody .* worth the wait\.$/);
  await done(all);
});

test('cards are added and closed, and a closed one is gone from the server', async () => {
  const all = await opened();
  await server.connections(4);
  await all.page.getByRole('button', { name: 'Add card' }).click();
  await all.page.getByRole('menuitem', { name: 'Session' }).click();
  const second = new Card(all.page, 'plain', 1);
  await second.is('open');
  await second.send('mine');
  await second.says('#1: mine', { from: 'server' });
  await server.connections(5);
  assert.equal(await second.root.getByRole('heading').textContent(), 'Session 2');
  await all.page.getByRole('button', { name: 'Close Session 2' }).click();
  await second.root.waitFor({ state: 'detached' });
  await server.connections(4);
  await done(all);
});

test('a card tells what happened, and how it has done', async () => {
  const all = await opened();
  await all.general.event('Session started');
  await all.general.event('Connection open');
  await all.general.event('Quality: ');
  assert.equal(await all.general.figure('Dials'), '1');
  assert.equal(await all.general.figure('Success rate'), 'no retry yet');
  await all.general.root.getByText('No outage yet.').waitFor();
  await all.general.reconnect().hover();
  await all.page.getByRole('tooltip', { name: 'Reconnect' }).waitFor();
  await all.general.reconnect().click();
  await all.general.event('Session resumed');
  await all.general.is('open');
  await all.general.root.locator('[data-figure=Dials]').filter({ hasText: /^2$/ }).waitFor();
  await all.general.root.getByTestId('causes').filter({ hasText: 'asked for' }).waitFor();
  assert.match(await all.general.root.getByTestId('timeline').getAttribute('aria-label'), /^Timeline of General chat, the last .*: open \d+ %$/);
  assert.ok((await all.general.root.locator('[data-testid=timeline] rect[data-state=open]').count()) >= 1);
  await done(all);
});

test('what the address says of the policy counts', async () => {
  const all = await opened({ policy: { ...HASTY, healthCheckInterval: 100 } });
  await all.general.beat(5);
  await done(all);
});
