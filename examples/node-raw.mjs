// Draw a picture from plain Node, no packages: node examples/node-raw.mjs [options of serve]
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [command, ...words] = (process.env.LORA_SIDECAR ?? "lora-sidecar").split(" ");
const child = spawn(command, [...words, "serve", "--log-level", "error", ...process.argv.slice(2)], {
  stdio: ["pipe", "pipe", "inherit"],
});
const waiting = new Map();
let lastId = 0;

createInterface({ input: child.stdout }).on("line", (line) => {
  const message = JSON.parse(line);
  if (message.method === "progress") {
    console.log(`${message.params.phase} ${Math.round(message.params.percent)}%`);
  } else if (waiting.has(message.id)) {
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) reject(new Error(message.error.message));
    else resolve(message.result);
  }
});
child.on("error", (error) => fail(error.message));
child.on("exit", (code) => waiting.size && fail(`the sidecar ended with code ${code}`));

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

function call(method, params = {}) {
  const id = ++lastId;
  child.stdin.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

await call("load_model", { model: "starter" });
const { loras } = await call("list_loras");
await call("switch_lora", { name: loras[0].name, alpha: 0.7 });
const { images } = await call("generate", { prompt: "red apple", seed: 7 });
console.log(`picture: ${images[0].path}`);
child.stdin.end();
