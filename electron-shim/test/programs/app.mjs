#!/usr/bin/env node
// An app that starts a sidecar, tells its processes, and waits to be killed.
const [index, options] = process.argv.slice(2);
const { startSidecar } = await import(index);
const sidecar = await startSidecar(JSON.parse(options));
await sidecar.loadModel({ model: "starter" });
const { pids } = await sidecar.status();
sidecar.generate({ prompt: "[delay=1000]" }).catch(() => {});
process.stdout.write(`${JSON.stringify(Object.values(pids))}\n`);
