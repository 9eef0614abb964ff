// A whole preload script, bundled into one file, for apps that need no other.
import { contextBridge, ipcRenderer } from "electron";
import { exposeSidecar } from "./bridge/expose.js";

exposeSidecar(contextBridge, ipcRenderer);
