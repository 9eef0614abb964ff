import type { Locale } from "../api.js";
import type { Unsubscribe } from "../events/emitter.js";
import { EVENT_NAMES, type SidecarEventName } from "../events/sidecar-events.js";
import { METHOD_NAMES, type NamedMethod } from "../methods.generated.js";
import {
  ABORT,
  CALL_EVENT,
  type CallTicket,
  callChannel,
  EVENT,
  LISTEN,
  type Outcome,
  RESTART,
  SET_LOCALE,
  UNLISTEN,
} from "./channels.js";
import type { ContextBridgeLike, IpcRendererLike } from "./electron.js";

/** Takes the notifications of one call: their name and parameters. */
export type Tell = (name: string, params: unknown) => void;

/** One method as the page sees it; `connectSidecar` makes typed methods of these. */
export type BridgeCall = (ticket: CallTicket, params: unknown, tell: Tell) => Promise<Outcome>;

/** What `exposeSidecar` puts into the page: named functions only. */
export interface SidecarBridge {
  /** One function per method, by its name in TypeScript. */
  readonly methods: Readonly<Partial<Record<(typeof METHOD_NAMES)[NamedMethod], BridgeCall>>>;
  /** The call with that id is no longer wanted. */
  abort(id: string): void;
  /** Listen to an event; returns how to stop. */
  on(name: SidecarEventName, listener: (event: unknown) => void): Unsubscribe;
  /** The language of messages from now on. */
  setLocale(locale: Locale): Promise<Outcome>;
  /** Start the sidecar again after it gave up. */
  restart(): Promise<Outcome>;
}

/** What may be chosen about the page's end. */
export interface ExposeOptions {
  /** The property of `window`. Default "sidecar". */
  readonly key?: string | undefined;
  /** Methods to offer, by their name in the protocol. Default: all. Main decides in any case. */
  readonly methods?: readonly NamedMethod[] | undefined;
}

/**
 * The page's end of the bridge, for the preload script. Needs neither Node nor `nodeIntegration`,
 * so it works with `sandbox: true`; nothing is evaluated, so a strict CSP is fine.
 */
export function exposeSidecar(
  contextBridge: ContextBridgeLike,
  ipcRenderer: IpcRendererLike,
  { key = "sidecar", methods = Object.keys(METHOD_NAMES) as NamedMethod[] }: ExposeOptions = {},
): void {
  const calls = new Map<string, Heard>();
  ipcRenderer.on(CALL_EVENT, (_event, id: string, name: string, params: unknown) =>
    calls.get(id)?.take(name, params),
  );
  const bridge: SidecarBridge = {
    methods: Object.fromEntries(
      methods.map((method) => [METHOD_NAMES[method], bridgeCall(ipcRenderer, method, calls)]),
    ),
    abort: (id) => ipcRenderer.send(ABORT, id),
    on: listening(ipcRenderer),
    setLocale: async (locale) => (await ipcRenderer.invoke(SET_LOCALE, locale)) as Outcome,
    restart: async () => (await ipcRenderer.invoke(RESTART)) as Outcome,
  };
  contextBridge.exposeInMainWorld(key, bridge);
}

/** Passes on the notifications of one call, and knows when it has had a number of them. */
class Heard {
  readonly #tell: Tell;
  #count = 0;
  #awaited = Number.POSITIVE_INFINITY;
  #done: () => void = () => {};

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  take(name: string, params: unknown): void {
    this.#count += 1;
    try {
      this.#tell(name, params);
    } finally {
      if (this.#count >= this.#awaited) this.#done();
    }
  }

  all(told: number): Promise<void> {
    if (this.#count >= told) return Promise.resolve();
    this.#awaited = told;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }
}

function bridgeCall(
  ipcRenderer: IpcRendererLike,
  method: NamedMethod,
  calls: Map<string, Heard>,
): BridgeCall {
  return async (ticket, params, tell) => {
    const heard = new Heard(tell);
    calls.set(ticket.id, heard);
    try {
      const outcome = (await ipcRenderer.invoke(callChannel(method), ticket, params)) as Outcome;
      await heard.all(outcome.told);
      return outcome;
    } finally {
      calls.delete(ticket.id);
    }
  };
}

function listening(ipcRenderer: IpcRendererLike): SidecarBridge["on"] {
  const listeners = new Map<string, Set<(event: unknown) => void>>();
  ipcRenderer.on(EVENT, (_event, name: string, params: unknown) => {
    for (const listener of [...(listeners.get(name) ?? [])]) listener(params);
  });
  return (name, listener) => {
    if (!EVENT_NAMES.includes(name)) throw new Error(`There is no event "${name}".`);
    const once = (event: unknown): void => listener(event);
    const all = listeners.get(name) ?? new Set();
    if (all.size === 0) ipcRenderer.send(LISTEN, name);
    listeners.set(name, all.add(once));
    return () => {
      if (all.delete(once) && all.size === 0) ipcRenderer.send(UNLISTEN, name);
    };
  };
}
