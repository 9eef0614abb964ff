import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  CancelledError,
  LoraConflictError,
  LoraSuspiciousError,
  OutOfMemoryError,
  SidecarFault,
  SupersededError,
} from "../../../src/index.js";
import { settled } from "../../support/fake-api.js";
import { Bench, stackOf } from "./studio-support.js";

let bench: Bench;

beforeEach(async () => {
  vi.useFakeTimers();
  bench = await new Bench().ready();
  bench.studio.prompts.write({ prompt: "apple" });
});

afterEach(() => {
  bench.studio.dispose();
  vi.useRealTimers();
});

const said = (kind: string, more: object = {}) => ({ kind, hint: "Do this.", ...more });

async function failing(error: Error): Promise<void> {
  const drawing = bench.studio.generate();
  bench.api.last("generate").fail(error);
  await drawing;
}

test("styles that conflict: the toast has strengths that go together, and a button for them", async () => {
  await bench.styled("night");
  void bench.studio.styles.mix("sunset");
  expect(bench.api.last("switch_lora").params).toEqual({ loras: stackOf("night", "sunset") });
  const suggested = ["night", "sunset"].map((name) => ({ name, alpha: 0.15 }));
  const data = said("lora_conflict", { suggested });
  bench.api.last("switch_lora").fail(new LoraConflictError(1004, "Too strong.", data));
  await settled();
  expect(bench.state.notices).toMatchObject([{ tone: "warning", hint: "Do this.", suggested }]);
  expect(bench.state.strengths).toEqual(stackOf("night"));
  bench.press("useSuggested");
  expect(bench.api.last("switch_lora").params).toEqual({ loras: suggested });
  bench.api.last("switch_lora").answer({ stack: suggested });
  await settled();
  expect(bench.state.notices).toEqual([]);
});

test("mixing a style that is on takes it out", async () => {
  await bench.styled("ink", "night");
  void bench.studio.styles.mix("ink");
  expect(bench.api.last("switch_lora").params).toEqual({ loras: stackOf("night") });
});

test("a doubtful file is used after consent, and its pictures carry it", async () => {
  void bench.studio.styles.choose("ink");
  const error = new LoraSuspiciousError(1007, "An address in it.", said("lora_suspicious"));
  bench.api.last("switch_lora").fail(error);
  await settled();
  bench.press("allowSuspicious");
  expect(bench.api.last("switch_lora").params).toMatchObject({ allow_suspicious: true });
  bench.api.last("switch_lora").answer({ stack: stackOf("ink") });
  await settled();
  void bench.studio.generate();
  expect(bench.api.last("generate").params).toMatchObject({ allow_suspicious: true });
});

test("too little memory: a button for each way that the sidecar has worked out", async () => {
  const way = { count: 1, upscale: 1, peak: 1, message: "…" };
  const alternatives = [
    { ...way, way: "low_vram", low_vram: "aggressive", width: 512, height: 512 },
    { ...way, way: "smaller", low_vram: "off", width: 384, height: 256 },
    { ...way, way: "smaller_upscaled", low_vram: "off", width: 256, height: 256, upscale: 2 },
  ];
  const data = said("out_of_memory", { alternatives });
  await failing(new OutOfMemoryError(1201, "It does not fit.", data));
  expect(bench.buttons).toEqual(["lowVram", "smaller", "smaller"]);
  expect(bench.state.notices[0]?.actions[1]?.size).toBe("384 × 256");
  bench.state.notices[0]?.actions[2]?.run();
  const enlarged = { width: 512, height: 512, upscale: 2 };
  expect(bench.api.last("generate").params).toMatchObject(enlarged);
  bench.studio.cancel();
  await settled();
  await failing(new OutOfMemoryError(1201, "It does not fit.", data));
  bench.press("smaller");
  expect(bench.api.last("generate").params).toMatchObject({ width: 384, height: 256 });
  expect(bench.state.notices).toEqual([]);
  bench.studio.cancel();
  await settled();
  await failing(new OutOfMemoryError(1201, "It does not fit.", data));
  bench.api.always.set_low_vram = () => ({});
  bench.press("lowVram");
  await settled();
  expect(bench.api.last("set_low_vram").params).toEqual({ mode: "aggressive" });
  expect(bench.api.all("generate")).toHaveLength(6);
});

