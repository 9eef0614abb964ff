import {
  type LoraCard,
  type LoraChoice,
  type LoraConsent,
  LoraSwitcher,
  PreviewSlider,
  type PreviewSliderState,
} from "@lora-sidecar/electron/renderer";
import type { Prompts } from "./prompts.js";
import type { Host, Sidecar, Strength } from "./state.js";

const USUAL_ALPHA = 0.7;

/** One session for all sliders: the newest preview wins, whichever of them asked for it. */
const SESSION = "stage";

/** Styles, how strong they are, and previews of both. */
export class Styles {
  readonly switcher: LoraSwitcher;
  readonly #api: Sidecar;
  readonly #host: Host;
  readonly #prompts: Prompts;
  readonly #remembered = new Map<string, number>();
  /** Whose sliders were moved while a picture was drawn. */
  readonly #moved = new Set<string>();
  #sliders: readonly PreviewSlider[] = [];
  #seen: Element | undefined;
  #allowed: LoraConsent = {};

  constructor(api: Sidecar, host: Host, prompts: Prompts) {
    this.#api = api;
    this.#host = host;
    this.#prompts = prompts;
    this.switcher = new LoraSwitcher(api, { previews: true });
    this.switcher.subscribe(() => this.#switcherChanged());
  }

  /** What is asked for with each picture, so that it is drawn exactly as the sliders stand. */
  get forPicture(): { loras: Strength[]; allow_suspicious?: true } {
    const loras = this.#host.state.strengths.map(({ name, alpha }) => ({ name, alpha }));
    return this.#allowed.allowSuspicious ? { loras, allow_suspicious: true } : { loras };
  }

  /** This style alone; null: none. */
  choose(name: string | null): Promise<void> {
    return this.put(name === null ? [] : [this.#atItsStrength(name)]);
  }

  /** Add a style to those that are on, or take it out. */
  mix(name: string): Promise<void> {
    const { strengths } = this.#host.state;
    const others = strengths.filter((one) => one.name !== name);
    if (others.length < strengths.length) return this.put(others);
    return this.put([...others, this.#atItsStrength(name)]);
  }

  /** A whole stack. A failed switch leaves the former one, and says why. */
  async put(stack: readonly LoraChoice[], consent: LoraConsent = {}): Promise<void> {
    try {
      const receipt = await this.switcher.choose(stack, consent);
      if (!receipt) return;
      this.#allowed = consent;
      this.#host.forget((topic) => topic.startsWith("lora_"));
      this.#stand(receipt.stack);
      this.#prompts.merge();
      if (this.#host.state.preferences.livePreview) this.preview();
    } catch (error) {
      this.#host.tell(error, {
        again: () => void this.put(stack, consent),
        allow: () => void this.put(stack, { ...consent, allowSuspicious: true }),
      });
    }
  }

  /** A slider was moved. */
  slide(name: string, alpha: number): void {
    const { strengths: former, preferences, run } = this.#host.state;
    const strengths = former.map((one) => (one.name === name ? { name, alpha } : one));
    this.#remembered.set(name, alpha);
    this.#host.change({ strengths });
    if (run) this.#moved.add(name);
    else if (preferences.livePreview) this.#slider(name)?.slide(alpha);
    else this.#api.setAlpha({ name, alpha }).catch((error: unknown) => this.#host.tell(error));
  }

  /** A quick look at what is typed and chosen, unless a finished picture is on its way. */
  preview(): void {
    if (this.#host.state.draft.prompt.trim() === "" || this.#host.state.run) return;
    if (!this.#sliders[0]) this.#stand([]);
    this.#sliders[0]?.refresh();
  }

  /** Rest while this element cannot be seen. */
  observe(element: Element): void {
    this.#seen = element;
    for (const slider of this.#sliders) slider.observe(element);
  }

  /** The sidecar says which stack is in force: after a rollback, a restart, a switch. */
  stand(stack: readonly LoraChoice[]): void {
    this.#stand(stack);
    this.#prompts.merge();
  }

  /** A finished picture is on its way: previews that were asked for would take its place. */
  rest(): void {
    this.#stand(this.#host.state.strengths);
  }

  /** It is done: sliders that were moved meanwhile take effect. */
  wake(): void {
    const { strengths } = this.#host.state;
    const moved = strengths.filter(({ name }) => this.#moved.has(name));
    this.#moved.clear();
    for (const { name, alpha } of moved) this.slide(name, alpha);
  }

  dispose(): void {
    this.switcher.dispose();
    for (const slider of this.#sliders) slider.dispose();
  }

  #stand(stack: readonly LoraChoice[]): void {
    for (const slider of this.#sliders) slider.dispose();
    const strengths = stack.map(({ name, alpha = USUAL_ALPHA }) => ({ name, alpha }));
    for (const { name, alpha } of strengths) this.#remembered.set(name, alpha);
    this.#host.change({ strengths, previewing: false });
    const named = strengths.length > 0 ? strengths : [undefined];
    this.#sliders = named.map((strength) => this.#newSlider(strength));
  }

  #slider(name: string): PreviewSlider | undefined {
    return this.#sliders[this.#host.state.strengths.findIndex((one) => one.name === name)];
  }

  #newSlider(strength: Strength | undefined): PreviewSlider {
    const api = strength ? this.#api : withoutStyle(this.#api);
    const slider = new PreviewSlider(api, {
      params: () => ({ ...this.#prompts.forPreview(), ...this.forPicture }),
      lora: strength?.name,
      alpha: strength?.alpha,
      session: SESSION,
    });
    let former = slider.getSnapshot();
    slider.subscribe(() => {
      const now = slider.getSnapshot();
      this.#slid(former, now);
      former = now;
    });
    if (this.#seen) slider.observe(this.#seen);
    return slider;
  }

  #slid(former: PreviewSliderState, now: PreviewSliderState): void {
    const previewing = this.#sliders.some((slider) => slider.getSnapshot().loading);
    this.#host.change({ previewing });
    const { preview, error } = now;
    if (preview && preview !== former.preview) {
      const { width, height, data_url: url } = preview.image;
      const { parameters } = preview;
      if (url) {
        this.#host.change({
          look: { kind: "preview", url, early: null, width, height, parameters, historyId: null },
        });
      }
    }
    if (error && error !== former.error) this.#host.tell(error, { again: () => this.preview() });
  }

  #switcherChanged(): void {
    const styles = this.switcher.getSnapshot();
    const first = this.#host.state.styles.stack !== styles.stack && this.#sliders.length === 0;
    this.#host.change({ styles });
    if (first) this.stand(styles.stack);
  }

  #atItsStrength(name: string): Strength {
    const card = this.switcher.getSnapshot().cards.find((one) => one.name === name);
    return { name, alpha: this.#remembered.get(name) ?? usualAlpha(card) };
  }
}

/** 0.7, or the nearest that the card recommends. */
function usualAlpha(card: LoraCard | undefined): number {
  const [low, high] = card?.alpha_range ?? [USUAL_ALPHA, USUAL_ALPHA];
  return Math.min(high, Math.max(low, USUAL_ALPHA));
}

/** Previews without a style: there is no strength to set. */
function withoutStyle(api: Sidecar): Pick<Sidecar, "preview" | "setAlpha"> {
  return {
    preview: (params, options) => api.preview(params, options),
    setAlpha: () => Promise.resolve({ stack: [], merge_ms: 0, deferred: true }),
  };
}
