import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import {
  CancellationTokenSource,
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { realSidecar } from "../support/sidecar.js";

test("plain vscode-jsonrpc drives the sidecar, with none of our code", async () => {
  const { program, cwd, serve } = await realSidecar();
  const python = "python" in program ? program.python : "";
  const words = ["-m", "sidecar", "serve", "--data-dir", serve?.dataDir ?? "", "--engine", "fake"];
  const child = spawn(python, words, { cwd, stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const rpc = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const percents: number[] = [];
  rpc.onNotification("progress", ({ percent }) => void percents.push(percent));
  rpc.listen();
  await rpc.sendRequest("load_model", { model: "starter" });
  await rpc.sendRequest("switch_lora", { name: "ink", alpha: 0.7 });
  await rpc.sendRequest("generate", { prompt: "red apple" });
  expect(percents.at(-1)).toBe(100);
  const source = new CancellationTokenSource();
  const drawing = rpc.sendRequest("generate", { prompt: "[delay=50]", steps: 150 }, source.token);
  source.cancel();
  await expect(drawing).rejects.toMatchObject({ code: -32800 });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  rpc.end();
  expect(await exited).toBe(0);
});
