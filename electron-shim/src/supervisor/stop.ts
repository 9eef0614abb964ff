import type { SidecarChild } from "./child.js";
import type { Deadlines } from "./options.js";
import { killTree } from "./tree.js";
import { within } from "./within.js";

const KILL_MS = 2_000;

/** Close its stdin, wait, SIGTERM, wait, SIGKILL: the polite way first, and an end that comes. */
export async function stopChild(child: SidecarChild, deadlines: Deadlines): Promise<void> {
  child.stdin.end();
  if (await within(child.ended, deadlines.graceMs)) return;
  killTree(child.pid, "SIGTERM");
  if (await within(child.ended, deadlines.termMs)) return;
  killTree(child.pid, "SIGKILL");
  await within(child.ended, KILL_MS);
}
