import type { SidecarApi } from "../api.js";
import type { Unsubscribe } from "../events/emitter.js";
import type { LoraCard, StackEntry, SwitchLoraResult } from "../protocol.generated.js";
import { type LoraChoice, withAlphas } from "./lora-choice.js";
import { isOutdated } from "./outdated.js";
import { Store } from "./store.js";

/** Files above this may make the switch stutter. */
export const LARGE_LORA_BYTES = 150_000_000;

/** What a person has agreed to, after an error asked for it. */
export interface LoraConsent {
  /** After LoraSuspiciousError: use a file that the safety scan doubts. */
  readonly allowSuspicious?: boolean | undefined;
  /** After LoraConflictError: lower the strengths of styles that conflict. */
  readonly allowConflict?: boolean | undefined;
}

/** What a style picker shows. */
export interface LoraSwitcherState {
  /** Cards of all LoRAs, once `cards` or `refresh` has been called. */
  readonly cards: readonly LoraCard[];
  /** Whether they have been read: without any cards, there are none. */
  readonly listed: boolean;
  /** What is in force. A failed switch leaves it as it was. */
  readonly stack: readonly StackEntry[];
  /** What a running switch will put in force; null when none runs. */
  readonly wanted: readonly LoraChoice[] | null;
  /** Whether a switch runs: show a spinner. */
  readonly loading: boolean;
  /** Whether "generate" may be pressed: false until the style that was asked for is in force. */
  readonly canGenerate: boolean;
  /** LoRAs that were in force before: the sidecar has them in memory, and a switch is instant. */
  readonly warm: readonly string[];
  /** The chosen LoRAs that are larger than `largeBytes`: "may stutter". */
  readonly large: readonly LoraCard[];
  /** Why the last switch failed; null after one that went well. */
  readonly error: Error | null;
}

/** What may be chosen about a LoraSwitcher. */
export interface LoraSwitcherOptions {
  /** Warn above this size. Default 150 MB. */
  readonly largeBytes?: number | undefined;
  /** Have preview pictures sent with the cards, for pages that may read no files. */
  readonly previews?: boolean | undefined;
}

const START: LoraSwitcherState = {
  cards: [],
  listed: false,
  stack: [],
  wanted: null,
  loading: false,
  canGenerate: true,
  warm: [],
  large: [],
  error: null,
};

type Api = Pick<SidecarApi, "listLoras" | "on" | "status" | "switchLora">;

/**
 * A style picker without a face. The newest choice wins; one that was overtaken is cancelled. What
 * has been in force before is known to be warm, and cards are read once.
 */
export class LoraSwitcher extends Store<LoraSwitcherState> {
  readonly #api: Api;
  readonly #largeBytes: number;
  readonly #listed: { readonly previews?: true };
  readonly #off: Unsubscribe[];
  #running: AbortController | undefined;
  #cards: Promise<readonly LoraCard[]> | undefined;

  constructor(
    api: Api,
    { largeBytes = LARGE_LORA_BYTES, previews = false }: LoraSwitcherOptions = {},
  ) {
    super(START);
    this.#api = api;
    this.#largeBytes = largeBytes;
    this.#listed = previews ? { previews } : {};
    this.#off = [
      api.on("lora_loaded", ({ stack }) => this.#loaded(stack)),
      api.on("loras_changed", () => this.#foldersChanged()),
      api.on("restarting", () => this.#forget()),
    ];
  }

  /** The cards: read once, then out of the cache until `refresh` or the folders change. */
  cards(): Promise<readonly LoraCard[]> {
    return this.#cards ?? this.refresh();
  }

  /** Read the cards and the stack in force anew. */
  refresh(): Promise<readonly LoraCard[]> {
    const reading = this.#read().catch((error: unknown) => {
      if (this.#cards === reading) this.#cards = undefined;
      throw error;
    });
    this.#cards = reading;
    return reading;
  }

  async #read(): Promise<readonly LoraCard[]> {
    const before = this.getSnapshot().stack;
    const [{ loras }, { stack }] = await Promise.all([
      this.#api.listLoras(this.#listed),
      this.#api.status(),
    ]);
    const switched = this.#running !== undefined || this.getSnapshot().stack !== before;
    const cards = { cards: loras, listed: true };
    this.update(switched ? cards : { ...cards, stack });
    return loras;
  }

