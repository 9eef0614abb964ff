import type { HistoryRing } from "@lora-sidecar/electron/renderer";
import type { Models } from "./models.js";
import { isDrawn, type Prompts, recipe } from "./prompts.js";
import type { Host, Look } from "./state.js";
import type { Styles } from "./styles.js";

/** Ways out of the page. */
export interface Outlets {
  readonly copy: (text: string) => Promise<void>;
  /** Let the person put a picture where they like. */
  readonly save: (url: string, name: string) => void;
}

/** What a picture brings back with it. */
export interface Desk {
  readonly history: HistoryRing;
  readonly models: Models;
  readonly prompts: Prompts;
  readonly styles: Styles;
}

/** Finished pictures: back to one of them, keep it, copy its recipe, save it, delete it. */
export class Pictures {
  readonly #desk: Desk;
  readonly #host: Host;
  readonly #outlets: Outlets;

  constructor(desk: Desk, host: Host, outlets: Outlets) {
    this.#desk = desk;
    this.#host = host;
    this.#outlets = outlets;
  }

  /** The time machine: picture, prompt, style, strength and seed as they were. */
  async travelTo(id: string): Promise<void> {
    const { history, models, prompts, styles } = this.#desk;
    this.#host.forget(() => true);
    try {
      const back = await history.travelTo(id);
      if (!back) return;
      const { entry, image, state } = back;
      const { parameters, width, height } = entry;
      const [url, early] = [image.data_url ?? entry.thumbnail, entry.thumbnail];
      this.#host.change({
        look: { kind: "result", url, early, width, height, parameters, historyId: id },
      });
      styles.stand(state.loras);
      if (isDrawn(parameters)) prompts.bringBack(parameters);
      models.inForce(state.model);
      this.#host.say("back");
    } catch (error) {
      this.#host.tell(error, { again: () => void this.travelTo(id) });
    }
  }

  /** Older pictures are wanted, too, if there are any. */
  older(): void {
    this.#desk.history.more().catch((error: unknown) => this.#host.tell(error));
  }

  /** Delete a picture for good. */
  async remove(id: string): Promise<void> {
    await this.#desk.history.remove(id).then(
      () => {
        if (this.#host.state.look?.historyId === id) this.#host.change({ look: null });
        this.#host.say("deleted");
      },
      (error: unknown) => this.#host.tell(error, { again: () => void this.remove(id) }),
    );
  }

  /** Delete all pictures that are not kept for good. */
  async clear(): Promise<void> {
    const { history } = this.#desk;
    await history.clear().then(
      () => {
        const shown = this.#host.state.look?.historyId;
        const left = history.getSnapshot().entries.filter(({ pinned }) => pinned);
        if (shown && !left.some(({ id }) => id === shown)) this.#host.change({ look: null });
        this.#host.say("cleared");
      },
      (error: unknown) => this.#host.tell(error, { again: () => void this.clear() }),
    );
  }

  /** Keep a picture for good, or no longer. */
  async pin(id: string, pinned: boolean): Promise<void> {
    await this.#desk.history.pin(id, pinned).catch((error: unknown) => this.#host.tell(error));
  }

  /** The recipe of a picture, as text. Tells whether the clipboard took it. */
  async copy({ parameters }: Look): Promise<boolean> {
    return this.#outlets.copy(recipe(parameters)).then(
      () => {
        this.#host.say("copied");
        return true;
      },
      (error: unknown) => {
        this.#host.tell(error);
        return false;
      },
    );
  }

  /** Let the person put a picture where they like, under a name that says what it is. */
  save({ url, parameters }: Look): void {
    const words = (parameters.own_prompt ?? parameters.prompt).slice(0, 60);
    const name = words.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "picture";
    const kind = /^data:image\/(\w+)/.exec(url)?.[1] ?? "png";
    this.#outlets.save(url, `${name}-${parameters.seed}.${kind}`);
  }

  /** Save an enhanced photo beside the one it was made of. */
  saveEnhanced(url: string, name: string): void {
    const kind = /^data:image\/(\w+)/.exec(url)?.[1] ?? "png";
    this.#outlets.save(url, `${name.replace(/\.\w+$/, "")}-enhanced.${kind}`);
  }
}
