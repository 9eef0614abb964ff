// What Electron 9 (Node 12, Chromium 83) lacks and the package uses. Electron 30 has all of it.

type Listener = () => void;

class OldAbortSignal {
  aborted = false;
  reason: unknown;
  readonly listeners = new Set<Listener>();
  addEventListener(_: string, listener: Listener): void {
    this.listeners.add(listener);
  }
  removeEventListener(_: string, listener: Listener): void {
    this.listeners.delete(listener);
  }
}

class OldAbortController {
  readonly signal = new OldAbortSignal();
  abort(reason: unknown = Object.assign(new Error("aborted"), { name: "AbortError" })): void {
    if (this.signal.aborted) return;
    Object.assign(this.signal, { aborted: true, reason });
    for (const listener of [...this.signal.listeners]) listener();
  }
}

const given = globalThis as unknown as Record<string, unknown>;
given["AbortController"] = OldAbortController;
Object.hasOwn ??= (object, key) => Object.getOwnPropertyDescriptor(object, key) !== undefined;
Array.prototype.at ??= function (this: unknown[], index: number) {
  return this[index < 0 ? this.length + index : index];
};
