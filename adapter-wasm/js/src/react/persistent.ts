import { useCallback, useSyncExternalStore } from 'react';

/**
 * As `useState`, kept in `localStorage` under `key` as JSON, the same in every component and every tab. Where storage is blocked or full it
 * is kept for the life of the page. On the server, and in the first rendering in the browser, it is `initial`; so it is where what is stored
 * is of another type.
 */
export function usePersistentState<T>(key: string, initial: T): [T, (next: T | ((previous: T) => T)) => void] {
  const cell = cellOf(key);
  const read = (): T => cell.read(initial);
  const value = useSyncExternalStore(cell.subscribe, read, () => initial);
  const write = useCallback(
    (next: T | ((previous: T) => T)) => {
      const cell = cellOf(key);
      cell.write(typeof next === 'function' ? (next as (previous: T) => T)(cell.read(initial)) : next);
    },
    // `initial` matters only as long as nothing is stored.
    [key], // eslint-disable-line react-hooks/exhaustive-deps
  );
  return [value, write];
}

const cells = new Map<string, Cell>();

function cellOf(key: string): Cell {
  const known = cells.get(key);
  if (known !== undefined) return known;
  const cell = new Cell(key);
  // A server's process lives long, and its pages have no storage.
  if (typeof window !== 'undefined') cells.set(key, cell);
  return cell;
}

/** One stored value. */
class Cell {
  readonly #listeners = new Set<() => void>();
  #raw: string | null = null;
  #parsed: unknown;
  /** What could not be stored. */
  #unstored: { value: unknown } | undefined;

  constructor(readonly key: string) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) window.addEventListener('storage', this.#onStorage);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) window.removeEventListener('storage', this.#onStorage);
    };
  };

  read<T>(initial: T): T {
    const value = this.#unstored === undefined ? this.#stored() : this.#unstored.value;
    return isLike(value, initial) ? value : initial;
  }

  write(value: unknown): void {
    try {
      localStorage.setItem(this.key, JSON.stringify(value));
      this.#unstored = undefined;
    } catch {
      this.#unstored = { value };
    }
    this.#tell();
  }

  /** The same object as long as the same is stored. */
  #stored(): unknown {
    try {
      const raw = localStorage.getItem(this.key);
      if (raw !== this.#raw) {
        this.#raw = raw;
        this.#parsed = undefined;
        if (raw !== null) this.#parsed = JSON.parse(raw);
      }
    } catch {
      // Blocked, or not ours.
    }
    return this.#parsed;
  }

  readonly #onStorage = (event: StorageEvent): void => {
    // `null`: all of it was cleared.
    if (event.key !== null && event.key !== this.key) return;
    this.#unstored = undefined;
    this.#tell();
  };

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function isLike<T>(value: unknown, initial: T): value is T {
  if (value === undefined) return false;
  return initial === null || (typeof value === typeof initial && Array.isArray(value) === Array.isArray(initial) && value !== null);
}
