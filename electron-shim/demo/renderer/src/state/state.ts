import type {
  HistoryRingState,
  LoraSwitcherState,
  MergePromptResult,
  ModelCard,
  PictureParameters,
  SidecarApi,
  VramReport,
} from "@lora-sidecar/electron/renderer";
import type { Refusal } from "./enhancing.js";
import type { Banner, Notice } from "./notices.js";
import type { Preferences } from "./preferences.js";

/** The sidecar as a page has it: methods, events, and what the bridge adds. */
export interface Sidecar extends SidecarApi {
  setLocale?(locale: "en" | "zh-CN"): Promise<void>;
  restart?(): Promise<void>;
}

/** What the person has typed; null: what suits the model. */
export interface Draft {
  readonly prompt: string;
  readonly negative: string;
  readonly seed: number | null;
  readonly steps: number | null;
  readonly width: number | null;
  readonly height: number | null;
  /** Drawn so many times smaller, and enlarged. */
  readonly upscale: Upscale | null;
}

/** How many times a picture is enlarged after it was drawn. */
export type Upscale = 1 | 2 | 4;

/** The model, and how far it is. */
export interface ModelState {
  readonly stage: "starting" | "loading" | "ready" | "failed";
  readonly name: string | null;
  /** 0 to 100 while it loads; null: not known yet. */
  readonly percent: number | null;
  readonly cards: readonly ModelCard[];
}

/** The picture on the stage. */
export interface Look {
  readonly kind: "preview" | "result";
  readonly url: string;
  /** A small one, for the moment until that is decoded. */
  readonly early: string | null;
  readonly width: number;
  readonly height: number;
  readonly parameters: PictureParameters;
  /** Of a finished picture; null for a preview. */
  readonly historyId: string | null;
}

/** A picture in work. */
export interface Run {
  readonly percent: number;
  /** Milliseconds; null: not known yet. */
  readonly etaMs: number | null;
  readonly waiting: boolean;
  /** The first look and later ones, as a data URL. */
  readonly thumbnail: string | null;
  readonly width: number;
  readonly height: number;
}

/** One slider. */
export interface Strength {
  readonly name: string;
  readonly alpha: number;
}

/** A photo that is made larger and clearer. */
export interface Enhancing {
  readonly stage: "reading" | "working" | "done";
  /** Of the reading, then of the work. */
  readonly percent: number;
  /** Milliseconds; null: not known yet. */
  readonly etaMs: number | null;
  /** Of the file. */
  readonly name: string;
  readonly refusal: Refusal | null;
  /** Data URLs. */
  readonly before: string | null;
  readonly after: string | null;
  /** Which way it was enhanced and why, as the sidecar says it. */
  readonly why: string;
  /** Of the result, pixels. */
  readonly width: number;
  readonly height: number;
}

/** Everything the page shows. */
export interface StudioState {
  readonly preferences: Preferences;
  readonly model: ModelState;
  readonly methods: ReadonlySet<string>;
  readonly styles: LoraSwitcherState;
  readonly strengths: readonly Strength[];
  readonly previewing: boolean;
  readonly draft: Draft;
  readonly merged: MergePromptResult | null;
  readonly look: Look | null;
  readonly run: Run | null;
  readonly history: HistoryRingState;
  readonly memory: VramReport | null;
  readonly notices: readonly Notice[];
  readonly banner: Banner | null;
  readonly enhancing: Enhancing | null;
  /** Times each side of a photo. */
  readonly enhanceScale: number;
  /** A few words for screen readers; the number makes the same words news again. */
  readonly said: { readonly what: Said; readonly count: number };
}

/** What is told to who cannot see it. */
export type Said = "nothing" | "finished" | "cancelled" | "copied" | "back" | "deleted" | "cleared";

/** How the parts of the store read and change it. */
export interface Host {
  readonly state: StudioState;
  readonly change: (change: Partial<StudioState>) => void;
  readonly say: (what: Said) => void;
  /** Show an error with the buttons that follow from it. */
  readonly tell: (error: unknown, retry?: Retry) => void;
  /** Take down what is settled or was about something else, by its kind. */
  readonly forget: (settled: (topic: string) => boolean) => void;
}

/** How to repeat what failed. */
export interface Retry {
  readonly again?: () => void;
  /** Repeat it with the consent to use a doubtful file. */
  readonly allow?: () => void;
  /** Repeat it although the photo promises nothing. */
  readonly anyway?: () => void;
}

export const EMPTY_DRAFT: Draft = {
  prompt: "",
  negative: "",
  seed: null,
  steps: null,
  width: null,
  height: null,
  upscale: null,
};
