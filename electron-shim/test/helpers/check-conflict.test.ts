import { expect, test } from "vitest";
import { checkConflict } from "../../src/renderer.js";

const CARDS = [
  { name: "ink", conflict_group: "style" },
  { name: "night", conflict_group: "style" },
  { name: "cat", conflict_group: "subject" },
  { name: "detail", conflict_group: null },
  { name: "plain" },
];

test("two of one group conflict, in the order in which they were chosen", () => {
  expect(checkConflict(CARDS, ["night", "cat", "ink"])).toEqual([
    { group: "style", names: ["night", "ink"] },
  ]);
});

test("one of each group, the same one twice, none of any, and strangers do not conflict", () => {
  expect(checkConflict(CARDS, ["ink", "cat", "detail", "plain", "stranger"])).toEqual([]);
  expect(checkConflict(CARDS, ["ink", "ink"])).toEqual([]);
});
