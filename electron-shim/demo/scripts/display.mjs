// A display for programs with windows: the one that is there, or one that nobody sees.
import { spawn, spawnSync } from "node:child_process";

const READY_MS = 20_000;

/** Whether this system shows windows. */
export function hasDisplay({ DISPLAY, WAYLAND_DISPLAY } = process.env) {
  return process.platform !== "linux" || Boolean(DISPLAY || WAYLAND_DISPLAY);
}

/** Whether a virtual display can be had. */
export function hasXvfb() {
  return spawnSync("which", ["Xvfb"]).status === 0;
}

/** Starts a virtual display of that size. Resolves with its name, such as ":7", and how to end it. */
export async function startXvfb(size = "1280x900x24") {
  const words = ["-displayfd", "3", "-screen", "0", size, "-nolisten", "tcp"];
  const server = spawn("Xvfb", words, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const late = setTimeout(() => server.kill("SIGKILL"), READY_MS);
  const name = await new Promise((resolve, reject) => {
    server.stdio[3].once("data", (data) => resolve(`:${String(data).trim()}`));
    server.once("error", reject);
    server.once("exit", () => reject(new Error("Xvfb did not start.")));
  });
  clearTimeout(late);
  return { name, stop: () => server.kill() };
}
