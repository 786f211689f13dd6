// The package as a page of Vite's and of webpack's has it: no plug-in, no settings.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../support.mjs';
import { launch, serve } from './harness.mjs';

const SOURCE = `import { RedialSocket } from 'redial';
import { RedialSocket as Plain } from 'redial/plain';
for (const Socket of [RedialSocket, Plain]) {
  const socket = new Socket(location.origin + '/echo', [], { preset: 'resilient' });
  socket.onopen = () => socket.send('hello');
  socket.onmessage = ({ data }) => { (window.told ??= []).push(data); socket.close(); };
}
`;
let folder, browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'redial-bundlers-'));
  const installed = join(folder, 'node_modules/redial');
  mkdirSync(installed, { recursive: true });
  for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(installed, part), { recursive: true });
  writeFileSync(join(folder, 'main.js'), SOURCE);
  writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  browser = await launch();
});
after(async () => { await browser?.close(); rmSync(folder, { recursive: true, force: true }); });

async function works(pages) {
  const server = await serve(pages);
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(server.url);
  await page.waitForFunction('window.told?.length == 2', undefined, { timeout: 10_000 }).catch(() => {});
  assert.deepEqual([errors, await page.evaluate('window.told')], [[], ['hello', 'hello']]);
  await page.close();
  server.close();
}

const inlined = (script) => ({ '/': `<!doctype html><meta charset="utf-8"><script type="module">${script.replaceAll('</script', '<\\/script')}</script>` });

test('Vite', async () => {
  const { build } = await import('vite');
  await build({ root: folder, logLevel: 'error', build: { outDir: 'vite' } });
  const assets = join(folder, 'vite/assets');
  await works(inlined(readdirSync(assets).map((file) => readFileSync(join(assets, file), 'utf8')).join('\n')));
});

test('webpack', async () => {
  const webpack = createRequire(import.meta.url)('webpack');
  const stats = await new Promise((resolve, reject) => webpack({
    context: folder, entry: './main.js', mode: 'production', output: { path: join(folder, 'webpack'), filename: 'main.js' },
  }).run((error, stats) => (error ? reject(error) : resolve(stats))));
  assert.deepEqual(stats.toJson({ errors: true }).errors, []);
  await works(inlined(readFileSync(join(folder, 'webpack/main.js'), 'utf8')));
});

test('dist/ as it is, minified and not', async () => {
  for (const kind of ['', '.min']) {
    await works({ '/': `<!doctype html><script type="importmap">{"imports":{"redial":"/dist/index${kind}.js","redial/plain":"/dist/plain${kind}.js"}}</script><script type="module">${SOURCE}</script>` });
  }
});
