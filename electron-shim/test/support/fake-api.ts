import { Emitter } from "../../src/events/emitter.js";
import type {
  CallOptions,
  EventSource,
  MethodName,
  ParamsOf,
  ResultOf,
  SidecarEventName,
  SidecarEvents,
  Unsubscribe,
} from "../../src/index.js";
import { SidecarMethods } from "../../src/index.js";

/** One request that waits for the test to answer it. */
export interface Asked {
  readonly method: MethodName;
  readonly params: Record<string, unknown>;
  readonly options: CallOptions;
  answer(result: object | null): void;
  fail(error: unknown): void;
}

/** A sidecar that answers what and when the test says. An aborted request rejects, as it would. */
export class FakeApi extends SidecarMethods implements EventSource {
  readonly asked: Asked[] = [];
  readonly events = new Emitter<SidecarEvents>();
  /** Methods that are answered by themselves. */
  readonly always: Partial<Record<MethodName, (params: Record<string, unknown>) => object>> = {};

  override request<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: CallOptions = {},
  ): Promise<ResultOf<M>> {
    return new Promise((resolve, reject) => {
      const given = params as Record<string, unknown>;
      const answer = resolve as (result: object | null) => void;
      options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      this.asked.push({ method, params: given, options, answer, fail: reject });
      const always = this.always[method];
      if (always) answer(always(given));
    });
  }

  on<N extends SidecarEventName>(
    name: N,
    listener: (event: SidecarEvents[N]) => void,
  ): Unsubscribe {
    return this.events.on(name, listener);
  }

  /** Every request of that method so far. */
  all(method: MethodName): Asked[] {
    return this.asked.filter((one) => one.method === method);
  }

  /** The newest request of that method. */
  last(method: MethodName): Asked {
    const found = this.all(method).at(-1);
    if (!found) throw new Error(`nobody asked for ${method}`);
    return found;
  }
}

/** Let every promise that is settled tell so. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
}
