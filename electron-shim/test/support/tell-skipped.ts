// Runs once, before all tests: says plainly what cannot be tried here.
import { NO_BROWSER } from "./browser.js";
import { NO_ELECTRON } from "./electron-app.js";

export default function tellSkipped(): void {
  if (NO_ELECTRON) console.warn(`SKIPPED, the tests in a real Electron: ${NO_ELECTRON}`);
  if (NO_BROWSER) console.warn(`SKIPPED, the tests in a real browser: ${NO_BROWSER}`);
}
