import { expect, test, vi } from "vitest";
import type { BridgePolicy } from "../../src/bridge/policy.js";
import { registerSidecar } from "../../src/bridge/register.js";
import { BridgeRefusedError, InvalidParamsError, LoraNotFoundError } from "../../src/index.js";
import { exposeSidecar } from "../../src/preload.js";
import { connectSidecar, type PageSidecar } from "../../src/renderer.js";
import { FakeMain, FakePage } from "../support/electron.js";
import { FakeApi, settled } from "../support/fake-api.js";

interface Bridge {
  readonly api: FakeApi;
  readonly main: FakeMain;
  readonly page: FakePage;
  readonly sidecar: PageSidecar;
  readonly dispose: () => void;
}

function bridge(policy: BridgePolicy = {}, url?: string): Bridge {
  const [api, main] = [new FakeApi(), new FakeMain()];
  const dispose = registerSidecar(main, api, policy);
  const page = new FakePage(main, url);
  exposeSidecar(page.contextBridge, page.ipcRenderer);
  if (!page.window.sidecar) throw new Error("nothing was exposed");
  return { api, main, page, dispose, sidecar: connectSidecar(page.window.sidecar) };
}

test("a call crosses the bridge with its parameters and comes back with its result", async () => {
  const { api, sidecar } = bridge();
  const asked = sidecar.setAlpha({ alpha: 0.4 }, { timeoutMs: 1234 });
  await settled();
  expect(api.last("set_alpha")).toMatchObject({
    params: { alpha: 0.4 },
    options: { timeoutMs: 1234 },
  });
  api.last("set_alpha").answer({ stack: [], merge_ms: 0, deferred: true });
  expect(await asked).toEqual({ stack: [], merge_ms: 0, deferred: true });
});

test("an error comes back as its class, with kind, hint and data", async () => {
  const { api, sidecar } = bridge();
  const asked = sidecar.switchLora({ name: "nowhere" });
  await settled();
  const data = { kind: "lora_not_found", hint: "look", name: "nowhere", available: ["ink"] };
  api.last("switch_lora").fail(new LoraNotFoundError(1001, "There is none.", data));
  await expect(asked).rejects.toBeInstanceOf(LoraNotFoundError);
  await expect(asked).rejects.toMatchObject({ message: "There is none.", data });
});

test("progress, thumbnails and frames of a call reach its listeners and no other's", async () => {
  const { api, sidecar } = bridge();
  const [onProgress, onThumbnail, onPreviewFrame, others] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  const mine = sidecar.generate({ prompt: "a" }, { onProgress, onThumbnail, onPreviewFrame });
  void sidecar.generate({ prompt: "b" }, { onProgress: others });
  await settled();
  const call = api.all("generate")[0];
  call?.options.onProgress?.({ percent: 10 } as never);
  call?.options.onThumbnail?.({ step: 1 } as never);
  call?.options.onPreviewFrame?.({ step: 4 } as never);
  call?.answer({ job_id: "j", images: [] });
  await mine;
  expect(onProgress.mock.calls).toEqual([[{ percent: 10 }]]);
  expect(onThumbnail.mock.calls).toEqual([[{ step: 1 }]]);
  expect(onPreviewFrame.mock.calls).toEqual([[{ step: 4 }]]);
  expect(others).not.toHaveBeenCalled();
});

test("a notification that is overtaken by the answer is still heard before it", async () => {
  const { api, page, sidecar } = bridge();
  const order: unknown[] = [];
  const asked = sidecar
    .generate({ prompt: "a" }, { onProgress: ({ percent }) => order.push(percent) })
    .then(() => order.push("answer"));
  await settled();
  const send = vi.spyOn(page, "send").mockImplementation(() => {});
  api.last("generate").options.onProgress?.({ percent: 100 } as never);
  api.last("generate").answer({ job_id: "j", images: [] });
  await settled();
  expect(order).toEqual([]);
  const late = send.mock.calls[0] as [string, ...unknown[]];
  send.mockRestore();
  page.send(...late);
  await asked;
  expect(order).toEqual([100, "answer"]);
});

test("an AbortSignal of the page cancels the call in main", async () => {
  const { api, sidecar } = bridge();
  const controller = new AbortController();
  const asked = sidecar.generate({ prompt: "a" }, { signal: controller.signal });
  await settled();
  controller.abort();
  await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  expect(api.last("generate").options.signal?.aborted).toBe(true);
});

