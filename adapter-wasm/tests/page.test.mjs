import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';

const eager = { baseDelay: 20, maxDelay: 20, minDelay: 0, jitter: false, maxAttempts: null, dialBudget: null, onlineSpread: 0, healthCheckInterval: null };

let browser, server;
before(async () => {
    // Playwright has no cache for the way back, otherwise.
    browser = await Browser.launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
    server = await Server.start();
});
after(async () => {
    await browser.close();
    await server.kill();
});
beforeEach(() => { server.dials = []; });

test('a page that is offline dials nothing, and dials when it is online', async () => {
    const page = await browser.page();
    await page.context().setOffline(true);
    await page.evaluate(async (settings) => {
        globalThis.chat = make('Chat', settings);
        await chat.heard.phase('held');
    }, { url: server.url('/echo'), policy: eager });
    assert.deepEqual(server.dials, []);
    await page.context().setOffline(false);
    const failed = await page.evaluate(async () => {
        await chat.heard.phase('open');
        return chat.heard.events.filter((event) => event.output === 'attemptFailed').length;
    });
    assert.equal(failed, 0);

    // Once more, from an open connection that is lost meanwhile.
    await page.context().setOffline(true);
    await server.kill();
    await page.evaluate(() => chat.heard.count((event) => event.output === 'phase' && event.to === 'held', 2));
    await server.start();
    await page.context().setOffline(false);
    const attempts = await page.evaluate(async () => {
        await chat.heard.count((event) => event.output === 'opened', 2);
        chat.drop_it();
        return chat.heard.events.filter((event) => event.output === 'attemptFailed').length;
    });
    assert.equal(attempts, 0);
    assert.equal(server.dials.length, 2);
    page.check();
});

test('offline has an open connection asked at once whether it is alive', async () => {
    const page = await browser.page();
    const policy = { ...eager, healthCheckInterval: 3e6 };
    const phase = await page.evaluate(async (settings) => {
        const chat = make('Chat', settings);
        await chat.heard.phase('open');
        dispatchEvent(new Event('offline'));
        await chat.heard.until((event) => event.output === 'healthCheck');
        const { phase } = JSON.parse(chat.status());
        chat.drop_it();
        return phase;
    }, { url: server.url('/heartbeat'), policy, heartbeat: true });
    assert.equal(phase, 'open');
});

test('a hidden page dials nothing if it is told so, and as ever if not', async () => {
    const page = await browser.page();
    const { stays, held, others } = await page.evaluate(async ({ settings, refused }) => {
        let hidden = false;
        Object.defineProperty(document, 'hidden', { get: () => hidden });
        const hide = (on) => { hidden = on; document.dispatchEvent(new Event('visibilitychange')); };

        const open = make('Chat', { ...settings, holdWhenHidden: true });
        await open.heard.phase('open');
        const refusing = make('Chat', { ...settings, url: refused, holdWhenHidden: true });
        const other = make('Chat', { ...settings, url: refused });
        await refusing.heard.until((event) => event.output === 'attemptFailed');
        hide(true);
        await refusing.heard.phase('held');
        const failures = (chat) => chat.heard.events.filter((event) => event.output === 'attemptFailed').length;
        const before = failures(refusing);
        // Meanwhile another one goes on.
        await other.heard.count((event) => event.output === 'attemptFailed', failures(other) + 5);
        const held = failures(refusing) - before;
        const others = failures(other) >= 5;
        const { phase: stays } = JSON.parse(open.status());
        const from = refusing.heard.events.length;
        hide(false);
        await refusing.heard.until((event) => event.output === 'attemptFailed', from);
        for (const chat of [open, refusing, other]) chat.drop_it();
        return { stays, held, others };
    }, { settings: { url: server.url('/echo'), policy: eager }, refused: server.url('/refuse/503') });
    assert.deepEqual({ stays, held, others }, { stays: 'open', held: 0, others: true });
});

test('a frozen page holds, and goes on when it is resumed', async () => {
    const page = await browser.page();
    // A headless page is never hidden, and so never frozen: its events are given by hand.
    const { phases } = await page.evaluate(async (settings) => {
        const chat = make('Chat', settings);
        await chat.heard.until((event) => event.output === 'retryScheduled');
        document.dispatchEvent(new Event('freeze'));
        await chat.heard.phase('held');
        document.dispatchEvent(new Event('resume'));
        await chat.heard.count((event) => event.output === 'attemptFailed', 2);
        chat.drop_it();
        const phases = chat.heard.events.filter((event) => event.output === 'phase');
        return { phases: phases.map((event) => event.to) };
    }, { url: server.url('/refuse/503'), policy: { ...eager, baseDelay: 300, maxDelay: 300 } });
    assert.deepEqual(phases.slice(0, 5), ['connecting', 'waiting', 'held', 'waiting', 'connecting']);
    page.check();
});

