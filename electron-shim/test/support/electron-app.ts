// A real Electron under a display, driven through its debugging port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { hasDisplay, hasXvfb, startXvfb } from "../../demo/scripts/display.mjs";
import { FETCHED } from "../../demo/scripts/electron.mjs";
import { DrivenPage } from "./cdp.js";
import { gone, treeOf } from "./processes.js";
import { PYTHON } from "./sidecar.js";

/** The Electron of the tests: the one that SIDECAR_ELECTRON names, or the wheel's, if fetched. */
export const ELECTRON = process.env["SIDECAR_ELECTRON"] || FETCHED;

/** Why nothing can be tried in a real Electron here; empty when it can. */
export const NO_ELECTRON = missing();

function missing(): string {
  if (!existsSync(ELECTRON)) {
    return "there is no Electron: node demo/scripts/electron.mjs --fetch";
  }
  return hasDisplay() || hasXvfb() ? "" : "there is no display: apt-get install xvfb";
}

/** An app that runs. */
export interface RunningApp {
  /** Of its main process. */
  readonly pid: number;
  /** Its windows' page. */
  readonly page: DrivenPage;
  /** The page once more, after one that crashed. */
  readonly reconnect: () => Promise<DrivenPage>;
  /** Resolves when the main process has ended. */
  readonly exited: Promise<unknown>;
}

/** Where an app keeps its data; gone when the test is over. */
export function userData(): string {
  const folder = mkdtempSync(join(tmpdir(), "electron-app-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What an app is started with: where it keeps its data, and variables. */
export type Setting = { readonly data?: string } & NodeJS.ProcessEnv;

/** Starts the built app in a folder. It is killed, with its display, when the test is over. */
export async function launch(folder: string, setting: Setting = {}): Promise<RunningApp> {
  const { pid, exited, port } = await start(folder, setting);
  const debugging = await Promise.race([port, exited.then(() => 0)]);
  if (debugging === 0) throw new Error("Electron ended at once");
  const reconnect = (): Promise<DrivenPage> => DrivenPage.of(debugging);
  return { pid, page: await reconnect(), exited, reconnect };
}

/** As `launch`, but waits for nothing. */
export async function start(folder: string, { data = userData(), ...env }: Setting) {
  const display = await displayName();
  const root = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // Chromium's rule
  const child = spawn(ELECTRON, [...root, "--disable-gpu", "--remote-debugging-port=0", folder], {
    env: {
      ...process.env,
      DISPLAY: display,
      XDG_CONFIG_HOME: data,
      SIDECAR_PYTHON: PYTHON,
      ...env,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const pid = child.pid ?? 0;
  onTestFinished(async () => {
    const tree = treeOf(pid);
    child.kill("SIGKILL");
    await gone(tree);
  });
  const exited = once(child, "exit");
  return { pid, exited, port: portOf(child.stderr) };
}

async function displayName(): Promise<string | undefined> {
  if (hasDisplay()) return process.env["DISPLAY"];
  const { name, stop } = await startXvfb();
  onTestFinished(() => void stop());
  return name;
}

/** Chromium tells its debugging port on stderr. */
function portOf(stderr: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve) => {
    createInterface({ input: stderr }).on("line", (line) => {
      const found = /^DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line);
      if (found) resolve(Number(found[1]));
      else if (process.env["SIDECAR_TEST_LOG"]) process.stderr.write(`${line}\n`);
    });
  });
}
