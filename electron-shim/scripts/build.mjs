// dist/: ES modules, CommonJS, and one whole preload script; each with types and source maps.
import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
);

await rm(join(ROOT, "dist"), { recursive: true, force: true });
for (const project of ["tsconfig.esm.json", "tsconfig.cjs.json"]) {
  const { status } = spawnSync(process.execPath, [compiler, "-p", project], {
    cwd: ROOT,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
await writeFile(join(ROOT, "dist", "cjs", "package.json"), '{ "type": "commonjs" }\n');
await build({
  absWorkingDir: ROOT,
  entryPoints: ["src/preload-script.ts"],
  outfile: "dist/preload-script.cjs",
  bundle: true,
  external: ["electron"],
  format: "cjs",
  platform: "browser",
  target: "es2022",
  sourcemap: true,
  logLevel: "warning",
});
