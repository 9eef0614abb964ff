import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { menuTemplate } from "../../demo/main/menu.js";
import { keepInside } from "../../demo/main/navigation.js";
import { readWindowState, visibleState, writeWindowState } from "../../demo/main/window-state.js";

const SCREEN = { x: 0, y: 0, width: 1920, height: 1080 };
const LEFT = { bounds: { x: 100, y: 50, width: 900, height: 700 }, maximized: true };

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), "window-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "new", "window.json");
}

test("a window opens where it was left", () => {
  const path = file();
  writeWindowState(path, LEFT);
  expect(readWindowState(path)).toEqual(LEFT);
  expect(visibleState(readWindowState(path), [SCREEN])).toEqual(LEFT);
});

test.each([
  ["that is gone", { ...LEFT, bounds: { ...LEFT.bounds, x: 2500 } }],
  ["above the edge", { ...LEFT, bounds: { ...LEFT.bounds, y: -300 } }],
  ["with but a sliver on it", { ...LEFT, bounds: { ...LEFT.bounds, x: 1900 } }],
])("a window on a screen %s keeps its size and is centred", (_, state) => {
  const { bounds } = visibleState(state, [SCREEN]);
  expect(bounds).toEqual({ width: 900, height: 700 });
});

test.each([
  "",
  "null",
  '{"bounds":{"x":1}}',
  '{"bounds":{"x":"1","y":1,"width":1,"height":1}}',
])("a damaged file is as none: %s", (text) => {
  const path = join(mkdtempSync(join(tmpdir(), "window-")), "window.json");
  writeFileSync(path, text);
  expect(readWindowState(path)).toBeUndefined();
  expect(visibleState(readWindowState(path), [SCREEN]).bounds).not.toHaveProperty("x");
});

test("a place that cannot be kept is told, and no more", () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => {});
  writeWindowState("/dev/null/window.json", LEFT);
  expect(told.mock.calls[0]?.[0]).toContain("not kept");
});

test("the page opens no window, goes nowhere else and embeds nothing", () => {
  const contents = Object.assign(new EventEmitter(), { setWindowOpenHandler: vi.fn() });
  keepInside(contents as never);
  expect(contents.setWindowOpenHandler.mock.calls[0]?.[0]()).toEqual({ action: "deny" });
  const prevented = (event: string, url: string): boolean => {
    const preventDefault = vi.fn();
    contents.emit(event, { preventDefault }, url);
    return preventDefault.mock.calls.length > 0;
  };
  expect(prevented("will-navigate", "app://lora-sidecar/index.html")).toBe(false);
  expect(prevented("will-navigate", "https://evil.example/")).toBe(true);
  expect(prevented("will-navigate", "app://lora-sidecar.evil/")).toBe(true);
  expect(prevented("will-redirect", "file:///etc/passwd")).toBe(true);
  expect(prevented("will-attach-webview", "")).toBe(true);
});

test("macOS has the app's own menu before the others", () => {
  expect(menuTemplate("darwin")[0]).toEqual({ role: "appMenu" });
  expect(menuTemplate("linux")[0]).toEqual({ role: "fileMenu" });
});
