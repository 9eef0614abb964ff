import { beforeEach, expect, test, vi } from "vitest";
import { ImageBlurredError } from "../../../src/index.js";
import { settled } from "../../support/fake-api.js";
import { Bench } from "./studio-support.js";

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});

const photo = (type = "image/png", bytes = 10) =>
  Object.assign(new Blob([new Uint8Array(bytes)], { type }), { name: "cat.png" });

const enhanced = {
  job_id: "j",
  why: "No GPU.",
  images: [{ data_url: "data:after", width: 20, height: 30, thumbnail: "" }],
};

test("a photo is read, sent and enhanced, each with its percent", async () => {
  const percents: [string, number][] = [];
  bench.studio.subscribe(() => {
    const { enhancing } = bench.state;
    if (enhancing) percents.push([enhancing.stage, enhancing.percent]);
  });
  const taking = bench.studio.enhancer.take(photo());
  await settled();
  const { params, options, answer } = bench.api.last("enhance");
  expect(params).toEqual({
    image: { data_url: "data:image/png;base64,BEFORE" },
    scale: 2,
    anyway: false,
    delivery: "both",
  });
  options.onProgress?.({ percent: 60, eta_ms: 10 } as never);
  answer(enhanced);
  await taking;
  expect(bench.state.enhancing).toMatchObject({
    stage: "done",
    after: "data:after",
    why: "No GPU.",
    width: 20,
  });
  expect(percents).toEqual(
    expect.arrayContaining([
      ["reading", 50],
      ["working", 60],
      ["done", 100],
    ]),
  );
});

test.each([
  [photo("text/plain"), "notAPicture"],
  [photo("image/svg+xml"), "notAPicture"],
  [Object.defineProperty(photo(), "size", { value: 41_000_000 }), "tooLarge"],
] as const)("a file that is no picture, or too large, is never read", async (file, refusal) => {
  await bench.studio.enhancer.take(file);
  expect(bench.state.enhancing).toMatchObject({ refusal });
  expect(bench.readFile).not.toHaveBeenCalled();
});

test("another size enhances the same photo anew, and the newest wins", async () => {
  void bench.studio.enhancer.take(photo());
  await settled();
  const first = bench.api.last("enhance");
  bench.studio.enhancer.choose(4);
  await settled();
  expect(first.options.signal?.aborted).toBe(true);
  expect(bench.api.last("enhance").params).toMatchObject({ scale: 4 });
  first.options.onProgress?.({ percent: 99, eta_ms: 0 } as never);
  expect(bench.state.enhancing?.percent).toBe(0);
});

test("a photo that promises nothing is enhanced all the same when asked to", async () => {
  void bench.studio.enhancer.take(photo());
  await settled();
  const data = { kind: "image_blurred", hint: "" };
  bench.api.last("enhance").fail(new ImageBlurredError(1306, "Too blurred.", data));
  await settled();
  expect(bench.state.enhancing).toBeNull();
  bench.press("anyway");
  await settled();
  expect(bench.api.last("enhance").params).toMatchObject({ anyway: true });
});

test("a finished picture can be enhanced too, without any file", async () => {
  const parameters = { prompt: "merged", own_prompt: "red apple", seed: 7 } as never;
  const look = {
    kind: "result",
    early: null,
    width: 1,
    height: 1,
    historyId: "h",
    parameters,
  } as const;
  void bench.studio.enhancer.takeLook({ ...look, url: "data:image/png;base64,MADE" });
  await settled();
  expect(bench.api.last("enhance").params).toMatchObject({
    image: { data_url: "data:image/png;base64,MADE" },
  });
  expect(bench.state.enhancing).toMatchObject({ name: "red apple.png", stage: "working" });
  expect(bench.readFile).not.toHaveBeenCalled();
});

test("closing cancels it, and nothing comes back", async () => {
  void bench.studio.enhancer.take(photo());
  await settled();
  const { options, answer } = bench.api.last("enhance");
  bench.studio.enhancer.close();
  expect(options.signal?.aborted).toBe(true);
  answer(enhanced);
  await settled();
  expect(bench.state).toMatchObject({ enhancing: null, notices: [] });
});

test.each([
  ["is closed", () => bench.studio.enhancer.close()],
  ["takes another photo", () => void bench.studio.enhancer.take(photo())],
])("what was wrong with a photo is forgotten when the sheet %s", async (_what, next) => {
  void bench.studio.enhancer.take(photo());
  await settled();
  const data = { kind: "image_blurred", hint: "" };
  bench.api.last("enhance").fail(new ImageBlurredError(1306, "Too blurred.", data));
  await settled();
  expect(bench.state.notices).toHaveLength(1);
  next();
  expect(bench.state.notices).toEqual([]);
});

test("saved files say what they are", () => {
  bench.studio.pictures.saveEnhanced("data:image/webp;base64,AA", "cat.jpeg");
  const parameters = { prompt: "merged", own_prompt: "a red/apple?", seed: 7 } as never;
  const look = {
    kind: "result",
    early: null,
    width: 1,
    height: 1,
    historyId: "h",
    parameters,
  } as const;
  bench.studio.pictures.save({ ...look, url: "data:image/png;base64,AA" });
  expect(bench.save.mock.calls.map(([, name]) => name)).toEqual([
    "cat-enhanced.webp",
    "a-red-apple-7.png",
  ]);
});

test("the clipboard gets the recipe; when it refuses, that is told", async () => {
  const parameters = {
    prompt: "apple",
    negative_prompt: "blurry",
    steps: 12,
    sampler: "euler",
    guidance_scale: 2,
    seed: 7,
    width: 128,
    height: 96,
    model: "starter",
    loras: [{ name: "ink", alpha: 0.7 }],
  } as never;
  const look = {
    kind: "result",
    url: "",
    early: null,
    width: 1,
    height: 1,
    historyId: "h",
    parameters,
  } as const;
  expect(await bench.studio.pictures.copy(look)).toBe(true);
  expect(bench.copy.mock.calls[0]?.[0]).toBe(
    "apple <lora:ink:0.7>\nNegative prompt: blurry\n" +
      "Steps: 12, Sampler: euler, CFG scale: 2, Seed: 7, Size: 128x96, Model: starter",
  );
  bench.copy.mockRejectedValueOnce(new Error("not allowed"));
  expect(await bench.studio.pictures.copy(look)).toBe(false);
  expect(bench.state.notices).toHaveLength(1);
});

test("the words of a style are asked for once the person pauses, and the newest answer counts", async () => {
  vi.useFakeTimers();
  await bench.ready();
  await bench.styled("ink");
  delete bench.api.always.merge_prompt;
  const before = bench.api.all("merge_prompt").length;
  for (const prompt of ["a", "ap", "apple"]) bench.studio.prompts.write({ prompt });
  await vi.advanceTimersByTimeAsync(200);
  expect(bench.api.all("merge_prompt")).toHaveLength(before + 1);
  const older = bench.api.last("merge_prompt");
  bench.studio.prompts.write({ prompt: "apples" });
  await vi.advanceTimersByTimeAsync(200);
  bench.api.last("merge_prompt").answer({ prompt: "ink, apples", added: ["ink"] });
  older.answer({ prompt: "ink, apple", added: ["ink"] });
  await settled();
  expect(bench.state.merged?.prompt).toBe("ink, apples");
  bench.studio.dispose();
  vi.useRealTimers();
});
