import { expect, test, vi } from "vitest";
import { rove } from "../../../demo/renderer/src/look/roving.js";

const options = Array.from({ length: 5 }, () => ({ focus: vi.fn() })) as unknown as HTMLElement[];

/** Which option has the focus after a key on one of them; null: the key is left alone. */
function after(key: string, at: number, columns?: number): number | null {
  for (const option of options) vi.mocked(option.focus).mockClear();
  const event = { key, target: options[at], preventDefault: vi.fn() };
  rove(event as unknown as KeyboardEvent, options, columns);
  if (event.preventDefault.mock.calls.length === 0) return null;
  return options.findIndex((option) => vi.mocked(option.focus).mock.calls.length > 0);
}

test.each([
  ["ArrowRight", 1, 2],
  ["ArrowLeft", 1, 0],
  ["ArrowDown", 1, 3],
  ["ArrowUp", 3, 1],
  ["ArrowUp", 1, 0],
  ["ArrowDown", 4, 4],
  ["Home", 3, 0],
  ["End", 1, 4],
])("in two columns, %s on option %d leads to %d", (key, at, to) => {
  expect(after(key, at, 2)).toBe(to);
});

test("in one column, down is the next", () => {
  expect(after("ArrowDown", 1)).toBe(2);
});

test("other keys, and keys outside of the list, are left alone", () => {
  expect(after("a", 1)).toBeNull();
  expect(after("Enter", 1)).toBeNull();
  expect(after("ArrowDown", 9)).toBeNull();
});
