// The package in a real Electron, with an engine that only pretends.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { electron9 } from "../../demo/scripts/build.mjs";
import { launch, NO_ELECTRON, type RunningApp } from "../support/electron-app.js";
import { gone, treeOf } from "../support/processes.js";
import { realSidecar } from "../support/sidecar.js";

const SOURCES = fileURLToPath(new URL("./fixture", import.meta.url));

let folder: string;

async function start(): Promise<RunningApp> {
  return launch(join(folder, "main.cjs"), { SIDECAR_OPTIONS: JSON.stringify(await realSidecar()) });
}

/** Bundles one of the fixture's files as old Electrons take it. */
async function bundle(from: string, to: string, platform: "node" | "browser"): Promise<void> {
  await build({
    entryPoints: [join(SOURCES, from)],
    outfile: join(folder, to),
    bundle: true,
    platform,
    target: platform === "node" ? "node12" : "chrome83",
    ...(to.endsWith(".cjs") && { format: "cjs", plugins: [electron9(platform)] }),
    ignoreAnnotations: true,
    logLevel: "error",
  });
}

describe.skipIf(NO_ELECTRON)(`in a real Electron${NO_ELECTRON && ` (${NO_ELECTRON})`}`, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "electron-"));
    await Promise.all([
      bundle("main.ts", "main.cjs", "node"),
      bundle("page.ts", "page.js", "browser"),
      bundle("../../../src/preload-script.ts", "preload-script.cjs", "browser"),
    ]);
    copyFileSync(join(SOURCES, "page.html"), join(folder, "page.html"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("a sandboxed page under a strict CSP does the whole job", async () => {
    const { page } = await start();
    await page.until("window.job");
    expect(await page.evaluate("job()")).toEqual({
      loaded: ["ink"],
      preview: "image/png",
      last: 100,
      aborted: "AbortError",
      back: [["ink", 0.8]],
      refused: ["bridge_refused", "invalid_params", "lora_not_found"],
      node: "undefined",
    });
  });

  test.each<[string, (app: RunningApp) => unknown]>([
    ["quit", ({ page }) => page.tell("document.title = 'quit'")],
    ["app.exit, which asks nobody,", ({ page }) => page.tell("document.title = 'exit'")],
    ["a SIGKILL of the main process", ({ pid }) => process.kill(pid, "SIGKILL")],
    ["a SIGTERM of the main process", ({ pid }) => process.kill(pid, "SIGTERM")],
    ["a crash of the page, after which the app quits,", ({ page }) => page.crash()],
  ])("%s leaves no process behind, also in the middle of work", async (_, end) => {
    const app = await start();
    await app.page.until("window.beBusy");
    expect(await app.page.evaluate("beBusy()")).toBe("busy");
    const tree = treeOf(app.pid);
    expect(tree.length).toBeGreaterThan(4); // main, zygote, page, front, engine at least
    await end(app);
    await app.exited;
    await gone(tree);
  });
});
