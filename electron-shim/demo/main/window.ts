import { join } from "node:path";
import { app, BrowserWindow, nativeTheme, screen } from "electron";
import { ORIGIN } from "./origin.js";
import { readWindowState, visibleState, writeWindowState } from "./window-state.js";

const PAGE = `${ORIGIN}/index.html`;
const SMALLEST = { minWidth: 760, minHeight: 520 };
const SETTLED_MS = 300;
const CALM_MS = 60_000;

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
  keepState(window, file);
  reloadAfterCrash(window);
  void window.loadURL(PAGE);
  return window;
}

/** Soon after each change, so that a crash loses nothing, and at the end. */
function keepState(window: BrowserWindow, file: string): void {
  let timer: NodeJS.Timeout | undefined;
  const keep = (): void => {
    writeWindowState(file, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(keep, SETTLED_MS);
  };
  window.on("resize", soon).on("move", soon).on("maximize", soon).on("unmaximize", soon);
  window.on("close", keep);
  window.once("closed", () => clearTimeout(timer));
}

/** A page that crashed comes back, once a minute at most; the sidecar went on and has its state. */
function reloadAfterCrash(window: BrowserWindow): void {
  let last = Number.NEGATIVE_INFINITY;
  window.webContents.on("render-process-gone", (_event, { reason }) => {
    if (reason === "clean-exit" || Date.now() - last < CALM_MS) return;
    last = Date.now();
    setTimeout(() => {
      if (!window.isDestroyed()) void window.loadURL(PAGE);
    }, SETTLED_MS);
  });
}
