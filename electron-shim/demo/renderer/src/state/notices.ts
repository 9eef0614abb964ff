import {
  type FaultKind,
  isOutdated,
  SidecarError,
  SidecarFault,
} from "@lora-sidecar/electron/renderer";

/** What a button under an error does. */
export type Remedy =
  | "allowSuspicious"
  | "chooseModel"
  | "copyDetails"
  | "lowVram"
  | "restart"
  | "smaller"
  | "tryAgain"
  | "useSuggested";

/** A button that follows from an error. */
export interface NoticeAction {
  readonly remedy: Remedy;
  readonly run: () => void;
}

/** A sentence with what to do about it. */
export interface Notice {
  readonly id: number;
  readonly tone: "error" | "warning";
  /** In the session's language, from the sidecar; empty for a fault, which the page words itself. */
  readonly message: string;
  readonly hint: string;
  readonly fault: FaultKind | "unknown" | null;
  /** Further sentences, such as what would fit into memory. */
  readonly points: readonly string[];
  /** Strengths that go together. */
  readonly suggested: readonly { readonly name: string; readonly alpha: number }[];
  readonly actions: readonly NoticeAction[];
}

/** What stays on top of the page for a while. */
export interface Banner {
  readonly kind:
    | "engineCrashed"
    | "engineRestored"
    | "gaveUp"
    | "restarting"
    | "restored"
    | "restoredPartly";
  readonly details: readonly string[];
}

/** What the remedies do; `undefined`: not possible now, so there is no such button. */
export interface Remedies {
  readonly tryAgain?: (() => void) | undefined;
  readonly allowSuspicious?: (() => void) | undefined;
  readonly lowVram?: (() => void) | undefined;
  readonly smaller?: (() => void) | undefined;
  readonly chooseModel?: (() => void) | undefined;
  readonly restart?: (() => void) | undefined;
  readonly useSuggested: (stack: Notice["suggested"]) => void;
}

const FOLLOWS: Readonly<Record<string, readonly Exclude<Remedy, "useSuggested">[]>> = {
  lora_suspicious: ["allowSuspicious"],
  out_of_memory: ["lowVram", "smaller", "tryAgain"],
  model_not_loaded: ["chooseModel"],
  engine_crashed: ["tryAgain"],
  numerical_fault: ["tryAgain"],
  storage_fault: ["tryAgain"],
  queue_full: ["tryAgain"],
  internal_error: ["tryAgain"],
  sidecar_gone: ["tryAgain"],
  answer_timeout: ["tryAgain"],
  gave_up: ["restart"],
};

/** The notice for an error, or null for what only gave way to something newer. */
export function noticeOf(id: number, error: unknown, remedies: Remedies): Notice | null {
  if (isOutdated(error)) return null;
  const told = wordsOf(error);
  const suggested = strengthsIn(error);
  const actions: NoticeAction[] = [];
  if (suggested.length > 0) {
    actions.push({ remedy: "useSuggested", run: () => remedies.useSuggested(suggested) });
  }
  for (const remedy of FOLLOWS[told.kind] ?? []) {
    const run = remedies[remedy as keyof Omit<Remedies, "useSuggested">];
    if (run) actions.push({ remedy, run });
  }
  const tone = told.kind === "lora_conflict" ? "warning" : "error";
  return { id, tone, ...told.words, points: pointsIn(error), suggested, actions };
}

interface Words {
  readonly kind: string;
  readonly words: Pick<Notice, "fault" | "hint" | "message">;
}

function wordsOf(error: unknown): Words {
  if (error instanceof SidecarError) {
    const { kind, message, hint } = error;
    return { kind, words: { message, hint, fault: null } };
  }
  if (error instanceof SidecarFault) {
    return { kind: error.kind, words: { message: error.message, hint: "", fault: error.kind } };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "internal_error", words: { message, hint: "", fault: "unknown" } };
}

function strengthsIn(error: unknown): Notice["suggested"] {
  const given = error instanceof SidecarError ? error.data["suggested"] : undefined;
  return Array.isArray(given) ? (given as Notice["suggested"]) : [];
}

/** Sentences about what would fit; the list may hold plain sentences or objects that carry one. */
function pointsIn(error: unknown): string[] {
  const given = error instanceof SidecarError ? error.data["alternatives"] : undefined;
  if (!Array.isArray(given)) return [];
  return given.flatMap((one: unknown) => {
    if (typeof one === "string") return [one];
    const said = (one as Record<string, unknown> | null)?.["message"];
    return typeof said === "string" ? [said] : [];
  });
}
