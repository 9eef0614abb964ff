// Only checked by the compiler: Electron's own types fit where the package asks for them.
import { app, contextBridge, ipcMain, ipcRenderer } from "electron";
import { bundledProgram, registerSidecar, startSidecar } from "../../src/index.js";
import { exposeSidecar } from "../../src/preload.js";
import { connectSidecar } from "../../src/renderer.js";

export async function main(): Promise<void> {
  const sidecar = await startSidecar({ program: bundledProgram(process.resourcesPath), app });
  registerSidecar(ipcMain, sidecar);
}

export function preload(): void {
  exposeSidecar(contextBridge, ipcRenderer);
}

export async function page(): Promise<string | undefined> {
  const sidecar = connectSidecar(window.sidecar);
  const { images } = await sidecar.generate({ prompt: "red apple" });
  sidecar.on("progress", ({ percent }) => percent.toFixed());
  return images[0]?.thumbnail;
}
