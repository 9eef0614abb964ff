import { spawn } from "node:child_process";

/** What ending a tree needs of the system; tests give their own. */
export interface TreeTools {
  readonly platform: NodeJS.Platform;
  readonly kill: (pid: number, signal: NodeJS.Signals) => unknown;
  readonly run: (program: string, words: readonly string[]) => unknown;
}

const SYSTEM: TreeTools = {
  platform: process.platform,
  kill: (pid, signal) => process.kill(pid, signal),
  run: (program, words) =>
    spawn(program, words, { stdio: "ignore", windowsHide: true }).on("error", () => {}),
};

/**
 * Send a signal to a process that leads a group, and to all of that group. On Windows, which has
 * no signals, `taskkill` ends the tree; SIGTERM asks and SIGKILL forces. A tree that has gone is
 * no error.
 */
export function killTree(
  pid: number,
  signal: "SIGTERM" | "SIGKILL",
  { platform, kill, run }: TreeTools = SYSTEM,
): void {
  if (platform === "win32") {
    run("taskkill", ["/PID", String(pid), "/T", ...(signal === "SIGKILL" ? ["/F"] : [])]);
    return;
  }
  try {
    kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error; // EPERM: macOS, only zombies are left
  }
}

/**
 * End what a process that has ended left of its group. Not on Windows: the number may belong to
 * another process by now, and the job object that the sidecar put its engine into has ended it.
 */
export function killRest(pid: number, tools: TreeTools = SYSTEM): void {
  if (tools.platform !== "win32") killTree(pid, "SIGKILL", tools);
}
