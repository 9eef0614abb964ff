import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** One line of the sidecar's log. */
export interface LogRecord {
  readonly level: "debug" | "info" | "warning" | "error" | "critical";
  readonly message: string;
  /** What spoke, for example "sidecar.rpc.session"; undefined for a line that is no log record. */
  readonly logger: string | undefined;
  /** The line as it came. */
  readonly raw: string;
}

const LEVELS: readonly string[] = ["debug", "info", "warning", "error", "critical"];

/** Read stderr until it ends. Returns the last lines so far, oldest first. */
export function readLog(
  stderr: Readable,
  sink: (record: LogRecord) => void,
  keep = 50,
): () => string[] {
  const tail: string[] = [];
  createInterface({ input: stderr, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
    if (tail.push(line) > keep) tail.shift();
    sink(logRecord(line));
  });
  return () => [...tail];
}

/** A JSON log line of the sidecar as a record; anything else is a message of level "info". */
export function logRecord(line: string): LogRecord {
  const given = parsed(line);
  const { level, message, logger } = given;
  if (typeof message !== "string" || typeof level !== "string" || !LEVELS.includes(level)) {
    return { level: "info", message: line, logger: undefined, raw: line };
  }
  const name = typeof logger === "string" ? logger : undefined;
  return { level: level as LogRecord["level"], message, logger: name, raw: line };
}

function parsed(line: string): Record<string, unknown> {
  if (!line.startsWith("{")) return {};
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
