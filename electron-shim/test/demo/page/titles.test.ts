import { expect, test } from "vitest";
import { titleOf } from "../../../demo/renderer/src/state/titles.js";

const cards = [
  { name: "ink", title: "Ink" },
  { name: "ink-v2-final", title: "ink" },
  { name: "night", title: "Night" },
] as unknown as Parameters<typeof titleOf>[0];

test("a style is called by its title", () => {
  expect(titleOf(cards, "night")).toBe("Night");
});

test("styles whose files have the same title are told apart by their files", () => {
  expect(titleOf(cards, "ink")).toBe("ink");
  expect(titleOf(cards, "ink-v2-final")).toBe("ink-v2-final");
});

test("a style whose file is gone is called as it was", () => {
  expect(titleOf(cards, "gone")).toBe("gone");
});
