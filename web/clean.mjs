// Vite would take the .gitignore with it, by which the folder is there before anything is built.
import { readdirSync, rmSync } from 'node:fs';

const dist = new URL('./dist/', import.meta.url);
for (const name of readdirSync(dist)) {
  if (name !== '.gitignore') rmSync(new URL(name, dist), { recursive: true });
}
