// A real browser, Debian's Chromium, over the built page with a real sidecar and the starter model.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { build } from "../../demo/scripts/build.mjs";
import { DIST, ROOT } from "../../demo/scripts/paths.mjs";
import { serveWeb } from "../../demo/web/server.js";
import { type SidecarClient, startSidecar } from "../../src/index.js";
import { realProgram } from "./sidecar.js";

/** Every wait in the browser ends after so long. */
export const WAIT_MS = 60_000;
const SIZE = { width: 1180, height: 820 };
const SCREENSHOTS = join(ROOT, "build", "screenshots");

/** The browser of the tests: the one that SIDECAR_CHROMIUM names, or the installed one. */
export const CHROMIUM = process.env["SIDECAR_CHROMIUM"] || installed();

/** Why nothing can be tried in a browser here; empty when it can. */
export const NO_BROWSER = CHROMIUM ? "" : "there is no Chromium: apt-get install chromium";

function installed(): string {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const found = names.map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout.trim());
  return found.find(Boolean) ?? "";
}

/** A development server with its sidecar, and a browser. */
export interface Studio {
  readonly sidecar: SidecarClient;
  readonly address: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Builds the page, and starts everything. */
export async function openStudio(): Promise<Studio> {
  await build("web");
  const dataDir = mkdtempSync(join(tmpdir(), "browser-"));
  const sidecar = await startSidecar({ ...realProgram(), serve: { dataDir } });
  const server = await serveWeb(sidecar, join(DIST, "web"));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--headless=new"],
  });
  return {
    sidecar,
    address: server.address,
    browser,
    close: async () => {
      await browser.close();
      await server.close();
      await sidecar.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** What a page complained of, on the console or by throwing; and what it asked of other servers. */
export interface Complaints {
  readonly errors: string[];
  readonly foreign: string[];
}

/** The page in a window of its own, ready for work. */
export async function openPage(
  { sidecar, browser, address }: Studio,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: Complaints }> {
  const context = await browser.newContext({ viewport: SIZE, locale: "en-US", ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints: Complaints = { errors: [], foreign: [] };
  page.on("pageerror", (error) => complaints.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.errors.push(message.text());
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (/^https?:$/.test(protocol) && origin !== new URL(address).origin) {
      complaints.foreign.push(request.url());
    }
  });
  await page.goto(address);
  await page.getByRole("option", { name: "Ink", exact: true }).waitFor();
  const stillToCome = async (): Promise<number> =>
    (await sidecar.historyList({})).total - (await page.getByTestId("history-entry").count());
  await expect.poll(stillToCome, { timeout: WAIT_MS, interval: 50 }).toBe(0);
  return { page, complaints };
}

/** Keeps a picture of the page for people, in build/screenshots/. */
export async function keep(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
}
