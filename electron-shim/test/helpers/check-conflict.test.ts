import { expect, test } from "vitest";
import { checkConflict } from "../../src/renderer.js";
import { FakeApi } from "../support/fake-api.js";

test("styles that are too strong together come with strengths that are not", async () => {
  const api = new FakeApi();
  const report = { group: "style", names: ["ink", "night"], alpha_sum: 1.2, limit: 0.3 };
  const suggested = [
    { name: "ink", alpha: 0.175, sha256: null },
    { name: "night", alpha: 0.125, sha256: null },
  ];
  api.always.check_conflicts = () => ({ conflicts: [report], suggested });
  const advice = await checkConflict(api, [{ name: "ink" }, { name: "night", alpha: 0.5 }]);
  expect(api.last("check_conflicts").params).toEqual({
    loras: [
      { name: "ink", alpha: 0.7 },
      { name: "night", alpha: 0.5 },
    ],
  });
  expect(advice).toEqual({
    fine: false,
    conflicts: [report],
    suggested: [
      { name: "ink", alpha: 0.175 },
      { name: "night", alpha: 0.125 },
    ],
  });
});

test("styles that go together are fine", async () => {
  const api = new FakeApi();
  api.always.check_conflicts = () => ({ conflicts: [], suggested: [] });
  expect(await checkConflict(api, [{ name: "a" }, { name: "b" }])).toMatchObject({ fine: true });
});

test("one style alone is fine, and the sidecar is not asked", async () => {
  const api = new FakeApi();
  const advice = await checkConflict(api, [{ name: "ink" }]);
  expect(advice).toEqual({ fine: true, conflicts: [], suggested: [{ name: "ink", alpha: 0.7 }] });
  expect(api.asked).toEqual([]);
});
