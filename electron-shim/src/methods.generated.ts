// Generated from schema/ by `npm run generate`. Do not edit.

import type { CallOptions } from "./call-options.js";
import type { MethodName, ParamsOf, ResultOf } from "./tables.generated.js";

/** The methods of `SidecarMethods`, by their name in the protocol. */
export const METHOD_NAMES = {
  "ping": "ping",
  "status": "status",
  "rpc.discover": "discover",
  "cancel": "cancel",
  "list_models": "listModels",
  "load_model": "loadModel",
  "unload_model": "unloadModel",
  "vram_report": "vramReport",
  "set_low_vram": "setLowVram",
  "list_loras": "listLoras",
  "switch_lora": "switchLora",
  "set_alpha": "setAlpha",
  "inspect_lora": "inspectLora",
  "scan_lora": "scanLora",
  "check_conflicts": "checkConflicts",
  "merge_prompt": "mergePrompt",
  "preview": "preview",
  "generate": "generate",
  "enhance": "enhance",
  "upscale": "upscale",
  "history_list": "historyList",
  "history_get": "historyGet",
  "history_pin": "historyPin",
  "history_delete": "historyDelete",
  "history_clear": "historyClear",
  "history_rollback": "historyRollback",
  "repeat": "repeat",
} as const;

/** A request that has a method of `SidecarMethods`. */
export type NamedMethod = keyof typeof METHOD_NAMES;

