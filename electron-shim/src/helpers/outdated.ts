import { SidecarError } from "../errors/sidecar-error.js";

/** Whether a call failed only because something newer took its place. */
export function isOutdated(error: unknown): boolean {
  if (error instanceof SidecarError) {
    return error.kind === "cancelled" || error.kind === "superseded";
  }
  return error instanceof Error && error.name === "AbortError";
}
