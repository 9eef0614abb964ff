import type { EnhanceParams } from "@lora-sidecar/electron/renderer";
import { isOutdated } from "@lora-sidecar/electron/renderer";
import type { Enhancing, Host, Look, Sidecar } from "./state.js";

/** The sidecar takes messages of 64 MiB, and base64 is a third larger than the file. */
export const MAX_PHOTO_BYTES = 40_000_000;

const TYPES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/webp"]);

type Photo = Blob & { readonly name?: string };

/** A picture that can be had as a data URL. */
interface Source {
  readonly name: string;
  readonly url: (read: (percent: number) => void, signal: AbortSignal) => Promise<string>;
}

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
  readonly #api: Pick<Sidecar, "enhance">;
  readonly #read: ReadFile;
  readonly #host: Host;
  #running: AbortController | undefined;
  #source: Source | undefined;

  constructor(api: Pick<Sidecar, "enhance">, read: ReadFile, host: Host) {
    this.#api = api;
    this.#read = read;
    this.#host = host;
  }

  /** Times each side: 1, 2, 4. A photo that is there already is enhanced anew. */
  choose(scale: number): void {
    this.#host.change({ enhanceScale: scale });
    if (this.#source) void this.#take(this.#source);
  }

  /** Enhance a file; what is in work is given up for it. */
  async take(file: Photo): Promise<void> {
    const { name = "" } = file;
    const refusal = refusalOf(file);
    if (refusal) {
      this.close();
      this.#put({ ...FRESH, name, refusal });
    } else {
      await this.#take({ name, url: (read, signal) => this.#read(file, read, signal) });
    }
  }

  /** Enhance a picture of the history. */
  async takeLook({ url, parameters }: Look): Promise<void> {
    const name = `${(parameters.own_prompt ?? parameters.prompt).slice(0, 60)}.png`;
    await this.#take({ name, url: () => Promise.resolve(url) });
  }

  /** `anyway`: although it is tiny, blank or blurred. */
  async #take(source: Source, anyway = false): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#source = source;
    this.#host.forget(ofPhoto);
    this.#put({ ...FRESH, name: source.name });
    try {
      const read = (percent: number): void => this.#change({ percent });
      const before = await source.url(read, running.signal);
      if (this.#running === running) await this.#work(before, anyway, running);
    } catch (error) {
      if (this.#running !== running) return;
      this.#put(null);
      if (isOutdated(error)) return;
      this.#source = undefined;
      this.#host.tell(error, {
        again: () => void this.#take(source, anyway),
        anyway: () => void this.#take(source, true),
      });
    }
  }

  /** Give it up, and forget what there is. */
  close(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#source = undefined;
    this.#host.forget(ofPhoto);
    this.#put(null);
  }

  async #work(before: string, anyway: boolean, running: AbortController): Promise<void> {
    this.#change({ stage: "working", percent: 0, before });
    const { enhanceScale: scale } = this.#host.state;
    const image: EnhanceParams["image"] = { data_url: before };
    const params: EnhanceParams = { image, scale, anyway, delivery: "both" };
    const { images, why } = await this.#api.enhance(params, {
      signal: running.signal,
      onProgress: ({ percent, eta_ms: etaMs }) => {
        if (this.#running === running) this.#change({ percent, etaMs });
      },
    });
    const [better] = images;
    if (this.#running !== running || !better) return;
    const { width, height, data_url } = better;
    const after = data_url ?? better.thumbnail;
    this.#change({ stage: "done", percent: 100, after, why, width, height });
    this.#host.say("finished");
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
  refusal: null,
  percent: 0,
  etaMs: null,
  before: null,
  after: null,
  why: "",
  width: 0,
  height: 0,
} as const;

/** What was wrong with a photo is of no interest once another is taken, or none. */
const ofPhoto = (topic: string): boolean =>
  topic.startsWith("image_") || topic === "content_blocked";

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
