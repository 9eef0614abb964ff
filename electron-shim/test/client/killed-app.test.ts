import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { lives } from "../support/programs.js";
import { realSidecar } from "../support/sidecar.js";

const APP = fileURLToPath(new URL("../programs/app.mjs", import.meta.url));
const INDEX = new URL("../../dist/esm/index.js", import.meta.url).href;

test.each([
  "SIGKILL",
  "SIGTERM",
] as const)("an app that dies of %s leaves nothing behind", async (signal) => {
  const options = JSON.stringify(await realSidecar());
  const app = spawn(process.execPath, [APP, INDEX, options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(app.stdout, "data")) as [Buffer];
  const pids = JSON.parse(line.toString()) as number[];
  expect(pids.filter(lives)).toEqual(pids);
  app.kill(signal);
  await once(app, "exit");
  await vi.waitFor(() => expect(pids.filter(lives)).toEqual([]), {
    timeout: 5_000,
    interval: 20,
  });
});
