// The whole page in a real browser, before a real sidecar that draws with the starter model.
import axe from "axe-core";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { strength } from "../../demo/renderer/src/strings/format.js";
import {
  keep,
  NO_BROWSER,
  openPage,
  openStudio,
  type Studio,
  WAIT_MS,
} from "../support/browser.js";
import { WRITE_DOWN_PERCENTS } from "../support/percents.js";
import { difference, pixels } from "../support/pixels.js";
import { killHard } from "../support/processes.js";

let studio: Studio;

const option = (page: Page, name: string): Locator =>
  page.getByRole("option", { name, exact: true });
const button = (page: Page, name: string): Locator =>
  page.getByRole("button", { name, exact: true });
const entries = (page: Page): Locator => page.getByTestId("history-entry");
const poll = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: WAIT_MS, interval: 50 });

/** The page with a prompt and a style, which is enough for a preview. */
async function atWork(style: string, prompt = "red apple"): Promise<Page> {
  const { page } = await openPage(studio);
  await page.getByRole("textbox", { name: "Prompt" }).fill(prompt);
  await choose(page, style);
  return page;
}

async function choose(page: Page, style: string): Promise<void> {
  await option(page, style).click();
  await poll(() => option(page, style).getAttribute("aria-selected")).toBe("true");
}

async function advanced(page: Page, values: Record<string, string>): Promise<void> {
  await button(page, "Advanced").click();
  for (const [name, value] of Object.entries(values)) await page.getByLabel(name).fill(value);
}

/** Draws the picture, and waits until it is on the screen. */
async function draw(page: Page): Promise<void> {
  const shown = page.getByTestId("result-image");
  const [before] = await shown.evaluateAll((found) => found.map((one) => one.getAttribute("src")));
  await button(page, "Generate").click();
  await poll(() => page.getByTestId("result-image").getAttribute("src")).not.toBe(before ?? null);
  await poll(() => button(page, "Cancel").count()).toBe(0);
}

