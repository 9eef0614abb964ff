import type { Locale } from "../api.js";
import { type CallOptions, tellCall } from "../call-options.js";
import { BridgeRefusedError, SidecarFault } from "../errors/faults.js";
import { errorFromWire } from "../errors/wire.js";
import type { Unsubscribe } from "../events/emitter.js";
import type { EventSource, SidecarEventName, SidecarEvents } from "../events/sidecar-events.js";
import { METHOD_NAMES, type NamedMethod, SidecarMethods } from "../methods.generated.js";
import type { MethodName, ParamsOf, ResultOf } from "../tables.generated.js";
import type { Outcome } from "./channels.js";
import type { SidecarBridge } from "./expose.js";

/** The sidecar as a page sees it: the same methods and events as in main. */
export class PageSidecar extends SidecarMethods implements EventSource {
  readonly #bridge: SidecarBridge;
  readonly #own = Math.random().toString(36).slice(2); // a page may connect twice
  #calls = 0;

  constructor(bridge: SidecarBridge) {
    super();
    this.#bridge = bridge;
  }

  /** As in main; errors are the same classes, but for faults, which are SidecarFault here. */
  override request<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: CallOptions = {},
  ): Promise<ResultOf<M>> {
    const { signal, timeoutMs } = options;
    const call = this.#bridge.methods[METHOD_NAMES[method as NamedMethod]];
    if (!call) return Promise.reject(new BridgeRefusedError(`Pages may not call ${method}.`));
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#calls += 1;
    const id = `${this.#own}-${this.#calls}`;
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        this.#bridge.abort(id);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", aborted);
      const tell = (name: string, event: unknown): void => {
        if (!signal?.aborted) tellCall(options, name, event);
      };
      call({ id, timeoutMs }, params, tell)
        .then((outcome) => opened(outcome) as ResultOf<M>)
        .then(resolve, reject)
        .finally(() => signal?.removeEventListener("abort", aborted));
    });
  }

  /** The language of messages and hints from now on. */
  async setLocale(locale: Locale): Promise<void> {
    opened(await this.#bridge.setLocale(locale));
  }

  /** Start the sidecar again after it gave up. Nothing is done while it runs, starts or stops. */
  async restart(): Promise<void> {
    opened(await this.#bridge.restart());
  }

  /** Listen to a notification or a life-cycle event; returns how to stop. */
  on<N extends SidecarEventName>(
    name: N,
    listener: (event: SidecarEvents[N]) => void,
  ): Unsubscribe {
    return this.#bridge.on(name, listener as (event: unknown) => void);
  }
}

function opened(outcome: Outcome): unknown {
  if (outcome.ok) return outcome.result;
  throw errorFromWire(outcome.error);
}

declare global {
  interface Window {
    /** What the preload script put here with `exposeSidecar`. */
    readonly sidecar?: SidecarBridge;
  }
}

/**
 * Typed methods and events over what `exposeSidecar` put into the page, `window.sidecar`.
 * Throws a `SidecarFault` of kind "bridge_missing" where there is no such thing.
 */
export function connectSidecar(bridge: SidecarBridge | undefined): PageSidecar {
  if (bridge) return new PageSidecar(bridge);
  throw new SidecarFault(
    "bridge_missing",
    "The page has no sidecar: no preload script has called exposeSidecar for it.",
    "Name one in webPreferences.preload, as an absolute path.",
  );
}
