// What Node 12 lacks and main uses.
import "./globals.js";
import childProcess, { type ChildProcess } from "node:child_process";

/** It does not tell when a child was spawned. */
const { spawn } = childProcess;
childProcess.spawn = ((...words: Parameters<typeof spawn>) => {
  const child: ChildProcess = spawn(...words);
  if (child.pid !== undefined) process.nextTick(() => child.emit("spawn"));
  return child;
}) as typeof spawn;

/** As much of `Response` as the page is served with. */
class OldResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;

  constructor(
    body: Uint8Array | string | null,
    { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
  ) {
    this.status = status;
    this.headers = headers;
    this.body = Buffer.from(body ?? "");
  }
}

(globalThis as unknown as Record<string, unknown>)["Response"] ??= OldResponse;
