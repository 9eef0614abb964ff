import type {
  CallOptions,
  GeneratedImage,
  GenerateResult,
  PictureEvent,
  ProgressEvent,
} from "@lora-sidecar/electron/renderer";
import { isOutdated } from "@lora-sidecar/electron/renderer";
import type { Host, Look, Run } from "./state.js";

type Work = (options: CallOptions) => Promise<GenerateResult>;

/** One finished picture at a time: percent, first looks, the result, cancel. */
export class Drawing {
  readonly #host: Host;
  #running: AbortController | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Draw; whatever is drawn already is left to end. `size`: what the picture will have. */
  async run(work: Work, size: { width: number; height: number }): Promise<void> {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    const run = { percent: 0, etaMs: null, waiting: true, thumbnail: null, ...size };
    this.#host.change({ run });
    this.#host.forget(() => true);
    try {
      const { images } = await work(this.#listening(running.signal));
      const [image] = images;
      this.#host.change({ run: null, ...(image && { look: lookOf(image) }) });
      this.#host.say("finished");
    } catch (error) {
      this.#host.change({ run: null });
      if (isOutdated(error)) this.#host.say("cancelled");
      else this.#host.tell(error, { again: () => void this.run(work, size) });
    } finally {
      this.#running = undefined;
    }
  }

  /** Stop between two steps. */
  cancel(): void {
    this.#running?.abort();
  }

  #listening(signal: AbortSignal): CallOptions {
    const looked = ({ image }: PictureEvent): void => {
      if (image.data_url) this.#change({ thumbnail: image.data_url });
    };
    const onProgress = ({ percent, eta_ms, phase }: ProgressEvent): void =>
      this.#change({ percent, etaMs: eta_ms, waiting: phase === "queue" });
    return { signal, onProgress, onThumbnail: looked, onPreviewFrame: looked };
  }

  #change(change: Partial<Run>): void {
    const { run } = this.#host.state;
    if (run) this.#host.change({ run: { ...run, ...change } });
  }
}

function lookOf(image: GeneratedImage): Look {
  const { data_url, thumbnail, width, height, parameters, history_id: historyId } = image;
  const [url, early] = [data_url ?? thumbnail, thumbnail];
  return { kind: "result", url, early, width, height, parameters, historyId };
}
