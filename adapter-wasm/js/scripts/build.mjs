// Makes dist/: each entry point as one ES module, plain and minified, with its types.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
const entries = ['src/index.ts', 'src/plain.ts', 'src/react/index.ts', 'src/rooms.ts', 'src/config.ts'].filter(existsSync);
const shared = { entryPoints: entries, bundle: true, format: 'esm', target: 'es2022', outdir: 'dist', outbase: 'src', charset: 'utf8', external: ['react', './index.js', '../rooms.js'], splitting: false };
await build(shared);
await build({ ...shared, minify: true, outExtension: { '.js': '.min.js' } });
execFileSync('node_modules/.bin/tsc', ['-p', '.', '--emitDeclarationOnly'], { stdio: 'inherit' });
