// Generated from schema/ by `npm run generate`. Do not edit.

import type { Protocol } from "./protocol.generated.js";

/** The version of the protocol that these files were generated from. */
export const PROTOCOL_VERSION = 1;

/** Every request, and whether it is answered at once or goes through the queue. */
export const METHODS = {
  "initialize": "at once",
  "ping": "at once",
  "status": "at once",
  "shutdown": "at once",
  "rpc.discover": "at once",
  "cancel": "at once",
  "list_models": "at once",
  "load_model": "when done",
  "unload_model": "when done",
  "vram_report": "at once",
  "set_low_vram": "when done",
  "list_loras": "at once",
  "switch_lora": "when done",
  "set_alpha": "at once",
  "inspect_lora": "when done",
  "scan_lora": "when done",
  "check_conflicts": "at once",
  "merge_prompt": "at once",
  "preview": "when done",
  "generate": "when done",
  "enhance": "when done",
  "upscale": "when done",
  "history_list": "at once",
  "history_get": "at once",
  "history_pin": "at once",
  "history_delete": "at once",
  "history_clear": "at once",
  "history_rollback": "at once",
  "repeat": "when done",
} as const;

/** Every notification the sidecar sends. */
export const NOTIFICATIONS = [
  "ready",
  "engine_state",
  "model_load",
  "lora_loaded",
  "loras_changed",
  "progress",
  "thumbnail",
  "preview_frame",
  "vram",
  "history_changed",
  "warning",
  "log",
] as const;

/** The notifications that belong to one request and name it in `request_id`. */
export const CALL_NOTIFICATIONS = [
  "progress",
  "thumbnail",
  "preview_frame",
] as const;

/** The name of a request. */
export type MethodName = keyof typeof METHODS;
/** The name of a notification. */
export type NotificationName = (typeof NOTIFICATIONS)[number];
/** The name of a notification that belongs to one request. */
export type CallNotificationName = (typeof CALL_NOTIFICATIONS)[number];
/** The parameters of a method. */
export type ParamsOf<M extends MethodName> = Protocol["methods"][M]["params"];
/** What a method answers. */
export type ResultOf<M extends MethodName> = Protocol["methods"][M]["result"];
/** The parameters of a notification. */
export type NotificationOf<N extends NotificationName> = Protocol["notifications"][N];
