// `make app`: builds the app for the Electron that is here, and starts it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "./build.mjs";
import { hasDisplay, hasXvfb, startXvfb } from "./display.mjs";
import { FETCHABLE, FETCHED, fetchElectron, findElectron, versionOf } from "./electron.mjs";
import { DIST, PYTHON } from "./paths.mjs";

const LIBRARIES =
  "libgtk-3-0 libnss3 libasound2 libxss1 libgbm1 libxtst6 libatk-bridge2.0-0 libcups2";
const NONE = `There is no Electron here. Either
  install one:    cd electron-shim && node node_modules/electron/install.js
  or name one:    SIDECAR_ELECTRON=/path/to/electron make app
  or use a browser, which shows the same page:    make app-web`;

const electron = findElectron() ?? fetched();
if (!electron) stop(NONE);
const version = versionOf(electron);
if (!version) stop(`${electron} does not start. On Debian it needs: apt-get install ${LIBRARIES}`);
if (Number.parseInt(version, 10) < 30) {
  console.log(
    `Electron ${version} is older than the package supports; the app is built to suit it.`,
  );
}
await build(Number.parseInt(version, 10) < 30 ? "electron9" : "electron");
await run([electron, ...flags(), join(DIST, "app")]);

function fetched() {
  if (!FETCHABLE) return undefined;
  console.log(`Fetching Electron 9.4.1 (once; 73 MB) to ${FETCHED} ...`);
  return fetchElectron();
}

/** Chromium does not run as root with its sandbox. */
function flags() {
  return process.getuid?.() === 0 ? ["--no-sandbox"] : [];
}

async function run([program, ...words]) {
  const { DISPLAY, stopDisplay } = await display();
  const env = { ...process.env, SIDECAR_PYTHON: PYTHON, ...(DISPLAY && { DISPLAY }) };
  const child = spawn(program, words, { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => {
    stopDisplay?.();
    process.exit(code ?? 1);
  });
}

async function display() {
  if (hasDisplay()) return {};
  if (!hasXvfb()) stop("There is no display here, and no Xvfb. `make app-web` needs neither.");
  console.log("There is no display here: the app runs unseen, under Xvfb. Ctrl+C ends it.");
  const { name, stop: stopDisplay } = await startXvfb();
  return { DISPLAY: name, stopDisplay };
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
