// The schemas of parameters, small, for the check on the main side of the bridge.

const KEPT = new Set([
  "$ref",
  "additionalProperties",
  "anyOf",
  "const",
  "enum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "items",
  "maxItems",
  "maxLength",
  "maximum",
  "minItems",
  "minLength",
  "minimum",
  "multipleOf",
  "prefixItems",
  "properties",
  "required",
  "type",
]);
const PROSE = new Set(["default", "description", "examples", "title"]);

export function paramsModule(schema) {
  const methods = Object.entries(schema.properties.methods.properties);
  const params = Object.fromEntries(
    methods.map(([name, method]) => [name, slim(method.properties.params)]),
  );
  const defs = reachable(params, schema.$defs);
  const typed = (value, type) => `${JSON.stringify(value, null, 2)} as const satisfies ${type}`;
  return (
    `import type { Schema } from "./bridge/validate.js";\n\n` +
    `/** The schema of each method's parameters. */\n` +
    `export const PARAM_SCHEMAS = ${typed(params, "Record<string, Schema>")};\n\n` +
    `/** What those refer to. */\n` +
    `export const PARAM_DEFINITIONS = ${typed(defs, "Record<string, Schema>")};\n`
  );
}

function reachable(root, definitions) {
  const found = {};
  const visit = (node) => {
    if (node === null || typeof node !== "object") return;
    if (typeof node.$ref === "string") {
      const name = node.$ref.split("/").at(-1);
      if (!(name in found)) {
        found[name] = slim(definitions[name]);
        visit(found[name]);
      }
    }
    Object.values(node).forEach(visit);
  };
  visit(root);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Without prose; a keyword that the validator does not know is refused here, not ignored there. */
function slim(schema) {
  if (typeof schema !== "object") return schema;
  const copy = {};
  for (const [key, value] of Object.entries(schema)) {
    if (PROSE.has(key)) continue;
    if (!KEPT.has(key)) throw new Error(`src/bridge/validate.ts does not know "${key}"`);
    if (key === "properties") {
      copy[key] = Object.fromEntries(Object.entries(value).map(([name, sub]) => [name, slim(sub)]));
    } else if (key === "anyOf" || key === "prefixItems") {
      copy[key] = value.map(slim);
    } else if (key === "items" || key === "additionalProperties") {
      copy[key] = slim(value);
    } else {
      copy[key] = value;
    }
  }
  return copy;
}
