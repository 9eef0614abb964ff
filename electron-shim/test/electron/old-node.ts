// Node 12 does not tell when a child was spawned.
import childProcess, { type ChildProcess } from "node:child_process";

const { spawn } = childProcess;
childProcess.spawn = ((...words: Parameters<typeof spawn>) => {
  const child: ChildProcess = spawn(...words);
  if (child.pid !== undefined) process.nextTick(() => child.emit("spawn"));
  return child;
}) as typeof spawn;
