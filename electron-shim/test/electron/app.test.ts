// The app in a real Electron: its own main, preload and page, built for the old one of the wheel.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFailed, onTestFinished, test, vi } from "vitest";
import { build } from "../../demo/scripts/build.mjs";
import { DEMO, DIST, ROOT } from "../../demo/scripts/paths.mjs";
import type { DrivenPage } from "../support/cdp.js";
import {
  ELECTRON,
  launch,
  NO_ELECTRON,
  type RunningApp,
  start,
  userData,
} from "../support/electron-app.js";
import { WRITE_DOWN_PERCENTS } from "../support/percents.js";
import { gone, rendererOf, running, treeOf } from "../support/processes.js";
import { PATIENCE } from "../support/until.js";

const APP = join(DIST, "app");
const SCREENSHOTS = join(ROOT, "build", "screenshots");
const FAKE = { SIDECAR_SERVE_ARGUMENTS: JSON.stringify(["--engine", "fake"]) };

/** For use within the page: elements by a selector, also those in the components' shadows. */
const ALL = `
  window.all = (selector, root = document) => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].flatMap((e) => e.shadowRoot ? all(selector, e.shadowRoot) : []),
  ];
  window.one = (selector) => all(selector)[0];
  window.act = (name) => all("button").find((button) => button.textContent.trim() === name);
  window.style = (name) => one('[data-testid=style-card][data-name=' + name + ']');`;

/** Starts the app and waits until the page is ready for work. */
async function open(env: NodeJS.ProcessEnv & { data?: string } = {}): Promise<RunningApp> {
  const app = await launch(APP, { LANG: "en_US.UTF-8", ...env });
  onTestFailed(() => keep(app.page, "electron-failed").catch(() => {}));
  await ready(app.page);
  return app;
}

async function ready(page: DrivenPage): Promise<void> {
  await page.until("document.readyState === 'complete'");
  await page.evaluate(`${ALL} true`);
  await page.until("style('ink')");
}

async function keep(page: DrivenPage, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  writeFileSync(join(SCREENSHOTS, `${name}.png`), await page.screenshot());
}

/** Types into a field as a person would: the value, and the event that tells of it. */
const type = (field: string, value: string): string =>
  `(() => { const field = ${field}; field.value = ${JSON.stringify(value)};
    field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true })); return true; })()`;

const image = (kind: string): string => `one('[data-testid=${kind}-image]')`;