test("events are sent to pages that listen, once each, and no longer than they listen", async () => {
  const { api, page, sidecar } = bridge();
  const [first, second] = [vi.fn(), vi.fn()];
  const off = [sidecar.on("restarting", first), sidecar.on("restarting", second)];
  const event = { code: 1, signal: null, crashes: 1, delayMs: 0 };
  api.events.emit("restarting", event);
  expect([first.mock.calls, second.mock.calls]).toEqual([[[event]], [[event]]]);
  for (const stop of off) stop();
  api.events.emit("restarting", event);
  expect(first).toHaveBeenCalledOnce();
  expect(page.sent).toEqual(["lora-sidecar:listen", "lora-sidecar:unlisten"]);
});

test.each([
  "did-navigate",
  "render-process-gone",
])("what a page asked for ends with its %s", async (how) => {
  const { api, page, sidecar } = bridge();
  const heard = vi.fn();
  sidecar.on("vram", heard);
  sidecar.generate({ prompt: "a" }).catch(() => {});
  await settled();
  page.emit(how);
  expect(api.last("generate").options.signal?.aborted).toBe(true);
  api.events.emit("vram", {} as never);
  expect(heard).not.toHaveBeenCalled();
});

test("a closed window is sent nothing more", async () => {
  const { api, page, sidecar } = bridge();
  sidecar.on("vram", () => {});
  sidecar.generate({ prompt: "a" }).catch(() => {});
  await settled();
  const { options } = api.last("generate");
  page.close();
  expect(options.signal?.aborted).toBe(true);
  expect(() => options.onProgress?.({ percent: 1 } as never)).not.toThrow();
  expect(() => api.events.emit("vram", {} as never)).not.toThrow();
});

test("the page gets named functions only, and no way to other channels", () => {
  const { main, page } = bridge({ methods: ["generate"] });
  const named = ["methods", "abort", "on", "setLocale", "restart"];
  expect(Object.keys(page.window.sidecar ?? {})).toEqual(named);
  expect(page.window.sidecar?.methods).not.toHaveProperty("shutdown");
  expect(page.window.sidecar?.methods).not.toHaveProperty("initialize");
  expect([...main.handlers.keys()]).toEqual([
    "lora-sidecar:call:generate",
    "lora-sidecar:set-locale",
    "lora-sidecar:restart",
  ]);
  expect(() => page.window.sidecar?.on("ipc-message" as never, () => {})).toThrow();
});

test("a page chooses the language, of those that there are, from where it may ask", async () => {
  const { api, page, sidecar } = bridge();
  const setLocale = vi.fn(() => Promise.resolve());
  Object.assign(api, { setLocale });
  await sidecar.setLocale("zh-CN");
  await expect(sidecar.setLocale("../x" as never)).rejects.toBeInstanceOf(Error);
  page.frame = { url: "https://evil.example/", parent: null };
  await expect(sidecar.setLocale("en")).rejects.toMatchObject({ kind: "bridge_refused" });
  expect(setLocale.mock.calls).toEqual([["zh-CN"]]);
});

test("a page can have a sidecar that gave up started again, from where it may ask", async () => {
  const { api, page, sidecar } = bridge();
  const restart = vi.fn(() => Promise.resolve());
  Object.assign(api, { restart });
  await sidecar.restart();
  page.frame = { url: "https://evil.example/", parent: null };
  await expect(sidecar.restart()).rejects.toMatchObject({ kind: "bridge_refused" });
  expect(restart).toHaveBeenCalledOnce();
});

test("a page cannot listen to what is no event, even past its preload", () => {
  const { api, page } = bridge();
  const on = vi.spyOn(api, "on");
  page.ipcRenderer.send("lora-sidecar:listen", "constructor");
  page.ipcRenderer.send("lora-sidecar:listen", { toString: () => "vram" }.toString.name);
  page.ipcRenderer.send("lora-sidecar:listen", 7);
  expect(on).not.toHaveBeenCalled();
});

