import type { StackEntry } from "../protocol.generated.js";
import type { MethodName, ParamsOf, ResultOf } from "../tables.generated.js";

/** One LoRA of a stack. */
export interface LoraStrength {
  readonly name: string;
  readonly alpha: number;
}

/** What a new process must be told to stand where the old one stood. */
export interface SidecarState {
  readonly model: ParamsOf<"load_model"> | null;
  readonly loras: readonly LoraStrength[];
  /** Whether the person agreed to use files that the safety scan doubts. */
  readonly allowSuspicious: boolean;
}

/** The requests that change it. */
export function changesState(method: MethodName): boolean {
  return method in CHANGES;
}

/**
 * Follows model and LoRA stack through the answers. Answers come out of order (`set_alpha` overtakes
 * a running switch), so each change counts from when it was asked for.
 */
export class StateFollower {
  #state: SidecarState = { model: null, loras: [], allowSuspicious: false };
  #asked = 0;
  #modelFrom = 0;
  #lorasFrom = 0;

  /** As of now. */
  get state(): SidecarState {
    return this.#state;
  }

  /** A request is being sent; the number is for `answered`. */
  ask(): number {
    this.#asked += 1;
    return this.#asked;
  }

  /** It was answered well. */
  answered<M extends MethodName>(
    asked: number,
    method: M,
    params: ParamsOf<M>,
    result: ResultOf<M>,
  ) {
    const change = CHANGES[method]?.(params as never, result as never);
    if (change) this.#put(asked, change);
  }

  /** The sidecar itself told which stack is in force. */
  stack(asked: number, stack: readonly StackEntry[]): void {
    this.#put(asked, { loras: strengths(stack) });
  }

  #put(asked: number, change: Partial<SidecarState>): void {
    if (change.model !== undefined && asked >= this.#modelFrom) {
      this.#modelFrom = asked;
      this.#state = { ...this.#state, model: change.model };
    }
    if (change.loras && asked >= this.#lorasFrom) {
      this.#lorasFrom = asked;
      const { allowSuspicious = this.#state.allowSuspicious } = change;
      this.#state = { ...this.#state, loras: change.loras, allowSuspicious };
    }
  }
}

type Change<M extends MethodName> = (
  params: ParamsOf<M>,
  result: ResultOf<M>,
) => Partial<SidecarState>;

const CHANGES: { readonly [M in MethodName]?: Change<M> } = {
  load_model: (params) => ({ model: params }),
  unload_model: () => ({ model: null }),
  switch_lora: ({ allow_suspicious: allowSuspicious = false }, { stack }) => ({
    loras: strengths(stack),
    allowSuspicious,
  }),
  set_alpha: (_, { stack }) => ({ loras: strengths(stack) }),
  history_rollback: (_, { entry, state }) => {
    if (entry.parameters.family === "upscaler") return {};
    return {
      model: {
        model: state.model,
        vae: state.vae,
        low_vram: state.low_vram as NonNullable<ParamsOf<"load_model">["low_vram"]>,
        dtype: entry.parameters.dtype as NonNullable<ParamsOf<"load_model">["dtype"]>,
        no_half_vae: entry.parameters.no_half_vae ?? false,
      },
      loras: strengths(state.loras),
    };
  },
};

function strengths(stack: readonly StackEntry[]): LoraStrength[] {
  return stack.map(({ name, alpha }) => ({ name, alpha }));
}
