/**
 * Calls `run` with the newest value: at once, then at most once an interval, and always once more
 * for the last value (a trailing call). While it is held, values are only remembered.
 */
export class Throttle<T> {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #newest: { readonly value: T } | undefined;
  #held = false;

  constructor(
    readonly intervalMs: number,
    readonly run: (value: T) => void,
  ) {}

  /** There is a new value. */
  push(value: T): void {
    this.#newest = { value };
    if (this.#timer === undefined && !this.#held) this.#fire();
  }

  /** Call nothing until `release`; the newest value is kept. */
  hold(): void {
    this.#held = true;
  }

  /** Go on; a value that came meanwhile is used now. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#timer === undefined) this.#fire();
  }

  /** Forget the newest value and call nothing more until the next one. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#newest = undefined;
  }

  #fire(): void {
    const newest = this.#newest;
    if (!newest) return;
    this.#newest = undefined;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#held) this.#fire();
    }, this.intervalMs);
    this.run(newest.value);
  }
}