describe.skipIf(NO_ELECTRON)(`the app in Electron${NO_ELECTRON && ` (${NO_ELECTRON})`}`, () => {
  beforeAll(() => build("electron9"));

  test("the whole job with the starter model, and closing the window leaves nothing", async () => {
    const data = userData();
    const { page, pid, exited } = await open({ data });
    await keep(page, "electron-welcome");
    await page.until("one('[data-testid=model]') && !one('[data-testid=model]').disabled");
    await page.evaluate(type("one('textarea')", "red apple"));
    await page.evaluate("style('sunset').click()");
    await page.until("style('sunset').getAttribute('aria-selected') === 'true'");
    const first = await page.until<string>(`${image("preview")} && ${image("preview")}.src`);
    await page.evaluate(type("one('[data-testid=strength]')", "0.1"));
    await page.until(`${image("preview")}.src !== ${JSON.stringify(first)}`);

    await page.evaluate(WRITE_DOWN_PERCENTS);
    await page.until("!act('Generate').disabled");
    await page.evaluate("act('Generate').click()");
    const made = await page.until<string>(`${image("result")} && ${image("result")}.src`);
    const percents = await page.evaluate<number[]>("percents");
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(new Set(percents).size).toBeGreaterThan(3);
    await page.until("all('[data-testid=history-entry]').length === 1");
    await keep(page, "electron-generated");

    await page.evaluate("act('Advanced').click()");
    await page.until("all('input[type=number], input').length > 3");
    await page.evaluate("all('[data-testid=style-card]')[0].click()");
    await page.evaluate(type("one('textarea')", "pizza"));
    await page.until("!act('Generate').disabled");
    await page.evaluate("act('Generate').click()");
    await page.until("act('Cancel')");
    await page.evaluate("act('Cancel').click()");
    await page.until("!act('Cancel') && act('Generate')");

    await page.evaluate("one('[data-testid=history-entry]').click()");
    await page.until(`${image("result")} && ${image("result")}.src === ${JSON.stringify(made)}`);
    await page.until("style('sunset').getAttribute('aria-selected') === 'true'");
    expect(await page.evaluate("one('textarea').value")).toBe("red apple");
    expect(await page.evaluate("one('[data-testid=strength]').value")).toBe("0.1");

    const tree = treeOf(pid);
    page.tell("window.close()");
    await exited;
    await gone(tree);
    expect(existsSync(join(data, "LoRA Sidecar", "sidecar", "history.sqlite3"))).toBe(true);
  });

  test("a page that crashes comes back, and a SIGKILL of the app still leaves nothing", async () => {
    const { pid, exited, reconnect } = await open(FAKE);
    const before = treeOf(pid);
    process.kill(rendererOf(pid), "SIGKILL");
    const again = await vi.waitFor(async () => {
      const page = await reconnect();
      await page.evaluate("1", 5_000); // the one that crashed says nothing
      return page;
    }, PATIENCE);
    await ready(again);
    const tree = treeOf(pid);
    const kept = before.filter((one) => tree.some(({ pid }) => pid === one.pid));
    expect(running(kept)).toEqual(kept); // main and sidecar went on
    process.kill(pid, "SIGKILL");
    await exited;
    await gone([...before, ...tree]);
  });

  test("the window opens as it was left", async () => {
    const data = userData();
    const first = await open({ ...FAKE, data });
    await first.page.evaluate("window.resizeTo(900, 640), true");
    const file = join(data, "LoRA Sidecar", "window.json");
    await vi.waitFor(() => expect(readFileSync(file, "utf8")).toContain('"width":900'), PATIENCE);
    process.kill(first.pid, "SIGKILL");
    await first.exited;
    const { page } = await open({ ...FAKE, data });
    expect(await page.evaluate("[window.outerWidth, window.outerHeight]")).toEqual([900, 640]);
  });

  test("a second start gives way to the first", async () => {
    const data = userData();
    const first = await open({ ...FAKE, data });
    const second = await start(APP, { ...FAKE, data });
    expect(await second.exited).toEqual([0, null]);
    expect(await first.page.evaluate("document.title")).toBe("LoRA Sidecar");
  });

  test("the page goes nowhere, opens nothing, may nothing and reads no files", async () => {
    const { page } = await open(FAKE);
    const tried = await page.evaluate(`Promise.all([
      Notification.requestPermission(),
      fetch("file:///etc/passwd").then(() => "read", () => "refused"),
      fetch("app://lora-sidecar/../main.cjs").then((a) => a.status, () => "refused"),
      typeof require, typeof process,
      navigator.clipboard.writeText("copied").then(() => "copied", String),
    ])`);
    expect(tried).toEqual(["denied", "refused", "refused", "undefined", "undefined", "copied"]);
    page.tell("window.open('https://example.invalid/')");
    page.tell("location.href = 'https://example.invalid/'");
    page.tell("location.href = 'file:///etc/passwd'");
    await page.until("one('textarea') !== undefined");
    expect(await page.evaluate("location.href")).toBe("app://lora-sidecar/index.html");
  });

  test("make app builds the app, starts it with a display, and ends all of it", async () => {
    const script = spawn(process.execPath, [join(DEMO, "scripts", "app.mjs")], {
      env: { ...process.env, ...FAKE, SIDECAR_ELECTRON: ELECTRON, XDG_CONFIG_HOME: userData() },
      stdio: "ignore",
    });
    onTestFinished(() => void script.kill("SIGKILL"));
    const pid = script.pid ?? 0;
    await vi.waitFor(() => rendererOf(pid), PATIENCE);
    const tree = treeOf(pid);
    const exited = once(script, "exit");
    script.kill("SIGTERM");
    await exited;
    await gone(tree);
  });

  test("a sidecar that cannot be started is told on the page", async () => {
    const { page } = await launch(APP, { SIDECAR_PYTHON: "/nowhere/python" });
    onTestFinished(() => page.close());
    await page.until("document.readyState === 'complete'");
    await page.evaluate(`${ALL} true`);
    await page.until("one('[data-testid=toast], [data-testid=banner]')");
    await keep(page, "electron-no-sidecar");
  });
});