  /**
   * Put one LoRA, several, or none (null) in force. Resolves with the receipt, or with undefined
   * when something newer was chosen meanwhile. Rejects with the sidecar's error; the former stack
   * then is still in force.
   */
  async choose(
    choice: LoraChoice | readonly LoraChoice[] | null,
    consent: LoraConsent = {},
  ): Promise<SwitchLoraResult | undefined> {
    const wanted = withAlphas(asList(choice));
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const large = this.#large(wanted);
    this.update({ wanted, loading: true, canGenerate: false, large, error: null });
    try {
      const params = { loras: wanted, ...wireConsent(consent) };
      const receipt = await this.#api.switchLora(params, { signal: running.signal });
      if (this.#running !== running) return undefined;
      this.#inForce(receipt.stack);
      return receipt;
    } catch (error) {
      if (this.#running !== running) return undefined;
      await this.#failed(running, error);
      if (isOutdated(error)) return undefined;
      throw error;
    }
  }

  /** Listen no more, and want nothing more. */
  dispose(): void {
    this.#running?.abort();
    this.#running = undefined;
    for (const off of this.#off) off();
  }

  /** A switch took effect, ours or another's. */
  #loaded(stack: readonly StackEntry[]): void {
    const { wanted } = this.getSnapshot();
    if (wanted && isSameStack(wanted, stack)) this.update({ stack, canGenerate: true });
    else if (!wanted) this.update({ stack, warm: this.#warmWith(stack) });
  }

  #inForce(stack: readonly StackEntry[]): void {
    this.#running = undefined;
    const warm = this.#warmWith(stack);
    this.update({ stack, warm, wanted: null, loading: false, canGenerate: true });
  }

  async #failed(running: AbortController, error: unknown): Promise<void> {
    const former = this.getSnapshot().stack;
    const stack = await this.#api.status().then(
      (status) => status.stack,
      () => former,
    );
    if (this.#running !== running) return;
    this.#running = undefined;
    const told = isOutdated(error) ? null : (error as Error);
    this.update({ stack, wanted: null, loading: false, canGenerate: true, large: [], error: told });
  }

  /** Cards that nobody has asked for need no reading. */
  #foldersChanged(): void {
    if (!this.#cards) return;
    this.#cards = undefined;
    this.cards().catch(() => {}); // whoever asks for them next is told
  }

  /** A new process has nothing in memory. */
  #forget(): void {
    this.update({ warm: [] });
  }

  #warmWith(stack: readonly StackEntry[]): string[] {
    return [...new Set([...this.getSnapshot().warm, ...stack.map(({ name }) => name)])];
  }

  #large(wanted: readonly LoraChoice[]): LoraCard[] {
    const names = new Set(wanted.map(({ name }) => name));
    const { cards } = this.getSnapshot();
    return cards.filter((card) => names.has(card.name) && card.bytes > this.#largeBytes);
  }
}

function wireConsent({ allowSuspicious = false, allowConflict = false }: LoraConsent) {
  return {
    ...(allowSuspicious && { allow_suspicious: true }),
    ...(allowConflict && { allow_conflict: true }),
  };
}

function asList(choice: LoraChoice | readonly LoraChoice[] | null): readonly LoraChoice[] {
  if (choice === null) return [];
  return "name" in choice ? [choice] : choice;
}

function isSameStack(wanted: readonly LoraChoice[], stack: readonly StackEntry[]): boolean {
  const same = ({ name, alpha }: LoraChoice, index: number): boolean =>
    stack[index]?.name === name && stack[index].alpha === alpha;
  return wanted.length === stack.length && wanted.every(same);
}
