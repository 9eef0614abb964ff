/**
 * The page: typed methods and events, and the helpers that every such app needs. Imports neither
 * Node nor Electron; the helpers also work in main, on a SidecarClient.
 *
 * @packageDocumentation
 */
export { connectSidecar, PageSidecar } from "./bridge/connect.js";
export type { BridgeCall, SidecarBridge, Tell } from "./bridge/expose.js";
export * from "./errors/index.js";
export { type ConflictAdvice, checkConflict } from "./helpers/check-conflict.js";
export {
  HistoryRing,
  type HistoryRingOptions,
  type HistoryRingState,
} from "./helpers/history-ring.js";
export type { LoraChoice } from "./helpers/lora-choice.js";
export {
  LARGE_LORA_BYTES,
  type LoraConsent,
  LoraSwitcher,
  type LoraSwitcherOptions,
  type LoraSwitcherState,
} from "./helpers/lora-switcher.js";
export { isOutdated } from "./helpers/outdated.js";
export {
  PreviewSlider,
  type PreviewSliderOptions,
  type PreviewSliderState,
} from "./helpers/preview-slider.js";
export { Store } from "./helpers/store.js";
export * from "./types.js";
