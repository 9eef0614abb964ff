import type { WebContents } from "electron";
import { ORIGIN } from "./origin.js";

/** A page stays our page: it opens no windows, goes nowhere else and embeds nothing. */
export function keepInside(contents: Pick<WebContents, "on" | "setWindowOpenHandler">): void {
  contents.setWindowOpenHandler(() => ({ action: "deny" }));
  contents.on("will-navigate", (event, url) => {
    if (!isOurs(url)) event.preventDefault();
  });
  contents.on("will-redirect", (event, url) => {
    if (!isOurs(url)) event.preventDefault();
  });
  contents.on("will-attach-webview", (event) => event.preventDefault());
}

/** Whether an address is one of our page's. */
export function isOurs(url: string): boolean {
  return url.startsWith(`${ORIGIN}/`);
}
