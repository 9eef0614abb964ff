import { beforeEach, expect, test } from "vitest";
import { LoraCorruptError } from "../../src/index.js";
import { LoraSwitcher } from "../../src/renderer.js";
import { FakeApi, settled } from "../support/fake-api.js";

let api: FakeApi;
let switcher: LoraSwitcher;
const state = () => switcher.getSnapshot();
const corrupt = new LoraCorruptError(1005, "It cannot be read.", {
  kind: "lora_corrupt",
  hint: "",
});

beforeEach(() => {
  api = new FakeApi();
  switcher = new LoraSwitcher(api);
});

function stackOf(...names: string[]) {
  return names.map((name) => ({ name, alpha: 0.7 }));
}

test("generate is disabled from the choice until the style is in force", async () => {
  const receipt = switcher.choose({ name: "ink" });
  expect(state()).toMatchObject({ loading: true, canGenerate: false, wanted: stackOf("ink") });
  api.events.emit("lora_loaded", { stack: stackOf("ink"), cached: false });
  expect(state()).toMatchObject({ canGenerate: true, stack: stackOf("ink") });
  api.last("switch_lora").answer({ stack: stackOf("ink"), rank: 8 });
  expect(await receipt).toMatchObject({ rank: 8 });
  expect(state()).toMatchObject({ loading: false, canGenerate: true, wanted: null, warm: ["ink"] });
});

test("preview pictures come with the cards for who asks", () => {
  switcher.refresh();
  expect(api.last("list_loras").params).toEqual({});
  new LoraSwitcher(api, { previews: true }).refresh();
  expect(api.last("list_loras").params).toEqual({ previews: true });
});

test("that there are no cards is known once they have been read", async () => {
  api.always.status = () => ({ stack: [] });
  const reading = switcher.refresh();
  expect(state().listed).toBe(false);
  api.last("list_loras").answer({ loras: [] });
  await reading;
  expect(state()).toMatchObject({ cards: [], listed: true });
});

test("another style's lora_loaded does not enable it", () => {
  void switcher.choose({ name: "ink" });
  api.events.emit("lora_loaded", { stack: stackOf("night"), cached: false });
  expect(state().canGenerate).toBe(false);
});

test("the newest choice wins, and the overtaken one is cancelled and tells nothing", async () => {
  const first = switcher.choose({ name: "ink" });
  const second = switcher.choose({ name: "night", alpha: 0.5 });
  expect(api.all("switch_lora")[0]?.options.signal?.aborted).toBe(true);
  expect(await first).toBeUndefined();
  expect(state()).toMatchObject({ loading: true, wanted: [{ name: "night", alpha: 0.5 }] });
  const stack = [{ name: "night", alpha: 0.5 }];
  api.last("switch_lora").answer({ stack });
  await second;
  expect(state()).toMatchObject({ loading: false, stack });
});

test("cards are read once, and again after a failure or when told to", async () => {
  api.always.status = () => ({ stack: [] });
  const failed = switcher.cards();
  api.last("list_loras").fail(corrupt);
  await expect(failed).rejects.toBe(corrupt);
  api.always.list_loras = () => ({ loras: [{ name: "ink", bytes: 1 }] });
  expect(await switcher.cards()).toBe(await switcher.cards());
  expect(api.all("list_loras")).toHaveLength(2);
  await switcher.refresh();
  expect(api.all("list_loras")).toHaveLength(3);
  expect(state().cards).toEqual([{ name: "ink", bytes: 1 }]);
});

test("a failed switch keeps the former stack, enables generate and says why", async () => {
  const first = switcher.choose({ name: "ink" });
  api.last("switch_lora").answer({ stack: stackOf("ink") });
  await first;
  const second = switcher.choose({ name: "broken" });
  api.always.status = () => ({ stack: stackOf("ink") });
  api.last("switch_lora").fail(corrupt);
  await expect(second).rejects.toBe(corrupt);
  expect(state()).toMatchObject({
    stack: stackOf("ink"),
    wanted: null,
    loading: false,
    canGenerate: true,
    error: corrupt,
  });
});

test("large files are named while they load, and the limit can be chosen", async () => {
  switcher = new LoraSwitcher(api, { largeBytes: 100 });
  api.always.list_loras = () => ({
    loras: [
      { name: "big", bytes: 101 },
      { name: "small", bytes: 100 },
    ],
  });
  api.always.status = () => ({ stack: [] });
  await switcher.refresh();
  void switcher.choose([{ name: "big" }, { name: "small" }]);
  expect(state().large.map(({ name }) => name)).toEqual(["big"]);
});

test("a switch from elsewhere is shown, and a new process has nothing in memory", () => {
  api.events.emit("lora_loaded", { stack: stackOf("sunset"), cached: false });
  expect(state()).toMatchObject({ stack: stackOf("sunset"), warm: ["sunset"] });
  api.events.emit("restarting", { code: 1, signal: null, crashes: 1, delayMs: 0 });
  expect(state().warm).toEqual([]);
});

test("cards that were read are read again when the folders change", async () => {
  const changed = { added: ["new"], changed: [], removed: [] };
  api.always.status = () => ({ stack: [] });
  api.always.list_loras = () => ({ loras: [{ name: "new", bytes: 1 }] });
  api.events.emit("loras_changed", changed);
  expect(api.asked).toEqual([]);
  await switcher.cards();
  api.events.emit("loras_changed", changed);
  expect(api.all("list_loras")).toHaveLength(2);
});

test("cards that were read by refresh follow the folders too", async () => {
  api.always.list_loras = () => ({ loras: [] });
  api.always.status = () => ({ stack: [] });
  await switcher.refresh();
  api.events.emit("loras_changed", { added: ["ink"], changed: [], removed: [] });
  expect(api.all("list_loras")).toHaveLength(2);
});

test("what a person agreed to is sent with the switch", () => {
  void switcher.choose({ name: "ink" }, { allowSuspicious: true });
  expect(api.last("switch_lora").params).toEqual({ loras: stackOf("ink"), allow_suspicious: true });
  void switcher.choose({ name: "ink" }, { allowConflict: true });
  expect(api.last("switch_lora").params).toEqual({ loras: stackOf("ink"), allow_conflict: true });
});

test("null means no style", async () => {
  const none = switcher.choose(null);
  expect(api.last("switch_lora").params).toEqual({ loras: [] });
  api.last("switch_lora").answer({ stack: [] });
  await none;
  expect(state().stack).toEqual([]);
});

test("after dispose it cancels and hears nothing", async () => {
  const asked = switcher.choose({ name: "ink" });
  switcher.dispose();
  expect(await asked).toBeUndefined();
  api.events.emit("lora_loaded", { stack: stackOf("ink"), cached: false });
  expect(state().stack).toEqual([]);
});

test("watchers are told of each change and get a new snapshot", async () => {
  const seen: boolean[] = [];
  const off = switcher.subscribe(() => seen.push(state().loading));
  const before = state();
  const asked = switcher.choose({ name: "ink" });
  expect(before.loading).toBe(false);
  api.last("switch_lora").answer({ stack: stackOf("ink") });
  await asked;
  await settled();
  off();
  void switcher.choose({ name: "night" });
  expect(seen).toEqual([true, false]);
});
