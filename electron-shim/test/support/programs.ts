import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { SidecarClient, type SidecarOptions } from "../../src/index.js";

/** A fixture program by its name. */
export function program(name: string): { executable: string } {
  return { executable: fileURLToPath(new URL(`../programs/${name}.mjs`, import.meta.url)) };
}

/** A client of a fixture program or a sidecar; it is stopped when the test is over. */
export function client(options: SidecarOptions): SidecarClient {
  const made = new SidecarClient({ ...options, restart: { delaysMs: [10], ...options.restart } });
  onTestFinished(() => made.stop());
  return made;
}

/** Whether a process is there. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
