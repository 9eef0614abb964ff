import type { SidecarApi } from "../api.js";
import type { CallOptions } from "../call-options.js";
import type { Unsubscribe } from "../events/emitter.js";
import type {
  GenerateResult,
  HistoryEntry,
  HistoryList,
  RollbackResult,
} from "../protocol.generated.js";
import type { ParamsOf } from "../tables.generated.js";
import { Store } from "./store.js";

/** What a history strip shows. */
export interface HistoryRingState {
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
  /** How many there are in all, also those that are not in `entries`. */
  readonly total: number;
  /** The entry that was brought back last; null: now. */
  readonly current: string | null;
  /** The entry that is being brought back; null when none is. */
  readonly travelling: string | null;
}

/** What may be chosen about a HistoryRing. */
export interface HistoryRingOptions {
  /** How many entries it holds, until `more` is called. Default 50, which is what the sidecar keeps
   * besides pinned ones. */
  readonly capacity?: number | undefined;
  /** Have pictures that are brought back sent as data URLs too, for pages that may read no files. */
  readonly inline?: boolean | undefined;
}

/** The most entries of one answer. */
const PAGE = 500;

type Api = Pick<
  SidecarApi,
  | "historyClear"
  | "historyDelete"
  | "historyList"
  | "historyPin"
  | "historyRollback"
  | "on"
  | "repeat"
>;

/**
 * The history as a strip with a time machine, without a face. It follows the sidecar's history by
 * itself; one step back brings picture, prompt, LoRA, alpha and seed of an entry back.
 */
export class HistoryRing extends Store<HistoryRingState> {
  readonly #api: Api;
  readonly #capacity: number;
  readonly #inline: { readonly inline?: true };
  readonly #off: Unsubscribe[];
  #wanted: number;
  #reading: Promise<void> | undefined;
  #readAgain = false;
  #travel = 0;

  constructor(api: Api, { capacity = 50, inline = false }: HistoryRingOptions = {}) {
    super({ entries: [], total: 0, current: null, travelling: null });
    this.#api = api;
    this.#capacity = capacity;
    this.#wanted = capacity;
    this.#inline = inline ? { inline } : {};
    const changed = (): void => {
      this.refresh().catch(() => {}); // the next change, or a refresh of the app's, tells again
    };
    this.#off = [
      api.on("history_changed", ({ reason }) => {
        if (reason === "added") this.update({ current: null });
        changed();
      }),
      api.on("restored", changed),
    ];
  }

  /** Read the entries anew. Requests that come while it reads are served by one more reading. */
  refresh(): Promise<void> {
    if (this.#reading) {
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Hold older entries, too: as many again. Does nothing while it reads, and when all are there. */
  more(): Promise<void> {
    const { entries, total } = this.getSnapshot();
    if (this.#reading) return this.#reading;
    if (entries.length >= total) return Promise.resolve();
    this.#wanted = entries.length + this.#capacity;
    return this.refresh();
  }

  /** The time machine: bring an entry back. Resolves with undefined when another was asked for since. */
  async travelTo(id: string): Promise<RollbackResult | undefined> {
    this.#travel += 1;
    const travel = this.#travel;
    this.update({ travelling: id });
    try {
      const back = await this.#api.historyRollback({ id, ...this.#inline });
      if (travel !== this.#travel) return undefined;
      this.update({ current: id });
      return back;
    } finally {
      if (travel === this.#travel) this.update({ travelling: null });
    }
  }

  /** One step into the past; undefined when there is none. */
  async back(): Promise<RollbackResult | undefined> {
    return this.#step(1);
  }

  /** One step towards now; undefined when there is none. */
  async forward(): Promise<RollbackResult | undefined> {
    return this.#step(-1);
  }

  /** Make another like it: the entry's parameters, a new seed, and what `changes` says. */
  another(
    id: string,
    changes: Omit<ParamsOf<"repeat">, "id"> = {},
    options?: CallOptions,
  ): Promise<GenerateResult> {
    return this.#api.repeat({ ...changes, id }, options);
  }

  /** Keep an entry for good, or no longer. */
  async pin(id: string, pinned = true): Promise<void> {
    await this.#api.historyPin({ id, pinned });
  }

  /** Delete an entry and its picture. */
  async remove(id: string): Promise<void> {
    await this.#api.historyDelete({ id });
  }

  /** Delete all entries but pinned ones. */
  async clear(): Promise<void> {
    await this.#api.historyClear({});
  }

  /** Listen no more. */
  dispose(): void {
    for (const off of this.#off) off();
  }

  async #read(): Promise<void> {
    do {
      this.#readAgain = false;
      const { entries, total } = await this.#list();
      this.update({ entries, total, current: stillThere(this.getSnapshot().current, entries) });
    } while (this.#readAgain);
  }

  /** Page by page; what moved from one page to the next meanwhile is taken once. */
  async #list(): Promise<HistoryList> {
    const entries = new Map<string, HistoryEntry>();
    let offset = 0;
    for (;;) {
      const limit = Math.min(PAGE, this.#wanted - offset);
      const page = await this.#api.historyList(offset ? { limit, offset } : { limit });
      for (const entry of page.entries) entries.set(entry.id, entry);
      offset += page.entries.length;
      const last = page.entries.length < limit || offset >= this.#wanted;
      if (last) return { entries: [...entries.values()], total: page.total };
    }
  }

  /** `current` null stands for the newest entry, which is on the screen. */
  async #step(distance: 1 | -1): Promise<RollbackResult | undefined> {
    const { entries, current, travelling } = this.getSnapshot();
    const at = entries.findIndex(({ id }) => id === (travelling ?? current));
    const target = entries[Math.max(at, 0) + distance];
    return target && this.travelTo(target.id);
  }
}

function stillThere(id: string | null, entries: readonly HistoryEntry[]): string | null {
  return entries.some((entry) => entry.id === id) ? id : null;
}
