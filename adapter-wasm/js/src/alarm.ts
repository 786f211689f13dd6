/** setTimeout takes no more. */
const LONGEST = 2 ** 31 - 1;

/** One timer. It may ring too early, and then for nothing: that costs less than setting it anew each time. */
export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  constructor(private ring: () => void) {}

  /** To ring at `at`, as `performance.now()` counts; never for Infinity. */
  set(at: number): void {
    if (at == Infinity) this.clear();
    else if (this.#timer === undefined || at < this.#at) {
      clearTimeout(this.#timer);
      this.#at = at;
      this.#timer = setTimeout(() => { this.clear(); this.ring(); }, Math.min(Math.max(Math.ceil(at - performance.now()), 0), LONGEST));
    }
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
