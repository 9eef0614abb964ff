import type { ModelCard, PictureParameters, StackEntry } from "@lora-sidecar/electron/renderer";
import { isOutdated } from "@lora-sidecar/electron/renderer";
import { previewSize } from "./sizes.js";
import { type Draft, EMPTY_DRAFT, type Host, type Sidecar, type Upscale } from "./state.js";

const PAUSE_MS = 150;
const SESSION_SEED = Math.floor(Math.random() * 2 ** 31);

/** The prompt with everything that goes with it, and what the style makes of it. */
export class Prompts {
  readonly #api: Sidecar;
  readonly #host: Host;
  readonly #card: () => ModelCard | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;

  /** `card`: of the model in use. */
  constructor(api: Sidecar, host: Host, card: () => ModelCard | undefined) {
    this.#card = card;
    this.#api = api;
    this.#host = host;
  }

  /** Something was typed. */
  write(change: Partial<Draft>): void {
    this.#host.change({ draft: { ...this.#host.state.draft, ...change } });
    if (change.prompt === undefined && change.negative === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.merge(), PAUSE_MS);
  }

  /** Ask what the style makes of the prompt; the newest question wins. */
  async merge(): Promise<void> {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const { draft } = this.#host.state;
    if (this.style === null) return this.#host.change({ merged: null });
    const { prompt, negative: negative_prompt } = draft;
    try {
      const merged = await this.#api.mergePrompt(
        { prompt, negative_prompt, style: this.style },
        { signal: asking.signal },
      );
      if (this.#asking === asking) this.#host.change({ merged });
    } catch (error) {
      if (isOutdated(error) || this.#asking !== asking) return;
      this.#host.change({ merged: null }); // the picture itself will tell what is wrong
    }
  }

  /** Whose words go into the prompt: the first style's. */
  get style(): string | null {
    return this.#host.state.strengths[0]?.name ?? null;
  }

  /** For a finished picture. */
  forPicture() {
    const { negative: negative_prompt, ...draft } = this.#host.state.draft;
    return { ...draft, negative_prompt, style: this.style };
  }

  /** For a preview: the seed stays the same while sliders move, so that only the style changes. */
  forPreview() {
    const { draft, look } = this.#host.state;
    const { prompt, negative } = draft;
    const seed = draft.seed ?? look?.parameters.seed ?? SESSION_SEED;
    const size = previewSize(draft, this.#card());
    return { prompt, negative_prompt: negative, ...size, seed, style: this.style };
  }

  /** The draft as it was for a picture that was brought back. */
  bringBack(parameters: PictureParameters): void {
    this.#host.change({ draft: draftOf(parameters) });
    void this.merge();
  }
}

/** Whether a picture was drawn from words, rather than made of another one. */
export function isDrawn({ method = "generate" }: PictureParameters): boolean {
  return method === "generate";
}

/** What was typed for a picture. */
export function draftOf(parameters: PictureParameters): Draft {
  const { prompt, negative_prompt, own_prompt, own_negative_prompt } = parameters;
  const { seed, steps, width, height, upscale = 1 } = parameters;
  const styled = parameters.style != null;
  return {
    ...EMPTY_DRAFT,
    prompt: (styled ? own_prompt : null) ?? prompt,
    negative: (styled ? own_negative_prompt : null) ?? negative_prompt,
    seed,
    steps,
    width,
    height,
    upscale: upscale > 1 ? (upscale as Upscale) : null,
  };
}

/** A picture's recipe as text, in the form that other programs read. */
export function recipe(parameters: PictureParameters): string {
  const { prompt, negative_prompt, steps, sampler, guidance_scale } = parameters;
  const { seed, width, height, model, loras } = parameters;
  const tags = loras.map(({ name, alpha }: StackEntry) => ` <lora:${name}:${alpha}>`).join("");
  const facts = [
    ...(sampler === null
      ? [] // nothing was drawn, only enlarged
      : [`Steps: ${steps}`, `Sampler: ${sampler}`, `CFG scale: ${guidance_scale}`]),
    `Seed: ${seed}`,
    `Size: ${width}x${height}`,
    `Model: ${model}`,
  ];
  const negative = negative_prompt ? [`Negative prompt: ${negative_prompt}`] : [];
  return [`${prompt}${tags}`, ...negative, facts.join(", ")].join("\n");
}
