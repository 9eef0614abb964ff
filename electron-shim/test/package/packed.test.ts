import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { program } from "../support/programs.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TSC = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin/tsc",
);
const PROGRAM = JSON.stringify(program("echo"));

let project: string;
let files: string[];

const node = (...words: string[]): string =>
  execFileSync(process.execPath, words, { cwd: project, encoding: "utf8" });
const npm = (cwd: string, ...words: string[]): string =>
  execFileSync("npm", words, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "consumer-"));
  const packed = npm(ROOT, "pack", "--json", "--ignore-scripts", "--pack-destination", project);
  const [tarball] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  files = tarball.files.map(({ path }) => path);
  writeFileSync(join(project, "package.json"), '{ "name": "consumer", "private": true }');
  npm(project, "install", "--no-audit", "--no-fund", "--omit=peer", `./${tarball.filename}`);
}, 180_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

test("the tarball has both builds, types, maps, the preload script and the papers", () => {
  for (const path of [
    "dist/esm/index.js",
    "dist/esm/index.d.ts",
    "dist/esm/index.js.map",
    "dist/cjs/index.js",
    "dist/cjs/index.d.ts",
    "dist/cjs/package.json",
    "dist/preload-script.cjs",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
  ]) {
    expect(files).toContain(path);
  }
  expect(files.filter((path) => /^(test|scripts|node_modules)\//.test(path))).toEqual([]);
});

const USE = `
  const sidecar = await startSidecar({ program: ${PROGRAM} });
  await sidecar.ping();
  const failure = await sidecar.request("unload_model", {}).catch((error) => error);
  await sidecar.stop();
  console.log(failure.name, failure instanceof SidecarGoneError, typeof exposeSidecar);
  console.log((await checkConflict({}, [])).fine);
`;

test("an ES module uses the installed package", () => {
  const text = `
    import { startSidecar, SidecarGoneError } from "@lora-sidecar/electron";
    import { exposeSidecar } from "@lora-sidecar/electron/preload";
    import { checkConflict } from "@lora-sidecar/electron/renderer";
    ${USE}`;
  writeFileSync(join(project, "main.mjs"), text);
  expect(node("main.mjs")).toBe("SidecarGoneError true function\ntrue\n");
});

test("a CommonJS module uses the installed package", () => {
  const text = `
    const { startSidecar, SidecarGoneError } = require("@lora-sidecar/electron");
    const { exposeSidecar } = require("@lora-sidecar/electron/preload");
    const { checkConflict } = require("@lora-sidecar/electron/renderer");
    (async () => { ${USE} })();`;
  writeFileSync(join(project, "main.cjs"), text);
  expect(node("main.cjs")).toBe("SidecarGoneError true function\ntrue\n");
});

test.each(["mts", "cts"])("a strict TypeScript file finds the types: .%s", (ending) => {
  const text = `
    import { startSidecar, type GenerateResult } from "@lora-sidecar/electron";
    import { connectSidecar, LoraSwitcher, type SidecarBridge } from "@lora-sidecar/electron/renderer";
    export async function draw(bridge: SidecarBridge): Promise<GenerateResult> {
      const sidecar = await startSidecar({ program: { python: "python3" } });
      new LoraSwitcher(connectSidecar(bridge));
      // @ts-expect-error: prompt is missing
      await sidecar.generate({});
      return sidecar.generate({ prompt: "red apple" });
    }`;
  writeFileSync(join(project, `use.${ending}`), text);
  const options = ["--strict", "--noEmit", "--exactOptionalPropertyTypes", "--types", "node"];
  const types = ["--typeRoots", join(ROOT, "node_modules", "@types")];
  const words = [...options, ...types, "--module", "nodenext", "--target", "es2022"];
  expect(node(TSC, ...words, `use.${ending}`)).toBe("");
});

test("the preload script is one file that needs electron only, and evaluates nothing", () => {
  const path = join(project, "node_modules/@lora-sidecar/electron/dist/preload-script.cjs");
  const text = readFileSync(path, "utf8");
  expect([...text.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name)).toEqual(["electron"]);
  expect(text).not.toMatch(/\beval\(|new Function/);
  const found = node("-p", 'require.resolve("@lora-sidecar/electron/preload-script")').trim();
  expect(found.endsWith("preload-script.cjs")).toBe(true);
});

test("what pages import reaches neither Node nor Electron", () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, from] of readFileSync(file, "utf8").matchAll(/from "([^"]+)"/g)) {
      expect(from).toMatch(/^\.\.?\//);
      visit(join(dirname(file), from ?? ""));
    }
  };
  for (const entry of ["renderer", "preload"]) visit(join(ROOT, "dist/esm", `${entry}.js`));
  expect(seen.size).toBeGreaterThan(10);
});
