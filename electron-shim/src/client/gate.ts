/** Something that is there, is awaited, or will not come. */
export class Gate<T> {
  #value: T | undefined;
  #refusal: Error | undefined;
  #waiting: { resolve: (value: T) => void; reject: (error: Error) => void }[] = [];

  /** What is behind it, when it is open. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Let everyone through, in the order in which they came. */
  open(value: T): void {
    this.#value = value;
    this.#refusal = undefined;
    for (const { resolve } of this.#waiting.splice(0)) resolve(value);
  }

  /** Let everyone wait from now on. */
  close(): void {
    this.#value = undefined;
    this.#refusal = undefined;
  }

  /** Send everyone away, those who wait too. */
  refuse(error: Error): void {
    this.#value = undefined;
    this.#refusal = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Resolves when it is open. Rejects when it is refused, or with the signal's reason. */
  passed(signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#refusal) return reject(this.#refusal);
      if (this.#value !== undefined) return resolve(this.#value);
      const aborted = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiter);
        reject(signal?.reason);
      };
      const leaving =
        <V>(settle: (value: V) => void) =>
        (value: V): void => {
          signal?.removeEventListener("abort", aborted);
          settle(value);
        };
      const waiter = { resolve: leaving<T>(resolve), reject: leaving<Error>(reject) };
      signal?.addEventListener("abort", aborted);
      this.#waiting.push(waiter);
    });
  }
}
