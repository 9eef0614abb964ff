export * from "../errors.generated.js";
export * from "./faults.js";
export { type ErrorData, SidecarError } from "./sidecar-error.js";
