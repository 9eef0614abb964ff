// The page: the main job through the bridge, told in the title of the document.
import { connectSidecar, type SidecarBridge } from "../../src/renderer.js";
import "./old.js";

async function job(bridge: SidecarBridge): Promise<object> {
  const sidecar = connectSidecar(bridge);
  const loaded: string[] = [];
  sidecar.on("lora_loaded", ({ stack }) => loaded.push(...stack.map(({ name }) => name)));
  await sidecar.loadModel({ model: "starter" });
  await sidecar.switchLora({ name: "ink", alpha: 0.5 });
  await sidecar.setAlpha({ alpha: 0.8 });
  const preview = await sidecar.preview({ prompt: "red apple" });
  const percents: number[] = [];
  const made = await sidecar.generate(
    { prompt: "red apple" },
    { onProgress: ({ percent }) => percents.push(percent) },
  );
  const controller = new AbortController();
  const aborted = await sidecar
    .generate(
      { prompt: "[delay=50]", steps: 150 },
      { signal: controller.signal, onProgress: () => controller.abort() },
    )
    .catch((error: Error) => error.name);
  const refused = await sidecar
    .generate({ prompt: "a", init_image: { path: "/etc/passwd" } })
    .catch((error: { kind: string }) => error.kind);
  const missing = await sidecar
    .switchLora({ name: "nowhere" })
    .catch(({ name, data }) => [name, data.name]);
  await sidecar.switchLora({ name: null });
  const back = await sidecar.historyRollback({ id: made.images[0]?.history_id ?? "" });
  return {
    loaded,
    preview: preview.image.mime,
    last: percents[percents.length - 1],
    aborted,
    refused,
    missing,
    back: back.state.loras.map(({ name, alpha }) => [name, alpha]),
    node: typeof (globalThis as { require?: unknown }).require,
  };
}

job((window as unknown as { sidecar: SidecarBridge }).sidecar).then(
  (result) => {
    document.title = JSON.stringify(result);
  },
  (error) => {
    document.title = JSON.stringify({ failed: String(error) });
  },
);
