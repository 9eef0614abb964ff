import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ModelNotLoadedError, SupersededError } from "../../src/index.js";
import { PreviewSlider } from "../../src/renderer.js";
import { FakeApi, settled } from "../support/fake-api.js";

let api: FakeApi;
let slider: PreviewSlider;
const state = () => slider.getSnapshot();
const alphas = () => api.all("set_alpha").map(({ params }) => params["alpha"]);

beforeEach(() => {
  vi.useFakeTimers();
  api = new FakeApi();
  api.always.set_alpha = () => ({ stack: [], merge_ms: 0, deferred: true });
  slider = new PreviewSlider(api, { params: () => ({ prompt: "red apple" }), session: "s" });
});

afterEach(() => {
  slider.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the first move is drawn at once, the next ones every 200 ms, and the last one always", () => {
  for (const alpha of [0.1, 0.2, 0.3]) slider.slide(alpha);
  expect(alphas()).toEqual([0.1]);
  vi.advanceTimersByTime(199);
  expect(alphas()).toEqual([0.1]);
  vi.advanceTimersByTime(1);
  expect(alphas()).toEqual([0.1, 0.3]);
  vi.advanceTimersByTime(1_000);
  expect(alphas()).toEqual([0.1, 0.3]);
});

test("the strength is set before the preview that shows it", () => {
  slider.slide(0.4);
  expect(api.asked.map(({ method, params }) => [method, params])).toEqual([
    ["set_alpha", { alpha: 0.4 }],
    ["preview", { prompt: "red apple", session: "s" }],
  ]);
});

test("the newest picture wins, and an older one on its way is cancelled", async () => {
  slider.slide(0.1);
  const old = api.last("preview");
  slider.slide(0.2);
  vi.advanceTimersByTime(200);
  expect(old.options.signal?.aborted).toBe(true);
  api.last("preview").answer({ seed: 2 });
  await settled();
  old.answer({ seed: 1 });
  await settled();
  expect(state()).toMatchObject({ preview: { seed: 2 }, loading: false, error: null });
});

test("the former picture stays while a newer one is drawn", async () => {
  slider.slide(0.1);
  api.last("preview").answer({ seed: 1 });
  await settled();
  vi.advanceTimersByTime(200);
  slider.slide(0.2);
  expect(state()).toMatchObject({ alpha: 0.2, loading: true, preview: { seed: 1 } });
});

test("a superseded preview is no error, a refused one is", async () => {
  slider.slide(0.1);
  const data = { kind: "superseded", hint: "" };
  api.last("preview").fail(new SupersededError(-32801, "A newer one.", data));
  await settled();
  expect(state()).toMatchObject({ error: null, loading: false });
  vi.advanceTimersByTime(200);
  slider.slide(0.2);
  const refused = new ModelNotLoadedError(1104, "None.", { kind: "model_not_loaded", hint: "" });
  api.last("preview").fail(refused);
  await settled();
  expect(state().error).toBe(refused);
});

test("while nobody sees it, it asks for nothing and then draws the last position", () => {
  slider.pause();
  slider.slide(0.5);
  slider.slide(0.6);
  vi.advanceTimersByTime(1_000);
  expect(alphas()).toEqual([]);
  slider.resume();
  expect(alphas()).toEqual([0.6]);
});

test("what was being drawn when it was hidden is drawn when it is seen again", () => {
  slider.slide(0.5);
  slider.pause();
  expect(api.last("preview").options.signal?.aborted).toBe(true);
  expect(state()).toMatchObject({ loading: false, paused: true });
  vi.advanceTimersByTime(1_000);
  expect(alphas()).toEqual([0.5]);
  slider.resume();
  expect(alphas()).toEqual([0.5, 0.5]);
});

test("an element that leaves the view pauses it, and one that comes back resumes it", () => {
  const observers: { tell: (seen: boolean) => void; gone: boolean }[] = [];
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      readonly own: (typeof observers)[number];
      constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
        this.own = { tell: (seen) => callback([{ isIntersecting: seen }]), gone: false };
        observers.push(this.own);
      }
      observe(): void {}
      disconnect(): void {
        this.own.gone = true;
      }
    },
  );
  slider.observe({} as Element);
  observers[0]?.tell(false);
  expect(state().paused).toBe(true);
  observers[0]?.tell(true);
  expect(state().paused).toBe(false);
  slider.observe({} as Element);
  expect(observers.map(({ gone }) => gone)).toEqual([true, false]);
  slider.dispose();
  expect(observers[1]?.gone).toBe(true);
});

test("a changed prompt is drawn with the same strength", () => {
  slider = new PreviewSlider(api, { params: () => ({ prompt: "p" }), lora: "ink", alpha: 0.3 });
  slider.refresh();
  expect(api.last("set_alpha").params).toEqual({ alpha: 0.3, name: "ink" });
  expect(api.last("preview").params["session"]).toMatch(/^slider-\d+$/);
});

test("after dispose nothing is asked for any more", () => {
  slider.slide(0.1);
  slider.slide(0.2);
  slider.dispose();
  vi.advanceTimersByTime(1_000);
  expect(alphas()).toEqual([0.1]);
  expect(api.last("preview").options.signal?.aborted).toBe(true);
});
