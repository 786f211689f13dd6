// Before the page is built: the package that it is made with, if nobody has, and an empty dist.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = fileURLToPath(new URL('../adapter-wasm/js', import.meta.url));
if (!existsSync(`${beside}/dist/index.js`)) {
  for (const args of [['ci'], ['run', 'build']]) execFileSync('npm', args, { cwd: beside, stdio: 'inherit' });
}
// Vite would take the .gitignore with it, by which the folder is there before anything is built.
const dist = new URL('./dist/', import.meta.url);
for (const name of readdirSync(dist)) {
  if (name !== '.gitignore') rmSync(new URL(name, dist), { recursive: true });
}
