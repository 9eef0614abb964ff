import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { HistoryNotFoundError, SidecarGoneError, servePictures } from "../../src/index.js";
import { FakeApi } from "../support/fake-api.js";

const folder = mkdtempSync(join(tmpdir(), "pictures-"));
const there = join(folder, "there.png");
writeFileSync(there, "the bytes");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const served = servePictures(library());
const status = async (url: string): Promise<number> => (await served({ url })).status;

/** A history with one picture and one whose file is gone; three LoRAs, the last without preview. */
function library(): FakeApi {
  const api = new FakeApi();
  const entries: Record<string, string> = { here: there, gone: join(folder, "gone.png") };
  api.always.history_get = ({ id }) => {
    const path = entries[String(id)];
    if (path) return { entry: { path, mime: "image/png" } };
    if (id === "down") throw new SidecarGoneError();
    throw new HistoryNotFoundError(1401, "none", { kind: "history_not_found", hint: "" });
  };
  api.always.list_loras = () => ({
    loras: [
      { name: "ink & wash", preview: there },
      { name: "odd", preview: join(folder, "passwd") },
      { name: "bare", preview: null },
    ],
  });
  return api;
}

test.each([
  "picture://history/here",
  "app://demo/pictures/history/here",
  "http://127.0.0.1:1/pictures/loras/ink%20%26%20wash?x=1",
])("a picture is served with its type, and kept by nobody: %s", async (url) => {
  const response = await served({ url });
  expect(await response.text()).toBe("the bytes");
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "image/png",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
});

test.each([
  "picture://history/nowhere",
  "picture://history/gone",
  "picture://history/",
  "picture://loras/odd",
  "picture://loras/bare",
  "picture://loras/nobody",
  "picture://constructor/name",
  `picture://files/${encodeURIComponent(there)}`,
  "picture://history/%E0%A4%A",
  "no url",
])("what is no picture is not found: %s", async (url) => {
  expect(await status(url)).toBe(404);
});

test("a sidecar that cannot be asked is another matter", async () => {
  expect(await status("picture://history/down")).toBe(503);
});
