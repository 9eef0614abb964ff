// Draft 2020-12 put into the words that json-schema-to-typescript knows.

/** A copy in which tuples are spelled the older way, and error data stays open. */
export function forCompiler(schema) {
  const copy = rewritten(schema);
  for (const error of Object.values(copy.properties.errors.properties)) {
    error.properties.data.additionalProperties = true;
  }
  for (const { properties } of Object.values(copy.properties.methods.properties)) {
    if (properties.result?.type === "object") properties.result.additionalProperties = true;
  }
  return copy;
}

function rewritten(node) {
  if (Array.isArray(node)) return node.map(rewritten);
  if (node === null || typeof node !== "object") return node;
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, rewritten(value)]),
  );
  if (Array.isArray(copy.prefixItems)) {
    copy.items = copy.prefixItems;
    copy.additionalItems = false;
    delete copy.prefixItems;
  }
  if (copy.type === "array" && !Array.isArray(copy.items)) {
    delete copy.maxItems; // else the compiler spells out a union of tuples
    delete copy.minItems;
  }
  if (copy.default === null) delete copy.default;
  return copy;
}
