// A studio over a sidecar that answers what the test says; look-ups answer by themselves.
import { vi } from "vitest";
import { Studio } from "../../../demo/renderer/src/state/studio.js";
import { FakeApi, settled } from "../../support/fake-api.js";

export const CARD = {
  name: "starter",
  family: "starter",
  path: "",
  bytes: 1,
  width: 128,
  height: 128,
  steps: 12,
  guidance_scale: 2,
};

export const PARAMETERS = {
  prompt: "ink drawing, red apple",
  negative_prompt: "photo, blurry",
  own_prompt: "red apple",
  own_negative_prompt: "blurry",
  style: "ink",
  width: 128,
  height: 192,
  steps: 14,
  guidance_scale: 2,
  sampler: "dpmpp_2m",
  seed: 7,
  model: "starter",
  family: "starter",
  loras: [{ name: "ink", alpha: 0.4 }],
};

const STYLES = ["ink", "night", "sunset"].map((name) => ({
  name,
  title: name,
  bytes: 1,
  alpha_range: [0.3, 1],
}));

/** What `localStorage` is to the page. */
export class Cupboard {
  readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
}

export function stackOf(...names: string[]) {
  return names.map((name) => ({ name, alpha: 0.7 }));
}

/** What `generate` answers. */
export function madeOf(id = "h1", parameters = PARAMETERS) {
  const { width, height, seed } = parameters;
  const image = { history_id: id, width, height, seed, parameters, thumbnail: "data:t" };
  return { job_id: "j", images: [{ ...image, data_url: "data:image/png;base64,AA==" }] };
}

export class Bench {
  readonly api = new FakeApi();
  readonly copy = vi.fn((_text: string) => Promise.resolve());
  readonly save = vi.fn();
  readonly readFile = vi.fn(async (_file: Blob, read: (percent: number) => void) => {
    read(50);
    return "data:image/png;base64,BEFORE";
  });
  readonly studio: Studio;

  constructor(
    language = "en-US",
    readonly cupboard = new Cupboard(),
  ) {
    const { always } = this.api;
    always.list_models = () => ({ models: [CARD, { ...CARD, name: "large", width: 512 }] });
    always.list_loras = () => ({ loras: STYLES });
    always.status = () => ({ model: null, stack: [] });
    always.history_list = () => ({ entries: [], total: 0 });
    always.vram_report = () => ({ devices: [], components: [] });
    always["rpc.discover"] = () => ({ methods: [{ name: "generate" }, { name: "enhance" }] });
    always.merge_prompt = () => ({ prompt: "", negative_prompt: "", added: [], removed: [] });
    always.set_alpha = () => ({ stack: [], merge_ms: 0, deferred: true });
    const { copy, save, readFile } = this;
    this.studio = new Studio(this.api, { cupboard, language, copy, save, readFile });
  }

  get state() {
    return this.studio.getSnapshot();
  }

  /** Up to where the person can work. */
  async ready(): Promise<this> {
    this.api.always.load_model = () => ({ model: "starter" });
    await this.studio.start();
    return this;
  }

  /** With this style in force, at 0.7. */
  async styled(...names: string[]): Promise<this> {
    const chosen = this.studio.styles.put(stackOf(...names));
    this.api.last("switch_lora").answer({ stack: stackOf(...names) });
    await chosen;
    await settled();
    return this;
  }

  /** Press the button under the newest notice. */
  press(remedy: string): void {
    const action = this.state.notices.at(-1)?.actions.find((one) => one.remedy === remedy);
    if (!action) throw new Error(`there is no button "${remedy}"`);
    action.run();
  }

  get buttons(): string[] {
    return this.state.notices.at(-1)?.actions.map(({ remedy }) => remedy) ?? [];
  }
}
