import "./parts/app.js";
import type { App } from "./parts/app.js";
import { connectSidecar } from "./sidecar.js";
import { readFile } from "./state/enhancing.js";
import { Studio } from "./state/studio.js";
import { STRINGS } from "./strings/index.js";

async function open(): Promise<void> {
  const studio = new Studio(await connectSidecar(), {
    cupboard: localStorage,
    language: navigator.language,
    copy: (text) => navigator.clipboard.writeText(text),
    readFile,
    save: download,
  });
  const app = document.createElement("sidecar-app") as App;
  app.studio = studio;
  document.body.append(app);
  await studio.start();
}

function download(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Without a sidecar there is nothing to show but why. */
function broken(error: unknown): void {
  const words = STRINGS[/^zh\b/i.test(navigator.language) ? "zh-CN" : "en"].fault.start_failed;
  const told = [...words, error instanceof Error ? error.message : String(error)];
  const page = document.createElement("main");
  page.className = "broken";
  page.setAttribute("role", "alert");
  for (const words of told) {
    const line = document.createElement("p");
    line.textContent = words;
    page.append(line);
  }
  document.body.append(page);
}

open().catch(broken);
