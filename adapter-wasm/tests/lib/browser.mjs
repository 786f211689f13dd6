// A browser with a page that has loaded the module, from a server of its own.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

if (!process.env.PAGE_DIR) throw new Error('run scripts/test-browser');
const folders = [process.env.PAGE_DIR, new URL('../static', import.meta.url).pathname];
const types = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' };

async function find(path) {
    for (const folder of folders) {
        try {
            return await readFile(join(folder, path));
        } catch {
            // in the other one, or nowhere
        }
    }
    return null;
}

async function serve() {
    const server = createServer(async (request, response) => {
        const { pathname } = new URL(request.url, 'http://page');
        const path = pathname === '/' ? 'index.html' : pathname.slice(1);
        const body = path.includes('..') ? null : await find(path);
        if (body === null) {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, { 'content-type': types[path.split('.').pop()] ?? 'text/plain' }).end(body);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
}

export class Browser {
    static async launch(change = {}) {
        const it = new Browser();
        it.server = await serve();
        it.origin = `http://127.0.0.1:${it.server.address().port}`;
        it.browser = await chromium.launch({
            executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
            args: [
                '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
                '--disable-background-networking', '--disable-component-update', '--disable-sync',
            ],
            ...change,
        });
        return it;
    }

    // A page in a context of its own. Whatever goes wrong in it fails the test that asks `check`.
    async page({ counted = false } = {}) {
        const context = await this.browser.newContext();
        context.setDefaultTimeout(20_000);
        const page = await context.newPage();
        const errors = [];
        page.on('pageerror', (error) => errors.push(error));
        if (counted) await page.addInitScript({ path: new URL('../static/counts.js', import.meta.url).pathname });
        await page.goto(this.origin);
        await page.waitForFunction(() => globalThis.loaded, null, { timeout: 20_000 }).catch((error) => { throw errors[0] ?? error; });
        page.check = () => {
            if (errors.length > 0) throw errors[0];
        };
        return page;
    }

    async close() {
        await this.browser.close();
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }
}
