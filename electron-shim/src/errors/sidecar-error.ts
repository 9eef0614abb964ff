/** The `data` of an error of the sidecar: its kind, a hint, and what the kind adds. */
export interface ErrorData {
  /** Stable, for programs. */
  readonly kind: string;
  /** What to do next, for people, in the session's language. */
  readonly hint: string;
  readonly [field: string]: unknown;
}

/**
 * An error that the sidecar answered. `message` says what happened and `hint` what to do next, both
 * for people and in the session's language. Each `kind` has a class of its own.
 */
export class SidecarError extends Error {
  override readonly name: string = "SidecarError";
  /** As in JSON-RPC: negative for faults of the protocol, positive for the sidecar's own. */
  readonly code: number;
  /** Stable, for programs. */
  readonly kind: string;
  /** What to do next, for people. */
  readonly hint: string;
  /** Everything the sidecar said about it, such as `name` or `available`. */
  readonly data: ErrorData;

  constructor(code: number, message: string, data: ErrorData) {
    super(message);
    this.code = code;
    this.kind = data.kind;
    this.hint = data.hint;
    this.data = data;
  }
}
