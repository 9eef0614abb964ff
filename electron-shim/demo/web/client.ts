// Development only: the page's end of the bridge over a WebSocket, in place of a preload script.
import { exposeSidecar, type SidecarBridge } from "@lora-sidecar/electron/preload";
import { BRIDGE_PATH, TOKEN } from "./messages.js";
import { GONE, SocketRenderer } from "./socket-renderer.js";

const OPEN_MS = 10_000;

/**
 * What `exposeSidecar` puts into a page, from the development server that served this one. When
 * that server ends, calls are rejected and `gave_up` is told. Rejects when the server is gone
 * already or does not know the page's token.
 */
export async function connectOverWebSocket(
  address: string = addressFor(location),
): Promise<SidecarBridge> {
  const socket = await opened(new WebSocket(address));
  const world: { sidecar?: SidecarBridge } = {};
  const contextBridge = {
    exposeInMainWorld: (key: string, api: unknown): void =>
      void Object.assign(world, { [key]: api }),
  };
  exposeSidecar(contextBridge, new SocketRenderer(socket));
  const { sidecar } = world;
  if (!sidecar) throw new Error("exposeSidecar exposed nothing");
  return { ...sidecar, on: tellingOfTheEnd(socket, sidecar.on) };
}

/** The WebSocket that belongs to a page of the development server. */
export function addressFor({ host, search }: { host: string; search: string }): string {
  const token = new URLSearchParams(search).get(TOKEN) ?? "";
  return `ws://${host}${BRIDGE_PATH}?${TOKEN}=${encodeURIComponent(token)}`;
}

function opened(socket: WebSocket): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => socket.close(), OPEN_MS);
    const refused = (): void => {
      clearTimeout(late);
      reject(
        new Error("The development server did not let this page in. Open its newest address."),
      );
    };
    socket.addEventListener("close", refused);
    socket.addEventListener("open", () => {
      clearTimeout(late);
      socket.removeEventListener("close", refused);
      resolve(socket);
    });
  });
}

function tellingOfTheEnd(socket: WebSocket, on: SidecarBridge["on"]): SidecarBridge["on"] {
  return (name, listener) => {
    const off = on(name, listener);
    if (name !== "gave_up") return off;
    const ended = (): void => listener(GONE);
    socket.addEventListener("close", ended);
    return () => {
      socket.removeEventListener("close", ended);
      off();
    };
  };
}
