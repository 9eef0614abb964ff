/** Stops what it was given for. May be called twice. */
export type Unsubscribe = () => void;

/** Typed events without Node, for every side of the bridge. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Call `listener` for each event of that name. */
  on<N extends keyof Events>(name: N, listener: (event: Events[N]) => void): Unsubscribe {
    const once = (event: Events[N]): void => listener(event); // the same listener may stand twice
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(once));
    return () => listeners.delete(once);
  }

  /** Call every listener. One that throws is reported like an uncaught error, and the rest go on. */
  emit<N extends keyof Events>(name: N, event: Events[N]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (event: Events[N]) => void)(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Forget every listener. */
  clear(): void {
    this.#listeners.clear();
  }
}
