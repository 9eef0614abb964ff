// Names of methods and notifications as values, and how each method is answered.
import { jsdoc } from "./names.mjs";

export function tablesModule(schema, openrpc) {
  const requests = openrpc.methods.filter((method) => method["x-answer"] !== "never");
  const rows = requests.map(
    (method) => `  ${JSON.stringify(method.name)}: ${JSON.stringify(method["x-answer"])},\n`,
  );
  const events = openrpc["x-notifications"].map((event) => `  ${JSON.stringify(event.name)},\n`);
  const calls = openrpc["x-notifications"].filter(
    (event) => "request_id" in (schema.$defs[event.params.$ref.split("/").at(-1)].properties ?? {}),
  );
  return (
    `import type { Protocol } from "./protocol.generated.js";\n\n` +
    jsdoc("The version of the protocol that these files were generated from.") +
    `export const PROTOCOL_VERSION = ${openrpc["x-protocol-version"]};\n\n` +
    jsdoc("Every request, and whether it is answered at once or goes through the queue.") +
    `export const METHODS = {\n${rows.join("")}} as const;\n\n` +
    jsdoc("Every notification the sidecar sends.") +
    `export const NOTIFICATIONS = [\n${events.join("")}] as const;\n\n` +
    jsdoc("The notifications that belong to one request and name it in `request_id`.") +
    `export const CALL_NOTIFICATIONS = [\n${calls.map((event) => `  ${JSON.stringify(event.name)},\n`).join("")}] as const;\n\n` +
    jsdoc("The name of a request.") +
    `export type MethodName = keyof typeof METHODS;\n` +
    jsdoc("The name of a notification.") +
    `export type NotificationName = (typeof NOTIFICATIONS)[number];\n` +
    jsdoc("The name of a notification that belongs to one request.") +
    `export type CallNotificationName = (typeof CALL_NOTIFICATIONS)[number];\n` +
    jsdoc("The parameters of a method.") +
    `export type ParamsOf<M extends MethodName> = Protocol["methods"][M]["params"];\n` +
    jsdoc("What a method answers.") +
    `export type ResultOf<M extends MethodName> = Protocol["methods"][M]["result"];\n` +
    jsdoc("The parameters of a notification.") +
    `export type NotificationOf<N extends NotificationName> = Protocol["notifications"][N];\n`
  );
}
