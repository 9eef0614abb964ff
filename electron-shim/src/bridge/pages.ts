import type { Unsubscribe } from "../events/emitter.js";
import type { EventSource, SidecarEventName } from "../events/sidecar-events.js";
import { EVENT } from "./channels.js";
import type { SenderLike } from "./electron.js";

/** Everything one page has asked for and not yet got. */
export class Page {
  readonly #sender: SenderLike;
  readonly #calls = new Map<string, AbortController>();
  readonly #listening = new Map<SidecarEventName, Unsubscribe>();

  constructor(sender: SenderLike) {
    this.#sender = sender;
  }

  /** Note a call; undefined when its id is taken. */
  begin(id: string): AbortController | undefined {
    if (this.#calls.has(id)) return undefined;
    const controller = new AbortController();
    this.#calls.set(id, controller);
    return controller;
  }

  end(id: string): void {
    this.#calls.delete(id);
  }

  abort(id: string): void {
    this.#calls.get(id)?.abort();
  }

  /** Send events of that name from now on, once each however often it is asked. */
  listen(name: SidecarEventName, source: EventSource): void {
    if (this.#listening.has(name)) return;
    const off = source.on(name, (event) => this.tell(EVENT, name, event));
    this.#listening.set(name, off);
  }

  unlisten(name: SidecarEventName): void {
    this.#listening.get(name)?.();
    this.#listening.delete(name);
  }

  /** Send it a message, unless it is gone. */
  tell(channel: string, ...args: unknown[]): void {
    if (!this.#sender.isDestroyed()) this.#sender.send(channel, ...args);
  }

  /** The page was left, closed or crashed: cancel what it asked for, and send it no more. */
  leave(): void {
    for (const controller of this.#calls.values()) controller.abort();
    for (const off of this.#listening.values()) off();
    this.#calls.clear();
    this.#listening.clear();
  }
}

/** The pages that have spoken, each watched until it is gone. */
export class Pages {
  readonly #pages = new Map<number, { page: Page; unwatch: Unsubscribe }>();

  of(sender: SenderLike): Page {
    const { id } = sender; // one that is destroyed cannot be asked any more
    const known = this.#pages.get(id);
    if (known) return known.page;
    const page = new Page(sender);
    const leave = (): void => page.leave();
    sender.on("did-navigate", leave);
    sender.on("render-process-gone", leave);
    sender.once("destroyed", () => this.#forget(id));
    const unwatch = (): void => {
      if (sender.isDestroyed()) return;
      sender.removeListener("did-navigate", leave);
      sender.removeListener("render-process-gone", leave);
    };
    this.#pages.set(id, { page, unwatch });
    return page;
  }

  clear(): void {
    for (const id of [...this.#pages.keys()]) this.#forget(id);
  }

  #forget(id: number): void {
    const known = this.#pages.get(id);
    this.#pages.delete(id);
    known?.page.leave();
    known?.unwatch();
  }
}
