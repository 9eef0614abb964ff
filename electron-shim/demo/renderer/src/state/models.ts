import type { ModelCard } from "@lora-sidecar/electron/renderer";
import type { Preferences } from "./preferences.js";
import type { Host, ModelState, Sidecar } from "./state.js";

/** Which model is loaded, and how. */
export class Models {
  readonly #api: Sidecar;
  readonly #host: Host;
  #newest = 0;

  constructor(api: Sidecar, host: Host) {
    this.#api = api;
    this.#host = host;
    api.on("model_load", ({ model, percent }) => this.#loading(model, percent));
  }

  /** Take over what is loaded, else load what was used last. */
  async start(): Promise<void> {
    const [{ models: cards }, { model }] = await Promise.all([
      this.#api.listModels(),
      this.#api.status(),
    ]);
    this.#change({ cards });
    if (model !== null) return this.#change({ stage: "ready", name: model });
    const wanted = this.#host.state.preferences.model;
    const card = cards.find(({ name }) => name === wanted) ?? usual(cards);
    if (card) await this.load(card.name);
    else this.#change({ stage: "failed" });
  }

  /** Make a model resident; the former one stays when this fails. */
  async load(name: string): Promise<void> {
    const { preferences } = this.#host.state;
    const params = { model: name, low_vram: preferences.lowVram };
    await this.#work(name, () => this.#api.loadModel(params));
  }

  /** Trade speed for memory, or back. */
  async trade(mode: Preferences["lowVram"]): Promise<void> {
    const { name, stage } = this.#now;
    if (name === null || stage === "starting") return; // it is loaded so
    if (stage !== "ready") await this.load(name);
    else await this.#work(name, () => this.#api.setLowVram({ mode }));
  }

  /** The card of the model in use. */
  get card(): ModelCard | undefined {
    return this.#now.cards.find(({ name }) => name === this.#now.name);
  }

  /** The sidecar itself says which model is in force, after a rollback or a restart. */
  inForce(name: string): void {
    this.#change({ stage: "ready", name, percent: null });
  }

  get #now(): ModelState {
    return this.#host.state.model;
  }

  /** What makes a model resident; the newest such request wins. */
  async #work(name: string, ask: () => Promise<unknown>): Promise<void> {
    const former = this.#now;
    this.#newest += 1;
    const mine = this.#newest;
    this.#change({ stage: "loading", name, percent: null });
    try {
      await ask();
      if (mine === this.#newest) this.#change({ stage: "ready", name, percent: null });
    } catch (error) {
      if (mine !== this.#newest) return;
      const { cards } = this.#now;
      this.#change(former.stage === "ready" ? { ...former, cards } : { stage: "failed" });
      this.#host.tell(error, { again: () => void this.#work(name, ask) });
    }
  }

  #loading(name: string, percent: number): void {
    if (this.#now.stage !== "loading" || this.#now.name !== name) return;
    this.#change({ percent: Math.max(percent, this.#now.percent ?? 0) });
  }

  #change(change: Partial<ModelState>): void {
    this.#host.change({ model: { ...this.#now, ...change } });
  }
}

function usual(cards: readonly ModelCard[]): ModelCard | undefined {
  return cards.find(({ name }) => name === "starter") ?? cards[0];
}
