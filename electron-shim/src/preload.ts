/**
 * The preload script: put the sidecar into the page, as named functions only.
 *
 * @packageDocumentation
 */
export type { ContextBridgeLike, IpcRendererLike } from "./bridge/electron.js";
export {
  type BridgeCall,
  type ExposeOptions,
  exposeSidecar,
  type SidecarBridge,
  type Tell,
} from "./bridge/expose.js";
