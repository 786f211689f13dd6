import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Serve } from './lib/serve.mjs';

let browser, serve;
before(async () => {
    browser = await Browser.launch();
    serve = await Serve.start();
});
after(async () => {
    await browser.close();
    await serve.close();
});

const open = async () => {
    const context = await browser.browser.newContext();
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(error));
    await page.goto(`${browser.origin}/example/index.html?server=${serve.url}`);
    await page.getByText('a new session').waitFor();
    return page;
};
const say = async (page, text) => {
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
};
const lines = (page) => page.locator('#log > div').evaluateAll((all) => all.map((line) => line.textContent));

test('two people talk, across a server that is killed, and by the button at once', async () => {
    const [ann, bob] = [await open(), await open()];
    await ann.locator('#phase').getByText('open').waitFor();
    await say(ann, 'hello "Bob"');
    await bob.getByText('hello "Bob"').waitFor();

    await serve.kill();
    await ann.getByText('* lost: ').waitFor();
    await ann.locator('#countdown').getByText(/^next dial in \d+ s$/).waitFor();
    await say(ann, 'are you there?');
    await say(ann, 'later, then');
    await serve.start();
    for (const page of [ann, bob]) await page.getByRole('button', { name: 'Reconnect' }).click();
    await bob.getByText('later, then').waitFor();
    await ann.locator('#phase').getByText('open').waitFor();

    const said = (await lines(bob)).map((line) => /^[0-9a-f]{16}: (.*)$/.exec(line)?.[1]).filter(Boolean);
    assert.deepEqual(said, ['hello "Bob"', 'are you there?', 'later, then']);
    assert.ok((await lines(bob)).some((line) => line.startsWith('* the session goes on')));
    await ann.locator('#quality').getByText(/^(excellent|good|poor|disconnected), /).waitFor();
    for (const page of [ann, bob]) assert.deepEqual(page.errors, []);
});
