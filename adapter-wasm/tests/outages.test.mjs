import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';

// Retries at once, without end.
const eager = { baseDelay: 20, maxDelay: 20, minDelay: 0, jitter: false, maxAttempts: null, dialBudget: null, healthCheckInterval: null };

let browser, server;
before(async () => {
    browser = await Browser.launch();
    server = await Server.start();
});
after(async () => {
    await browser.close();
    await server.kill();
});

test('it comes back after the server does, and sends what was meant for it meanwhile', async () => {
    const page = await browser.page();
    const settings = { url: server.url('/echo'), policy: eager };
    await page.evaluate(async (settings) => {
        globalThis.chat = make('Chat', settings);
        await chat.heard.phase('open');
    }, settings);
    await server.kill();
    const { lost, failed } = await page.evaluate(async () => {
        const lost = await chat.heard.until((event) => event.output === 'lost');
        const failed = await chat.heard.count((event) => event.output === 'attemptFailed', 2);
        for (const text of ['one', 'two', 'three']) chat.text(text);
        return { lost, failed };
    });
    assert.deepEqual(lost.cause, { kind: 'close', code: 1006 });
    // A browser does not say what failed.
    for (const { cause } of failed) assert.deepEqual(cause, { kind: 'network' });
    await server.start();
    const got = await page.evaluate(async () => {
        const got = await chat.heard.count((event) => 'text' in event, 3);
        chat.drop_it();
        return got.map((event) => event.text);
    });
    assert.deepEqual(got, ['one', 'two', 'three']);
    page.check();
});

test('the policy decides by the close code, after what came before it', async () => {
    const page = await browser.page();
    const told = (path, policy = {}) => page.evaluate(async ({ url, policy }) => {
        const chat = make('Chat', { url, policy });
        await chat.heard.phase('open');
        const next = await chat.heard.until((event) => event.over || event.output === 'retryScheduled');
        const find = (name) => chat.heard.events.find((event) => event.output === name);
        const told = {
            text: chat.heard.events.find((event) => 'text' in event)?.text,
            cause: find('lost')?.cause,
            gaveUp: find('gaveUp')?.limit,
            phase: JSON.parse(chat.status()).phase,
            retries: !next.over,
        };
        chat.drop_it();
        return told;
    }, { url: server.url(path), policy: { ...eager, baseDelay: 60_000, maxDelay: 60_000, ...policy } });
    const text = 'before the end';
    const close = (code) => ({ kind: 'close', code });
    assert.deepEqual(await told('/close/4401', { verdicts: { 'close:4401': 'stop' } }), { text, cause: close(4401), gaveUp: 'verdict', phase: 'failed', retries: false });
    assert.deepEqual(await told('/close/1008'), { text, cause: close(1008), gaveUp: 'verdict', phase: 'failed', retries: false });
    assert.deepEqual(await told('/close/1000'), { text, cause: close(1000), gaveUp: undefined, phase: 'closed', retries: false });
    for (const code of [4401, 1005, 1012]) {
        assert.deepEqual(await told(`/close/${code}`), { text, cause: close(code), gaveUp: undefined, phase: 'waiting', retries: true });
    }
    // How much of the message a cut lets through is the network's.
    assert.deepEqual((await told('/close/1006')).cause, close(1006));
});

test('every failure before the connection is open is the network\'s', async () => {
    const page = await browser.page();
    const closed = await Server.start();
    await closed.kill();
    const dials = [
        { url: server.url('/refuse/401') },
        { url: server.url('/refuse/503') },
        { url: closed.url('/echo') },
        { url: 'ws://no-such-host.invalid/' },
        // A browser takes no server that chooses none of what was offered.
        { url: server.url('/echo'), subprotocols: ['a', 'b'] },
    ];
    for (const dial of dials) {
        const cause = await page.evaluate(async (settings) => {
            const chat = make('Chat', settings);
            const { cause } = await chat.heard.until((event) => event.output === 'attemptFailed');
            chat.drop_it();
            return cause;
        }, { ...dial, policy: eager });
        assert.deepEqual(cause, { kind: 'network' }, JSON.stringify(dial));
    }
});

test('each dial may go elsewhere, and a manual one is made at once', async () => {
    const page = await browser.page();
    server.dials = [];
    await page.evaluate(async (settings) => {
        const chat = make('Chat', settings);
        await chat.heard.count((event) => event.output === 'attemptFailed', 3);
        chat.drop_it();
        const slow = make('Chat', { ...settings, policy: { ...settings.policy, baseDelay: 3e6, maxDelay: 3e6 } });
        await slow.heard.until((event) => event.output === 'retryScheduled');
        slow.reconnect();
        await slow.heard.count((event) => event.output === 'attemptFailed', 2);
        slow.drop_it();
    }, { url: server.url('/refuse/503'), policy: eager, numbered: true });
    assert.deepEqual(server.dials.map((dial) => dial.search), ['?attempt=0', '?attempt=1', '?attempt=2', '?attempt=0', '?attempt=0']);
});

test('the jitter is the seed\'s, and without one differs from connection to connection', async () => {
    const page = await browser.page();
    const delay = (seed) => page.evaluate(async (settings) => {
        const chat = make('Chat', settings);
        const { delay } = await chat.heard.until((event) => event.output === 'retryScheduled');
        chat.drop_it();
        return delay;
    }, { url: server.url('/refuse/503'), policy: { baseDelay: 3e6, maxDelay: 3e6, jitter: 'full', dialBudget: null }, seed });
    assert.equal(await delay(7), await delay(7));
    const drawn = new Set([await delay(), await delay(), await delay(), await delay()]);
    assert.equal(drawn.size, 4);
});

test('a heartbeat measures, and a server that no longer answers it is left', async () => {
    const page = await browser.page();
    const policy = { ...eager, healthCheckInterval: 30, pingTimeout: 200 };
    const { checks, silent, unasked } = await page.evaluate(async ({ settings, silent }) => {
        const chat = make('Chat', settings);
        const checks = await chat.heard.count((event) => event.output === 'healthCheck', 3);
        chat.text('hello');
        await chat.heard.until((event) => event.text === 'hello');
        const texts = chat.heard.events.filter((event) => 'text' in event);
        chat.drop_it();
        const dead = make('Chat', { ...settings, url: silent });
        const { cause } = await dead.heard.until((event) => event.output === 'lost');
        dead.drop_it();
        // Nobody asks this one, so nobody misses an answer.
        const unasked = make('Chat', { ...settings, url: silent, heartbeat: false, policy: { ...settings.policy, stableAfter: 600 } });
        await unasked.heard.until((event) => event.output === 'stable');
        const lost = unasked.heard.events.some((event) => event.output === 'lost');
        unasked.drop_it();
        return { checks: [checks.length, texts.length], silent: cause, unasked: lost };
    }, { settings: { url: server.url('/heartbeat'), policy, heartbeat: true }, silent: server.url('/silent') });
    // What answers a ping is not for the user.
    assert.deepEqual(checks, [3, 1]);
    assert.deepEqual(silent, { kind: 'pingTimeout' });
    assert.equal(unasked, false);
});
