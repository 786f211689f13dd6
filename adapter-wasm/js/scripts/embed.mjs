// Puts the engine's wasm into src/wasm.ts, so that a build of the package needs no Rust. With --check it only says whether the
// file was made of the sources as they are: another compiler makes other bytes of them, so those can't be compared.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const engine = join(here, '../engine');
const file = join(here, 'src/wasm.ts');

const sources = createHash('sha256');
for (const folder of [join(here, '../../core/src'), join(engine, 'src')]) {
  for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs')).sort()) {
    sources.update(name).update(readFileSync(join(folder, name)));
  }
}
for (const name of ['Cargo.toml', 'Cargo.lock']) sources.update(readFileSync(join(engine, name)));
const head = `// Made by scripts/embed.mjs of adapter-wasm/engine: its bytes, as code points.\n// Sources: ${sources.digest('hex')}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8').startsWith(head)) process.exit(0);
  console.error('src/wasm.ts is not that of the engine and the core as they are: npm run embed');
  process.exit(1);
}

const target = process.env.CARGO_TARGET_DIR ?? join(engine, 'target');
const toolchain = process.env.WASM_TOOLCHAIN ? [`+${process.env.WASM_TOOLCHAIN}`] : [];
const remap = ['CARGO_HOME', 'HOME'].map((name) => process.env[name]).filter(Boolean).concat(here)
  .map((path) => `--remap-path-prefix=${path}=.`).join(' ');
execFileSync('cargo', [...toolchain, 'build', '--quiet', '--release', '--locked', '--target', 'wasm32-unknown-unknown'], {
  cwd: engine, stdio: 'inherit', env: { ...process.env, CARGO_TARGET_DIR: target, RUSTFLAGS: remap },
});

const scratch = mkdtempSync(join(tmpdir(), 'redial-'));
const small = join(scratch, 'engine.wasm');
execFileSync(join(here, 'node_modules/.bin/wasm-opt'), [
  '-Oz', '--converge', '--strip-debug', '--strip-producers', '--strip-target-features', '--zero-filled-memory',
  '--enable-bulk-memory', '--enable-sign-ext', '--enable-nontrapping-float-to-int', '--enable-mutable-globals',
  '--enable-multivalue', '--enable-reference-types', '-o', small,
  join(target, 'wasm32-unknown-unknown/release/redial_engine.wasm'),
]);
const bytes = readFileSync(small);
rmSync(scratch, { recursive: true });

// Code points rather than base64: those keep the bytes apart, which is what compression needs (16.4 KiB against 12.5). Moved, so
// that the most frequent bytes are printable and none is a control character: see `load` in src/engine.ts.
const point = (byte) => (byte < 92 ? byte + 35 : byte + 69);
const literal = JSON.stringify(Array.from(bytes, (byte) => String.fromCharCode(point(byte))).join(''));
writeFileSync(file, `${head}export const wasm: string =\n  ${literal};\n`);
console.error(`src/wasm.ts: ${bytes.length} bytes of wasm`);
