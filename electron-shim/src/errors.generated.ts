// Generated from schema/ by `npm run generate`. Do not edit.

import { SidecarError } from "./errors/sidecar-error.js";

/** -32002 `shutting_down`: The sidecar is shutting down and takes no more work. */
export class ShuttingDownError extends SidecarError {
  override readonly name = "ShuttingDownError";
  static readonly code = -32002;
  static readonly kind = "shutting_down";
  declare readonly kind: "shutting_down";
}

/** -32600 `invalid_request`: This message is not a JSON-RPC 2.0 request: {reason}. */
export class InvalidRequestError extends SidecarError {
  override readonly name = "InvalidRequestError";
  static readonly code = -32600;
  static readonly kind = "invalid_request";
  declare readonly kind: "invalid_request";
}

/** -32601 `method_not_found`: There is no method “{method}”. */
export class MethodNotFoundError extends SidecarError {
  override readonly name = "MethodNotFoundError";
  static readonly code = -32601;
  static readonly kind = "method_not_found";
  declare readonly kind: "method_not_found";
}

/** -32602 `invalid_params`: The parameters do not fit: {summary}. */
export class InvalidParamsError extends SidecarError {
  override readonly name = "InvalidParamsError";
  static readonly code = -32602;
  static readonly kind = "invalid_params";
  declare readonly kind: "invalid_params";
}

/** -32603 `internal_error`: Something went wrong inside the sidecar. */
export class InternalError extends SidecarError {
  override readonly name = "InternalError";
  static readonly code = -32603;
  static readonly kind = "internal_error";
  declare readonly kind: "internal_error";
}

/** -32700 `parse_error`: This message is not valid JSON{reason}. */
export class ParseError extends SidecarError {
  override readonly name = "ParseError";
  static readonly code = -32700;
  static readonly kind = "parse_error";
  declare readonly kind: "parse_error";
}

/** -32800 `cancelled`: The request was cancelled. */
export class CancelledError extends SidecarError {
  override readonly name = "CancelledError";
  static readonly code = -32800;
  static readonly kind = "cancelled";
  declare readonly kind: "cancelled";
}

/** -32801 `superseded`: A newer preview of the same session took its place. */
export class SupersededError extends SidecarError {
  override readonly name = "SupersededError";
  static readonly code = -32801;
  static readonly kind = "superseded";
  declare readonly kind: "superseded";
}

/** 1001 `lora_not_found`: There is no LoRA named “{name}” in the LoRA folders. */
export class LoraNotFoundError extends SidecarError {
  override readonly name = "LoraNotFoundError";
  static readonly code = 1001;
  static readonly kind = "lora_not_found";
  declare readonly kind: "lora_not_found";
}

/** 1002 `lora_incompatible`: “{name}” was made for {lora_title} models; the loaded model is {model_title} ({reason}). */
export class LoraIncompatibleError extends SidecarError {
  override readonly name = "LoraIncompatibleError";
  static readonly code = 1002;
  static readonly kind = "lora_incompatible";
  declare readonly kind: "lora_incompatible";
}

/** 1003 `lora_unsafe`: “{name}” was refused: {reason}. */
export class LoraUnsafeError extends SidecarError {
  override readonly name = "LoraUnsafeError";
  static readonly code = 1003;
  static readonly kind = "lora_unsafe";
  declare readonly kind: "lora_unsafe";
}

/** 1004 `lora_conflict`: {names} belong to one group ({group}) and are too strong together. */
export class LoraConflictError extends SidecarError {
  override readonly name = "LoraConflictError";
  static readonly code = 1004;
  static readonly kind = "lora_conflict";
  declare readonly kind: "lora_conflict";
}

/** 1005 `lora_corrupt`: “{name}” cannot be read: {reason}. */
export class LoraCorruptError extends SidecarError {
  override readonly name = "LoraCorruptError";
  static readonly code = 1005;
  static readonly kind = "lora_corrupt";
  declare readonly kind: "lora_corrupt";
}

/** 1006 `lora_without_effect`: “{name}” would change nothing: {reason}. */
export class LoraWithoutEffectError extends SidecarError {
  override readonly name = "LoraWithoutEffectError";
  static readonly code = 1006;
  static readonly kind = "lora_without_effect";
  declare readonly kind: "lora_without_effect";
}

