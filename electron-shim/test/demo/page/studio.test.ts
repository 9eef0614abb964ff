import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { settled } from "../../support/fake-api.js";
import { Bench, madeOf, PARAMETERS, stackOf } from "./studio-support.js";

let bench: Bench;

beforeEach(() => {
  vi.useFakeTimers();
  bench = new Bench();
});

afterEach(() => {
  bench.studio.dispose();
  vi.useRealTimers();
});

const typed = (prompt: string) => bench.studio.prompts.write({ prompt });

test("it loads the starter at first, and later the model that was chosen last", async () => {
  await bench.ready();
  expect(bench.api.last("load_model").params).toEqual({ model: "starter", low_vram: "auto" });
  await bench.studio.chooseModel("large");
  const later = await new Bench("en", bench.cupboard).ready();
  expect(later.api.last("load_model").params).toMatchObject({ model: "large" });
  later.studio.dispose();
});

test("a model that is loaded already is taken over", async () => {
  bench.api.always.status = () => ({ model: "large", stack: stackOf("ink") });
  await bench.studio.start();
  expect(bench.api.all("load_model")).toEqual([]);
  expect(bench.state.model).toMatchObject({ stage: "ready", name: "large" });
  expect(bench.state.strengths).toEqual(stackOf("ink"));
});

test("the percent of loading never goes back, and is the model's own", async () => {
  void bench.studio.start();
  await settled();
  for (const [model, percent] of [
    ["starter", 40],
    ["starter", 30],
    ["other", 90],
  ] as const) {
    bench.api.events.emit("model_load", { model, percent, stage: "unet" });
  }
  expect(bench.state.model).toMatchObject({ stage: "loading", percent: 40 });
});

test("a model that cannot be loaded leaves the former one, and can be tried again", async () => {
  await bench.ready();
  delete bench.api.always.load_model;
  void bench.studio.chooseModel("large");
  bench.api.last("load_model").fail(new Error("broken"));
  await settled();
  expect(bench.state.model).toMatchObject({ stage: "ready", name: "starter" });
  bench.press("tryAgain");
  expect(bench.api.last("load_model").params).toMatchObject({ model: "large" });
});

test("choosing a style draws a preview; moving its slider draws another of the same seed", async () => {
  await bench.ready();
  typed("apple");
  await bench.styled("ink");
  const first = bench.api.last("preview");
  expect(first.params).toMatchObject({ prompt: "apple", style: "ink", loras: stackOf("ink") });
  bench.studio.styles.slide("ink", 0.4);
  await vi.advanceTimersByTimeAsync(200);
  expect(bench.api.last("set_alpha").params).toEqual({ name: "ink", alpha: 0.4 });
  const second = bench.api.last("preview");
  expect(second.params).toMatchObject({ loras: [{ name: "ink", alpha: 0.4 }] });
  expect(second.params["seed"]).toBe(first.params["seed"]);
  expect(second.params["session"]).toBe(first.params["session"]);
  second.answer({ image: { data_url: "data:p", width: 64, height: 64 }, parameters: PARAMETERS });
  await settled();
  expect(bench.state.look).toMatchObject({ kind: "preview", url: "data:p" });
});

test("without live preview, a choice draws nothing", async () => {
  await bench.ready();
  await bench.studio.prefer({ livePreview: false });
  typed("apple");
  await bench.styled("ink");
  expect(bench.api.all("preview")).toEqual([]);
});

test("a preview can be asked for without any style, and sets no strength", async () => {
  await bench.ready();
  typed("apple");
  bench.studio.styles.preview();
  expect(bench.api.last("preview").params).toMatchObject({ prompt: "apple", loras: [] });
  expect(bench.api.all("set_alpha")).toEqual([]);
});

test("a picture is drawn exactly as the sliders stand, also when one was moved a moment ago", async () => {
  await bench.ready();
  typed("apple");
  await bench.styled("ink");
  bench.studio.styles.slide("ink", 0.95);
  void bench.studio.generate();
  expect(bench.api.last("generate").params).toMatchObject({
    prompt: "apple",
    style: "ink",
    loras: [{ name: "ink", alpha: 0.95 }],
    delivery: "both",
    seed: null,
  });
});

test("percent, first looks and the finished picture follow each other", async () => {
  await bench.ready();
  typed("apple");
  const drawing = bench.studio.generate();
  const { options, answer } = bench.api.last("generate");
  options.onProgress?.({ percent: 31, eta_ms: 900, phase: "denoise" } as never);
  options.onThumbnail?.({ image: { data_url: "data:first" } } as never);
  expect(bench.state.run).toMatchObject({ percent: 31, etaMs: 900, thumbnail: "data:first" });
  options.onPreviewFrame?.({ image: { data_url: "data:second" } } as never);
  expect(bench.state.run).toMatchObject({ thumbnail: "data:second", width: 128, height: 128 });
  answer(madeOf());
  await drawing;
  expect(bench.state.run).toBeNull();
  expect(bench.state.look).toMatchObject({ kind: "result", historyId: "h1", height: 192 });
  expect(bench.state.said).toEqual({ what: "finished", count: 1 });
});

test("one picture at a time, and none without words or before the model is there", async () => {
  typed("apple");
  await bench.studio.generate();
  expect(bench.api.all("generate")).toEqual([]);
  await bench.ready();
  typed("  ");
  await bench.studio.generate();
  typed("apple");
  void bench.studio.generate();
  void bench.studio.generate();
  void bench.studio.another("h1");
  expect([bench.api.all("generate").length, bench.api.all("repeat").length]).toEqual([1, 0]);
});

