// What Chromium 83 and Node 12 lack and the app uses. Electron 30 has all of it.

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
given["AbortSignal"] = OldAbortSignal;
given["structuredClone"] ??= (value: unknown) => JSON.parse(JSON.stringify(value));
Object.hasOwn ??= (object, key) => Object.getOwnPropertyDescriptor(object, key) !== undefined;
Array.prototype.at ??= function (this: unknown[], index: number) {
  return this[index < 0 ? this.length + index : index];
};
Array.prototype.findLast ??= function (this: unknown[], wanted: (value: unknown) => boolean) {
  return [...this].reverse().find(wanted);
} as typeof Array.prototype.findLast;
String.prototype.replaceAll ??= function (this: string, from: string, to: string) {
  return this.split(from).join(to);
} as typeof String.prototype.replaceAll;
