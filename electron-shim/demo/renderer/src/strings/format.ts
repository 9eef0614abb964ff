import type { Preferences } from "../state/preferences.js";

type Locale = Preferences["locale"];

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** 1,234,567,890 → "1.2 GB"; decimal units, as file managers and the sidecar count. */
export function bytes(count: number, locale: Locale): string {
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value < 10 && unit > 2 ? 1 : 0;
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  return `${number} ${UNITS[unit]}`;
}

/** Milliseconds as a person says them: "12 s", "3 min". */
export function duration(ms: number, locale: Locale): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  const [value, unit] =
    seconds < 90 ? ([seconds, "second"] as const) : ([Math.round(seconds / 60), "minute"] as const);
  const style = { style: "unit", unit, unitDisplay: "short" } as const;
  return new Intl.NumberFormat(locale, style).format(value);
}

/** "0.70" */
export function strength(alpha: number, locale: Locale): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return new Intl.NumberFormat(locale, digits).format(alpha);
}

/** "47%" */
export function percent(value: number, locale: Locale): string {
  const whole = { style: "percent", maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(locale, whole).format(value / 100);
}

/** The time of day, with the day when it was not today. */
export function moment(iso: string, locale: Locale, now = new Date()): string {
  const then = new Date(iso);
  const today = then.toDateString() === now.toDateString();
  const day = today ? {} : ({ month: "short", day: "numeric" } as const);
  return new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", ...day }).format(
    then,
  );
}
