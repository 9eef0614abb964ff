import type { CallOptions, GenerateResult } from "@lora-sidecar/electron/renderer";
import { isOutdated } from "@lora-sidecar/electron/renderer";
import type { Enhancing, Host } from "./state.js";

/** The sidecar takes messages of 64 MiB, and base64 is a third larger than the file. */
export const MAX_PHOTO_BYTES = 40_000_000;

const TYPES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/webp"]);

/** The request, as `enhance` takes it. */
export type Enhance = (
  params: { image: { data_url: string }; delivery: "both" },
  options: CallOptions,
) => Promise<GenerateResult>;

/** Reads a file as a data URL, and tells how much of it is read, 0 to 100. */
export type ReadFile = (
  file: Blob,
  read: (percent: number) => void,
  signal: AbortSignal,
) => Promise<string>;

/** Why a file is not taken. */
export type Refusal = "notAPicture" | "tooLarge";

/** A photo from the person's disk: read, sent, enhanced, compared. */
export class Enhancer {
  readonly #enhance: Enhance;
  readonly #read: ReadFile;
  readonly #host: Host;
  #running: AbortController | undefined;

  constructor(enhance: Enhance, read: ReadFile, host: Host) {
    this.#enhance = enhance;
    this.#read = read;
    this.#host = host;
  }

  /** Enhance it; one that is in work is given up for it. */
  async take(file: Blob & { readonly name?: string }): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const refusal = refusalOf(file);
    this.#put({ ...FRESH, name: file.name ?? "", refusal });
    if (refusal) return;
    try {
      const before = await this.#read(file, (percent) => this.#change({ percent }), running.signal);
      if (this.#running !== running) return;
      this.#change({ stage: "working", percent: 0, before });
      const { images } = await this.#enhance(
        { image: { data_url: before }, delivery: "both" },
        {
          signal: running.signal,
          onProgress: ({ percent, eta_ms: etaMs }) => this.#change({ percent, etaMs }),
        },
      );
      const [image] = images;
      if (this.#running !== running || !image) return;
      const { width, height, data_url } = image;
      const after = data_url ?? image.thumbnail;
      this.#change({ stage: "done", percent: 100, after, width, height });
      this.#host.say("finished");
    } catch (error) {
      if (this.#running !== running) return;
      this.#put(null);
      if (!isOutdated(error)) this.#host.tell(error, { again: () => void this.take(file) });
    }
  }

  /** Give it up, and forget what there is. */
  close(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#put(null);
  }

  #change(change: Partial<Enhancing>): void {
    const { enhancing } = this.#host.state;
    if (enhancing) this.#put({ ...enhancing, ...change });
  }

  #put(enhancing: Enhancing | null): void {
    this.#host.change({ enhancing });
  }
}

const FRESH = {
  stage: "reading",
  percent: 0,
  etaMs: null,
  before: null,
  after: null,
  width: 0,
  height: 0,
} as const;

function refusalOf({ type, size }: Blob): Refusal | null {
  if (!TYPES.has(type)) return "notAPicture";
  return size > MAX_PHOTO_BYTES ? "tooLarge" : null;
}

/** By the browser's FileReader, which tells how far it is. */
export const readFile: ReadFile = (file, read, signal) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onprogress = ({ loaded, total }) => read(total > 0 ? (100 * loaded) / total : 0);
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    signal.addEventListener("abort", () => reader.abort());
    reader.onabort = () => reject(signal.reason ?? new DOMException("aborted", "AbortError"));
    reader.readAsDataURL(file);
  });
