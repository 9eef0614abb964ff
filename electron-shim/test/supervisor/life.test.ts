import { expect, test } from "vitest";
import {
  AnswerTimeoutError,
  type GaveUpError,
  type LogRecord,
  NotASidecarError,
  SidecarGoneError,
  StartFailedError,
} from "../../src/index.js";
import { gone, processesOf } from "../support/processes.js";
import { client, lives, program } from "../support/programs.js";
import { next } from "../support/until.js";

const SHORT = { readyMs: 300, graceMs: 100, termMs: 100 };

test("a program that is not there fails at once, with its name", async () => {
  const sidecar = client({ program: { executable: "/nowhere/lora-sidecar" } });
  const failure = await sidecar.start().catch((error) => error);
  expect(failure).toBeInstanceOf(StartFailedError);
  expect(failure.message).toContain("/nowhere/lora-sidecar");
  await expect(sidecar.ping()).rejects.toBe(failure);
});

test("a program that crashes at once is given up at the fifth crash, with its last words", async () => {
  const sidecar = client({ program: program("crash") });
  let restarts = 0;
  sidecar.on("restarting", () => {
    restarts += 1;
  });
  const told = next(sidecar, "gave_up");
  const failure: GaveUpError = await sidecar.start().catch((error) => error);
  expect(failure.name).toBe("GaveUpError");
  expect(restarts).toBe(4);
  expect(failure.ending).toEqual({ code: 3, signal: null, log: ["no such device"] });
  expect((await told).message).toBe(failure.message);
  await expect(sidecar.ping()).rejects.toBe(failure);
});

test("after it gave up it can be restarted, and a restart of what runs does nothing", async () => {
  const sidecar = client({ program: program("echo"), restart: { crashes: 1 } });
  await sidecar.start();
  const running = sidecar.pid;
  await sidecar.restart();
  expect(sidecar.pid).toBe(running);
  const gone = next(sidecar, "gave_up");
  await sidecar.unloadModel().catch(() => {}); // it exits
  await gone;
  await sidecar.restart();
  await expect(sidecar.ping()).resolves.toEqual({});
});

test("a program that is never ready is ended at the deadline", async () => {
  const sidecar = client({
    program: program("silent"),
    deadlines: SHORT,
    restart: { crashes: 1 },
  });
  const failure: GaveUpError = await sidecar.start().catch((error) => error);
  expect(failure.name).toBe("GaveUpError");
  expect(String(failure.cause)).toContain("not ready within 0.3 s");
  expect(failure.ending?.signal).toBe("SIGKILL");
});

test("a program that talks of other things is no sidecar", async () => {
  const sidecar = client({ program: program("garbage"), restart: { crashes: 1 } });
  const failure: GaveUpError = await sidecar.start().catch((error) => error);
  expect(failure.cause).toBeInstanceOf(NotASidecarError);
});

test("chatter on stdout fails what waits, and a new process takes over", async () => {
  const sidecar = client({ program: program("noisy") });
  await sidecar.start();
  const before = sidecar.pid;
  const restored = next(sidecar, "restored");
  await expect(sidecar.ping()).rejects.toBeInstanceOf(NotASidecarError);
  await restored;
  expect(sidecar.pid).not.toBe(before);
});

test("a process that closed its stdout is replaced", async () => {
  const sidecar = client({ program: program("mute"), deadlines: { ...SHORT, readyMs: 60_000 } });
  await sidecar.start();
  const restored = next(sidecar, "restored");
  await expect(sidecar.ping()).rejects.toBeInstanceOf(SidecarGoneError);
  await restored;
});

test("stop ends a deaf process and its deaf child", async () => {
  const sidecar = client({ program: program("deaf"), deadlines: { ...SHORT, readyMs: 60_000 } });
  await sidecar.start();
  const { child } = (await sidecar.status()) as unknown as { child: number };
  const { pid } = sidecar;
  const tree = processesOf([pid ?? 0, child]);
  expect(tree).toHaveLength(2);
  await sidecar.stop();
  expect(lives(pid ?? 0)).toBe(false);
  await gone(tree);
  expect(sidecar.state).toBe("stopped");
});

