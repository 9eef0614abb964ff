// The main process of a small app: a sidecar, a sandboxed window, the bridge between them.
import "./old.js";
import "./old-node.js";
import { join } from "node:path";
import { app, BrowserWindow, ipcMain } from "electron";
import type { IpcMainLike, MessageLike } from "../../src/bridge/electron.js";
import { registerSidecar, type StartOptions, startSidecar } from "../../src/index.js";

const say = (name: string, value: unknown): boolean =>
  process.stdout.write(`@@${JSON.stringify([name, value])}\n`);

/** Electron 9 tells no senderFrame; there is one page here, and no frame within it. */
const main: IpcMainLike = {
  handle: (channel, listener) =>
    ipcMain.handle(channel, (event, ...args) => listener(withFrame(event), ...args)),
  on: (channel, listener) =>
    ipcMain.on(channel, (event, ...args) => listener(withFrame(event), ...args)),
  removeHandler: (channel) => ipcMain.removeHandler(channel),
  removeListener: (channel, listener) => ipcMain.removeListener(channel, listener),
};

function withFrame(event: unknown): MessageLike {
  const { sender } = event as { sender: MessageLike["sender"] & { getURL(): string } };
  return { sender, senderFrame: { url: sender.getURL(), parent: null } };
}

async function run(): Promise<void> {
  await app.whenReady();
  const options = JSON.parse(process.env["SIDECAR_OPTIONS"] ?? "{}") as StartOptions;
  const sidecar = await startSidecar({ ...options, app });
  registerSidecar(main, sidecar);
  say("pids", Object.values((await sidecar.status()).pids));
  const window = new BrowserWindow({
    show: false,
    webPreferences: {
      preload: join(__dirname, "preload-script.cjs"),
      contextIsolation: true,
      nodeIntegration: false,
      sandbox: true,
    },
  });
  window.webContents.on("page-title-updated", (_event, title) => {
    if (!title.startsWith("{")) return;
    say("page", JSON.parse(title));
    if (process.env["THEN"] === "quit") app.quit();
    else if (process.env["THEN"] === "exit") app.exit(0);
  });
  window.webContents.on("console-message", (_event, _level, message) => say("console", message));
  await window.loadFile(join(__dirname, "page.html"));
}

run().catch((error: unknown) => {
  say("failed", String(error));
  app.exit(1);
});
