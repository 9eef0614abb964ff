import { type Alternative, HistoryRing, Store } from "@lora-sidecar/electron/renderer";
import { Drawing } from "./drawing.js";
import { Enhancer, type ReadFile } from "./enhancing.js";
import { Life } from "./life.js";
import { Models } from "./models.js";
import { NoticeBoard } from "./notice-board.js";
import { type Outlets, Pictures } from "./pictures.js";
import {
  type Cupboard,
  keepPreferences,
  type Preferences,
  readPreferences,
} from "./preferences.js";
import { Prompts } from "./prompts.js";
import { half, type Pixels, sizeOf } from "./sizes.js";
import { startOf } from "./start.js";
import type { Host, Retry, Said, Sidecar, StudioState, Upscale } from "./state.js";
import { Styles } from "./styles.js";

/** What the store needs of its surroundings. */
export interface Surroundings extends Outlets {
  readonly cupboard: Cupboard;
  /** Of the browser, such as "zh-CN". */
  readonly language: string;
  readonly readFile: ReadFile;
}

/** Everything the page shows, and everything that can be done on it. Knows nothing of the page. */
export class Studio extends Store<StudioState> {
  readonly models: Models;
  readonly prompts: Prompts;
  readonly styles: Styles;
  readonly life: Life;
  readonly history: HistoryRing;
  readonly pictures: Pictures;
  readonly enhancer: Enhancer;
  readonly #api: Sidecar;
  readonly #drawing: Drawing;
  readonly #board: NoticeBoard;
  readonly #cupboard: Cupboard;

  constructor(api: Sidecar, surroundings: Surroundings) {
    super(startOf(readPreferences(surroundings.cupboard, surroundings.language)));
    this.#api = api;
    this.#cupboard = surroundings.cupboard;
    this.#board = new NoticeBoard(
      () => this.getSnapshot().notices,
      (notices) => this.update({ notices }),
    );
    const host = this.#host();
    this.models = new Models(api, host);
    this.prompts = new Prompts(api, host, () => this.models.card);
    this.styles = new Styles(api, host, this.prompts);
    this.life = new Life(api, host, () => void this.#readAll());
    this.history = new HistoryRing(api, { inline: true });
    this.pictures = new Pictures(this, host, surroundings);
    this.enhancer = new Enhancer(api, surroundings.readFile, host);
    this.#drawing = new Drawing(host);
    this.history.subscribe(() => this.update({ history: this.history.getSnapshot() }));
    api.on("warning", ({ kind, message, hint }) => {
      if (kind !== "engine_restarted") this.#board.warn(message, hint); // the banner says that
    });
  }

  /** Get everything going; what fails is told on the page. */
  async start(): Promise<void> {
    await this.#speak(this.getSnapshot().preferences.locale);
    this.life.watch();
    await Promise.all([this.#loadModel(), this.#readAll(), this.#readMethods()]);
  }

  /** Draw what is typed, in the style that is chosen; `seed`: of the preview that is to be finished. */
  async generate(seed?: number): Promise<void> {
    const { draft, styles, model } = this.getSnapshot();
    if (draft.prompt.trim() === "" || !styles.canGenerate || model.stage !== "ready") return;
    const params = { ...this.prompts.forPicture(), ...this.styles.forPicture };
    const whole = { ...params, ...(seed !== undefined && { seed }), delivery: "both" as const };
    await this.#draw((options) => this.#api.generate(whole, options));
  }

  /** The parameters of a finished picture, with a new seed. */
  async another(id: string): Promise<void> {
    await this.#draw((options) => this.history.another(id, { delivery: "both" }, options));
  }

  /** Stop what is drawn. */
  cancel(): void {
    this.#drawing.cancel();
  }

  /** Change a preference, and what hangs on it. */
  async prefer(change: Partial<Preferences>): Promise<void> {
    const preferences = { ...this.getSnapshot().preferences, ...change };
    this.update({ preferences });
    keepPreferences(this.#cupboard, preferences);
    if (change.locale) await this.#speak(change.locale);
    if (change.lowVram) await this.models.trade(change.lowVram);
  }

  /** Another model, now and at the next start. */
  async chooseModel(name: string): Promise<void> {
    await this.models.load(name);
    if (this.getSnapshot().model.name === name) await this.prefer({ model: name });
  }

  /** Start a sidecar that gave up, and get everything going again. */
  async restart(): Promise<void> {
    this.life.dismiss();
    await this.#api.restart?.().then(
      () => this.start(),
      (error: unknown) => this.#tell(error),
    );
  }

  /** Take a sentence off the page. */
  dismiss(id: number): void {
    this.#board.dismiss(id);
  }

  /** The page goes. */
  dispose(): void {
    this.styles.dispose();
    this.history.dispose();
    this.life.dispose();
    this.enhancer.close();
    this.#drawing.cancel();
  }

  async #draw(work: Parameters<Drawing["run"]>[0]): Promise<void> {
    if (this.getSnapshot().run) return;
    this.styles.rest();
    await this.#drawing.run(work, sizeOf(this.getSnapshot().draft, this.models.card));
    this.styles.wake();
  }

  async #speak(locale: Preferences["locale"]): Promise<void> {
    await this.#api.setLocale?.(locale).catch(() => {}); // then it goes on in its own
  }

