/** The stable name of what can go wrong between an app and its sidecar. */
export type FaultKind =
  | "answer_timeout"
  | "bridge_missing"
  | "bridge_refused"
  | "gave_up"
  | "not_a_sidecar"
  | "sidecar_gone"
  | "start_failed";

/** Something failed between the app and the sidecar; the sidecar itself refused nothing. */
export class SidecarFault extends Error {
  override readonly name: string = "SidecarFault";
  /** Stable, for programs. */
  readonly kind: FaultKind;
  /** What to do next, for people. */
  readonly hint: string;

  constructor(kind: FaultKind, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.hint = hint;
  }
}

/** How a process ended, and the last lines of its log. */
export interface Ending {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it, if one did. */
  readonly signal: string | null;
  /** The last lines of its stderr, oldest first. */
  readonly log: readonly string[];
}

/** The process ended, or was stopped, before it answered. */
export class SidecarGoneError extends SidecarFault {
  override readonly name = "SidecarGoneError";
  /** How it ended; undefined when it is not known or it was stopped on purpose. */
  readonly ending: Ending | undefined;

  constructor(ending?: Ending) {
    const hint = ending ? "Send it again." : "Start it again.";
    super("sidecar_gone", `The sidecar is no longer running${how(ending)}.`, hint);
    this.ending = ending;
  }
}

/** The program could not be started at all: it is missing, or not a program. */
export class StartFailedError extends SidecarFault {
  override readonly name = "StartFailedError";

  constructor(command: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("start_failed", `${command} cannot be started: ${reason}`, "Check where it is.", {
      cause,
    });
  }
}

/** The process talks, but what it says on stdout is not the protocol. */
export class NotASidecarError extends SidecarFault {
  override readonly name = "NotASidecarError";

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("not_a_sidecar", `Not the sidecar's protocol: ${reason}`, "Check the program.", {
      cause,
    });
  }
}

/** The sidecar crashed too often in too short a time, and is not started again. */
export class GaveUpError extends SidecarFault {
  override readonly name = "GaveUpError";
  /** How the last one ended. */
  readonly ending: Ending | undefined;

  constructor(crashes: number, windowMs: number, ending?: Ending, cause?: unknown) {
    const told = `The sidecar crashed ${crashes} times within ${Math.round(windowMs / 1000)} s`;
    const hint = "Look into its log; start it again when the cause is gone.";
    super("gave_up", `${told}${how(ending)}.`, hint, cause === undefined ? {} : { cause });
    this.ending = ending;
  }
}

/** No news of a request for too long; the sidecar was asked to cancel it. */
export class AnswerTimeoutError extends SidecarFault {
  override readonly name = "AnswerTimeoutError";

  constructor(method: string, milliseconds: number) {
    const seconds = milliseconds / 1000;
    super("answer_timeout", `No answer to ${method} within ${seconds} s.`, "Try it again.");
  }
}

/** The main process refused what a page asked for. */
export class BridgeRefusedError extends SidecarFault {
  override readonly name = "BridgeRefusedError";

  constructor(reason: string) {
    super("bridge_refused", reason, "See registerSidecar's options.");
  }
}

function how(ending: Ending | undefined): string {
  if (!ending) return "";
  const word = ending.signal === null ? `exit code ${ending.code}` : `signal ${ending.signal}`;
  const tail = ending.log.slice(-5).map((line) => `\n  ${line}`);
  return ` (${word})${tail.join("")}`;
}
