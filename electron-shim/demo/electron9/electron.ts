// Electron 9 in the clothes of Electron 30: main and preload are bundled against this module.
import "./node.js";
import type * as Electron from "electron";

type Electron30 = typeof Electron;

interface Response9 {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

const real = require("electron") as Electron30 & {
  protocol: {
    registerBufferProtocol(
      scheme: string,
      answer: (request: { url: string }, callback: (response: object) => void) => void,
    ): void;
  };
};

export const { app, BrowserWindow, Menu, nativeTheme, screen, session } = real;

/** Messages say which frame they come from; there are no frames within our page. */
export const ipcMain = {
  handle: (channel: string, listener: (event: object, ...words: unknown[]) => Promise<unknown>) =>
    real.ipcMain.handle(channel, (event, ...words) => listener(withFrame(event), ...words)),
  on: (channel: string, listener: (event: object, ...words: unknown[]) => void) =>
    real.ipcMain.on(channel, (event, ...words) => listener(withFrame(event), ...words)),
  removeHandler: (channel: string) => real.ipcMain.removeHandler(channel),
  removeListener: (channel: string) => real.ipcMain.removeAllListeners(channel),
};

function withFrame({ sender }: { sender: Electron.WebContents }): object {
  return { sender, senderFrame: { url: sender.getURL(), parent: null } };
}

/** `handle` answers with a Response. */
export const protocol = {
  registerSchemesAsPrivileged: real.protocol.registerSchemesAsPrivileged,
  handle: (scheme: string, answer: (request: { url: string }) => Promise<unknown>) =>
    real.protocol.registerBufferProtocol(scheme, (request, callback) => {
      void answer(request).then((response) => callback(asBuffer(response as Response9)));
    }),
};

function asBuffer({ status, headers, body }: Response9): object {
  const mimeType = headers["Content-Type"]?.split(";")[0];
  return { statusCode: status, headers, mimeType, data: Buffer.from(body) };
}

/** Windows that a page opens are denied by a handler, not by an event. */
app?.on("web-contents-created", (_event, contents) => {
  contents.setWindowOpenHandler = () =>
    void contents.on("new-window" as "will-navigate", (event) => event.preventDefault());
});
