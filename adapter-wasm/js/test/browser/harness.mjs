// Chromium, and a server of pages and of WebSockets for it.
import { chromium } from 'playwright-core';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { WebSocketServer } from 'ws';
import { root } from '../support.mjs';

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.html': 'text/html' };

/** Serves dist/ and test/, the pages given as path: HTML, and an echo at /echo. `sockets` are the connections. */
export async function serve(pages = {}) {
  const http = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    try {
      const body = pages[path] ?? (await readFile(join(root, path)));
      response.setHeader('content-type', pages[path] ? 'text/html' : TYPES[extname(path)] ?? 'text/plain');
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  const sockets = new WebSocketServer({ server: http, handleProtocols: (protocols) => [...protocols][0] });
  sockets.on('connection', (socket, { url }) => {
    if (url == '/echo') socket.on('message', (data, binary) => socket.send(data, { binary }));
    const code = /^\/close\/(\d+)/.exec(url);
    if (code) socket.close(Number(code[1]), 'asked for');
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address();
  return {
    url: `http://127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}`, sockets,
    cut: () => { for (const socket of sockets.clients) socket.terminate(); },
    close: () => { for (const socket of sockets.clients) socket.terminate(); http.close(); http.closeAllConnections(); },
  };
}

export function launch(args = []) {
  return chromium.launch({
    // Playwright switches it off.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', ...args],
  });
}
