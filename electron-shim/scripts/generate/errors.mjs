// One class per error of the protocol.
import { jsdoc, pascal } from "./names.mjs";

export function errorsModule(schema, openrpc) {
  const kinds = Object.entries(schema.properties.errors.properties);
  const classes = kinds.map(([kind, error]) => {
    const { message } = openrpc.components.errors[kind];
    const code = error.properties.code.const;
    return (
      jsdoc(`${code} \`${kind}\`: ${message}`) +
      `export class ${className(kind)} extends SidecarError {\n` +
      `  override readonly name = "${className(kind)}";\n` +
      `  static readonly code = ${code};\n` +
      `  static readonly kind = "${kind}";\n` +
      `  declare readonly kind: "${kind}";\n` +
      `}\n\n`
    );
  });
  const rows = kinds.map(([kind]) => `  ${kind}: ${className(kind)},\n`);
  return (
    `import { SidecarError } from "./errors/sidecar-error.js";\n\n${classes.join("")}` +
    jsdoc("The class of each error, by its stable `kind`.") +
    `export const ERROR_CLASSES = {\n${rows.join("")}} as const;\n\n` +
    jsdoc("The stable name of an error of the protocol.") +
    `export type ErrorKind = keyof typeof ERROR_CLASSES;\n`
  );
}

const className = (kind) => (kind.endsWith("_error") ? pascal(kind) : `${pascal(kind)}Error`);
