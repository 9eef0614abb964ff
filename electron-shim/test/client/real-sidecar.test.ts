import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import {
  InvalidParamsError,
  LoraNotFoundError,
  ModelNotLoadedError,
  type ProgressEvent,
  type Restored,
  SidecarGoneError,
  startSidecar,
} from "../../src/index.js";
import { gone, killHard, processesOf } from "../support/processes.js";
import { client, lives } from "../support/programs.js";
import { realSidecar } from "../support/sidecar.js";
import { next, PATIENCE } from "../support/until.js";

test("the whole job: load, switch, preview, generate with percent, roll back", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  expect(sidecar.introduction?.server.name).toBe("lora-sidecar");
  await sidecar.loadModel({ model: "starter" });
  const receipt = await sidecar.switchLora({ name: "ink", alpha: 0.5 });
  expect(receipt.stack).toMatchObject([{ name: "ink", alpha: 0.5 }]);
  await sidecar.setAlpha({ alpha: 0.8 });
  const preview = await sidecar.preview({ prompt: "red apple" });
  expect(preview.image.data_url).toMatch(/^data:image\//);
  const heard: ProgressEvent[] = [];
  const made = await sidecar.generate(
    { prompt: "red apple", seed: 7 },
    { onProgress: (event) => heard.push(event) },
  );
  expect(existsSync(made.images[0]?.path ?? "")).toBe(true);
  const percents = heard.map(({ percent }) => percent);
  expect(percents).toEqual([...percents].sort((a, b) => a - b));
  expect(percents.at(-1)).toBe(100);
  await sidecar.switchLora({ name: null });
  const back = await sidecar.historyRollback({ id: made.images[0]?.history_id ?? "" });
  expect(back.state.loras).toMatchObject([{ name: "ink", alpha: 0.8 }]);
  expect(sidecar.restorable.loras).toEqual([{ name: "ink", alpha: 0.8 }]);
});

test("errors of the sidecar come as the class of their kind, in the session's language", async () => {
  const sidecar = client({ ...(await realSidecar()), locale: "zh-CN" });
  await sidecar.start();
  await expect(sidecar.generate({ prompt: "x" })).rejects.toBeInstanceOf(ModelNotLoadedError);
  await expect(sidecar.generate({ prompt: "x", steps: 0 })).rejects.toBeInstanceOf(
    InvalidParamsError,
  );
  await sidecar.loadModel({ model: "starter" });
  const failure = await sidecar.switchLora({ name: "nowhere" }).catch((error) => error);
  expect(failure).toBeInstanceOf(LoraNotFoundError);
  expect(failure).toMatchObject({ code: 1001, kind: "lora_not_found", data: { name: "nowhere" } });
  expect(failure.hint).toMatch(/[\u4e00-\u9fff]/);
});

test("the language can be changed at any time", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  const hint = () => sidecar.generate({ prompt: "x" }).catch((error) => error.hint);
  expect(await hint()).not.toMatch(/[\u4e00-\u9fff]/);
  await sidecar.setLocale("zh-CN");
  expect(await hint()).toMatch(/[\u4e00-\u9fff]/);
  await sidecar.stop();
  await sidecar.start();
  expect(await hint()).toMatch(/[\u4e00-\u9fff]/);
});

test("an aborted request rejects at once and is cancelled in the sidecar", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  await sidecar.loadModel({ model: "starter" });
  const controller = new AbortController();
  const drawing = sidecar.generate(
    { prompt: "[delay=50]", steps: 150 },
    { signal: controller.signal, onProgress: ({ step }) => step >= 2 && controller.abort() },
  );
  await expect(drawing).rejects.toMatchObject({ name: "AbortError" });
  const after = await sidecar.generate({ prompt: "the queue is free again", steps: 1 });
  expect(after.images).toHaveLength(1);
  expect((await sidecar.historyList({})).total).toBe(1);
});

test("an aborted signal sends nothing", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  const reason = new Error("not today");
  const asked = sidecar.loadModel({ model: "starter" }, { signal: AbortSignal.abort(reason) });
  await expect(asked).rejects.toBe(reason);
  expect((await sidecar.status()).model).toBeNull();
});

test("after a crash model and styles are back before what is asked next", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  await sidecar.loadModel({ model: "starter" });
  await sidecar.switchLora({
    loras: [
      { name: "ink", alpha: 0.1 },
      { name: "night", alpha: 0.2 },
    ],
  });
  await sidecar.setAlpha({ name: "ink", alpha: 0.05 });
  const before = await sidecar.generate({ prompt: "red apple", seed: 7 });
  const restored: Promise<Restored> = next(sidecar, "restored");
  const lost = sidecar.generate({ prompt: "[delay=100]", steps: 150 });
  killHard(sidecar.pid);
  await expect(lost).rejects.toBeInstanceOf(SidecarGoneError);
  const after = await sidecar.generate({ prompt: "red apple", seed: 7 });
  expect(after.images[0]?.parameters).toEqual(before.images[0]?.parameters);
  expect(await restored).toEqual({
    model: "starter",
    loras: [
      { name: "ink", alpha: 0.05 },
      { name: "night", alpha: 0.2 },
    ],
    failures: [],
  });
});

test("a stack with consent to a conflict is put back at the strengths that were in force", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  await sidecar.loadModel({ model: "starter" });
  const loras = [{ name: "ink" }, { name: "night" }];
  const { stack } = await sidecar.switchLora({ loras, allow_conflict: true });
  const restored = next(sidecar, "restored");
  killHard(sidecar.pid);
  expect((await restored).failures).toEqual([]);
  const after = await sidecar.status();
  expect(after.stack.map(({ alpha }) => alpha)).toEqual(stack.map(({ alpha }) => alpha));
});

test("a switch that fails leaves the former stack to be put back", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  await sidecar.loadModel({ model: "starter" });
  await sidecar.switchLora({ name: "ink" });
  await expect(sidecar.switchLora({ name: "nowhere" })).rejects.toBeInstanceOf(LoraNotFoundError);
  await sidecar.ping();
  expect(sidecar.restorable.loras).toEqual([{ name: "ink", alpha: 0.7 }]);
});

test("stop leaves no process of the tree", async () => {
  const sidecar = client(await realSidecar());
  await sidecar.start();
  await sidecar.loadModel({ model: "starter" });
  const tree = processesOf(Object.values((await sidecar.status()).pids));
  expect(tree).toHaveLength(2);
  await sidecar.stop();
  await gone(tree);
});

test("the app does not quit before the sidecar is gone, and then it does", async () => {
  const listeners: ((event: { preventDefault(): void }) => void)[] = [];
  const quits: boolean[] = [];
  const app = {
    on: (_: string, listener: (typeof listeners)[number]) => listeners.push(listener),
    removeListener: () => {},
    quit: () => quits.push(lives(pid)),
  };
  const sidecar = await startSidecar({ ...(await realSidecar()), app });
  const pid = sidecar.pid ?? 0;
  let held = 0;
  const quit = (): void => listeners[0]?.({ preventDefault: () => (held += 1) });
  quit();
  quit();
  await sidecar.stop();
  await expect.poll(() => quits, PATIENCE).toEqual([false]);
  expect(held).toBe(2);
  quit();
  expect(held).toBe(2);
});
