import type { SidecarProgram } from "@lora-sidecar/electron";

/**
 * The sidecar while one develops: the Python that has it installed. The scripts name the checkout's
 * own in SIDECAR_PYTHON.
 */
export function developmentProgram(env: NodeJS.ProcessEnv): SidecarProgram {
  return { python: env["SIDECAR_PYTHON"] ?? "python3" };
}
