import { join } from "node:path";
import type { ServeOptions, SidecarProgram } from "./options.js";

/** The words that start the sidecar: the program first. */
export function commandOf(
  program: SidecarProgram,
  serve: ServeOptions = {},
): [string, ...string[]] {
  const first: [string, ...string[]] =
    "python" in program ? [program.python, "-m", "sidecar"] : [program.executable];
  return [...first, "serve", ...serveWords(serve)];
}

/**
 * The frozen program among an app's resources: `bundledProgram(process.resourcesPath)`. It is
 * expected at `lora-sidecar/lora-sidecar` below that folder, with `.exe` on Windows.
 */
export function bundledProgram(
  resources: string,
  platform: NodeJS.Platform = process.platform,
): SidecarProgram {
  const name = platform === "win32" ? "lora-sidecar.exe" : "lora-sidecar";
  return { executable: join(resources, "lora-sidecar", name) };
}

function serveWords(serve: ServeOptions): string[] {
  const each = (flag: string, values: readonly (string | number | undefined)[] = []): string[] =>
    values.flatMap((value) => (value === undefined ? [] : [flag, String(value)]));
  return [
    ...each("--data-dir", [serve.dataDir]),
    ...each("--models", serve.models),
    ...each("--loras", serve.loras),
    ...each("--model", [serve.model]),
    ...each("--threads", [serve.threads]),
    ...(serve.arguments ?? []),
  ];
}
