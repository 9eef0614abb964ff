// Where the app's parts lie.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export const ROOT = at("../.."); // electron-shim/
export const DEMO = at("..");
export const DIST = at("../dist");
export const CHECKOUT = at("../../..");

/** The Python that has the sidecar: the one that SIDECAR_PYTHON names, or the checkout's own. */
export const PYTHON =
  process.env.SIDECAR_PYTHON ||
  join(CHECKOUT, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
