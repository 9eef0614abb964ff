// Runs in a real Electron where SIDECAR_ELECTRON names its binary; see README, "Work on it".
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { lives } from "../support/programs.js";
import { realSidecar } from "../support/sidecar.js";

const ELECTRON = process.env["SIDECAR_ELECTRON"] ?? "";
const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Starts the app under a virtual display; `said` has what it told by name. */
async function app(then: string) {
  const flags = ["--no-sandbox", "--disable-gpu", join(folder, "main.cjs")];
  const SIDECAR_OPTIONS = JSON.stringify(await realSidecar());
  const child = spawn("xvfb-run", ["-a", ELECTRON, ...flags], {
    env: { ...process.env, SIDECAR_OPTIONS, THEN: then },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const said = new Map<string, unknown>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("@@")) said.set(...(JSON.parse(line.slice(2)) as [string, unknown]));
  });
  const heard = async (name: string): Promise<unknown> => {
    const news = (): boolean => said.has(name) || said.has("failed");
    await vi.waitFor(() => expect(news()).toBe(true), { timeout: 50_000, interval: 20 });
    expect(said.get("failed")).toBeUndefined();
    return said.get(name);
  };
  return { child, heard, exited: once(child, "exit") };
}

let folder: string;

describe.skipIf(ELECTRON === "")("in a real Electron", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "electron-"));
    const common = {
      bundle: true,
      external: ["electron"],
      logLevel: "error" as const,
      ignoreAnnotations: true,
    };
    const file = (name: string): string => join(HERE, name);
    await Promise.all([
      build({
        ...common,
        entryPoints: [file("main.ts")],
        outfile: join(folder, "main.cjs"),
        platform: "node",
        target: "node12",
      }),
      build({
        ...common,
        entryPoints: [file("page.ts")],
        outfile: join(folder, "page.js"),
        target: "chrome83",
      }),
      build({
        ...common,
        entryPoints: [file("../../src/preload-script.ts")],
        outfile: join(folder, "preload-script.cjs"),
        format: "cjs",
        target: "chrome83",
      }),
    ]);
    copyFileSync(file("page.html"), join(folder, "page.html"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("a sandboxed page under a strict CSP does the whole job, and quit leaves nothing", async () => {
    const { heard, exited } = await app("quit");
    const pids = (await heard("pids")) as number[];
    expect(await heard("page")).toEqual({
      loaded: ["ink"],
      preview: "image/png",
      last: 100,
      aborted: "AbortError",
      refused: "bridge_refused",
      missing: ["LoraNotFoundError", "nowhere"],
      back: [["ink", 0.8]],
      node: "undefined",
    });
    await exited;
    expect(pids.filter(lives)).toEqual([]);
  });

  test("app.exit, which asks nobody, leaves nothing", async () => {
    const { heard, exited } = await app("exit");
    const pids = (await heard("pids")) as number[];
    await exited;
    await vi.waitFor(() => expect(pids.filter(lives)).toEqual([]), { timeout: 5_000 });
  });

  test("an Electron that is killed hard leaves nothing", async () => {
    const { child, heard, exited } = await app("wait");
    const pids = (await heard("pids")) as number[];
    await heard("page");
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await exited;
    await vi.waitFor(() => expect(pids.filter(lives)).toEqual([]), { timeout: 5_000 });
  });
});
