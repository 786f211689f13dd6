// Settings that outlive the page. Where storage is forbidden they live as long as it does.
import { useSyncExternalStore } from 'react';

export class Stored {
  #value: boolean;
  readonly #listeners = new Set<() => void>();

  constructor(readonly key: string, byDefault: boolean) {
    const saved = read(localStorage, key);
    this.#value = typeof saved === 'boolean' ? saved : byDefault;
  }

  get value(): boolean {
    return this.#value;
  }

  set(value: boolean): void {
    this.#value = value;
    write(localStorage, this.key, value);
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export function useStored(stored: Stored): [boolean, (value: boolean) => void] {
  return [useSyncExternalStore(stored.subscribe, () => stored.value), (value) => stored.set(value)];
}

export function read(storage: Storage, key: string): unknown {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

export function write(storage: Storage, key: string, value: unknown): void {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: then it is forgotten.
  }
}

export function forget(storage: Storage, key: string): void {
  try {
    storage.removeItem(key);
  } catch {
    // There was nothing.
  }
}

export const autoReconnect = new Stored('ui:autoReconnect', true);
export const persistSession = new Stored('ui:persistSession', true);
