// `make app-web`: builds the page with the development bridge, and serves it to this machine.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "./build.mjs";
import { DIST, PYTHON } from "./paths.mjs";

await build("web");
const server = join(DIST, "server", "main.mjs");
const child = spawn(process.execPath, [server, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, SIDECAR_PYTHON: PYTHON },
});
let asked = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    asked = true;
    child.kill(signal);
  });
}
child.on("exit", (code) => process.exit(asked ? 0 : (code ?? 1)));
