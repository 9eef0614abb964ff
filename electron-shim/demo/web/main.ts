// `make app-web`: a sidecar, and the page for a browser. Prints the address, and ends with Ctrl+C.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startSidecar } from "@lora-sidecar/electron";
import { developmentProgram } from "../shared/development.js";
import { serveWeb } from "./server.js";

const { values } = parseArgs({
  options: {
    "data-dir": { type: "string" },
    engine: { type: "string", default: "diffusion" },
    page: { type: "string", default: fileURLToPath(new URL("../web", import.meta.url)) },
    port: { type: "string", default: "0" },
  },
});

const sidecar = await startSidecar({
  program: developmentProgram(process.env),
  serve: { dataDir: values["data-dir"], arguments: ["--engine", values.engine] },
  log: ({ level, message }) => {
    if (level === "error" || level === "critical") console.error(message);
  },
});
const server = await serveWeb(sidecar, values.page, Number(values.port));
console.log(`The page is at ${server.address}\nOnly this machine reaches it. Ctrl+C ends it.`);

async function end(): Promise<void> {
  await Promise.all([server.close(), sidecar.stop()]);
  process.exit(0);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end);
