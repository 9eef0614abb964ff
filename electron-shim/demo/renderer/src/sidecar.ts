import { connectSidecar as connect, type PageSidecar } from "@lora-sidecar/electron/renderer";

declare const __WEB__: boolean;

/** What the preload put here; in a browser, the development bridge stands in for it. */
export async function connectSidecar(): Promise<PageSidecar> {
  if (__WEB__ && !window.sidecar) {
    const { connectOverWebSocket } = await import("../../web/client.js");
    return connect(await connectOverWebSocket());
  }
  return connect(window.sidecar);
}
