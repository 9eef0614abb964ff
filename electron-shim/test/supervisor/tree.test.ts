import { expect, test, vi } from "vitest";
import { killRest, killTree, type TreeTools } from "../../src/supervisor/tree.js";

function tools(platform: NodeJS.Platform, failure?: string) {
  const kill = vi.fn(() => {
    if (failure) throw Object.assign(new Error(failure), { code: failure });
  });
  return { platform, kill, run: vi.fn() } satisfies TreeTools;
}

test("a tree ends by its process group", () => {
  const system = tools("linux");
  killTree(70, "SIGTERM", system);
  killTree(70, "SIGKILL", system);
  killRest(70, system);
  expect(system.kill.mock.calls).toEqual([
    [-70, "SIGTERM"],
    [-70, "SIGKILL"],
    [-70, "SIGKILL"],
  ]);
  expect(system.run).not.toHaveBeenCalled();
});

test("on Windows taskkill ends it: asked first, then forced", () => {
  const system = tools("win32");
  killTree(70, "SIGTERM", system);
  killTree(70, "SIGKILL", system);
  expect(system.run.mock.calls).toEqual([
    ["taskkill", ["/PID", "70", "/T"]],
    ["taskkill", ["/PID", "70", "/T", "/F"]],
  ]);
  expect(system.kill).not.toHaveBeenCalled();
});

test("on Windows the number of a process that has ended is left alone", () => {
  const system = tools("win32");
  killRest(70, system);
  expect([system.kill, system.run].flatMap(({ mock }) => mock.calls)).toEqual([]);
});

test.each(["ESRCH", "EPERM"])("a tree that has gone is no error: %s", (code) => {
  expect(() => killTree(70, "SIGKILL", tools("darwin", code))).not.toThrow();
});

test("any other failure is told", () => {
  expect(() => killTree(70, "SIGKILL", tools("linux", "EINVAL"))).toThrow("EINVAL");
});
