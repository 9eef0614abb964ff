// What goes over the WebSocket: the messages of Electron's IPC, as JSON.

/** From the page to the server. */
export type FromPage =
  | {
      readonly kind: "invoke";
      readonly id: number;
      readonly channel: string;
      readonly args: readonly unknown[];
    }
  | { readonly kind: "send"; readonly channel: string; readonly args: readonly unknown[] };

/** From the server to the page. `refused`: there is no such channel. */
export type ToPage =
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refused"; readonly id: number }
  | { readonly kind: "message"; readonly channel: string; readonly args: readonly unknown[] };

/** Where the server takes WebSockets, and where the page's address has its token. */
export const BRIDGE_PATH = "/bridge";
/** The name of the token in both addresses. */
export const TOKEN = "token";

/** A message of a page; undefined when it is none. */
export function parseFromPage(text: string): FromPage | undefined {
  let given: Partial<Record<"kind" | "id" | "channel" | "args", unknown>> | null;
  try {
    given = JSON.parse(text) as typeof given;
  } catch {
    return undefined;
  }
  if (typeof given?.channel !== "string" || !Array.isArray(given.args)) return undefined;
  const { kind, id, channel, args } = given;
  if (kind === "send") return { kind, channel, args };
  return kind === "invoke" && Number.isSafeInteger(id)
    ? { kind, id: id as number, channel, args }
    : undefined;
}
