import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { SidecarOptions } from "../../src/index.js";

const CHECKOUT = fileURLToPath(new URL("../../..", import.meta.url));

/** The Python that has the sidecar: the checkout's own, or the one that PYTHON names. */
export const PYTHON = [
  process.env["SIDECAR_PYTHON"] ?? "",
  join(CHECKOUT, ".venv", "bin", "python"),
].find((path) => path !== "" && existsSync(path));

/** The real sidecar, with the real engine. */
export function realProgram(): Pick<SidecarOptions, "program" | "cwd"> {
  if (!PYTHON)
    throw new Error("no Python with the sidecar: run `make setup`, or set SIDECAR_PYTHON");
  return { program: { python: PYTHON }, cwd: CHECKOUT };
}

/** Options for a real sidecar with an empty data folder and the engine that only pretends. */
export async function realSidecar(...words: string[]): Promise<SidecarOptions> {
  const dataDir = await mkdtemp(join(tmpdir(), "sidecar-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const serve = { dataDir, arguments: ["--engine", "fake", ...words] };
  return { ...realProgram(), serve };
}
