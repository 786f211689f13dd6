import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Serve } from './lib/serve.mjs';
import { Server } from './lib/server.mjs';

const eager = { baseDelay: 20, maxDelay: 20, minDelay: 0, jitter: false, maxAttempts: null, dialBudget: null };

let browser, serve;
before(async () => {
    browser = await Browser.launch();
    serve = await Serve.start();
});
after(async () => {
    await browser.close();
    await serve.close();
});

test('a server that is killed twice loses nothing, repeats nothing and keeps the order', async () => {
    const page = await browser.page();
    const many = 300;
    await page.evaluate(async (settings) => {
        globalThis.talk = make('Talk', settings);
        globalThis.sent = 0;
        globalThis.send = (many) => { for (let i = 0; i < many; i += 1, sent += 1) talk.text(`message ${sent}`); };
        await talk.heard.until((event) => event.session === 'Started');
        send(100);
        await talk.heard.count((event) => 'text' in event, 1);
    }, { url: serve.url, policy: eager });
    for (let kill = 0; kill < 2; kill += 1) {
        await serve.kill();
        // While nobody is there.
        await page.evaluate(async (kill) => {
            await talk.heard.count((event) => event.output === 'lost', kill + 1);
            send(50);
        }, kill);
        await serve.start();
        await page.evaluate(async (kill) => {
            await talk.heard.count((event) => event.session === 'Resumed', kill + 1);
            send(50);
        }, kill);
    }
    const got = await page.evaluate(async (many) => {
        const got = await talk.heard.count((event) => 'text' in event, many);
        const lost = talk.heard.events.some((event) => event.session === 'Lost');
        talk.drop_it();
        return { texts: got.map((event) => event.text), lost };
    }, many);
    // What is no JSON comes back as it is.
    assert.deepEqual(got, { texts: Array.from({ length: many }, (_, i) => `message ${i}`), lost: false });
    page.check();
});

test('bytes go through a session as they are, and its own pings measure it', async () => {
    const page = await browser.page();
    const { binary, checks, status } = await page.evaluate(async (settings) => {
        const talk = make('Talk', settings);
        talk.binary(new Uint8Array([8, 0, 255]));
        const { binary } = await talk.heard.until((event) => 'binary' in event);
        const checks = await talk.heard.count((event) => event.output === 'healthCheck', 3);
        const status = JSON.parse(talk.status());
        talk.stop();
        await talk.heard.until((event) => event.over);
        return { binary, checks, status };
    }, { url: serve.url, policy: { ...eager, healthCheckInterval: 30 } });
    assert.deepEqual(binary, [8, 0, 255]);
    assert.equal(checks.length, 3);
    assert.equal(status.protocol, 'session');
    assert.equal(status.phase, 'open');
});

test('a server that chooses another subprotocol is spoken to plainly', async () => {
    const page = await browser.page();
    const other = await Server.start();
    const settings = { policy: { ...eager, healthCheckInterval: 30, pingTimeout: 500 }, subprotocols: ['chosen'], heartbeat: true };
    const { text, protocol } = await page.evaluate(async (settings) => {
        const talk = make('Talk', settings);
        talk.text('as it is');
        const { text } = await talk.heard.until((event) => 'text' in event);
        await talk.heard.count((event) => event.output === 'healthCheck', 2);
        const { protocol } = JSON.parse(talk.status());
        talk.drop_it();
        return { text, protocol };
    }, { ...settings, url: other.url('/heartbeat') });
    assert.deepEqual({ text, protocol }, { text: 'as it is', protocol: 'plain' });
    await other.empty();
    await other.kill();
});

test('frames that are no frames end the connection, and not the page', async () => {
    const page = await browser.page();
    const other = await Server.start();
    const cause = await page.evaluate(async (settings) => {
        const talk = make('Talk', settings);
        const { cause } = await talk.heard.until((event) => event.output === 'attemptFailed');
        talk.drop_it();
        return cause;
    }, { url: other.url('/garbage'), policy: eager });
    assert.deepEqual(cause, { kind: 'protocol' });
    await other.kill();
    page.check();
});
