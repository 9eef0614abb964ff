import { beforeEach, expect, test } from "vitest";
import { HistoryNotFoundError } from "../../src/index.js";
import { HistoryRing } from "../../src/renderer.js";
import { FakeApi, settled } from "../support/fake-api.js";

let api: FakeApi;
let ring: HistoryRing;
let ids: string[];
const state = () => ring.getSnapshot();

beforeEach(async () => {
  api = new FakeApi();
  ids = ["c", "b", "a"];
  api.always.history_list = () => ({ entries: ids.map((id) => ({ id })), total: 7 });
  ring = new HistoryRing(api, { capacity: 3 });
  await ring.refresh();
});

const changed = (reason: string) =>
  api.events.emit("history_changed", { reason, ids: [], total: ids.length });

test("it reads as many entries as it holds", () => {
  expect(api.last("history_list").params).toEqual({ limit: 3 });
  expect(state()).toMatchObject({ total: 7, current: null });
  expect(state().entries.map(({ id }) => id)).toEqual(["c", "b", "a"]);
});

test("it holds older entries when asked for more, page by page, and none twice", async () => {
  const all = Array.from({ length: 1203 }, (_, at) => ({ id: `e${at}` }));
  api.always.history_list = ({ limit, offset = 0 }) => ({
    entries: all.slice(Number(offset), Number(offset) + Math.min(Number(limit), 500)),
    total: all.length,
  });
  ring = new HistoryRing(api, { capacity: 600 });
  await ring.refresh();
  expect(state().entries).toHaveLength(600);
  await ring.more();
  expect(state().entries).toHaveLength(1200);
  await ring.more();
  expect(state().entries.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  const asked = api.all("history_list").length;
  await ring.more();
  expect(api.all("history_list")).toHaveLength(asked);
});

test("pictures come inline where the page may read no files", async () => {
  api.always.history_rollback = () => ({});
  await ring.travelTo("a");
  expect(api.last("history_rollback").params).toEqual({ id: "a" });
  await new HistoryRing(api, { inline: true }).travelTo("a");
  expect(api.last("history_rollback").params).toEqual({ id: "a", inline: true });
});

test("it follows the sidecar's history, and a new picture is now", async () => {
  api.always.history_rollback = () => ({});
  await ring.travelTo("a");
  ids = ["d", ...ids];
  changed("added");
  await settled();
  expect(state()).toMatchObject({ current: null });
  expect(state().entries[0]?.id).toBe("d");
});

test("changes that come while it reads are served by one more reading", async () => {
  delete api.always.history_list;
  const before = api.all("history_list").length;
  const reading = ring.refresh();
  changed("pinned");
  changed("pinned");
  api.last("history_list").answer({ entries: [], total: 0 });
  await settled();
  expect(api.all("history_list")).toHaveLength(before + 2);
  api.last("history_list").answer({ entries: [{ id: "z" }], total: 1 });
  await reading;
  expect(state().entries).toEqual([{ id: "z" }]);
});

test("the time machine brings an entry back and knows where it stands", async () => {
  const travel = ring.travelTo("b");
  expect(state()).toMatchObject({ travelling: "b", current: null });
  api.last("history_rollback").answer({ state: { loras: [] } });
  expect(await travel).toEqual({ state: { loras: [] } });
  expect(state()).toMatchObject({ travelling: null, current: "b" });
});

test("the newest journey wins", async () => {
  const first = ring.travelTo("a");
  const second = ring.travelTo("b");
  const [one, two] = api.all("history_rollback");
  two?.answer({ two: 2 });
  one?.answer({ one: 1 });
  expect(await first).toBeUndefined();
  expect(await second).toEqual({ two: 2 });
  expect(state()).toMatchObject({ current: "b", travelling: null });
});

test("a journey that fails leaves everything where it was", async () => {
  const gone = new HistoryNotFoundError(1401, "Gone.", { kind: "history_not_found", hint: "" });
  const travel = ring.travelTo("a");
  api.last("history_rollback").fail(gone);
  await expect(travel).rejects.toBe(gone);
  expect(state()).toMatchObject({ current: null, travelling: null });
});

test("back and forward go entry by entry and stop at the ends", async () => {
  api.always.history_rollback = ({ id }) => ({ id });
  expect(await ring.forward()).toBeUndefined();
  expect(await ring.back()).toEqual({ id: "b" });
  expect(await ring.back()).toEqual({ id: "a" });
  expect(await ring.back()).toBeUndefined();
  expect(await ring.forward()).toEqual({ id: "b" });
  expect(await ring.forward()).toEqual({ id: "c" });
});

test("an entry that is deleted is no longer the current one", async () => {
  api.always.history_rollback = () => ({});
  await ring.travelTo("a");
  ids = ["c", "b"];
  changed("deleted");
  await settled();
  expect(state().current).toBeNull();
});

test("another like it takes over what is changed", () => {
  void ring.another("b", { steps: 4 });
  expect(api.last("repeat").params).toEqual({ id: "b", steps: 4 });
});

test("after a restart it reads anew, and after dispose no more", async () => {
  const before = api.all("history_list").length;
  api.events.emit("restored", { model: null, loras: [], failures: [] });
  await settled();
  ring.dispose();
  changed("added");
  expect(api.all("history_list")).toHaveLength(before + 1);
});
