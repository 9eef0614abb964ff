// Writes src/*.generated.ts from the sidecar's schema. `--check` only tells whether they are fresh.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";
import { errorsModule } from "./generate/errors.mjs";
import { methodsModule } from "./generate/methods.mjs";
import { paramsModule } from "./generate/params.mjs";
import { forCompiler } from "./generate/schema.mjs";
import { tablesModule } from "./generate/tables.mjs";

const SCHEMAS = new URL("../../schema/", import.meta.url);
const SOURCES = new URL("../src/", import.meta.url);
const BANNER = "// Generated from schema/ by `npm run generate`. Do not edit.\n\n";

const read = async (name) => JSON.parse(await readFile(new URL(name, SCHEMAS), "utf8"));
const schema = await read("protocol.schema.json");
const openrpc = await read("openrpc.json");

const types = await compile(forCompiler(schema), "Protocol", {
  additionalProperties: false,
  bannerComment: "",
  format: true,
});

const files = {
  "protocol.generated.ts": `${types.trim()}\n`,
  "tables.generated.ts": tablesModule(schema, openrpc),
  "methods.generated.ts": methodsModule(openrpc),
  "errors.generated.ts": errorsModule(schema, openrpc),
  "params.generated.ts": paramsModule(schema),
};

const stale = [];
for (const [name, body] of Object.entries(files)) {
  const path = new URL(name, SOURCES);
  const text = BANNER + body;
  if ((await readFile(path, "utf8").catch(() => "")) === text) continue;
  stale.push(name);
  if (!process.argv.includes("--check")) await writeFile(path, text);
}
if (stale.length > 0 && process.argv.includes("--check")) {
  console.error(`Stale: ${stale.join(", ")}. Run \`npm run generate\` and commit them.`);
  process.exit(1);
}
console.log(stale.length > 0 ? `wrote ${stale.join(", ")}` : "generated files are fresh");
