/** The part of JSON Schema (2020-12) that the protocol's parameters are written in. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
}

/** What does not fit, and where. */
export interface Misfit {
  /** For example "loras[0].alpha"; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

type Definitions = Readonly<Record<string, Schema>>;

/** Everything about a value that does not fit the schema; empty when it is valid. */
export function misfits(
  value: unknown,
  schema: Schema,
  definitions: Definitions,
  path = "",
): Misfit[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    const target = definitions[name];
    if (!target) throw new Error(`no definition of ${schema.$ref}`);
    return misfits(value, target, definitions, path);
  }
  if (schema.anyOf) return ofAny(value, schema.anyOf, definitions, path);
  const wrong = (message: string): Misfit[] => [{ path, message }];
  if (schema.type !== undefined && !isOfType(value, schema.type)) {
    return wrong(`must be of type ${schema.type}`);
  }
  if (schema.enum && !schema.enum.includes(value)) {
    return wrong(`must be one of ${schema.enum.join(", ")}`);
  }
  if ("const" in schema && schema.const !== value) return wrong(`must be ${String(schema.const)}`);
  if (typeof value === "number") return limits(value, schema).flatMap(wrong);
  if (typeof value === "string") return lengths([...value].length, schema).flatMap(wrong);
  if (Array.isArray(value)) return ofItems(value, schema, definitions, path);
  return isObject(value) ? ofProperties(value, schema, definitions, path) : [];
}

function ofAny(
  value: unknown,
  schemas: readonly Schema[],
  definitions: Definitions,
  path: string,
): Misfit[] {
  const tries = schemas.map((schema) => misfits(value, schema, definitions, path));
  if (tries.some((found) => found.length === 0)) return [];
  return tries.find((found) => found.some((misfit) => misfit.path !== path)) ?? tries[0] ?? [];
}

function limits(value: number, schema: Schema): string[] {
  const { minimum: min, maximum: max, exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  const wrong: string[] = [];
  if (min !== undefined && value < min) wrong.push(`must be at least ${min}`);
  if (max !== undefined && value > max) wrong.push(`must be at most ${max}`);
  if (above !== undefined && value <= above) wrong.push(`must be above ${above}`);
  if (below !== undefined && value >= below) wrong.push(`must be below ${below}`);
  const { multipleOf: step } = schema;
  if (step !== undefined && value % step !== 0) wrong.push(`must be a multiple of ${step}`);
  return wrong;
}

function lengths(length: number, { minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Schema) {
  if (length < minLength) return [`must have at least ${minLength} characters`];
  return length > maxLength ? [`must have at most ${maxLength} characters`] : [];
}

function ofItems(
  value: readonly unknown[],
  schema: Schema,
  definitions: Definitions,
  path: string,
): Misfit[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, prefixItems = [], items } = schema;
  if (value.length < minItems) return [{ path, message: `must have at least ${minItems} items` }];
  if (value.length > maxItems) return [{ path, message: `must have at most ${maxItems} items` }];
  return value.flatMap((item, index) => {
    const sub = prefixItems[index] ?? items;
    return sub ? misfits(item, sub, definitions, `${path}[${index}]`) : [];
  });
}

function ofProperties(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties: more = true }: Schema,
  definitions: Definitions,
  path: string,
): Misfit[] {
  const at = (name: string): string => (path ? `${path}.${name}` : name);
  const missing = required
    .filter((name) => value[name] === undefined)
    .map((name) => ({ path: at(name), message: "is missing" }));
  const found = Object.entries(value).flatMap(([name, field]) => {
    if (field === undefined) return []; // JSON leaves it out
    const sub = Object.hasOwn(properties, name) ? properties[name] : more;
    if (sub === false) return [{ path: at(name), message: "is not known" }];
    if (sub === true || sub === undefined) return [];
    return misfits(field, sub, definitions, at(name));
  });
  return [...missing, ...found];
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    case "number":
      return Number.isFinite(value);
    case "object":
      return isObject(value);
    default:
      return typeof value === type;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
