/** Calls back once when nothing was heard for that long. 0 milliseconds: never. */
export class Silence {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly milliseconds: number,
    readonly tooLong: () => void,
  ) {
    this.broken();
  }

  /** Something was heard. */
  broken(): void {
    this.end();
    if (this.milliseconds > 0) this.#timer = setTimeout(this.tooLong, this.milliseconds);
  }

  /** No longer listened for. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