/** 1007 `lora_suspicious`: “{name}” needs a second look: {reason}. */
export class LoraSuspiciousError extends SidecarError {
  override readonly name = "LoraSuspiciousError";
  static readonly code = 1007;
  static readonly kind = "lora_suspicious";
  declare readonly kind: "lora_suspicious";
}

/** 1101 `model_not_found`: There is no model named “{model}”. */
export class ModelNotFoundError extends SidecarError {
  override readonly name = "ModelNotFoundError";
  static readonly code = 1101;
  static readonly kind = "model_not_found";
  declare readonly kind: "model_not_found";
}

/** 1102 `model_corrupt`: The model “{model}” cannot be read: {reason}. */
export class ModelCorruptError extends SidecarError {
  override readonly name = "ModelCorruptError";
  static readonly code = 1102;
  static readonly kind = "model_corrupt";
  declare readonly kind: "model_corrupt";
}

/** 1103 `model_unsupported`: The model “{model}” is of a kind this version cannot load: {reason}. */
export class ModelUnsupportedError extends SidecarError {
  override readonly name = "ModelUnsupportedError";
  static readonly code = 1103;
  static readonly kind = "model_unsupported";
  declare readonly kind: "model_unsupported";
}

/** 1104 `model_not_loaded`: No model is loaded. */
export class ModelNotLoadedError extends SidecarError {
  override readonly name = "ModelNotLoadedError";
  static readonly code = 1104;
  static readonly kind = "model_not_loaded";
  declare readonly kind: "model_not_loaded";
}

/** 1105 `vae_not_found`: There is no VAE named “{vae}”. */
export class VaeNotFoundError extends SidecarError {
  override readonly name = "VaeNotFoundError";
  static readonly code = 1105;
  static readonly kind = "vae_not_found";
  declare readonly kind: "vae_not_found";
}

/** 1106 `asset_missing`: {asset} is not part of this installation, and this needs it. */
export class AssetMissingError extends SidecarError {
  override readonly name = "AssetMissingError";
  static readonly code = 1106;
  static readonly kind = "asset_missing";
  declare readonly kind: "asset_missing";
}

/** 1201 `out_of_memory`: There is not enough memory for this. */
export class OutOfMemoryError extends SidecarError {
  override readonly name = "OutOfMemoryError";
  static readonly code = 1201;
  static readonly kind = "out_of_memory";
  declare readonly kind: "out_of_memory";
}

/** 1202 `engine_crashed`: The engine stopped twice while working on this request. */
export class EngineCrashedError extends SidecarError {
  override readonly name = "EngineCrashedError";
  static readonly code = 1202;
  static readonly kind = "engine_crashed";
  declare readonly kind: "engine_crashed";
}

/** 1203 `engine_missing`: This build cannot draw: {package} is not part of it. */
export class EngineMissingError extends SidecarError {
  override readonly name = "EngineMissingError";
  static readonly code = 1203;
  static readonly kind = "engine_missing";
  declare readonly kind: "engine_missing";
}

/** 1204 `numerical_fault`: The picture came out broken ({what}) and was not kept. */
export class NumericalFaultError extends SidecarError {
  override readonly name = "NumericalFaultError";
  static readonly code = 1204;
  static readonly kind = "numerical_fault";
  declare readonly kind: "numerical_fault";
}

/** 1301 `image_unreadable`: The picture cannot be read: {reason}. */
export class ImageUnreadableError extends SidecarError {
  override readonly name = "ImageUnreadableError";
  static readonly code = 1301;
  static readonly kind = "image_unreadable";
  declare readonly kind: "image_unreadable";
}

/** 1302 `image_too_large`: The picture is {width}×{height}; at most {millions} million pixels are taken. */
export class ImageTooLargeError extends SidecarError {
  override readonly name = "ImageTooLargeError";
  static readonly code = 1302;
  static readonly kind = "image_too_large";
  declare readonly kind: "image_too_large";
}

/** 1303 `content_blocked`: The picture was held back: {found}. */
export class ContentBlockedError extends SidecarError {
  override readonly name = "ContentBlockedError";
  static readonly code = 1303;
  static readonly kind = "content_blocked";
  declare readonly kind: "content_blocked";
}

