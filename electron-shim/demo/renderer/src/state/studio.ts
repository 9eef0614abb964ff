import { HistoryRing, type LoraSwitcherState, Store } from "@lora-sidecar/electron/renderer";
import { Drawing } from "./drawing.js";
import { Life } from "./life.js";
import { Models } from "./models.js";
import { noticeOf } from "./notices.js";
import {
  type Cupboard,
  keepPreferences,
  type Preferences,
  readPreferences,
} from "./preferences.js";
import { Prompts, recipe } from "./prompts.js";
import {
  EMPTY_DRAFT,
  type Host,
  type Look,
  type Retry,
  type Said,
  type Sidecar,
  type StudioState,
} from "./state.js";
import { Styles } from "./styles.js";

const MAX_NOTICES = 3;
const SMALLEST = 64;

const NO_STYLES: LoraSwitcherState = {
  cards: [],
  stack: [],
  wanted: null,
  loading: false,
  canGenerate: true,
  warm: [],
  large: [],
  error: null,
};

/** What the store needs of its surroundings. */
export interface Surroundings {
  readonly cupboard: Cupboard;
  /** Of the browser, such as "zh-CN". */
  readonly language: string;
  readonly copy: (text: string) => Promise<void>;
}

/** Everything the page shows, and everything that can be done on it. Knows nothing of the page. */
export class Studio extends Store<StudioState> {
  readonly models: Models;
  readonly prompts: Prompts;
  readonly styles: Styles;
  readonly life: Life;
  readonly history: HistoryRing;
  readonly #api: Sidecar;
  readonly #drawing: Drawing;
  readonly #surroundings: Surroundings;
  #notices = 0;