/** Every request of the protocol as a typed method. `request` is how they reach the sidecar. */
export abstract class SidecarMethods {
  /** Send a request by its name in the protocol. */
  abstract request<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options?: CallOptions,
  ): Promise<ResultOf<M>>;

  /** Answers at once, whatever the engine is doing. */
  ping(options?: CallOptions): Promise<ResultOf<"ping">> {
    return this.request("ping", {}, options);
  }

  /** What is loaded, running and waiting. */
  status(options?: CallOptions): Promise<ResultOf<"status">> {
    return this.request("status", {}, options);
  }

  /** The OpenRPC document of this version. */
  discover(options?: CallOptions): Promise<ResultOf<"rpc.discover">> {
    return this.request("rpc.discover", {}, options);
  }

  /** Cancel a job by its job_id. */
  cancel(params: ParamsOf<"cancel">, options?: CallOptions): Promise<ResultOf<"cancel">> {
    return this.request("cancel", params, options);
  }

  /** Models that can be loaded. */
  listModels(options?: CallOptions): Promise<ResultOf<"list_models">> {
    return this.request("list_models", {}, options);
  }

  /** Make a model resident. The former one stays when this fails. Goes through the queue; answered when done. */
  loadModel(params: ParamsOf<"load_model">, options?: CallOptions): Promise<ResultOf<"load_model">> {
    return this.request("load_model", params, options);
  }

  /** Give the model's memory back. Goes through the queue; answered when done. */
  unloadModel(options?: CallOptions): Promise<ResultOf<"unload_model">> {
    return this.request("unload_model", {}, options);
  }

  /** Memory of devices, processes, components; what a picture would need. */
  vramReport(params: ParamsOf<"vram_report"> = {}, options?: CallOptions): Promise<ResultOf<"vram_report">> {
    return this.request("vram_report", params, options);
  }

  /** Another rung of the low-memory ladder for the model that is loaded. Goes through the queue; answered when done. */
  setLowVram(params: ParamsOf<"set_low_vram">, options?: CallOptions): Promise<ResultOf<"set_low_vram">> {
    return this.request("set_low_vram", params, options);
  }

  /** Cards of all LoRA files in the folders. */
  listLoras(params: ParamsOf<"list_loras"> = {}, options?: CallOptions): Promise<ResultOf<"list_loras">> {
    return this.request("list_loras", params, options);
  }

  /** Change the style. The former stack stays, bit for bit, when this fails. Goes through the queue; answered when done. */
  switchLora(params: ParamsOf<"switch_lora"> = {}, options?: CallOptions): Promise<ResultOf<"switch_lora">> {
    return this.request("switch_lora", params, options);
  }

  /** Change a strength; merged before the next step that needs it. */
  setAlpha(params: ParamsOf<"set_alpha">, options?: CallOptions): Promise<ResultOf<"set_alpha">> {
    return this.request("set_alpha", params, options);
  }

  /** All about one file: card, blocks, training, safety, and whether it fits the model. Goes through the queue; answered when done. */
  inspectLora(params: ParamsOf<"inspect_lora">, options?: CallOptions): Promise<ResultOf<"inspect_lora">> {
    return this.request("inspect_lora", params, options);
  }

  /** Read every byte of a file and tell what is wrong with it. Goes through the queue; answered when done. */
  scanLora(params: ParamsOf<"scan_lora">, options?: CallOptions): Promise<ResultOf<"scan_lora">> {
    return this.request("scan_lora", params, options);
  }

  /** Which styles of a stack do not go together, and strengths that do. */
  checkConflicts(params: ParamsOf<"check_conflicts">, options?: CallOptions): Promise<ResultOf<"check_conflicts">> {
    return this.request("check_conflicts", params, options);
  }

  /** A prompt with a style's words worked in, duplicates removed. */
  mergePrompt(params: ParamsOf<"merge_prompt">, options?: CallOptions): Promise<ResultOf<"merge_prompt">> {
    return this.request("merge_prompt", params, options);
  }

  /** A quick, small picture. The newest of a session wins. Goes through the queue; answered when done. */
  preview(params: ParamsOf<"preview">, options?: CallOptions): Promise<ResultOf<"preview">> {
    return this.request("preview", params, options);
  }

  /** Finished pictures, saved and entered into the history. Goes through the queue; answered when done. */
  generate(params: ParamsOf<"generate">, options?: CallOptions): Promise<ResultOf<"generate">> {
    return this.request("generate", params, options);
  }

  /** A better picture of the same: redrawn a little, or sharpened without a GPU. Goes through the queue; answered when done. */
  enhance(params: ParamsOf<"enhance">, options?: CallOptions): Promise<ResultOf<"enhance">> {
    return this.request("enhance", params, options);
  }

  /** A picture two to four times as large, by super-resolution. Goes through the queue; answered when done. */
  upscale(params: ParamsOf<"upscale">, options?: CallOptions): Promise<ResultOf<"upscale">> {
    return this.request("upscale", params, options);
  }

  /** Entries, newest first. */
  historyList(params: ParamsOf<"history_list"> = {}, options?: CallOptions): Promise<ResultOf<"history_list">> {
    return this.request("history_list", params, options);
  }

  /** One entry. */
  historyGet(params: ParamsOf<"history_get">, options?: CallOptions): Promise<ResultOf<"history_get">> {
    return this.request("history_get", params, options);
  }

  /** Keep an entry for good, or no longer. */
  historyPin(params: ParamsOf<"history_pin">, options?: CallOptions): Promise<ResultOf<"history_pin">> {
    return this.request("history_pin", params, options);
  }

  /** Delete an entry and its picture. */
  historyDelete(params: ParamsOf<"history_delete">, options?: CallOptions): Promise<ResultOf<"history_delete">> {
    return this.request("history_delete", params, options);
  }

  /** Delete all entries that are not pinned. */
  historyClear(params: ParamsOf<"history_clear"> = {}, options?: CallOptions): Promise<ResultOf<"history_clear">> {
    return this.request("history_clear", params, options);
  }

  /** The stored picture, with model, LoRA stack and alphas put back. Nothing is computed. */
  historyRollback(params: ParamsOf<"history_rollback">, options?: CallOptions): Promise<ResultOf<"history_rollback">> {
    return this.request("history_rollback", params, options);
  }

  /** Make another like it: generate again from an entry's parameters. Goes through the queue; answered when done. */
  repeat(params: ParamsOf<"repeat">, options?: CallOptions): Promise<ResultOf<"repeat">> {
    return this.request("repeat", params, options);
  }
}