test("cancel ends the request, and is no error", async () => {
  await bench.ready();
  typed("apple");
  const drawing = bench.studio.generate();
  bench.studio.cancel();
  await drawing;
  expect(bench.api.last("generate").options.signal?.aborted).toBe(true);
  expect(bench.state).toMatchObject({ run: null, notices: [], said: { what: "cancelled" } });
});

test("previews rest while a picture is drawn, and the last move is drawn afterwards", async () => {
  await bench.ready();
  typed("apple");
  await bench.styled("ink");
  const drawing = bench.studio.generate();
  const before = bench.api.all("preview").length;
  bench.studio.styles.slide("ink", 0.5);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(bench.api.all("preview")).toHaveLength(before);
  bench.api.last("generate").answer(madeOf());
  await drawing;
  await vi.advanceTimersByTimeAsync(200);
  expect(bench.api.last("preview").params["loras"]).toEqual([{ name: "ink", alpha: 0.5 }]);
});

test("a preview that was asked for before does not take the finished picture's place", async () => {
  await bench.ready();
  typed("apple");
  await bench.styled("ink");
  const drawing = bench.studio.generate();
  expect(bench.api.last("preview").options.signal?.aborted).toBe(true);
  const before = bench.api.all("preview").length;
  bench.api.last("generate").answer(madeOf());
  await drawing;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(bench.api.all("preview")).toHaveLength(before);
  expect(bench.state).toMatchObject({ look: { kind: "result" }, previewing: false });
});

test("without live preview, a slider only sets the strength", async () => {
  await bench.ready();
  await bench.studio.prefer({ livePreview: false });
  typed("apple");
  await bench.styled("ink");
  bench.studio.styles.slide("ink", 0.2);
  expect(bench.api.last("set_alpha").params).toEqual({ name: "ink", alpha: 0.2 });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(bench.api.all("preview")).toEqual([]);
});

test("a preview is drawn in full with its own seed", async () => {
  await bench.ready();
  typed("apple");
  void bench.studio.generate(99);
  expect(bench.api.last("generate").params).toMatchObject({ seed: 99 });
});

test("the time machine brings picture, prompt, style, strength, seed, size and model back", async () => {
  await bench.ready();
  const travelling = bench.studio.pictures.travelTo("h1");
  const { params, answer } = bench.api.last("history_rollback");
  expect(params).toEqual({ id: "h1", inline: true });
  const entry = { id: "h1", parameters: PARAMETERS, width: 128, height: 192, thumbnail: "data:t" };
  const state = { model: "large", loras: [{ name: "ink", alpha: 0.4 }], missing: [] };
  answer({ entry, image: { data_url: "data:full" }, state });
  await travelling;
  expect(bench.state.look).toMatchObject({ url: "data:full", historyId: "h1" });
  expect(bench.state.strengths).toEqual([{ name: "ink", alpha: 0.4 }]);
  expect(bench.state.model.name).toBe("large");
  expect(bench.state.draft).toEqual({
    prompt: "red apple",
    negative: "blurry",
    seed: 7,
    steps: 14,
    width: 128,
    height: 192,
    upscale: null,
  });
});

test("another like it repeats the entry with a new seed", async () => {
  await bench.ready();
  void bench.studio.another("h1");
  expect(bench.api.last("repeat").params).toEqual({ id: "h1", delivery: "both" });
});

test("the picture that is deleted leaves the stage", async () => {
  await bench.ready();
  typed("apple");
  const drawing = bench.studio.generate();
  bench.api.last("generate").answer(madeOf("h1"));
  await drawing;
  bench.api.always.history_delete = () => ({ deleted: 1 });
  await bench.studio.pictures.remove("other");
  expect(bench.state.look).not.toBeNull();
  await bench.studio.pictures.remove("h1");
  expect(bench.state.look).toBeNull();
});

test("a cleared history leaves the stage empty, unless the picture there is kept for good", async () => {
  await bench.ready();
  typed("apple");
  const drawing = bench.studio.generate();
  bench.api.last("generate").answer(madeOf("h1"));
  await drawing;
  bench.api.always.history_clear = () => ({ deleted: 1 });
  bench.api.always.history_list = () => ({ entries: [{ id: "h1", pinned: true }], total: 1 });
  await bench.studio.history.refresh();
  await bench.studio.pictures.clear();
  expect(bench.state.look?.historyId).toBe("h1");
  bench.api.always.history_list = () => ({ entries: [], total: 0 });
  await bench.studio.history.refresh();
  await bench.studio.pictures.clear();
  expect(bench.state.look).toBeNull();
  expect(bench.state.said.what).toBe("cleared");
});

test("the language is told to the sidecar at once, and kept", async () => {
  const setLocale = vi.fn(() => Promise.resolve());
  Object.assign(bench.api, { setLocale });
  await bench.ready();
  await bench.studio.prefer({ locale: "zh-CN" });
  expect(setLocale.mock.calls).toEqual([["en"], ["zh-CN"]]);
  expect([...bench.cupboard.kept.values()].join()).toContain("zh-CN");
});

test("low memory is traded without loading the model anew", async () => {
  await bench.ready();
  bench.api.always.set_low_vram = () => ({ model: "starter" });
  await bench.studio.prefer({ lowVram: "balanced" });
  expect(bench.api.last("set_low_vram").params).toEqual({ mode: "balanced" });
  expect(bench.api.all("load_model")).toHaveLength(1);
});
