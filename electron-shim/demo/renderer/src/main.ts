import "./parts/app.js";
import type { App } from "./parts/app.js";
import { connectSidecar } from "./sidecar.js";
import { readFile } from "./state/enhancing.js";
import { Studio } from "./state/studio.js";

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

void open();