/** What axe finds that hinders people, in the page and all of its components. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
}

describe.skipIf(NO_BROWSER)(`in a real browser${NO_BROWSER && ` (${NO_BROWSER})`}`, () => {
  beforeAll(async () => {
    studio = await openStudio();
    await studio.sidecar.loadModel({ model: "starter" });
  });

  afterAll(() => studio?.close());

  test("the page opens with styles and a model, complains of nothing and asks no other server", async () => {
    const { page, complaints } = await openPage(studio);
    expect(await page.title()).toBe("LoRA Sidecar");
    expect(await page.getByRole("listbox", { name: "Styles" }).getByRole("option").count()).toBe(5);
    await poll(() => page.getByTestId("memory-bar").textContent()).toMatch(/\d/);
    await keep(page, "welcome-light");
    expect(complaints).toEqual({ errors: [], foreign: [] });
  });

  test("another style is another picture", async () => {
    const page = await atWork("Ink");
    const preview = page.getByTestId("preview-image");
    const ink = await pixels(preview);
    await keep(page, "style-ink");
    await choose(page, "Sunset");
    await poll(async () => difference(ink, await pixels(preview))).toBeGreaterThan(10);
    await keep(page, "style-sunset");
  });

  test("the slider draws while it is dragged: no style at 0, all of it at 1", async () => {
    const page = await atWork("Sunset");
    const preview = page.getByTestId("preview-image");
    const slider = page.getByRole("slider", { name: "Strength of Sunset" });
    await poll(() => preview.count()).toBe(1);
    const box = (await slider.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const middle = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width / 2, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + 2, middle, { steps: 4 });
    await poll(async () => Number(await slider.inputValue())).toBeLessThan(0.1);
    const caption = page.locator("sidecar-caption .facts");
    /** The preview that was drawn as the slider stands, and not one on the way there. */
    const settled = async (): Promise<number[]> => {
      await poll(async () => {
        const said = `Sunset ${strength(Number(await slider.inputValue()), "en")}`;
        return ((await caption.textContent()) ?? "").includes(said);
      }).toBe(true);
      return pixels(preview);
    };
    const without = await settled();
    await page.mouse.move(box.x + (box.width * 2) / 3, middle, { steps: 8 });
    await page.mouse.up();
    expect(difference(without, await settled())).toBeGreaterThan(10);
    await keep(page, "slider");
  });

  test("generate counts up to the finished picture, which the history keeps", async () => {
    const page = await atWork("Sticker", "penguin");
    const before = await entries(page).count();
    await page.evaluate(WRITE_DOWN_PERCENTS);
    await draw(page);
    await poll(() => entries(page).count()).toBe(before + 1);
    const heard = await page.evaluate<number[]>("percents");
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
    expect(new Set(heard).size).toBeGreaterThan(3);
    await keep(page, "generated");
  });

  test("cancel stops the drawing, and leaves the history as it was", async () => {
    const page = await atWork("Night");
    const before = await entries(page).count();
    await advanced(page, { Steps: "150" });
    const { engine = Number.NaN } = (await studio.sidecar.status()).pids;
    await button(page, "Generate").click();
    await page.getByRole("progressbar", { name: "Drawing" }).waitFor();
    process.kill(engine, "SIGSTOP"); // so that it is not done before somebody has looked
    await keep(page, "drawing");
    await button(page, "Cancel").click();
    process.kill(engine, "SIGCONT");
    await poll(() => button(page, "Cancel").count()).toBe(0);
    await poll(async () => (await studio.sidecar.status()).queue.running).toBeNull();
    expect(await entries(page).count()).toBe(before);
  });

  test("one click in the history brings prompt, style and strength back", async () => {
    const page = await atWork("Ink", "blue sailboat");
    await page.getByRole("slider", { name: "Strength of Ink" }).fill("0.55");
    await draw(page);
    const picture = await page.getByTestId("result-image").getAttribute("src");
    await choose(page, "No style");
    await page.getByRole("textbox", { name: "Prompt" }).fill("pizza");
    await draw(page);
    await entries(page).nth(1).click();
    await poll(() => page.getByTestId("result-image").getAttribute("src")).toBe(picture);
    expect(await page.getByRole("textbox", { name: "Prompt" }).inputValue()).toBe("blue sailboat");
    await poll(() => option(page, "Ink").getAttribute("aria-selected")).toBe("true");
    const slider = page.getByRole("slider", { name: "Strength of Ink" });
    await poll(() => slider.inputValue()).toBe("0.55");
    await keep(page, "rolled-back");
  });

  test("an engine that is killed in the middle is replaced, and the picture is drawn all the same", async () => {
    const page = await atWork("Sunset", "robot");
    const before = await entries(page).count();
    await advanced(page, { Steps: "60" });
    await button(page, "Generate").click();
    await page.getByRole("progressbar", { name: "Drawing" }).waitFor();
    const { pids } = await studio.sidecar.status();
    killHard(pids["engine"]);
    await poll(() => page.getByTestId("banner").textContent()).toContain("engine");
    await keep(page, "engine-killed");
    await poll(() => entries(page).count()).toBe(before + 1);
    expect((await studio.sidecar.status()).stack).toMatchObject([{ name: "sunset" }]);
    expect((await studio.sidecar.status()).pids["engine"]).not.toBe(pids["engine"]);
  });

  test("a sidecar that is killed is started again with everything as it was", async () => {
    const page = await atWork("Ink");
    killHard(studio.sidecar.pid);
    await poll(() => page.getByTestId("banner").textContent()).toContain("Your settings are back");
    await keep(page, "sidecar-killed");
    await draw(page);
    expect((await studio.sidecar.status()).stack).toMatchObject([{ name: "ink" }]);
  });

  test("styles that do not go together are told, with strengths that do", async () => {
    const page = await atWork("Sunset"); // as Night, it brings colours of its own
    await option(page, "Night").focus();
    await page.keyboard.press("Space");
    const toast = page.getByTestId("toast");
    await toast.waitFor();
    await keep(page, "conflict");
    await toast.getByRole("button", { name: "Use suggested strengths" }).click();
    await poll(async () => (await studio.sidecar.status()).stack.map(({ name }) => name)).toEqual([
      "sunset",
      "night",
    ]);
    await poll(() => page.getByRole("slider").count()).toBe(2);
    await keep(page, "two-styles");
  });

  test("the language changes at once, also of what the sidecar says", async () => {
    const page = await atWork("Ink");
    await page.getByTestId("language").click();
    await page.getByRole("button", { name: "生成", exact: true }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    await keep(page, "chinese");
    const failure = await studio.sidecar.switchLora({ name: "nowhere" }).catch((error) => error);
    expect(failure.message).toMatch(/[\u4e00-\u9fff]/);
    await page.getByTestId("language").click();
    await button(page, "Generate").waitFor();
  });

  test("everything can be done with the keyboard", async () => {
    const { page } = await openPage(studio);
    const before = await entries(page).count();
    await page.getByRole("textbox", { name: "Prompt" }).focus();
    await page.keyboard.type("green tree");
    await page.keyboard.press("Control+Enter");
    await poll(() => entries(page).count()).toBe(before + 1);
    await tabTo(page, "option", "No style");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await poll(() => option(page, "Ink").getAttribute("aria-selected")).toBe("true");
    await keep(page, "keyboard");
    await tabTo(page, "textbox", "Prompt");
    await advanced(page, { Steps: "150" });
    await page.keyboard.press("Control+Enter");
    await page.getByRole("progressbar", { name: "Drawing" }).waitFor();
    await page.keyboard.press("Escape");
    await poll(() => button(page, "Cancel").count()).toBe(0);
  });

  test.each([
    "light",
    "dark",
  ] as const)("nothing hinders people in the %s theme", async (colorScheme) => {
    const { page } = await openPage(studio, {
      colorScheme,
      reducedMotion: "reduce", // colours on the way from one to another are judged as well
    });
    expect(await page.locator("html").getAttribute("data-theme")).toBe(colorScheme);
    expect(await barriers(page)).toEqual([]);
    await choose(page, "Ink");
    await page.getByRole("textbox", { name: "Prompt" }).fill("red apple");
    await draw(page);
    await button(page, "Advanced").click();
    await keep(page, `at-work-${colorScheme}`);
    expect(await barriers(page)).toEqual([]);
  });

  test("a small window shows everything that is needed", async () => {
    const { page } = await openPage(studio, { viewport: { width: 760, height: 520 } });
    await choose(page, "Ink");
    await button(page, "Generate").scrollIntoViewIfNeeded();
    expect(await button(page, "Generate").isVisible()).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(760);
    await keep(page, "small");
  });

  test("the history is cleared at the second press, but for what is kept for good", async () => {
    const page = await atWork("Ink");
    await draw(page);
    await button(page, "Keep for good").click();
    await draw(page);
    await keep(page, "history");
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 1_000); // the question stands for seconds, or for ever
    await button(page, "Clear").click();
    await keep(page, "history-sure");
    await button(page, "Delete all").click();
    await page.clock.resume();
    await poll(() => entries(page).count()).toBe(1);
    expect(await entries(page).first().getAttribute("aria-label")).toContain("kept for good");
    await poll(() => button(page, "Clear").count()).toBe(0);
  });
});

/** Presses Tab until that has the focus, as somebody does who has no mouse. */
async function tabTo(page: Page, role: "option" | "textbox", name: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true });
  for (let presses = 0; presses < 40; presses += 1) {
    if (await wanted.evaluate((element) => element.matches(":focus"))) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${name}`);
}
