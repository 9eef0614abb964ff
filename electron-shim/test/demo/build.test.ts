// What is built, and the development server as `make app-web` starts it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { build } from "../../demo/scripts/build.mjs";
import { DIST } from "../../demo/scripts/paths.mjs";
import { gone, treeOf } from "../support/processes.js";
import { PYTHON } from "../support/sidecar.js";
import { PATIENCE } from "../support/until.js";

beforeAll(async () => {
  await build("electron");
  await build("web");
});

/** The text of everything in a folder of demo/dist, without source maps. */
function textOf(folder: string): string {
  return readdirSync(join(DIST, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".map"))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"))
    .join("\n");
}

test("the desktop app carries nothing of the development bridge", () => {
  const [page, bridge] = [/WebSocket|127\.0\.0\.1/, /SocketMain|connectOverWebSocket|app-web/];
  expect([textOf("web"), textOf("server")].map((text) => page.test(text))).toEqual([true, true]);
  expect(textOf("server")).toMatch(bridge);
  expect(textOf("renderer")).toContain("sidecar-app");
  expect(textOf("renderer")).not.toMatch(page);
  expect(textOf("app")).toContain("requestSingleInstanceLock");
  expect(textOf("app")).not.toMatch(bridge);
});

test("the preload script needs nothing but Electron, and evaluates nothing", () => {
  const text = readFileSync(join(DIST, "app", "preload.cjs"), "utf8");
  expect([...text.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(["electron"]);
  expect(text).not.toMatch(/\beval\(|new Function/);
});

test.each([
  "SIGTERM",
  "SIGKILL",
] as const)("the development server prints its address, and %s leaves nothing of it", async (signal) => {
  const data = mkdtempSync(join(tmpdir(), "app-web-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const script = join(DIST, "server", "main.mjs");
  const server = spawn(process.execPath, [script, "--engine", "fake", "--data-dir", data], {
    env: { ...process.env, SIDECAR_PYTHON: PYTHON },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void server.kill("SIGKILL"));
  let said = "";
  server.stdout.on("data", (text) => {
    said += String(text);
  });
  const [address = ""] = await vi.waitFor(
    () => /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(said) ?? expect.fail("no address yet"),
    PATIENCE,
  );
  expect(await (await fetch(address)).text()).toContain("<title>LoRA Sidecar</title>");
  const tree = treeOf(server.pid ?? 0);
  expect(tree.length).toBeGreaterThan(1);
  server.kill(signal);
  const [code] = await once(server, "exit");
  expect(code).toBe(signal === "SIGTERM" ? 0 : null);
  await gone(tree);
});
