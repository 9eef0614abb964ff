import { join } from "node:path";
import { app, BrowserWindow, nativeTheme, screen } from "electron";
import { ORIGIN } from "./origin.js";
import { readWindowState, visibleState, writeWindowState } from "./window-state.js";

const SMALLEST = { minWidth: 720, minHeight: 520 };

/** The window, where it was left. It is shown once there is something to see. */
export function openWindow(preload: string): BrowserWindow {
  const file = join(app.getPath("userData"), "window.json");
  const areas = screen.getAllDisplays().map(({ workArea }) => workArea);
  const { bounds, maximized } = visibleState(readWindowState(file), areas);
  const window = new BrowserWindow({
    ...bounds,
    ...SMALLEST,
    show: false,
    autoHideMenuBar: true,
    title: "LoRA Sidecar",
    backgroundColor: nativeTheme.shouldUseDarkColors ? "#16161a" : "#ffffff",
    webPreferences: {
      preload,
      contextIsolation: true,
      nodeIntegration: false,
      sandbox: true,
      spellcheck: false, // it would fetch dictionaries
    },
  });
  if (maximized) window.maximize();
  window.once("ready-to-show", () => window.show());
  window.on("close", () => {
    writeWindowState(file, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
  });
  reloadAfterCrash(window);
  void window.loadURL(`${ORIGIN}/index.html`);
  return window;
}

/** A page that crashed comes back; the sidecar, which went on, has its state. Not more often than once a minute, though. */
function reloadAfterCrash(window: BrowserWindow): void {
  let last = Number.NEGATIVE_INFINITY;
  window.webContents.on("render-process-gone", (_event, { reason }) => {
    if (reason === "clean-exit" || Date.now() - last < 60_000) return;
    last = Date.now();
    window.webContents.reload();
  });
}