  async #loadModel(): Promise<void> {
    await this.models.start().catch((error: unknown) => {
      this.update({ model: { ...this.getSnapshot().model, stage: "failed" } });
      this.#tell(error, { again: () => void this.#loadModel() });
    });
  }

  async #readAll(): Promise<void> {
    const reading = [
      this.styles.switcher.refresh().then(() => {
        this.styles.stand(this.styles.switcher.getSnapshot().stack);
      }),
      this.history.refresh(),
    ];
    await Promise.all(reading).catch((error: unknown) => {
      this.#tell(error, { again: () => void this.#readAll() });
    });
  }

  async #readMethods(): Promise<void> {
    const { methods } = (await this.#api.discover().catch(() => ({}))) as {
      methods?: readonly { name: string }[];
    };
    this.update({ methods: new Set(methods?.map(({ name }) => name)) });
  }

  #host(): Host {
    const now = (): StudioState => this.getSnapshot();
    return {
      get state() {
        return now();
      },
      change: (change) => this.update(change),
      say: (what) => this.#say(what),
      tell: (error, retry) => this.#tell(error, retry),
      forget: (settled) => this.#board.forget(settled),
    };
  }

  #say(what: Said): void {
    this.update({ said: { what, count: this.getSnapshot().said.count + 1 } });
  }

  #tell(error: unknown, { again, allow, anyway }: Retry = {}): void {
    const { preferences, draft, model } = this.getSnapshot();
    const smaller = half(sizeOf(draft, this.models.card));
    const { name } = model;
    this.#board.tell(error, {
      anyway,
      tryAgain: again,
      allowSuspicious: allow,
      lowVram:
        preferences.lowVram === "auto" ? () => void this.#trade("balanced", again) : undefined,
      smaller: smaller && (() => void this.#sized(smaller)),
      chooseModel: name === null ? undefined : () => void this.models.load(name),
      restart: () => void this.restart(),
      useSuggested: (stack) => void this.styles.put(stack),
      take: (way) => void this.#take(way, again),
    });
  }

  /** What the sidecar proposed where memory is short. */
  async #take(way: Alternative, again: (() => void) | undefined): Promise<void> {
    const { low_vram, width, height, upscale: times } = way;
    if (way.way === "low_vram") await this.#trade(low_vram === "off" ? "auto" : low_vram, again);
    else await this.#sized({ width: width * times, height: height * times }, times as Upscale);
  }

  async #trade(lowVram: Preferences["lowVram"], again: (() => void) | undefined): Promise<void> {
    await this.prefer({ lowVram });
    again?.();
  }

  async #sized(size: Pixels, upscale: Upscale | null = null): Promise<void> {
    this.prompts.write({ ...size, upscale });
    await this.generate();
  }
}
