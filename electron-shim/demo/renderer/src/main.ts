import "./parts/app.js";
import type { App } from "./parts/app.js";
import { connectSidecar } from "./sidecar.js";
import { Studio } from "./state/studio.js";

async function open(): Promise<void> {
  const studio = new Studio(await connectSidecar(), {
    cupboard: localStorage,
    language: navigator.language,
    copy: (text) => navigator.clipboard.writeText(text),
  });
  const app = document.createElement("sidecar-app") as App;
  app.studio = studio;
  document.body.append(app);
  await studio.start();
}

void open();
