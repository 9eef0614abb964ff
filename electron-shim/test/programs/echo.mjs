#!/usr/bin/env node
// Tells about itself, waits when told to, and dies when told to.
import { send, serve } from "./wire.mjs";

const waiting = new Map();
process.stderr.write('{"level":"warning","logger":"fixture","message":"hello"}\nplain words\n');
serve({
  status: () => ({ env: process.env, argv: process.argv.slice(2), stack: [] }),
  generate: ({ id, params }) => {
    const request_id = params.prompt === "another's" ? -1 : id;
    for (const percent of [10, 60]) {
      send({ method: "progress", params: { job_id: "j", request_id, phase: "denoise", percent } });
    }
    if (params.prompt === "wait") waiting.set(id, true);
    else return { job_id: "j", images: [] };
  },
  "$/cancelRequest": ({ params: { id } }) => {
    process.stderr.write(`cancelled ${id}\n`);
    if (!waiting.delete(id)) return;
    const data = { kind: "cancelled", hint: "again" };
    send({ id, error: { code: -32800, message: "It was cancelled.", data } });
  },
  unload_model: () => process.exit(7),
});