test.each([
  ["https://evil.example/", {}, "https://evil.example may not ask."],
  ["file:///app/index.html", { allowOrigin: () => false }, "file:// may not ask."],
])("a page of another origin is refused: %s", async (url, policy, message) => {
  const { api, sidecar } = bridge(policy, url);
  const asked = sidecar.ping();
  await expect(asked).rejects.toMatchObject({ kind: "bridge_refused", message });
  expect(api.asked).toEqual([]);
});

test("an app's own scheme can be allowed", async () => {
  const allowOrigin = (origin: string): boolean => origin === "app://bundle";
  const { api, sidecar } = bridge({ allowOrigin }, "app://bundle/index.html");
  api.always.ping = () => ({});
  expect(await sidecar.ping()).toEqual({});
});

test("frames within a page, and frames that are gone, are refused", async () => {
  const { api, page, sidecar } = bridge();
  page.frame = { url: "file:///ad.html", parent: { url: "file:///app/index.html", parent: null } };
  await expect(sidecar.ping()).rejects.toMatchObject({ kind: "bridge_refused" });
  sidecar.on("vram", () => {});
  page.frame = null;
  await expect(sidecar.ping()).rejects.toMatchObject({ kind: "bridge_refused" });
  expect(api.asked).toEqual([]);
});

test.each([
  [{ prompt: "a", width: 100 }, "width must be a multiple of 8"],
  [{ prompt: "a", sede: 1 }, "sede is not known"],
  [{}, "prompt is missing"],
  [null, "must be of type object"],
])("parameters are checked in main: %j", async (params, summary) => {
  const { api, sidecar } = bridge();
  const asked = sidecar.generate(params as never);
  await expect(asked).rejects.toBeInstanceOf(InvalidParamsError);
  await expect(asked).rejects.toMatchObject({ data: { summary } });
  expect(api.asked).toEqual([]);
});

test.each([
  { init_image: { path: "/etc/passwd" } },
  { init_image: { path: "notes.png" } },
  { init_image: { path: "C:\\secret.png" } },
  { loras: [{ name: "../../x" }] },
])("paths are refused unless the app allows them: %j", async (params) => {
  const { api, sidecar } = bridge();
  const asked = sidecar.generate({ prompt: "/imagine a/b", ...params });
  await expect(asked).rejects.toMatchObject({ kind: "bridge_refused" });
  expect(api.asked).toEqual([]);
});

test("a path that the app allows passes", async () => {
  const allowPath = vi.fn(() => true);
  const { api, sidecar } = bridge({ allowPath });
  api.always.generate = () => ({ job_id: "j", images: [] });
  await sidecar.generate({ prompt: "a", init_image: { path: "/photos/cat.png" } });
  expect(allowPath.mock.calls).toEqual([["/photos/cat.png", "generate"]]);
});

test("a page cannot take the id of another call of its own", async () => {
  const { page } = bridge();
  const ping = page.window.sidecar?.methods.ping;
  void ping?.({ id: "same" }, {}, () => {});
  const second = await ping?.({ id: "same" }, {}, () => {});
  expect(second).toMatchObject({ ok: false, error: { kind: "bridge_refused" } });
  const none = await ping?.({ id: "" }, {}, () => {});
  expect(none).toMatchObject({ ok: false, error: { kind: "bridge_refused" } });
});

test("a method that the preload does not offer is refused in the page", async () => {
  const main = new FakeMain();
  const page = new FakePage(main);
  exposeSidecar(page.contextBridge, page.ipcRenderer, { key: "sidecar", methods: ["ping"] });
  const sidecar = connectSidecar(page.window.sidecar as never);
  await expect(sidecar.generate({ prompt: "a" })).rejects.toBeInstanceOf(BridgeRefusedError);
});

test("a page without a preload script is told so when it connects", () => {
  const { sidecar } = new FakePage(new FakeMain()).window;
  expect(() => connectSidecar(sidecar)).toThrowError(
    expect.objectContaining({ kind: "bridge_missing", hint: expect.stringContaining("preload") }),
  );
});

test("the bridge can be closed and opened again", async () => {
  const { api, main, dispose, sidecar } = bridge();
  sidecar.ping().catch(() => {});
  await settled();
  dispose();
  expect(api.last("ping").options.signal?.aborted).toBe(true);
  expect([main.handlers.size, main.events.eventNames()]).toEqual([0, []]);
  registerSidecar(main, api);
  api.always.ping = () => ({});
  expect(await sidecar.ping()).toEqual({});
});
