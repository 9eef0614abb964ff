import {
  type Alternative,
  type FaultKind,
  isOutdated,
  SidecarError,
  SidecarFault,
} from "@lora-sidecar/electron/renderer";

/** What a button under an error does. */
export type Remedy =
  | "allowSuspicious"
  | "anyway"
  | "chooseModel"
  | "lowVram"
  | "restart"
  | "smaller"
  | "tryAgain"
  | "useSuggested";

/** A button that follows from an error. */
export interface NoticeAction {
  readonly remedy: Remedy;
  /** With "smaller": at which size. */
  readonly size?: string;
  readonly run: () => void;
}

/** A sentence with what to do about it. */
export interface Notice {
  readonly id: number;
  /** The kind of the error; "warning" for what only has to be known. */
  readonly topic: string;
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
  readonly anyway?: (() => void) | undefined;
  readonly lowVram?: (() => void) | undefined;
  readonly smaller?: (() => void) | undefined;
  readonly chooseModel?: (() => void) | undefined;
  readonly restart?: (() => void) | undefined;
  readonly useSuggested: (stack: Notice["suggested"]) => void;
  /** What would fit into memory, as the sidecar has worked it out. */
  readonly take: (alternative: Alternative) => void;
}

const MOST_WAYS = 3;

type Simple = Exclude<Remedy, "useSuggested">;

const FOLLOWS: Readonly<Record<string, readonly Simple[]>> = {
  lora_suspicious: ["allowSuspicious"],
  image_tiny: ["anyway"],
  image_blank: ["anyway"],
  image_blurred: ["anyway"],
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
  start_failed: ["restart"],
  not_a_sidecar: ["restart"],
};

/** The notice for an error, or null for what only gave way to something newer. */
export function noticeOf(id: number, error: unknown, remedies: Remedies): Notice | null {
  if (isOutdated(error)) return null;
  const told = wordsOf(error);
  const suggested = strengthsIn(error);
  const actions = [
    ...suggestion(suggested, remedies),
    ...(waysOut(error, remedies) ?? following(told.kind, remedies)),
  ];
  const tone = told.kind === "lora_conflict" ? "warning" : "error";
  return { id, topic: told.kind, tone, ...told.words, points: pointsIn(error), suggested, actions };
}

function suggestion(suggested: Notice["suggested"], remedies: Remedies): NoticeAction[] {
  if (suggested.length === 0) return [];
  return [{ remedy: "useSuggested", run: () => remedies.useSuggested(suggested) }];
}

function following(kind: string, remedies: Remedies): NoticeAction[] {
  return (FOLLOWS[kind] ?? []).flatMap((remedy) => {
    const run = remedies[remedy];
    return run ? [{ remedy, run }] : [];
  });
}

/** A button for each alternative that the sidecar names; undefined when it names none. */
function waysOut(error: unknown, remedies: Remedies): NoticeAction[] | undefined {
  const ways = alternativesIn(error).filter((one) => typeof one === "object");
  if (ways.length === 0) return undefined;
  return ways.slice(0, MOST_WAYS).map((way) => {
    const run = (): void => remedies.take(way);
    if (way.way === "low_vram") return { remedy: "lowVram", run };
    return { remedy: "smaller", size: `${way.width} × ${way.height}`, run };
  });
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

function alternativesIn(error: unknown): readonly (Alternative | string)[] {
  const given = error instanceof SidecarError ? error.data["alternatives"] : undefined;
  return Array.isArray(given) ? given : [];
}

/** Plain sentences about what would fit; those of ways out stand in the hint already. */
function pointsIn(error: unknown): string[] {
  return alternativesIn(error).filter((one) => typeof one === "string");
}
