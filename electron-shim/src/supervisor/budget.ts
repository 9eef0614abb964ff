import type { RestartBudget } from "./options.js";

/** Counts crashes within a sliding window. */
export class CrashCounter {
  #crashes: number[] = [];

  constructor(readonly budget: RestartBudget) {}

  /** How many crashes are within the window. */
  get crashes(): number {
    return this.#crashes.length;
  }

  /** A crash happened. Milliseconds to wait before the next start, or undefined: give up. */
  crashed(now: number): number | undefined {
    const { crashes, windowMs, delaysMs } = this.budget;
    this.#crashes = [...this.#crashes.filter((then) => now - then < windowMs), now];
    if (this.#crashes.length >= crashes) return undefined;
    return delaysMs[Math.min(this.#crashes.length, delaysMs.length) - 1] ?? 0;
  }

  /** Start to count anew. */
  reset(): void {
    this.#crashes = [];
  }
}
