import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';

let browser;
before(async () => { browser = await Browser.launch(); });
after(() => browser.close());

test('the time is that of the page, and never goes back', async () => {
    const page = await browser.page();
    const { early, late, lower, upper } = await page.evaluate(() => {
        const clock = new wasm.Clocks();
        const lower = performance.now() * 1000;
        const early = clock.now();
        const upper = performance.now() * 1000;
        const real = Performance.prototype.now;
        Performance.prototype.now = () => real.call(performance) - 5000;
        const late = clock.now();
        Performance.prototype.now = real;
        return { early, late, lower, upper };
    });
    // Whole microseconds, of what the browser reads.
    assert.ok(Math.floor(lower) <= early && early <= upper, `${lower} ${early} ${upper}`);
    assert.equal(late, early);
    page.check();
});

test('a sleep is as long as it should be, and not shorter', async () => {
    const page = await browser.page();
    const slept = await page.evaluate(async () => {
        const clock = new wasm.Clocks();
        const slept = [];
        for (const millis of [0, 0.4, 1, 3.7, 20]) {
            const heard = new Heard();
            const start = clock.now();
            clock.sleep(millis, false, heard.hear);
            await heard.until((event) => event.woke);
            slept.push([millis, (clock.now() - start) / 1000]);
        }
        return slept;
    });
    for (const [asked, got] of slept) assert.ok(got >= asked, `${asked} ms: ${got}`);
});

test('what is longer than a browser waits is waited for in pieces, by the clock and not by timers', async () => {
    const page = await browser.page({ counted: true });
    const { delays, wokeEarly } = await page.evaluate(async () => {
        // Time goes on when we say so, and so do timers.
        let now = 0;
        Performance.prototype.now = () => now;
        const rings = [];
        const settle = () => new Promise((resolve) => { queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))); });
        const delays = [];
        globalThis.setTimeout = (run, delay) => { delays.push(delay); rings.push(run); return rings.length; };
        const heard = new Heard();
        new wasm.Clocks().sleep(2 ** 32, false, heard.hear);
        await settle();
        for (const [later, early] of [[2 ** 31 - 1, 0], [2 ** 31 - 1, 0.25], [1, 0], [1, 0]]) {
            now += later - early;
            rings.at(-1)();
            await settle();
        }
        const wokeEarly = heard.events.length > 0;
        now += 1;
        rings.at(-1)();
        await heard.until((event) => event.woke);
        return { delays, wokeEarly };
    });
    const most = 2 ** 31 - 1;
    // Two whole ones leave 2 ms; with a timer that rang a quarter too early it is more.
    assert.deepEqual(delays, [most, most, 3, 2, 1]);
    assert.equal(wokeEarly, false);
});

test('a sleep that is dropped clears its timer', async () => {
    const page = await browser.page({ counted: true });
    const left = await page.evaluate(async () => {
        const before = counts.timers.size;
        const sleeping = new wasm.Clocks().sleep(60_000, false, () => {});
        await new Promise((resolve) => { queueMicrotask(() => queueMicrotask(resolve)); });
        const during = counts.timers.size;
        sleeping.drop_it();
        await new Promise((resolve) => { queueMicrotask(() => queueMicrotask(resolve)); });
        return { set: during - before, left: counts.timers.size - before };
    });
    assert.deepEqual(left, { set: 1, left: 0 });
});

test('a sleep that ends before its timer rings clears it', async () => {
    const page = await browser.page({ counted: true });
    const { timers, woke } = await page.evaluate(async () => {
        let now = 0;
        Performance.prototype.now = () => now;
        const before = counts.timers.size;
        const heard = new Heard();
        new wasm.Clocks().sleep(60_000, true, heard.hear);
        await new Promise((resolve) => { queueMicrotask(() => queueMicrotask(resolve)); });
        now = 60_000;
        const set = counts.timers.size - before;
        const [first] = [...counts.timers.entries()].slice(before);
        clearTimeout(first[0]);
        first[1]();
        await heard.until((event) => event.woke);
        return { timers: [set, counts.timers.size - before], woke: heard.events.length };
    });
    assert.deepEqual(timers, [2, 0]);
    assert.equal(woke, 1);
});
