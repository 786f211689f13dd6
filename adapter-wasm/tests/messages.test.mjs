import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';

let browser, server;
before(async () => {
    browser = await Browser.launch();
    server = await Server.start();
});
after(async () => {
    await browser.close();
    await server.kill();
});

test('texts and bytes come back as they were, in order', async () => {
    const page = await browser.page();
    const got = await page.evaluate(async (url) => {
        const chat = make('Chat', { url });
        const texts = ['', 'hello', 'grüß 👋', 'x'.repeat(300_000)];
        for (const text of texts) chat.text(text);
        chat.binary(new Uint8Array([0, 255, 128]));
        chat.binary(new Uint8Array());
        const got = await chat.heard.count((event) => 'text' in event || 'binary' in event, 6);
        chat.stop();
        await chat.heard.until((event) => event.over);
        return got;
    }, server.url('/echo'));
    const expected = ['', 'hello', 'grüß 👋', 'x'.repeat(300_000)].map((text) => ({ text }));
    assert.deepEqual(got, [...expected, { binary: [0, 255, 128] }, { binary: [] }]);
    assert.equal(server.lastClose, 1000);
    page.check();
});

test('thousands of messages keep their order', async () => {
    const page = await browser.page();
    const got = await page.evaluate(async (url) => {
        const chat = make('Chat', { url });
        await chat.heard.phase('open');
        for (let batch = 0; batch < 5; batch += 1) {
            for (let i = 0; i < 1000; i += 1) chat.text(`${batch * 1000 + i}`);
            await chat.heard.count((event) => 'text' in event, (batch + 1) * 1000);
        }
        chat.drop_it();
        return chat.heard.events.filter((event) => 'text' in event).map((event) => Number(event.text));
    }, server.url('/echo'));
    assert.deepEqual(got, Array.from({ length: 5000 }, (_, i) => i));
});

test('what comes faster than it is read waits in order, and is read before the end', async () => {
    const page = await browser.page();
    const got = await page.evaluate(async (url) => {
        const chat = make('Chat', { url, slow: true });
        const { cause } = await chat.heard.until((event) => event.output === 'lost');
        const texts = chat.heard.events.filter((event) => 'text' in event).map((event) => Number(event.text));
        chat.drop_it();
        return { cause, texts };
    }, server.url('/burst/100'));
    assert.deepEqual(got, { cause: { kind: 'close', code: 4000 }, texts: Array.from({ length: 100 }, (_, i) => i) });
});

test('a server that takes nothing fills the browser to its bound, and the rest waits in the outbox', async () => {
    const page = await browser.page({ counted: true });
    const long = 65_536;
    const { most, waiting } = await page.evaluate(async ({ url, long }) => {
        globalThis.chat = make('Chat', { url, policy: { healthCheckInterval: null } });
        await chat.heard.phase('open');
        let most = 0;
        // The operating system's buffers fill first, then the browser's, then the outbox.
        for (globalThis.sent = 0; ; sent += 1) {
            try {
                chat.text(String(sent).padStart(long, '.'));
            } catch {
                break;
            }
            await new Promise((resolve) => { setTimeout(resolve); });
            most = Math.max(most, counts.sockets[0].bufferedAmount);
        }
        return { most, waiting: JSON.parse(chat.status()).outbox };
    }, { url: server.url('/stuck'), long });
    assert.ok(most >= 262_144 && most < 262_144 + long, `${most} B`);
    assert.equal(waiting, 16, 'an outbox of 1 MiB');
    server.resume();
    const got = await page.evaluate(async () => {
        const texts = await chat.heard.count((event) => 'text' in event, sent);
        chat.drop_it();
        return texts.map((event) => Number(event.text.replaceAll('.', ' ')));
    });
    assert.deepEqual(got, Array.from({ length: got.length }, (_, i) => i));
    await server.empty();
});

test('a relative URL is the page\'s own server, and a URL that is none is refused at once', async () => {
    const page = await browser.page();
    const { seen, refused } = await page.evaluate(() => {
        const seen = [];
        const Real = WebSocket;
        globalThis.WebSocket = class extends Real {
            constructor(url, ...rest) { seen.push(url); super(url, ...rest); }
        };
        const refused = {};
        for (const url of ['wrong://x/?secret', 'ws://', 'ws://x/#a', 'http://me:pass@:80/']) {
            try { make('Chat', { url }); } catch (error) { refused[url] = error; }
        }
        try { make('Chat', { url: '/ws', subprotocols: ['a b'] }); } catch (error) { refused.subprotocol = error; }
        try { make('Talk', { url: '/ws', subprotocols: ['b'] }); } catch (error) { refused.heartbeat = error; }
        const chats = [make('Chat', { url: '/ws/chat/?a=1' }), make('Chat', { url: 'https://127.0.0.1:1/x' })];
        return new Promise((resolve) => {
            const look = () => {
                if (seen.length < 2) { setTimeout(look, 5); return; }
                for (const chat of chats) chat.drop_it();
                resolve({ seen, refused });
            };
            look();
        });
    });
    assert.deepEqual(seen, [`${browser.origin.replace('http', 'ws')}/ws/chat/?a=1`, 'wss://127.0.0.1:1/x']);
    assert.match(refused['wrong://x/?secret'], /^endpoint "wrong:\/\/x\/": the scheme is not allowed/);
    assert.match(refused['ws://'], /is no URL/);
    assert.match(refused['ws://x/#a'], /a fragment is not allowed/);
    assert.match(refused['http://me:pass@:80/'], /^endpoint "http:\/\/:80\/": is no URL/);
    assert.match(refused.subprotocol, /^subprotocol "a b": is no token/);
    assert.match(refused.heartbeat, /heartbeat/);
});

test('a worker has connections, too', async () => {
    const page = await browser.page();
    const got = await page.evaluate((url) => new Promise((resolve, reject) => {
        const source = `
            import init, { Chat } from '${location.origin}/redial_wasm_page.js';
            await init();
            const chat = new Chat(JSON.stringify({ url: ${JSON.stringify(url)} }), (json) => {
                if ('text' in JSON.parse(json)) postMessage(json);
            });
            chat.text('from a worker');`;
        const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })), { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = reject;
    }), server.url('/echo'));
    assert.deepEqual(JSON.parse(got), { text: 'from a worker' });
});