test('on the way back a page that was kept has its connections again at once', async () => {
    const page = await browser.page();
    const policy = { ...eager, baseDelay: 3e6, maxDelay: 3e6, connectTimeout: 3e6 };
    const settings = { open: { url: server.url('/echo'), policy }, dialling: { url: server.url('/hang'), policy } };
    await page.evaluate(async ({ open, dialling }) => {
        globalThis.chat = make('Chat', open);
        await chat.heard.phase('open');
        globalThis.other = make('Chat', dialling);
        await other.heard.phase('connecting');
        addEventListener('pageshow', (event) => { globalThis.kept = event.persisted; });
    }, settings);
    await server.hanging();
    await page.goto('about:blank');
    await server.empty();
    assert.equal(server.lastClose, 1000, 'closed by the page, and not cut by the browser');
    assert.deepEqual(server.dials.map((dial) => dial.pathname), ['/echo', '/hang']);
    // A page that was kept is not loaded.
    await page.goBack({ waitUntil: 'commit' });
    const { kept, text, causes } = await page.evaluate(async () => {
        await chat.heard.count((event) => event.output === 'opened', 2);
        chat.text('back');
        const { text } = await chat.heard.until((event) => 'text' in event);
        await other.heard.count((event) => event.output === 'phase' && event.to === 'connecting', 2);
        const causes = [chat, other].map((it) => it.heard.events.find((event) => event.cause).cause);
        for (const it of [chat, other]) it.drop_it();
        return { kept, text, causes };
    });
    assert.deepEqual({ kept, text, causes }, { kept: true, text: 'back', causes: [{ kind: 'network' }, { kind: 'network' }] });
    page.check();
});

test('a connection that is dropped leaves no timer, no listener, no handler and no socket, whatever it was doing', async () => {
    const page = await browser.page({ counted: true });
    const result = await page.evaluate(async ({ open, refused, closed }) => {
        const policy = { baseDelay: 60_000, maxDelay: 60_000, maxAttempts: null, dialBudget: null };
        const settled = () => new Promise((resolve) => { const { port1, port2 } = new MessageChannel(); port2.onmessage = () => { port1.close(); resolve(); }; port1.postMessage(0); });
        const clean = { timers: counts.timers.size, listeners: counts.listeners };
        const cycle = async (waitingFor) => {
            const dialling = make('Chat', { url: open, policy, holdWhenHidden: true });
            const chat = make('Chat', { url: open, policy, heartbeat: true });
            const waiting = make('Chat', { url: waitingFor, policy });
            const talk = make('Talk', { url: open, policy });
            await Promise.all([
                chat.heard.phase('open'),
                waiting.heard.until((event) => event.output === 'retryScheduled'),
                talk.heard.phase('handshaking'),
            ]);
            chat.text('on its way');
            for (const it of [dialling, chat, waiting, talk]) { it.drop_it(); it.free(); }
            await settled();
        };
        await cycle(refused);
        const left = {
            timers: counts.timers.size - clean.timers,
            listeners: counts.listeners - clean.listeners,
            handlers: counts.sockets.filter((socket) => socket.onopen ?? socket.onmessage ?? socket.onclose ?? socket.onerror).length,
            open: counts.sockets.filter((socket) => socket.readyState < 2).length,
            sockets: counts.sockets.length,
        };
        // Chromium has those wait who dial a server that refuses: this one takes them first.
        for (let i = 0; i < 50; i += 1) await cycle(closed);
        const early = memory.buffer.byteLength;
        for (let i = 0; i < 200; i += 1) await cycle(closed);
        const grown = memory.buffer.byteLength - early;
        const after = { timers: counts.timers.size - clean.timers, listeners: counts.listeners - clean.listeners };
        return { left, after, grown };
    }, { open: server.url('/heartbeat'), refused: server.url('/refuse/503'), closed: server.url('/close/1012') });
    assert.deepEqual(result.left, { timers: 0, listeners: 0, handlers: 0, open: 0, sockets: 4 });
    assert.deepEqual(result.after, { timers: 0, listeners: 0 });
    // 1000 connections.
    assert.equal(result.grown, 0, `${result.grown} B of wasm memory`);
    await server.empty();
    page.check();
});
