// The layer as a page gets it, bundled, with its frames beside it; and the vectors that all implementations share.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'redial-session-'));
const outfile = join(folder, 'session.mjs');
await build({
  stdin: { contents: "export * from './index'; export * from './frame';", resolveDir: here('../../src/session'), loader: 'ts' },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  outfile,
});
export const { createSession, SessionError, decode, encode } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true });

/** The lines of a file of vectors that say something, without their comments. */
export const lines = (name) =>
  readFileSync(here(`../../../../session/vectors/${name}`), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split('  #')[0].trim())
    .filter((line) => line !== '');

export const hex = (bytes) => Buffer.from(bytes).toString('hex');

/** "-" is no bytes. */
export const unhex = (text) => Uint8Array.from(Buffer.from(text.replace('-', ''), 'hex'));

export const limits = { messages: 1024, bytes: 1 << 20, overflow: 'reject' };
