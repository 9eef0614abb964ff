// The main process: one window, one sidecar, the bridge between them.
import { join } from "node:path";
import {
  bundledProgram,
  registerSidecar,
  SidecarClient,
  stopWithApp,
} from "@lora-sidecar/electron";
import { app, BrowserWindow, ipcMain, Menu, protocol, session } from "electron";
import { developmentProgram } from "../shared/development.js";
import { contentPolicy, servePage } from "../shared/serve-page.js";
import { menuTemplate } from "./menu.js";
import { keepInside } from "./navigation.js";
import { ORIGIN, SCHEME, SCHEME_PRIVILEGES } from "./origin.js";
import { openWindow } from "./window.js";

const PAGE = join(__dirname, "../renderer");
const PRELOAD = join(__dirname, "preload.cjs");

function run(): void {
  if (!app.commandLine.hasSwitch("no-sandbox")) app.enableSandbox(); // Chromium has none as root
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: SCHEME_PRIVILEGES }]);

  const sidecar = new SidecarClient({
    program: app.isPackaged
      ? bundledProgram(process.resourcesPath)
      : developmentProgram(process.env),
    serve: { dataDir: join(app.getPath("userData"), "sidecar"), ...developmentArguments() },
    log: ({ level, raw }) => {
      if (level !== "debug" && level !== "info") console.error(raw);
    },
  });
  stopWithApp(app, sidecar);
  registerSidecar(ipcMain, sidecar, { allowOrigin: (origin) => origin === ORIGIN });
  sidecar.start().catch(() => {}); // requests fail with the reason, and the page shows it

  app.on("web-contents-created", (_event, contents) => keepInside(contents));
  app.on("second-instance", () => BrowserWindow.getAllWindows()[0]?.show());
  app.on("activate", () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow(PRELOAD);
  });
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit();
  });
  void app.whenReady().then(() => {
    protocol.handle(SCHEME, servePage(PAGE, contentPolicy()));
    allowCopyingOnly();
    Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform)));
    openWindow(PRELOAD);
  });
}

/** Pages get no permission: no camera, no notifications, no devices; but they may copy text. */
function allowCopyingOnly(): void {
  const mayCopy = (permission: string): boolean => permission === "clipboard-sanitized-write";
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) =>
    answer(mayCopy(permission) && contents.getURL().startsWith(`${ORIGIN}/`)),
  );
  session.defaultSession.setPermissionCheckHandler(
    (_contents, permission, origin) => mayCopy(permission) && origin === `${ORIGIN}/`,
  );
}

/** Further words for `lora-sidecar serve`, as a JSON list, while one develops. */
function developmentArguments(): { arguments?: string[] } {
  const given = process.env["SIDECAR_SERVE_ARGUMENTS"];
  return given && !app.isPackaged ? { arguments: JSON.parse(given) as string[] } : {};
}

if (app.requestSingleInstanceLock()) run();
else app.quit();