test("stop while it starts ends the start", async () => {
  const sidecar = client({ program: program("silent"), deadlines: { graceMs: 5_000 } });
  const started = sidecar.start();
  await sidecar.stop();
  await expect(started).rejects.toBeInstanceOf(SidecarGoneError);
});

test("it can be started again after a stop", async () => {
  const sidecar = client({ program: program("echo") });
  await sidecar.start();
  await sidecar.stop();
  await expect(sidecar.ping()).rejects.toBeInstanceOf(SidecarGoneError);
  await sidecar.start();
  await expect(sidecar.ping()).resolves.toEqual({});
});

test("a start during a stop waits for it, and then starts", async () => {
  const sidecar = client({ program: program("echo") });
  await sidecar.start();
  const first = sidecar.pid;
  const stopped = sidecar.stop();
  await sidecar.start();
  await stopped;
  expect(sidecar.state).toBe("ready");
  expect(sidecar.pid).not.toBe(first);
  await expect(sidecar.ping()).resolves.toEqual({});
});

test("a process that dies in work says how, and what is asked next waits for the new one", async () => {
  const sidecar = client({ program: program("echo") });
  await sidecar.start();
  const lost = sidecar.unloadModel().catch((error: SidecarGoneError) => error);
  expect(await lost).toMatchObject({ name: "SidecarGoneError", ending: { code: 7, signal: null } });
  await expect(sidecar.ping()).resolves.toEqual({});
});

test("the child sees allowed variables only, and the log reaches its sink", async () => {
  const log: LogRecord[] = [];
  process.env["SECRET_TOKEN"] = "hidden";
  process.env["CUDA_VISIBLE_DEVICES"] = "0";
  const sidecar = client({
    program: program("echo"),
    env: { EXTRA: "given" },
    serve: { dataDir: "/data", loras: ["/a", "/b"], threads: 2 },
    log: (record) => log.push(record),
  });
  await sidecar.start();
  const { env, argv } = (await sidecar.status()) as unknown as {
    env: Record<string, string>;
    argv: string[];
  };
  expect(env).toMatchObject({ EXTRA: "given", CUDA_VISIBLE_DEVICES: "0" });
  expect(env).not.toHaveProperty("SECRET_TOKEN");
  const words = ["--data-dir", "/data", "--loras", "/a", "--loras", "/b", "--threads", "2"];
  expect(argv).toEqual(["serve", ...words]);
  await sidecar.stop();
  expect(log[0]).toMatchObject({ level: "warning", logger: "fixture", message: "hello" });
  expect(log[1]).toMatchObject({ level: "info", logger: undefined, message: "plain words" });
});

test("a request that nothing is heard of is cancelled", async () => {
  const log: string[] = [];
  const sidecar = client({ program: program("echo"), log: ({ raw }) => log.push(raw) });
  await sidecar.start();
  const late = sidecar.generate({ prompt: "wait" }, { timeoutMs: 50 });
  await expect(late).rejects.toBeInstanceOf(AnswerTimeoutError);
  await sidecar.ping();
  await sidecar.stop();
  expect(log.some((line) => line.startsWith("cancelled "))).toBe(true);
});

test("progress reaches the call it belongs to, and no other", async () => {
  const sidecar = client({ program: program("echo") });
  await sidecar.start();
  const heard: Record<string, number[]> = { mine: [], theirs: [] };
  await Promise.all([
    sidecar.generate({ prompt: "a" }, { onProgress: (e) => heard["mine"]?.push(e.percent) }),
    sidecar.generate(
      { prompt: "another's" },
      { onProgress: (e) => heard["theirs"]?.push(e.percent) },
    ),
  ]);
  expect(heard).toEqual({ mine: [10, 60], theirs: [] });
});
