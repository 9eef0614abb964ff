import { type Ending, GaveUpError, SidecarFault, SidecarGoneError } from "../errors/faults.js";
import { Emitter, type Unsubscribe } from "../events/emitter.js";
import type { Restarting } from "../events/sidecar-events.js";
import { CrashCounter } from "./budget.js";
import { type SidecarChild, spawnChild } from "./child.js";
import { commandOf } from "./command.js";
import { childEnvironment } from "./environment.js";
import {
  DEFAULT_BUDGET,
  DEFAULT_DEADLINES,
  type Deadlines,
  type SupervisorOptions,
} from "./options.js";
import { stopChild } from "./stop.js";
import { killTree } from "./tree.js";
import { pause, within } from "./within.js";

/** Greets a new process; resolves when it is ready for work, rejects when it is no good. */
export type Handshake = (child: SidecarChild) => Promise<void>;

/** Where a supervised process stands. */
export type SupervisorState = "stopped" | "starting" | "ready" | "waiting" | "stopping" | "gave up";

/** What a supervisor tells. */
export interface SupervisorEvents {
  /** A process is ready for work. */
  ready: { readonly pid: number };
  /** A process has ended, asked or not. */
  ended: Ending;
  restarting: Restarting;
  gave_up: SidecarFault;
}

/**
 * Keeps one process running: starts it, greets it within a deadline, starts it again after a crash
 * as long as the budget lasts, and ends its whole tree on `stop`. Knows nothing of what is said
 * over the pipes; that is the handshake's business.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #handshake: Handshake;
  readonly #deadlines: Deadlines;
  readonly #counter: CrashCounter;
  readonly #events = new Emitter<SupervisorEvents>();
  #state: SupervisorState = "stopped";
  #child: SidecarChild | undefined;
  #stopping = new AbortController();
  #starting: Promise<void> | undefined;
  #loop: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(options: SupervisorOptions, handshake: Handshake) {
    this.#options = options;
    this.#handshake = handshake;
    this.#deadlines = { ...DEFAULT_DEADLINES, ...options.deadlines };
    this.#counter = new CrashCounter({ ...DEFAULT_BUDGET, ...options.restart });
  }

  /** Where the process stands. */
  get state(): SupervisorState {
    return this.#state;
  }

  /** Of the process that runs now; undefined when none does. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Listen to what happens; returns how to stop. */
  on<N extends keyof SupervisorEvents>(
    name: N,
    listener: (event: SupervisorEvents[N]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * Start the process. Resolves when it is ready for the first time; a start that runs already is
   * joined. Rejects with StartFailedError when there is no such program, with GaveUpError when it
   * crashed too often, and with SidecarGoneError when it was stopped meanwhile. A stop that is under
   * way is waited for.
   */
  start(): Promise<void> {
    if (this.#stopped) return this.#stopped.then(() => this.start());
    if (this.#starting && this.#state !== "stopped" && this.#state !== "gave up") {
      return this.#starting;
    }
    this.#state = "starting";
    this.#stopping = new AbortController();
    this.#counter.reset();
    this.#starting = new Promise((resolve, reject) => {
      this.#loop = this.#run(resolve).then(
        () => reject(new SidecarGoneError()),
        (error: unknown) => reject(error),
      );
    });
    return this.#starting;
  }

  /** End the process and its tree, politely first. Resolves when it is gone. May be called twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop().finally(() => {
      this.#stopped = undefined;
    });
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.#state !== "gave up" && this.#state !== "stopped") this.#state = "stopping";
    this.#stopping.abort();
    if (this.#child) await stopChild(this.#child, this.#deadlines);
    await this.#loop;
    this.#state = "stopped";
  }

  /** End the process at once, as a crash of it would; it is started again if the budget allows. */
  kill(): void {
    if (this.#child) killTree(this.#child.pid, "SIGKILL");
  }

  /** Lives until it is stopped (returns) or given up (throws). */
  async #run(becameReady: () => void): Promise<void> {
    const stopping = this.#stopping.signal;
    try {
      while (!stopping.aborted) {
        const { ending, cause } = await this.#live(becameReady);
        this.#events.emit("ended", ending);
        if (stopping.aborted) return;
        await this.#afterCrash(ending, cause);
      }
    } catch (error) {
      this.#state = "gave up";
      if (error instanceof SidecarFault) this.#events.emit("gave_up", error);
      throw error;
    }
  }

  /** One process from spawn to end. `cause`: why the handshake failed, if it did. */
  async #live(becameReady: () => void): Promise<{ ending: Ending; cause: unknown }> {
    this.#state = "starting";
    const child = await this.#spawn();
    const cause = await this.#greet(child).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (cause === undefined && !this.#stopping.signal.aborted) {
      this.#state = "ready";
      becameReady();
      this.#events.emit("ready", { pid: child.pid });
    } else if (!this.#stopping.signal.aborted) {
      killTree(child.pid, "SIGKILL");
    }
    const ending = await child.ended;
    this.#child = undefined;
    return { ending, cause };
  }

  async #spawn(): Promise<SidecarChild> {
    const { program, serve, cwd, env, allowEnv, log = () => {} } = this.#options;
    const environment = childEnvironment(process.env, env, allowEnv);
    const child = await spawnChild(commandOf(program, serve), { cwd, env: environment, log });
    this.#child = child;
    child.stdout.once("end", () => void this.#endMute(child));
    if (this.#stopping.signal.aborted) void stopChild(child, this.#deadlines);
    return child;
  }

  async #greet(child: SidecarChild): Promise<void> {
    const late = new AbortController();
    const { readyMs } = this.#deadlines;
    try {
      await Promise.race([
        this.#handshake(child),
        child.ended.then((ending) => Promise.reject(new SidecarGoneError(ending))),
        pause(readyMs, late.signal).then(() =>
          Promise.reject(new Error(`it was not ready within ${readyMs / 1000} s`)),
        ),
      ]);
    } finally {
      late.abort();
    }
  }

  /** A process that closed its stdout will never answer again. */
  async #endMute(child: SidecarChild): Promise<void> {
    const grace = this.#stopping.signal.aborted ? this.#deadlines.graceMs : 1_000;
    if (!(await within(child.ended, grace))) killTree(child.pid, "SIGKILL");
  }

  async #afterCrash(ending: Ending, cause: unknown): Promise<void> {
    const delayMs = this.#counter.crashed(Date.now());
    const { crashes } = this.#counter;
    if (delayMs === undefined) {
      throw new GaveUpError(crashes, this.#counter.budget.windowMs, ending, cause);
    }
    this.#state = "waiting";
    const { code, signal } = ending;
    this.#events.emit("restarting", { code, signal, crashes, delayMs });
    await pause(delayMs, this.#stopping.signal);
  }
}
