import type { LoraSwitcherState } from "@lora-sidecar/electron/renderer";
import type { Preferences } from "./preferences.js";
import { EMPTY_DRAFT, type StudioState } from "./state.js";

const NO_STYLES: LoraSwitcherState = {
  cards: [],
  listed: false,
  stack: [],
  wanted: null,
  loading: false,
  canGenerate: true,
  warm: [],
  large: [],
  error: null,
};

/** Everything before the sidecar has said anything. */
export function startOf(preferences: Preferences): StudioState {
  return {
    preferences,
    model: { stage: "starting", name: null, percent: null, cards: [] },
    methods: new Set(),
    styles: NO_STYLES,
    strengths: [],
    previewing: false,
    draft: EMPTY_DRAFT,
    merged: null,
    look: null,
    run: null,
    history: { entries: [], total: 0, current: null, travelling: null },
    memory: null,
    notices: [],
    banner: null,
    enhancing: null,
    enhanceScale: 2,
    said: { what: "nothing", count: 0 },
  };
}
