import type { MenuItemConstructorOptions } from "electron";

/** The menus that every app has, with the system's own items and keys. */
export function menuTemplate(platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  const own: MenuItemConstructorOptions[] = platform === "darwin" ? [{ role: "appMenu" }] : [];
  return [...own, { role: "fileMenu" }, { role: "editMenu" }, VIEW, { role: "windowMenu" }];
}

/** As the role "viewMenu", without "force reload". */
const VIEW: MenuItemConstructorOptions = {
  label: "View",
  submenu: [
    { role: "resetZoom" },
    { role: "zoomIn" },
    { role: "zoomOut" },
    { type: "separator" },
    { role: "togglefullscreen" },
    { role: "toggleDevTools" },
  ],
};
