import {
  connectSidecar as connect,
  type PageSidecar,
  type SidecarBridge,
} from "@lora-sidecar/electron/renderer";

declare const __WEB__: boolean;

/** What the preload put here; in a browser, the development bridge stands in for it. */
export async function connectSidecar(): Promise<PageSidecar> {
  const { sidecar } = window as { sidecar?: SidecarBridge };
  if (sidecar) return connect(sidecar);
  if (__WEB__) {
    const { connectOverWebSocket } = await import("../../web/client.js");
    return connect(await connectOverWebSocket());
  }
  throw new Error("There is no preload script: window.sidecar is missing.");
}
