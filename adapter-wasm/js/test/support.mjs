import { build } from 'esbuild';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const vectors = join(root, '../../core/vectors');

/** A source file of the package as one module. */
export async function bundled(entry, options = {}) {
  const outfile = join(mkdtempSync(join(tmpdir(), 'redial-test-')), 'bundle.mjs');
  await build({ entryPoints: [join(root, entry)], bundle: true, format: 'esm', target: 'es2022', charset: 'utf8', outfile, ...options });
  return outfile;
}

export async function load(entry) {
  return import(pathToFileURL(await bundled(entry)));
}

/** All golden vectors, by name. */
export function allVectors() {
  const files = readdirSync(vectors).filter((file) => file.endsWith('.jsonl')).sort();
  return files.map((file) => [file.slice(0, -6), readFileSync(join(vectors, file), 'utf8')]);
}
