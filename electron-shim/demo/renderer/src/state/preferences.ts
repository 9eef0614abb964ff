/** What outlives the window. */
export interface Preferences {
  readonly theme: "system" | "light" | "dark";
  readonly locale: "en" | "zh-CN";
  readonly model: string | null;
  readonly lowVram: "auto" | "balanced" | "aggressive";
  readonly livePreview: boolean;
}

/** Where it is kept; `localStorage` is one. */
export type Cupboard = Pick<Storage, "getItem" | "setItem">;

const KEY = "lora-sidecar.preferences";

/** What was chosen last time, and what suits the machine where nothing was. */
export function readPreferences(cupboard: Cupboard, language: string): Preferences {
  const given = stored(cupboard);
  return {
    theme: oneOf(given["theme"], ["system", "light", "dark"]) ?? "system",
    locale: oneOf(given["locale"], ["en", "zh-CN"]) ?? (/^zh\b/i.test(language) ? "zh-CN" : "en"),
    model: typeof given["model"] === "string" ? given["model"] : null,
    lowVram: oneOf(given["lowVram"], ["auto", "balanced", "aggressive"]) ?? "auto",
    livePreview: given["livePreview"] !== false,
  };
}

/** Keep it; a full or forbidden cupboard costs the choice, not the work. */
export function keepPreferences(cupboard: Cupboard, preferences: Preferences): void {
  try {
    cupboard.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // asked again next time
  }
}

function stored(cupboard: Cupboard): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(cupboard.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function oneOf<const T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((one) => one === value);
}