  constructor(api: Sidecar, surroundings: Surroundings) {
    super({
      preferences: readPreferences(surroundings.cupboard, surroundings.language),
      model: { stage: "starting", name: null, percent: null, cards: [] },
      methods: new Set(),
      styles: NO_STYLES,
      strengths: [],
      previewing: false,
      draft: EMPTY_DRAFT,
      merged: null,
      look: null,
      run: null,
      history: { entries: [], total: 0, current: null, travelling: null },
      memory: null,
      notices: [],
      banner: null,
      enhancing: null,
      said: { what: "nothing", count: 0 },
    });
    this.#api = api;
    this.#surroundings = surroundings;
    const host = this.#host();
    this.models = new Models(api, host);
    this.prompts = new Prompts(api, host);
    this.styles = new Styles(api, host, this.prompts);
    this.life = new Life(api, host, () => void this.#readAll());
    this.#drawing = new Drawing(host);
    this.history = new HistoryRing(api, { inline: true });
    this.history.subscribe(() => this.update({ history: this.history.getSnapshot() }));
    api.on("warning", ({ message, hint }) => this.#warn(message, hint));
  }

  /** Get everything going; what fails is told on the page. */
  async start(): Promise<void> {
    const { locale } = this.getSnapshot().preferences;
    await this.#api.setLocale?.(locale).catch(() => {}); // its own language then
    this.life.watch();
    await Promise.all([this.#loadModel(), this.#readAll(), this.#readMethods()]);
  }

  /** Draw what is typed, in the style that is chosen; `seed`: of the preview that is to be finished. */
  async generate(seed?: number): Promise<void> {
    const { draft, run, styles, model } = this.getSnapshot();
    if (run || draft.prompt.trim() === "" || !styles.canGenerate || model.stage !== "ready") return;
    const params = {
      ...this.prompts.forPicture(),
      ...this.styles.forPicture,
      ...(seed !== undefined && { seed }),
    };
    await this.#draw((options) => this.#api.generate({ ...params, delivery: "both" }, options));
  }

  /** The picture's parameters, with a new seed. */
  async another(id: string): Promise<void> {
    await this.#draw((options) => this.history.another(id, { delivery: "both" }, options));
  }

  /** Stop what is drawn. */
  cancel(): void {
    this.#drawing.cancel();
  }

  /** The time machine: picture, prompt, style, strength and seed as they were. */
  async travelTo(id: string): Promise<void> {
    try {
      const back = await this.history.travelTo(id);
      if (!back) return;
      const { entry, image, state } = back;
      const { parameters, width, height } = entry;
      const url = image.data_url ?? entry.thumbnail;
      this.update({ look: { kind: "result", url, width, height, parameters, historyId: id } });
      this.styles.stand(state.loras);
      this.prompts.bringBack(parameters);
      this.models.inForce(state.model);
      this.#say("back");
    } catch (error) {
      this.#tell(error, { again: () => void this.travelTo(id) });
    }
  }

  /** Delete a picture for good. */
  async remove(id: string): Promise<void> {
    await this.history.remove(id).then(
      () => {
        const { look } = this.getSnapshot();
        if (look?.historyId === id) this.update({ look: null });
        this.#say("deleted");
      },
      (error: unknown) => this.#tell(error, { again: () => void this.remove(id) }),
    );
  }

  /** Keep a picture for good, or no longer. */
  async pin(id: string, pinned: boolean): Promise<void> {
    await this.history.pin(id, pinned).catch((error: unknown) => this.#tell(error));
  }

  /** The recipe of the picture on the stage, as text. */
  async copy(look: Look): Promise<void> {
    await this.#surroundings.copy(recipe(look.parameters)).then(
      () => this.#say("copied"),
      (error: unknown) => this.#tell(error),
    );
  }

  /** Change a preference, and what hangs on it. */
  async prefer(change: Partial<Preferences>): Promise<void> {
    const preferences = { ...this.getSnapshot().preferences, ...change };
    this.update({ preferences });
    keepPreferences(this.#surroundings.cupboard, preferences);
    if (change.locale) await this.#api.setLocale?.(change.locale).catch(() => {});
    const { name } = this.getSnapshot().model;
    if (change.lowVram !== undefined && name !== null) await this.models.load(name);
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

  dismiss(id: number): void {
    this.update({ notices: this.getSnapshot().notices.filter((one) => one.id !== id) });
  }

  dispose(): void {
    this.styles.dispose();
    this.history.dispose();
    this.life.dispose();
    this.#drawing.cancel();
  }

  async #draw(work: Parameters<Drawing["run"]>[0]): Promise<void> {
    const { draft } = this.getSnapshot();
    const card = this.models.card;
    const [width, height] = [
      draft.width ?? card?.width ?? 512,
      draft.height ?? card?.height ?? 512,
    ];
    this.styles.rest();
    await this.#drawing.run(work, { width, height });
    this.styles.wake();
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
    };
  }

  #say(what: Said): void {
    this.update({ said: { what, count: this.getSnapshot().said.count + 1 } });
  }

  #tell(error: unknown, { again, allow }: Retry = {}): void {
    const { preferences, draft, model } = this.getSnapshot();
    const width = draft.width ?? this.models.card?.width ?? SMALLEST;
    const { name } = model;
    this.#notices += 1;
    const notice = noticeOf(this.#notices, error, {
      tryAgain: again,
      allowSuspicious: allow,
      lowVram: preferences.lowVram ? undefined : () => void this.prefer({ lowVram: true }),
      smaller: width > SMALLEST ? () => this.#smaller() : undefined,
      chooseModel: name === null ? undefined : () => void this.models.load(name),
      restart: () => void this.restart(),
      useSuggested: (stack) => void this.styles.put(stack),
    });
    if (!notice) return;
    const others = this.getSnapshot().notices.filter(({ message }) => message !== notice.message);
    this.update({ notices: [...others, notice].slice(-MAX_NOTICES) });
  }

  #smaller(): void {
    const { draft } = this.getSnapshot();
    const half = (side: number | null | undefined): number =>
      Math.max(SMALLEST, Math.floor((side ?? 512) / 16) * 8);
    const [width, height] = [draft.width ?? this.models.card?.width, draft.height];
    this.prompts.write({
      width: half(width),
      height: half(height ?? this.models.card?.height),
    });
    void this.generate();
  }

  #warn(message: string, hint: string): void {
    this.#notices += 1;
    const tone = "warning" as const;
    const notice = { tone, message, hint, fault: null, points: [], suggested: [], actions: [] };
    const others = this.getSnapshot().notices.filter((one) => one.message !== message);
    this.update({ notices: [...others, { id: this.#notices, ...notice }].slice(-MAX_NOTICES) });
  }
}
