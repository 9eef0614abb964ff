import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { type Ending, StartFailedError } from "../errors/faults.js";
import { type LogRecord, readLog } from "./log-lines.js";
import { killRest } from "./tree.js";
import { within } from "./within.js";

const LAST_WORDS_MS = 2_000;

/** A running process with its pipes. */
export interface SidecarChild {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the process has ended and nothing of its tree is left. Never rejects. */
  readonly ended: Promise<Ending>;
}

/** What `spawnChild` needs. */
export interface SpawnOptions {
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly log: (record: LogRecord) => void;
}

/** Start a process, in a group of its own so that its tree can be ended. Throws StartFailedError. */
export async function spawnChild(
  [program, ...words]: readonly [string, ...string[]],
  { cwd, env, log }: SpawnOptions,
): Promise<SidecarChild> {
  const process_ = attempt(program, words, cwd, env);
  try {
    await once(process_, "spawn");
  } catch (error) {
    throw new StartFailedError(program, error);
  }
  const { pid, stdin, stdout, stderr } = process_ as Required<ChildProcess>;
  if (!(pid && stdin && stdout && stderr)) throw new StartFailedError(program, "no pipes");
  process_.on("error", () => {}); // of a later kill: `ended` tells what became of it
  stdin.on("error", () => {}); // EPIPE: it has gone, and `ended` says so
  stdout.on("error", () => {});
  const tail = readLog(stderr, log);
  return { pid, stdin, stdout, ended: ending(process_, pid, tail) };
}

function attempt(
  program: string,
  words: readonly string[],
  cwd: string | undefined,
  env: Readonly<Record<string, string>>,
): ChildProcess {
  try {
    return spawn(program, [...words], {
      cwd,
      env,
      stdio: ["pipe", "pipe", "pipe"],
      detached: process.platform !== "win32", // its own process group; see killTree
      windowsHide: true,
    });
  } catch (error) {
    throw new StartFailedError(program, error);
  }
}

async function ending(child: ChildProcess, pid: number, tail: () => string[]): Promise<Ending> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const { code, signal } = await new Promise<Omit<Ending, "log">>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  killRest(pid);
  await within(closed, LAST_WORDS_MS);
  return { code, signal, log: tail() };
}
