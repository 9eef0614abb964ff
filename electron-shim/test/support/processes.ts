// Processes by what they are and not by their names: their number, and when they began.
import { readdirSync, readFileSync } from "node:fs";
import { expect, vi } from "vitest";
import { PATIENCE } from "./until.js";

/** One process; another with the same number begins at another time. */
export interface Process {
  readonly pid: number;
  readonly began: string;
  readonly command: string;
}

interface Row extends Process {
  readonly parent: number;
  readonly state: string;
}

/** The process and everything that descends from it, as of now. */
export function treeOf(pid: number): Process[] {
  const rows = readdirSync("/proc").flatMap((name) => rowOf(Number(name)) ?? []);
  const found = rows.filter((row) => row.pid === pid);
  for (const one of found) found.push(...rows.filter(({ parent }) => parent === one.pid));
  return found.map(({ pid, began, command }) => ({ pid, began, command }));
}

/** The process of a Chromium that shows its page. */
export function rendererOf(pid: number): number {
  const shows = ({ pid }: Process): boolean =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer");
  const found = treeOf(pid).find(shows);
  if (!found) throw new Error("there is no renderer");
  return found.pid;
}

/** The processes with these numbers. */
export function processesOf(pids: readonly number[]): Process[] {
  return pids.flatMap((pid) => treeOf(pid)[0] ?? []);
}

/** Kills a process for good: that one, and never what `kill` makes of a missing number. */
export function killHard(pid: number | undefined): void {
  if (!pid) throw new Error("there is no process to kill");
  process.kill(pid, "SIGKILL");
}

/** Which of these still run. One that has ended and is not yet waited for does not. */
export function running(processes: readonly Process[]): Process[] {
  return processes.filter(({ pid, began }) => {
    const row = rowOf(pid);
    return row?.began === began && row.state !== "Z" && row.state !== "X";
  });
}

/** Waits until none of these runs any more. */
export async function gone(processes: readonly Process[]): Promise<void> {
  await vi.waitFor(() => expect(running(processes)).toEqual([]), PATIENCE);
}

/** See proc(5), /proc/pid/stat. */
function rowOf(pid: number): Row | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // it has gone
  }
  const command = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent = "0"] = fields;
  return { pid, command, state, parent: Number(parent), began: fields[19] ?? "" };
}
