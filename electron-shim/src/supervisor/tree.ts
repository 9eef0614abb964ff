import { spawn } from "node:child_process";

/**
 * Send a signal to a process that leads a group, and to all of that group. On Windows, which has
 * no signals, `taskkill` ends the tree; SIGTERM asks and SIGKILL forces. A tree that has gone is
 * no error.
 */
export function killTree(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (process.platform === "win32") {
    const force = signal === "SIGKILL" ? ["/F"] : [];
    const words = ["/PID", String(pid), "/T", ...force];
    spawn("taskkill", words, { stdio: "ignore", windowsHide: true }).on("error", () => {});
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error; // EPERM: macOS, only zombies are left
  }
}
