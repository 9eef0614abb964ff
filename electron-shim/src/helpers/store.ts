import type { Unsubscribe } from "../events/emitter.js";

/**
 * A value that can be watched, in the form that React's useSyncExternalStore, Svelte and Lit's
 * controllers take: `subscribe` and `getSnapshot`. Snapshots are never changed, only replaced.
 */
export class Store<State extends object> {
  #state: State;
  readonly #listeners = new Set<() => void>();

  constructor(state: State) {
    this.#state = state;
  }

  /** The value now; the same object until it changes. */
  readonly getSnapshot = (): State => this.#state;

  /** Call `listener` after each change; returns how to stop. */
  readonly subscribe = (listener: () => void): Unsubscribe => {
    const once = (): void => listener();
    this.#listeners.add(once);
    return () => this.#listeners.delete(once);
  };

  /** Replace some fields and tell everyone. */
  protected update(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}
