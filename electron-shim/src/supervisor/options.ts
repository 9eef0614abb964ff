import type { LogRecord } from "./log-lines.js";

/** The sidecar as a frozen program, or as a Python that has it installed. */
export type SidecarProgram = { readonly executable: string } | { readonly python: string };

/** What `lora-sidecar serve` is told. */
export interface ServeOptions {
  /** History, pictures, own models and LoRAs are kept here. Default: the user's data folder. */
  readonly dataDir?: string | undefined;
  /** Further folders of models. */
  readonly models?: readonly string[] | undefined;
  /** Further folders of LoRAs. */
  readonly loras?: readonly string[] | undefined;
  /** Load this model at once, for example "starter". */
  readonly model?: string | undefined;
  /** Computing threads. Default: one per core. */
  readonly threads?: number | undefined;
  /** Any other words of `serve`. */
  readonly arguments?: readonly string[] | undefined;
}

/** How long each phase of a process's life may take, in milliseconds. */
export interface Deadlines {
  /** From spawn to the answer to `initialize`. Default 30 s. */
  readonly readyMs: number;
  /** From the end of its stdin to SIGTERM. Default 5 s. */
  readonly graceMs: number;
  /** From SIGTERM to SIGKILL. Default 2 s. */
  readonly termMs: number;
}

/** When a crashed sidecar is started again, and when no more. */
export interface RestartBudget {
  /** The crash that is one too many. Default 5; 1: never restart. */
  readonly crashes: number;
  /** Within so many milliseconds. Default 3 min. */
  readonly windowMs: number;
  /** Milliseconds before the first, second, … restart; the last one goes on. */
  readonly delaysMs: readonly number[];
}

/** How the process is started, watched and stopped. */
export interface SupervisorOptions {
  readonly program: SidecarProgram;
  readonly serve?: ServeOptions | undefined;
  /** The folder to start in. */
  readonly cwd?: string | undefined;
  /** Variables added to the allowed ones of this process; see `childEnvironment`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Further names of variables to hand on; a `*` at the end stands for anything. */
  readonly allowEnv?: readonly string[] | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
  readonly restart?: Partial<RestartBudget> | undefined;
  /** Takes each line of the sidecar's log. Default: dropped. */
  readonly log?: ((record: LogRecord) => void) | undefined;
}

/** What is not chosen otherwise. */
export const DEFAULT_DEADLINES: Deadlines = { readyMs: 30_000, graceMs: 5_000, termMs: 2_000 };

/** What is not chosen otherwise. */
export const DEFAULT_BUDGET: RestartBudget = {
  crashes: 5,
  windowMs: 180_000,
  delaysMs: [100, 500, 1_000, 2_000],
};
