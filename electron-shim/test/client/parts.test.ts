import { expect, test, vi } from "vitest";
import { Gate } from "../../src/client/gate.js";
import { StateFollower } from "../../src/client/state.js";
import { errorFromAnswer, errorFromWire, errorToWire } from "../../src/errors/wire.js";
import { Emitter } from "../../src/events/emitter.js";
import { ERROR_CLASSES, GaveUpError, SidecarError, SidecarFault } from "../../src/index.js";

test("a gate lets everyone through in the order in which they came", async () => {
  const gate = new Gate<string>();
  const order: string[] = [];
  const controller = new AbortController();
  const first = gate.passed(controller.signal).then((what) => order.push(`first ${what}`));
  const second = gate.passed().then((what) => order.push(`second ${what}`));
  gate.open("key");
  await Promise.all([first, second]);
  expect(order).toEqual(["first key", "second key"]);
});

test("a gate sends away those who wait when it is refused, and those who left", async () => {
  const gate = new Gate<string>();
  const controller = new AbortController();
  const impatient = gate.passed(controller.signal);
  const patient = gate.passed();
  controller.abort(new Error("enough"));
  gate.refuse(new Error("closed for good"));
  await expect(impatient).rejects.toThrow("enough");
  await expect(patient).rejects.toThrow("closed for good");
  await expect(gate.passed()).rejects.toThrow("closed for good");
});

test("an answer that was overtaken changes nothing", () => {
  const follower = new StateFollower();
  const slow = follower.ask();
  const quick = follower.ask();
  const stack = (alpha: number) => ({ stack: [{ name: "ink", alpha }] });
  follower.answered(
    quick,
    "set_alpha",
    { alpha: 0.9 },
    { ...stack(0.9), merge_ms: 0, deferred: true },
  );
  follower.answered(slow, "switch_lora", { name: "ink" }, stack(0.7) as never);
  expect(follower.state.loras).toEqual([{ name: "ink", alpha: 0.9 }]);
});

test("an unloaded model is not put back, the styles are", () => {
  const follower = new StateFollower();
  follower.answered(follower.ask(), "load_model", { model: "a", dtype: "float16" }, {} as never);
  follower.stack(follower.ask(), [{ name: "ink", alpha: 1 }]);
  expect(follower.state.model).toEqual({ model: "a", dtype: "float16" });
  follower.answered(follower.ask(), "unload_model", {}, {});
  expect(follower.state).toMatchObject({ model: null, loras: [{ name: "ink", alpha: 1 }] });
});

test("every kind of error has a class with its code, and crosses the bridge whole", () => {
  for (const [kind, Class] of Object.entries(ERROR_CLASSES)) {
    const error = errorFromAnswer(Class.code, "what happened", {
      kind,
      hint: "do this",
      name: "x",
    });
    const crossed = errorFromWire(structuredClone(errorToWire(error)));
    expect(crossed).toBeInstanceOf(Class);
    expect(crossed).toMatchObject({
      kind,
      hint: "do this",
      message: "what happened",
      data: { name: "x" },
    });
  }
});

test("errors of a newer sidecar, faults and aborts cross the bridge too", () => {
  const cross = (error: unknown): Error => errorFromWire(structuredClone(errorToWire(error)));
  const unknown = cross(errorFromAnswer(1999, "new", { kind: "brand_new", hint: "" }));
  expect(unknown).toBeInstanceOf(SidecarError);
  expect(unknown).toMatchObject({ kind: "brand_new", code: 1999 });
  expect(cross(new GaveUpError(5, 1000))).toBeInstanceOf(SidecarFault);
  expect(cross(new GaveUpError(5, 1000))).toMatchObject({ kind: "gave_up" });
  expect(cross(new DOMException("", "AbortError")).name).toBe("AbortError");
  expect(cross("just words").message).toBe("just words");
});

test("a listener that throws is reported, and the others still hear", async () => {
  const emitter = new Emitter<{ news: number }>();
  const heard = vi.fn();
  const reported = vi.fn();
  vi.stubGlobal("queueMicrotask", (task: () => void) => {
    expect(task).toThrow("mine");
    reported();
  });
  emitter.on("news", () => {
    throw new Error("mine");
  });
  const off = emitter.on("news", heard);
  emitter.on("news", heard);
  emitter.emit("news", 1);
  off();
  emitter.emit("news", 2);
  vi.unstubAllGlobals();
  expect(heard.mock.calls).toEqual([[1], [1], [2]]);
  expect(reported).toHaveBeenCalledTimes(2);
});
