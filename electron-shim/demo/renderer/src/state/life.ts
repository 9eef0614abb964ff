import type { Banner } from "./notices.js";
import type { Host, Sidecar } from "./state.js";

const LOOK_AT_MEMORY_MS = 5_000;
const GOOD_NEWS_MS = 8_000;

/** Crashes and what became of them, and how much memory there is. */
export class Life {
  readonly #api: Sidecar;
  readonly #host: Host;
  readonly #restored: () => void;
  #memory: ReturnType<typeof setInterval> | undefined;
  #news: ReturnType<typeof setTimeout> | undefined;

  /** `restored`: a new process stands where the old one stood. */
  constructor(api: Sidecar, host: Host, restored: () => void) {
    this.#api = api;
    this.#host = host;
    this.#restored = restored;
    api.on("vram", (memory) => host.change({ memory }));
    api.on("restarting", () => this.#banner("restarting"));
    api.on("restored", ({ failures }) => this.#back(failures));
    api.on("gave_up", ({ message }) => this.#banner("gaveUp", [message]));
    api.on("engine_state", ({ state }) => this.#engine(state));
  }

  /** Look at the memory now and then. */
  watch(): void {
    void this.look();
    clearInterval(this.#memory);
    this.#memory = setInterval(() => void this.look(), LOOK_AT_MEMORY_MS);
  }

  /** How much memory there is, and who has it. */
  async look(): Promise<void> {
    if (typeof document !== "undefined" && document.hidden) return;
    await this.#api.vramReport().then(
      (memory) => this.#host.change({ memory }),
      () => {}, // it is restarting, or gone; others say so
    );
  }

  dismiss(): void {
    clearTimeout(this.#news);
    this.#host.change({ banner: null });
  }

  dispose(): void {
    clearInterval(this.#memory);
    clearTimeout(this.#news);
  }

  #back(failures: readonly string[]): void {
    this.#banner(failures.length > 0 ? "restoredPartly" : "restored", failures);
    this.#restored();
  }

  /** The engine is a process of its own; the sidecar restarts it and repeats the job by itself. */
  #engine(state: string): void {
    const { banner } = this.#host.state;
    if (state === "crashed") this.#banner("engineCrashed");
    else if (banner?.kind === "engineCrashed" && (state === "ready" || state === "busy")) {
      this.#banner("engineRestored");
    }
  }

  #banner(kind: Banner["kind"], details: readonly string[] = []): void {
    clearTimeout(this.#news);
    this.#host.change({ banner: { kind, details } });
    if (kind !== "restored" && kind !== "engineRestored") return;
    this.#news = setTimeout(() => this.dismiss(), GOOD_NEWS_MS);
  }
}