test("too little memory, and no way told: low memory, half the size, or once more", async () => {
  const alternatives = ["Close other programs."];
  await failing(new OutOfMemoryError(1201, "Out.", said("out_of_memory", { alternatives })));
  expect(bench.buttons).toEqual(["lowVram", "smaller", "tryAgain"]);
  expect(bench.state.notices[0]?.points).toEqual(alternatives);
  bench.press("smaller");
  expect(bench.api.last("generate").params).toMatchObject({ width: 64, height: 64 });
});

test("a sidecar that went away: the page's own words, and once more", async () => {
  await failing(new SidecarFault("sidecar_gone", "gone", ""));
  expect(bench.state.notices).toMatchObject([{ fault: "sidecar_gone" }]);
  bench.press("tryAgain");
  expect(bench.api.all("generate")).toHaveLength(2);
});

test.each([
  new CancelledError(-32800, "", said("cancelled")),
  new SupersededError(-32801, "", said("superseded")),
  new DOMException("", "AbortError"),
])("what gave way to something newer is no error: $name", async (error) => {
  await failing(error);
  expect(bench.state.notices).toEqual([]);
});

test("the same sentence stands there once, and never more than three", async () => {
  for (const word of ["a", "b", "a", "c", "d"]) {
    bench.api.events.emit("warning", { kind: "w", message: word, hint: "" });
  }
  expect(bench.state.notices.map(({ message }) => message)).toEqual(["a", "c", "d"]);
  bench.studio.dismiss(bench.state.notices[1]?.id ?? 0);
  expect(bench.state.notices.map(({ message }) => message)).toEqual(["a", "d"]);
  void bench.studio.generate();
  expect(bench.state.notices).toEqual([]);
});

test("a restart is told, then that everything is back; the good news goes by itself", async () => {
  const crash = { code: null, signal: "SIGKILL", crashes: 1, delayMs: 100 };
  bench.api.events.emit("restarting", crash);
  expect(bench.state.banner).toMatchObject({ kind: "restarting" });
  bench.api.always.status = () => ({ model: "starter", stack: stackOf("night") });
  bench.api.events.emit("restored", { model: "starter", loras: [], failures: [] });
  await settled();
  expect(bench.state.banner).toMatchObject({ kind: "restored" });
  expect(bench.state.strengths).toEqual(stackOf("night"));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(bench.state.banner).toBeNull();
});

test("what could not be put back stays until it is read", async () => {
  const failures = ["There is no LoRA named “ink”."];
  bench.api.events.emit("restored", { model: null, loras: [], failures });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bench.state.banner).toEqual({ kind: "restoredPartly", details: failures });
});

test("an engine that crashed is told of until it works again", () => {
  const engine = (state: "busy" | "crashed" | "ready" | "starting") =>
    bench.api.events.emit("engine_state", { state });
  engine("ready");
  expect(bench.state.banner).toBeNull();
  engine("crashed");
  engine("starting");
  expect(bench.state.banner).toMatchObject({ kind: "engineCrashed" });
  engine("busy");
  expect(bench.state.banner).toMatchObject({ kind: "engineRestored" });
});

test("a sidecar that gave up is started again by hand, and everything with it", async () => {
  const restart = vi.fn(() => Promise.resolve());
  Object.assign(bench.api, { restart });
  bench.api.events.emit("gave_up", { message: "Five times.", hint: "" });
  expect(bench.state.banner).toEqual({ kind: "gaveUp", details: ["Five times."] });
  const before = bench.api.all("load_model").length;
  await bench.studio.restart();
  expect(restart).toHaveBeenCalledOnce();
  expect(bench.state.banner).toBeNull();
  expect(bench.api.all("load_model")).toHaveLength(before + 1);
});

test("a sidecar that cannot be started can be tried again from the page", async () => {
  const restart = vi.fn(() => Promise.resolve());
  Object.assign(bench.api, { restart });
  bench.api.always.list_loras = () => {
    throw new SidecarFault("start_failed", "spawn ENOENT", "");
  };
  await bench.studio.start();
  expect(bench.buttons).toEqual(["restart"]);
  bench.press("restart");
  expect(restart).toHaveBeenCalledOnce();
});
