import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { gone, processesOf } from "../support/processes.js";
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
  const failed = once(app, "exit").then(([code]) => expect.fail(`it ended with ${code}`));
  const [line] = (await Promise.race([once(app.stdout, "data"), failed])) as [Buffer];
  const pids = JSON.parse(line.toString()) as number[];
  const tree = processesOf(pids);
  expect(tree.map(({ pid }) => pid)).toEqual(pids);
  app.kill(signal);
  await once(app, "exit");
  await gone(tree);
});
