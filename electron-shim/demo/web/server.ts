// Development only: the page and its bridge for a browser, on this machine alone.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type BridgedSidecar, registerSidecar } from "@lora-sidecar/electron";
import { WebSocketServer } from "ws";
import { contentPolicy, type PageServer, servePage } from "../shared/serve-page.js";
import { Access } from "./access.js";
import { BRIDGE_PATH } from "./messages.js";
import { SocketMain } from "./socket-main.js";

const MAX_MESSAGE_BYTES = 80 * 1024 * 1024; // the sidecar takes 64 MiB

/** A development server that runs. */
export interface WebServer {
  /** What is to be opened in a browser; it holds the token. */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves the built page in `folder`, with the sidecar behind it. Port 0: any that is free. */
export async function serveWeb(
  sidecar: BridgedSidecar,
  folder: string,
  port = 0,
): Promise<WebServer> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const access = new Access((server.address() as AddressInfo).port);
  const policy = contentPolicy(`ws://${new URL(access.origin).host}`);
  const page = servePage(folder, policy);
  server.on("request", (request, response) => void answer(request, response, access, page));
  const ipcMain = new SocketMain();
  const unregister = registerSidecar(ipcMain, sidecar, {
    allowOrigin: (origin) => origin === access.origin,
  });
  const sockets = takeSockets(server, access, ipcMain);
  return {
    address: access.address,
    close: async () => {
      unregister();
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  page: PageServer,
): Promise<void> {
  if (!access.admitsRequest(request)) {
    response.writeHead(403).end("Open the address that `make app-web` printed.");
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { Allow: "GET, HEAD" }).end();
    return;
  }
  const { status, headers, ...rest } = await partOf(page, access.urlOf(request));
  response.writeHead(status, { ...headers, "Set-Cookie": access.cookie });
  response.end(request.method === "HEAD" ? undefined : rest.body);
}

async function partOf(page: PageServer, url: URL) {
  const found = await page({ url: url.href });
  const body = Buffer.from(await found.arrayBuffer());
  return { status: found.status, headers: Object.fromEntries(found.headers), body };
}

function takeSockets(server: Server, access: Access, ipcMain: SocketMain): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  server.on("upgrade", (request, stream, head) => {
    const { pathname } = access.urlOf(request);
    if (pathname !== BRIDGE_PATH || !access.admitsSocket(request)) {
      stream.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => ipcMain.serve(socket, access.origin));
  });
  return sockets;
}
