// Electron's processes as objects: messages are copied as they would be, frames and pages can go.
import { EventEmitter } from "node:events";
import type { ContextBridgeLike, IpcMainLike, IpcRendererLike } from "../../src/bridge/electron.js";
import type { SidecarBridge } from "../../src/preload.js";

type Handler = (event: unknown, ...args: unknown[]) => Promise<unknown>;

/** `ipcMain`, and the pages that speak to it. */
export class FakeMain implements IpcMainLike {
  readonly handlers = new Map<string, Handler>();
  readonly events = new EventEmitter();

  handle(channel: string, listener: Handler): void {
    if (this.handlers.has(channel)) throw new Error(`a second handler for '${channel}'`);
    this.handlers.set(channel, listener);
  }

  removeHandler(channel: string): void {
    this.handlers.delete(channel);
  }

  on(channel: string, listener: (...args: unknown[]) => void): void {
    this.events.on(channel, listener);
  }

  removeListener(channel: string, listener: (...args: unknown[]) => void): void {
    this.events.off(channel, listener);
  }
}

let pages = 0;

/** A page with its preload: `window` is what the preload exposed. */
export class FakePage extends EventEmitter {
  readonly #id = ++pages;
  readonly window: { sidecar?: SidecarBridge } = {};
  readonly sent: string[] = [];
  frame: { url: string; parent: null | { url: string; parent: null } } | null;
  destroyed = false;
  readonly #main: FakeMain;
  readonly #incoming = new EventEmitter();

  constructor(main: FakeMain, url = "file:///app/index.html") {
    super();
    this.#main = main;
    this.frame = { url, parent: null };
  }

  readonly contextBridge: ContextBridgeLike = {
    exposeInMainWorld: (key, api) => Object.assign(this.window, { [key]: crossed(api) }),
  };

  readonly ipcRenderer: IpcRendererLike = {
    invoke: async (channel, ...args) => {
      const handler = this.#main.handlers.get(channel);
      if (!handler) throw new Error(`No handler registered for '${channel}'`);
      return structuredClone(await handler(this.#event(), ...structuredClone(args)));
    },
    send: (channel, ...args) => {
      this.sent.push(channel);
      this.#main.events.emit(channel, this.#event(), ...structuredClone(args));
    },
    on: (channel, listener) => this.#incoming.on(channel, listener),
  };

  get id(): number {
    if (this.destroyed) throw new TypeError("Object has been destroyed");
    return this.#id;
  }

  isDestroyed(): boolean {
    return this.destroyed;
  }

  /** As webContents.send. */
  send(channel: string, ...args: unknown[]): void {
    if (this.destroyed) throw new TypeError("Object has been destroyed");
    this.#incoming.emit(channel, {}, ...structuredClone(args));
  }

  close(): void {
    this.destroyed = true;
    this.emit("destroyed");
  }

  #event() {
    return { sender: this, senderFrame: this.frame };
  }
}

/** As the context bridge does: functions become proxies, data is copied, all else is refused. */
function crossed(value: unknown): unknown {
  if (typeof value === "function") {
    return (...args: unknown[]): unknown => crossed(value(...args.map(crossed)));
  }
  if (value instanceof Promise) return value.then(crossed);
  if (Array.isArray(value)) return value.map(crossed);
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    throw new Error("An object could not be cloned.");
  }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, crossed(field)]));
}
