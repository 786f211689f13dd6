// What a page loads for RedialSocket: one import, bundled and minified, JavaScript and wasm together. Checked against size.json.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = { plain: './dist/plain.js', sessions: './dist/index.js' };

export async function sizes() {
  const found = {};
  for (const [name, path] of Object.entries(ENTRIES)) {
    const { outputFiles } = await build({
      stdin: { contents: `export { RedialSocket } from '${path}';`, resolveDir: root },
      bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', write: false,
    });
    const bytes = outputFiles[0].contents;
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 };
    found[name] = { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes, { params }).length };
  }
  return found;
}

export const limits = () => JSON.parse(readFileSync(new URL('../size.json', import.meta.url), 'utf8'));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await sizes(), most = limits();
  let over = false;
  for (const [name, sizes] of Object.entries(found)) {
    for (const [kind, bytes] of Object.entries(sizes)) {
      over ||= bytes > most[name][kind];
      console.log(`${name} ${kind}: ${bytes} (limit ${most[name][kind]})`);
    }
  }
  process.exitCode = Number(over);
}
