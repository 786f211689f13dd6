// The same tests with React 18, which is installed beside: `npm run test:react18`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const beside = mkdtempSync(join(tmpdir(), 'react-18-'));
try {
  writeFileSync(join(beside, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', 'react@18', 'react-dom@18'], { cwd: beside, stdio: 'inherit' });
  // Whoever asks for React from the tests or the package gets that one.
  const from = JSON.stringify(pathToFileURL(join(beside, 'from.mjs')).href);
  const hook = `export const resolve = (name, context, next) => next(name, /^react(-dom)?(\\/|$)/.test(name) ? { ...context, parentURL: ${from} } : context);`;
  writeFileSync(join(beside, 'hook.mjs'), hook);
  writeFileSync(join(beside, 'register.mjs'), `import { register } from 'node:module'; register('./hook.mjs', import.meta.url);`);
  writeFileSync(join(beside, 'version.test.mjs'), `import { test } from 'node:test'; import { version } from 'react'; test('React ' + version, () => { if (!version.startsWith('18.')) throw new Error(version); });`);
  const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts')).map((name) => join(here, name));
  const hooks = ['--import', pathToFileURL(join(beside, 'register.mjs')).href, '--import', 'tsx'];
  process.exitCode = spawnSync(process.execPath, [...hooks, '--test', join(beside, 'version.test.mjs'), ...tests], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(beside, { recursive: true, force: true });
}