/** 1304 `image_tiny`: The picture is {width}×{height}; there is too little in it to make better. */
export class ImageTinyError extends SidecarError {
  override readonly name = "ImageTinyError";
  static readonly code = 1304;
  static readonly kind = "image_tiny";
  declare readonly kind: "image_tiny";
}

/** 1305 `image_blank`: The picture is of one colour all over; there is nothing in it to make better. */
export class ImageBlankError extends SidecarError {
  override readonly name = "ImageBlankError";
  static readonly code = 1305;
  static readonly kind = "image_blank";
  declare readonly kind: "image_blank";
}

/** 1306 `image_blurred`: The picture is blurred beyond what can be brought back. */
export class ImageBlurredError extends SidecarError {
  override readonly name = "ImageBlurredError";
  static readonly code = 1306;
  static readonly kind = "image_blurred";
  declare readonly kind: "image_blurred";
}

/** 1401 `history_not_found`: The history has no entry “{id}”. */
export class HistoryNotFoundError extends SidecarError {
  override readonly name = "HistoryNotFoundError";
  static readonly code = 1401;
  static readonly kind = "history_not_found";
  declare readonly kind: "history_not_found";
}

/** 1404 `picture_gone`: The picture of history entry “{id}” is no longer in the images folder. */
export class PictureGoneError extends SidecarError {
  override readonly name = "PictureGoneError";
  static readonly code = 1404;
  static readonly kind = "picture_gone";
  declare readonly kind: "picture_gone";
}

/** 1409 `storage_fault`: The data folder cannot be used: {reason}. */
export class StorageFaultError extends SidecarError {
  override readonly name = "StorageFaultError";
  static readonly code = 1409;
  static readonly kind = "storage_fault";
  declare readonly kind: "storage_fault";
}

/** 1501 `queue_full`: {limit} requests are waiting already. */
export class QueueFullError extends SidecarError {
  override readonly name = "QueueFullError";
  static readonly code = 1501;
  static readonly kind = "queue_full";
  declare readonly kind: "queue_full";
}

/** 1601 `dataset_invalid`: The training data cannot be used: {reason}. */
export class DatasetInvalidError extends SidecarError {
  override readonly name = "DatasetInvalidError";
  static readonly code = 1601;
  static readonly kind = "dataset_invalid";
  declare readonly kind: "dataset_invalid";
}

/** The class of each error, by its stable `kind`. */
export const ERROR_CLASSES = {
  shutting_down: ShuttingDownError,
  invalid_request: InvalidRequestError,
  method_not_found: MethodNotFoundError,
  invalid_params: InvalidParamsError,
  internal_error: InternalError,
  parse_error: ParseError,
  cancelled: CancelledError,
  superseded: SupersededError,
  lora_not_found: LoraNotFoundError,
  lora_incompatible: LoraIncompatibleError,
  lora_unsafe: LoraUnsafeError,
  lora_conflict: LoraConflictError,
  lora_corrupt: LoraCorruptError,
  lora_without_effect: LoraWithoutEffectError,
  lora_suspicious: LoraSuspiciousError,
  model_not_found: ModelNotFoundError,
  model_corrupt: ModelCorruptError,
  model_unsupported: ModelUnsupportedError,
  model_not_loaded: ModelNotLoadedError,
  vae_not_found: VaeNotFoundError,
  asset_missing: AssetMissingError,
  out_of_memory: OutOfMemoryError,
  engine_crashed: EngineCrashedError,
  engine_missing: EngineMissingError,
  numerical_fault: NumericalFaultError,
  image_unreadable: ImageUnreadableError,
  image_too_large: ImageTooLargeError,
  content_blocked: ContentBlockedError,
  image_tiny: ImageTinyError,
  image_blank: ImageBlankError,
  image_blurred: ImageBlurredError,
  history_not_found: HistoryNotFoundError,
  picture_gone: PictureGoneError,
  storage_fault: StorageFaultError,
  queue_full: QueueFullError,
  dataset_invalid: DatasetInvalidError,
} as const;

/** The stable name of an error of the protocol. */
export type ErrorKind = keyof typeof ERROR_CLASSES;
