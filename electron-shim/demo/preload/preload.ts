// The preload script: the page gets the sidecar's named functions, and nothing else.
import { exposeSidecar } from "@lora-sidecar/electron/preload";
import { contextBridge, ipcRenderer } from "electron";

exposeSidecar(contextBridge, ipcRenderer);
