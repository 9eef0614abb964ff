import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { misfits } from "../../src/bridge/validate.js";
import { PARAM_DEFINITIONS, PARAM_SCHEMAS } from "../../src/params.generated.js";

const SCHEMA = JSON.parse(
  readFileSync(new URL("../../../schema/protocol.schema.json", import.meta.url), "utf8"),
);
const METHODS = Object.keys(PARAM_SCHEMAS) as (keyof typeof PARAM_SCHEMAS)[];
const ajv = new Ajv2020({ strict: false });

/** Values that every kind of field takes some of and refuses some of. */
const VALUES = [
  undefined,
  null,
  true,
  "",
  "a",
  "euler",
  "auto",
  "x".repeat(9_000),
  0,
  1,
  -3,
  0.5,
  63,
  64,
  72,
  1e9,
  Number.MAX_SAFE_INTEGER,
  [],
  ["a"],
  [{ name: "ink" }],
  [{ name: "ink", alpha: 3 }],
  [{ alpha: 1 }],
  Array.from({ length: 17 }, () => ({ name: "ink" })),
  {},
  { path: "/a" },
  { data_url: "data:" },
  { name: "app", version: "1" },
  { name: 7 },
  { path: "/a", more: 1 },
];

test.each(METHODS)("the parameters of %s are judged as ajv judges them", (method) => {
  const { params } = SCHEMA.properties.methods.properties[method].properties;
  const judge = ajv.compile({ ...params, $defs: SCHEMA.$defs });
  const ours = (value: unknown): boolean =>
    misfits(value, PARAM_SCHEMAS[method], PARAM_DEFINITIONS).length === 0;
  const name = String(params.$ref).split("/").at(-1) ?? "";
  const { properties = {}, required = [] } = SCHEMA.$defs[name];
  const full = Object.fromEntries(required.map((field: string) => [field, "a"]));
  const tried = [...Object.keys(properties), "unknown"].flatMap((field) =>
    VALUES.map((value) => ({ ...full, [field]: value })),
  );
  for (const value of [full, {}, null, [], "text", ...tried]) {
    const clean = JSON.parse(JSON.stringify(value));
    expect([value, ours(value)]).toEqual([value, judge(clean)]);
  }
});

test("a misfit says where it is and what would fit", () => {
  const schema = PARAM_SCHEMAS.generate;
  const found = misfits(
    { prompt: "a", loras: [{ name: "ink", alpha: 3 }] },
    schema,
    PARAM_DEFINITIONS,
  );
  expect(found).toEqual([{ path: "loras[0].alpha", message: "must be at most 2" }]);
});
