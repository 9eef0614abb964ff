import type { SidecarApi } from "../api.js";
import type { PreviewParams, PreviewResult } from "../protocol.generated.js";
import { isOutdated } from "./outdated.js";
import { Store } from "./store.js";
import { Throttle } from "./throttle.js";

/** What a strength slider shows. */
export interface PreviewSliderState {
  /** Where the slider stands. */
  readonly alpha: number;
  /** The newest picture; it stays until a newer one is there. */
  readonly preview: PreviewResult | null;
  /** Whether a newer picture is on its way. */
  readonly loading: boolean;
  /** Whether it rests because nobody can see it. */
  readonly paused: boolean;
  /** Why the newest preview failed; null after one that went well. */
  readonly error: Error | null;
}

/** What a PreviewSlider needs to know. */
export interface PreviewSliderOptions {
  /** What to draw, asked for anew each time; `session` and the strength are the slider's own. */
  readonly params: () => Omit<PreviewParams, "session">;
  /** The LoRA whose strength it sets. Default: the only one in force. */
  readonly lora?: string | undefined;
  /** Where the slider stands at first. Default 0.7. */
  readonly alpha?: number | undefined;
  /** At most one preview in so many milliseconds. Default 200. */
  readonly throttleMs?: number | undefined;
  /** One name for each slider: its newest preview supersedes its older ones. */
  readonly session?: string | undefined;
}

type Api = Pick<SidecarApi, "setAlpha" | "preview">;

let sliders = 0;

/**
 * A strength slider with a live preview, without a face. While it is dragged, the strength is set
 * and a preview asked for at most every 200 ms, the last position always; the newest picture wins.
 */
export class PreviewSlider extends Store<PreviewSliderState> {
  readonly #api: Api;
  readonly #options: PreviewSliderOptions;
  readonly #session: string;
  readonly #throttle: Throttle<number>;
  #running: AbortController | undefined;
  #observer: IntersectionObserver | undefined;

  constructor(api: Api, options: PreviewSliderOptions) {
    super({
      alpha: options.alpha ?? 0.7,
      preview: null,
      loading: false,
      paused: false,
      error: null,
    });
    sliders += 1;
    this.#api = api;
    this.#options = options;
    this.#session = options.session ?? `slider-${sliders}`;
    this.#throttle = new Throttle(options.throttleMs ?? 200, (alpha) => void this.#show(alpha));
  }

  /** The slider was moved. */
  slide(alpha: number): void {
    this.update({ alpha });
    this.#throttle.push(alpha);
  }

  /** The prompt, the style or something else has changed: draw where the slider stands. */
  refresh(): void {
    this.#throttle.push(this.getSnapshot().alpha);
  }

  /** Ask for nothing until `resume`; what runs is cancelled, and drawn when it goes on. */
  pause(): void {
    if (this.getSnapshot().paused) return;
    this.#throttle.hold();
    if (this.#running) this.#throttle.push(this.getSnapshot().alpha);
    this.#cancel();
    this.update({ paused: true, loading: false });
  }

  /** Go on, with where the slider stands now when it was moved meanwhile. */
  resume(): void {
    if (!this.getSnapshot().paused) return;
    this.update({ paused: false });
    this.#throttle.release();
  }

  /** Rest while this element cannot be seen. Replaces an element observed before. */
  observe(element: Element): void {
    this.#observer?.disconnect();
    this.#observer = new IntersectionObserver((entries) => {
      if (entries.at(-1)?.isIntersecting) this.resume();
      else this.pause();
    });
    this.#observer.observe(element);
  }

  /** Ask for nothing more. */
  dispose(): void {
    this.#observer?.disconnect();
    this.#throttle.clear();
    this.#cancel();
  }

  async #show(alpha: number): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.update({ loading: true });
    try {
      const preview = await this.#drawn(alpha, running.signal);
      if (this.#running === running) this.#finished({ preview, error: null });
    } catch (error) {
      if (this.#running !== running) return;
      running.abort(); // a strength that was refused needs no picture
      this.#finished(isOutdated(error) ? {} : { error: error as Error });
    }
  }

  /** Both are sent at once; the sidecar keeps the order. */
  async #drawn(alpha: number, signal: AbortSignal): Promise<PreviewResult> {
    const { lora, params } = this.#options;
    const set = this.#api.setAlpha(lora === undefined ? { alpha } : { alpha, name: lora });
    const drawn = this.#api.preview({ ...params(), session: this.#session }, { signal });
    const [, preview] = await Promise.all([set, drawn]);
    return preview;
  }

  #finished(change: Partial<PreviewSliderState>): void {
    this.#running = undefined;
    this.update({ ...change, loading: false });
  }

  #cancel(): void {
    this.#running?.abort();
    this.#running = undefined;
  }
}
