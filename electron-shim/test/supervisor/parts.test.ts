import { afterEach, expect, test, vi } from "vitest";
import { Silence } from "../../src/client/silence.js";
import { CrashCounter } from "../../src/supervisor/budget.js";
import { bundledProgram, commandOf } from "../../src/supervisor/command.js";
import { childEnvironment } from "../../src/supervisor/environment.js";
import { logRecord } from "../../src/supervisor/log-lines.js";

afterEach(() => {
  vi.useRealTimers();
});

const BUDGET = { crashes: 3, windowMs: 1_000, delaysMs: [10, 20] };

test("each crash within the window waits longer, and the last one is too many", () => {
  const counter = new CrashCounter(BUDGET);
  expect([counter.crashed(0), counter.crashed(10), counter.crashed(20)]).toEqual([
    10,
    20,
    undefined,
  ]);
});

test("crashes that are long ago do not count", () => {
  const counter = new CrashCounter(BUDGET);
  counter.crashed(0);
  counter.crashed(10);
  expect(counter.crashed(1_005)).toBe(20);
  expect(counter.crashes).toBe(2);
});

test("after more crashes than there are delays the last delay goes on", () => {
  const counter = new CrashCounter({ ...BUDGET, crashes: 9 });
  expect([0, 1, 2, 3].map((now) => counter.crashed(now))).toEqual([10, 20, 20, 20]);
});

test("a frozen program and a Python are started alike", () => {
  expect(commandOf({ executable: "/app/lora-sidecar" })).toEqual(["/app/lora-sidecar", "serve"]);
  expect(commandOf({ python: "python3" }, { model: "starter", threads: 0 })).toEqual([
    "python3",
    ...["-m", "sidecar", "serve", "--model", "starter", "--threads", "0"],
  ]);
});

test("the bundled program is among the resources, with the system's ending", () => {
  const on = (platform: NodeJS.Platform): string => {
    const program = bundledProgram("res", platform);
    return "executable" in program ? program.executable : "";
  };
  expect(on("win32")).toMatch(/lora-sidecar\.exe$/);
  expect(on("linux")).toMatch(/lora-sidecar$/);
});

test("variables pass by name or by pattern, and what is given wins", () => {
  const own = {
    PATH: "/bin",
    LC_ALL: "C",
    NODE_OPTIONS: "--x",
    MY_A: "1",
    AWS_TOKEN: "t",
    TZ: undefined,
  };
  expect(childEnvironment(own, { PATH: "/mine" }, ["MY_*"], "linux")).toEqual({
    PATH: "/mine",
    LC_ALL: "C",
    MY_A: "1",
  });
});

test("on Windows the names of variables have no case", () => {
  expect(childEnvironment({ Path: "C:\\bin", path2: "x" }, {}, [], "win32")).toEqual({
    Path: "C:\\bin",
  });
});

test.each([
  ['{"level":"error","message":"no","logger":"a.b"}', "error", "no", "a.b"],
  ['{"level":"shout","message":"no"}', "info", '{"level":"shout","message":"no"}', undefined],
  ["{broken", "info", "{broken", undefined],
  ["Traceback (most recent call last):", "info", "Traceback (most recent call last):", undefined],
])("a log line %s is understood", (raw, level, message, logger) => {
  expect(logRecord(raw)).toEqual({ level, message, logger, raw });
});

test("silence is what lies between two news, not the whole time", () => {
  vi.useFakeTimers();
  const tooLong = vi.fn();
  const silence = new Silence(100, tooLong);
  vi.advanceTimersByTime(90);
  silence.broken();
  vi.advanceTimersByTime(90);
  expect(tooLong).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10);
  expect(tooLong).toHaveBeenCalledOnce();
});
