import { expect, test } from "vitest";
import { readPreferences } from "../../../demo/renderer/src/state/preferences.js";
import {
  eights,
  half,
  previewSize,
  sizeOf,
  sizesFor,
} from "../../../demo/renderer/src/state/sizes.js";
import { EMPTY_DRAFT } from "../../../demo/renderer/src/state/state.js";
import { bytes, duration, moment, percent } from "../../../demo/renderer/src/strings/format.js";
import { STRINGS } from "../../../demo/renderer/src/strings/index.js";
import { Bench, CARD } from "./studio-support.js";

/** Every string of a table with its path; functions are called with sample values. */
function words(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, value("7", "8", "9")]];
  return Object.entries(value as object).flatMap(([key, field]) => words(field, `${path}.${key}`));
}

const SAME =
  /^\.(app|history\.entry|prompt\.shortcut|locale\.other|model\.families\.|stage\.ideas\.)/;

test("every word is in both languages", () => {
  const [en, zh] = [words(STRINGS.en), words(STRINGS["zh-CN"])];
  expect(zh.map(([path]) => path)).toEqual(en.map(([path]) => path));
  const han = /[\u4e00-\u9fff]/;
  const untranslated = zh.filter(([path, said]) => said && !SAME.test(path) && !han.test(said));
  expect(untranslated).toEqual([]);
  expect(en.filter(([path, said]) => !SAME.test(path) && han.test(said))).toEqual([]);
});

test("the browser's language is taken where none was chosen", () => {
  const chosen = (language: string) => new Bench(language).state.preferences.locale;
  expect([chosen("zh-TW"), chosen("zh"), chosen("de-DE")]).toEqual(["zh-CN", "zh-CN", "en"]);
});

test.each([
  "",
  "no JSON",
  "null",
  '{"theme":"pink","locale":7,"lowVram":true}',
])("preferences that are broken are none: %s", (stored) => {
  const cupboard = { getItem: () => stored, setItem: () => {} };
  expect(readPreferences(cupboard, "en")).toEqual({
    theme: "system",
    locale: "en",
    model: null,
    lowVram: "auto",
    livePreview: true,
  });
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_234_567, "1 MB"],
  [999_600_000, "1 GB"],
  [1_250_000_000, "1.3 GB"],
  [25_000_000_000, "25 GB"],
])("%d bytes are %s", (count, said) => {
  expect(bytes(count, "en")).toBe(said);
});

test("times and percents are said as people say them", () => {
  expect([duration(200, "en"), duration(12_400, "en"), duration(150_000, "en")]).toEqual([
    "1 sec",
    "12 sec",
    "3 min",
  ]);
  expect(duration(12_400, "zh-CN")).toBe("12秒");
  expect(percent(47.2, "en")).toBe("47%");
});

test("a time of today is without its day", () => {
  const now = new Date(2026, 10, 22, 18, 0);
  const told = (day: number) => moment(new Date(2026, 10, day, 9, 5).toISOString(), "en", now);
  expect(told(22)).not.toContain("Nov");
  expect(told(21)).toContain("Nov 21");
});

test("sizes are the model's own, halved down to what it can draw", () => {
  expect(sizeOf(EMPTY_DRAFT, CARD)).toEqual({ width: 128, height: 128 });
  expect(sizeOf({ ...EMPTY_DRAFT, width: 192 }, undefined)).toEqual({ width: 192, height: 512 });
  expect(half({ width: 512, height: 200 })).toEqual({ width: 256, height: 104 });
  expect(half({ width: 64, height: 64 })).toBeUndefined();
  expect([eights(3), eights(123)]).toEqual([64, 120]);
});

test("larger sizes are offered where pictures can be enlarged; the draft's own is among them", () => {
  const draft = { ...EMPTY_DRAFT, width: 200, height: 72 };
  const said = (enlarging: boolean) =>
    sizesFor(draft, CARD, enlarging).map(
      ({ width, height, upscale }) => `${width}x${height}${upscale ? ` by ${upscale}` : ""}`,
    );
  const usual = ["128x128", "160x104", "104x160", "168x96", "64x64"];
  expect(said(false)).toEqual([...usual, "200x72"]);
  expect(said(true)).toEqual([...usual, "256x256 by 2", "512x512 by 4", "200x72"]);
});

test("previews have the draft's shape, in the pixels that the model draws well", () => {
  const of = (width: number | null, height: number | null) =>
    previewSize({ ...EMPTY_DRAFT, width, height }, CARD);
  expect(of(null, null)).toEqual({});
  expect(of(512, 512)).toEqual({});
  expect(of(512, 256)).toEqual({ width: 184, height: 88 });
  expect(of(96, 64)).toEqual({ width: 96, height: 64 });
});
