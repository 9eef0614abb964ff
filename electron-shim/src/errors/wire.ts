import { ERROR_CLASSES } from "../errors.generated.js";
import { type FaultKind, SidecarFault } from "./faults.js";
import { type ErrorData, SidecarError } from "./sidecar-error.js";

/** An error as it crosses the bridge between processes: plain data. */
export type WireError =
  | {
      readonly type: "sidecar";
      readonly code: number;
      readonly message: string;
      readonly data: ErrorData;
    }
  | {
      readonly type: "fault";
      readonly kind: FaultKind;
      readonly message: string;
      readonly hint: string;
    }
  | { readonly type: "abort" }
  | { readonly type: "other"; readonly message: string };

/** The error object of a JSON-RPC answer, as the class of its kind. */
export function errorFromAnswer(code: number, message: string, data: unknown): SidecarError {
  const given = isObject(data) ? data : {};
  const kind = typeof given["kind"] === "string" ? given["kind"] : "internal_error";
  const hint = typeof given["hint"] === "string" ? given["hint"] : "";
  const known = Object.hasOwn(ERROR_CLASSES, kind);
  const Class = known ? ERROR_CLASSES[kind as keyof typeof ERROR_CLASSES] : SidecarError;
  return new Class(code, message, { ...given, kind, hint });
}

/** An error as plain data. */
export function errorToWire(error: unknown): WireError {
  if (error instanceof SidecarError) {
    return { type: "sidecar", code: error.code, message: error.message, data: error.data };
  }
  if (error instanceof SidecarFault) {
    return { type: "fault", kind: error.kind, message: error.message, hint: error.hint };
  }
  if (error instanceof Error && error.name === "AbortError") return { type: "abort" };
  return { type: "other", message: error instanceof Error ? error.message : String(error) };
}

/** The error that `errorToWire` took apart. */
export function errorFromWire(wire: WireError): Error {
  switch (wire.type) {
    case "sidecar":
      return errorFromAnswer(wire.code, wire.message, wire.data);
    case "fault":
      return new SidecarFault(wire.kind, wire.message, wire.hint);
    case "abort":
      return new DOMException("This operation was aborted", "AbortError");
    default:
      return new Error(wire.message);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
