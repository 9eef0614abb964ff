import type { Locale } from "../api.js";
import type { CallOptions } from "../call-options.js";
import { type Ending, type SidecarFault, SidecarGoneError } from "../errors/faults.js";
import { Emitter, type Unsubscribe } from "../events/emitter.js";
import type { EventSource, SidecarEventName, SidecarEvents } from "../events/sidecar-events.js";
import { SidecarMethods } from "../methods.generated.js";
import type { InitializeParams, InitializeResult } from "../protocol.generated.js";
import type { SidecarChild } from "../supervisor/child.js";
import type { SupervisorOptions } from "../supervisor/options.js";
import { Supervisor, type SupervisorState } from "../supervisor/supervisor.js";
import {
  METHODS,
  type MethodName,
  type ParamsOf,
  PROTOCOL_VERSION,
  type ResultOf,
} from "../tables.generated.js";
import { Connection } from "./connection.js";
import { Gate } from "./gate.js";
import { putBack } from "./put-back.js";
import { changesState, type SidecarState, StateFollower } from "./state.js";

const LOOK_UP_MS = 30_000;
const WORK_MS = 600_000;

/** How the sidecar is run and spoken to. */
export interface SidecarOptions extends SupervisorOptions {
  /** The language of messages and hints. Default "en". */
  readonly locale?: Locale | undefined;
  /** Who we are, for the sidecar's log. */
  readonly client?: InitializeParams["client"] | undefined;
}

/**
 * A supervised sidecar: a typed method per request, an event per notification. After a crash the
 * process is started again, and model and LoRA stack are put back before anything else is asked;
 * requests made meanwhile wait. Those in flight fail with SidecarGoneError.
 */
export class SidecarClient extends SidecarMethods implements EventSource {
  readonly #options: SidecarOptions;
  readonly #supervisor: Supervisor;
  readonly #events = new Emitter<SidecarEvents>();
  readonly #gate = new Gate<Connection>();
  readonly #follower = new StateFollower();
  #locale: Locale;
  #introduction: InitializeResult | undefined;
  #connection: Connection | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: SidecarOptions) {
    super();
    this.#options = options;
    this.#locale = options.locale ?? "en";
    this.#supervisor = new Supervisor(options, (child) => this.#greet(child));
    this.#supervisor.on("ended", (ending) => this.#lost(ending));
    this.#supervisor.on("restarting", (event) => this.#events.emit("restarting", event));
    this.#supervisor.on("gave_up", (error) => this.#gaveUp(error));
  }

  /**
   * Start the process. Rejects with StartFailedError when there is no such program and with
   * GaveUpError when it crashed too often. May be called again after either, or after `stop`.
   */
  async start(): Promise<void> {
    if (this.#stopping) await this.#stopping;
    if (this.state === "stopped" || this.state === "gave up") this.#gate.close();
    await this.#supervisor.start();
  }

  /** End the process, politely first; nothing of its tree is left. Requests in flight fail. */
  stop(): Promise<void> {
    this.#gate.refuse(new SidecarGoneError());
    this.#stopping ??= this.#supervisor.stop().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  /** Start it again after it gave up. Nothing is done while it runs, starts or stops. */
  async restart(): Promise<void> {
    if (this.state === "gave up") await this.start();
  }

  /** The language of messages and hints from now on, also after a restart. */
  async setLocale(locale: Locale): Promise<void> {
    this.#locale = locale;
    if (this.#gate.value) this.#introduction = await this.#initialize(this.#gate.value);
  }

  /** Where the process stands. */
  get state(): SupervisorState {
    return this.#supervisor.state;
  }

  /** Of the process that runs now; undefined when none does. */
  get pid(): number | undefined {
    return this.#supervisor.pid;
  }

  /** What the sidecar said of itself: version, capabilities, device, folders. */
  get introduction(): InitializeResult | undefined {
    return this.#introduction;
  }

  /** The model and LoRA stack that a new process would be given back. */
  get restorable(): SidecarState {
    return this.#follower.state;
  }

  /** Listen to a notification or a life-cycle event; returns how to stop. */
  on<N extends SidecarEventName>(
    name: N,
    listener: (event: SidecarEvents[N]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * Send a request by its name in the protocol. Rejects with the class of the sidecar's error, with
   * a SidecarFault when the connection fails, or with the reason of an aborted signal.
   */
  override async request<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: CallOptions = {},
  ): Promise<ResultOf<M>> {
    const connection = this.#gate.value ?? (await this.#gate.passed(options.signal));
    const timeoutMs = options.timeoutMs ?? (METHODS[method] === "at once" ? LOOK_UP_MS : WORK_MS);
    const asked = this.#follower.ask();
    const result = await connection.request(method, params, options, timeoutMs, {
      well: (result) => this.#follower.answered(asked, method, params, result as ResultOf<M>),
      badly: () => {
        if (changesState(method)) void this.#askForStack(connection);
      },
    });
    return result as ResultOf<M>;
  }

  async #greet(child: SidecarChild): Promise<void> {
    const connection = new Connection(child.stdout, child.stdin, {
      notified: (name, params) => this.#notified(name, params),
      failed: (error) => this.#garbled(connection, error),
      ended: () => {
        if (this.#gate.value === connection) this.#gate.close(); // what comes now waits for the next
      },
    });
    this.#connection = connection;
    const again = this.#introduction !== undefined;
    this.#introduction = await this.#initialize(connection);
    const restored = again ? putBack(connection, this.#follower.state, WORK_MS) : undefined;
    this.#gate.open(connection); // the sidecar keeps the order, so nobody has to wait for it
    void restored?.then((event) => {
      if (this.#connection === connection && event) this.#events.emit("restored", event);
    });
  }

  async #initialize(connection: Connection): Promise<InitializeResult> {
    const { client = { name: "@lora-sidecar/electron" } } = this.#options;
    const locale = this.#locale;
    const params: InitializeParams = { locale, client, protocol_version: PROTOCOL_VERSION };
    return (await connection.request("initialize", params, {}, 0)) as InitializeResult;
  }

  #notified(name: string, params: unknown): void {
    this.#events.emit(name as SidecarEventName, params as never);
  }

  /** After a change that failed: what fell back with it is known to the sidecar only. */
  async #askForStack(connection: Connection): Promise<void> {
    const asked = this.#follower.ask();
    const status = connection.request("status", {}, {}, LOOK_UP_MS) as Promise<ResultOf<"status">>;
    await status.then(
      ({ stack }) => this.#follower.stack(asked, stack),
      () => {}, // it is gone; the state from before is put back
    );
  }

  #garbled(connection: Connection, error: Error): void {
    this.#gate.close();
    connection.close(error);
    this.#supervisor.kill();
  }

  #lost(ending: Ending): void {
    if (this.state !== "stopping") this.#gate.close();
    this.#connection?.close(new SidecarGoneError(ending));
    this.#connection = undefined;
  }

  #gaveUp(error: SidecarFault): void {
    this.#gate.refuse(error);
    this.#events.emit("gave_up", { message: error.message, hint: error.hint });
  }
}
