// One typed method per request of the protocol, in camelCase.
import { camel, jsdoc } from "./names.mjs";

/** What the package does by itself; see client/. */
const OURS = new Set(["shutdown", "initialize"]);

export function methodsModule(openrpc) {
  const requests = openrpc.methods.filter((m) => m["x-answer"] !== "never" && !OURS.has(m.name));
  const names = requests.map(
    (m) => `  ${JSON.stringify(m.name)}: ${JSON.stringify(methodName(m.name))},\n`,
  );
  return (
    `import type { CallOptions } from "./call-options.js";\n` +
    `import type { MethodName, ParamsOf, ResultOf } from "./tables.generated.js";\n\n` +
    jsdoc("The methods of `SidecarMethods`, by their name in the protocol.") +
    `export const METHOD_NAMES = {\n${names.join("")}} as const;\n\n` +
    jsdoc("A request that has a method of `SidecarMethods`.") +
    `export type NamedMethod = keyof typeof METHOD_NAMES;\n\n` +
    jsdoc(
      "Every request of the protocol as a typed method. `request` is how they reach the sidecar.",
    ) +
    `export abstract class SidecarMethods {\n` +
    jsdoc("Send a request by its name in the protocol.", "  ") +
    `  abstract request<M extends MethodName>(\n    method: M,\n    params: ParamsOf<M>,\n    options?: CallOptions,\n  ): Promise<ResultOf<M>>;\n` +
    requests.map(method).join("") +
    `}\n`
  );
}

function methodName(name) {
  return name === "rpc.discover" ? "discover" : camel(name);
}

function method({ name, summary, params, "x-answer": answer }) {
  const queue = answer === "when done" ? " Goes through the queue; answered when done." : "";
  const optional = params.every((param) => !param.required);
  const bare = params.length === 0;
  const given = bare ? "" : `params: ParamsOf<"${name}">${optional ? " = {}" : ""}, `;
  return (
    `\n${jsdoc(summary + queue, "  ")}` +
    `  ${methodName(name)}(${given}options?: CallOptions): Promise<ResultOf<"${name}">> {\n` +
    `    return this.request("${name}", ${bare ? "{}" : "params"}, options);\n  }\n`
  );
}
