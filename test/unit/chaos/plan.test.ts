import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { longestGap } from "../../chaos/phases.js";
import { beyondTolerance, faultKinds, type Phase, planPhases } from "../../chaos/plan.js";

const managers = ["manager-1", "manager-2", "manager-3", "manager-4"];
const storage = ["storage-1", "storage-2", "storage-3", "storage-4"];

function planned(seed: number, count: number): readonly Phase[] {
  const plan = planPhases({ seed, managers, storage });
  return Array.from({ length: count }, () => plan.next().value);
}

describe("the plan of faults", () => {
  test("is the same for the same seed, and another one for another", () => {
    assert.deepEqual(planned(7, 50), planned(7, 50));
    assert.notDeepEqual(planned(7, 50), planned(8, 50));
  });

  test("deals every kind before any comes again", () => {
    const phases = planned(1, 3 * faultKinds.length);
    for (let deck = 0; deck < 3; deck++) {
      const kinds = phases.slice(deck * faultKinds.length).slice(0, faultKinds.length);
      assert.deepEqual(kinds.map(({ kind }) => kind).toSorted(), [...faultKinds].toSorted());
    }
  });

  test("strikes at most f managers, but where it says otherwise", () => {
    for (const { kind, targets, holdMs } of planned(3, 500)) {
      assert(targets.length > 0 && new Set(targets).size === targets.length, kind);
      assert(holdMs >= 1_000 && holdMs <= 20_000, kind);
      const struck = targets.filter((id) => managers.includes(id)).length;
      if (beyondTolerance.has(kind)) assert(struck >= 2, kind);
      // These touch everybody, but only one at a time, or only for a moment.
      else if (!["upgrade-all", "reset-connections"].includes(kind)) assert(struck <= 1, kind);
    }
  });

  test("keeps to the kinds that are asked for", () => {
    const plan = planPhases({ seed: 1, managers, storage, kinds: ["move-clock", "kill-all"] });
    const kinds = Array.from({ length: 10 }, () => plan.next().value.kind);
    assert.deepEqual([...new Set(kinds)].toSorted(), ["kill-all", "move-clock"]);
  });
});

describe("the longest stall", () => {
  for (const [commits, expected] of [
    [[], 100],
    [[10, 20, 90], 70],
    [[90, 20, 10], 70],
    [[-5, 50, 130], 50],
  ] as const) {
    test(`of commits at ${commits.join(", ") || "no time"} from 0 to 100 is ${expected}`, () => {
      assert.equal(longestGap(commits, 0, 100), expected);
    });
  }
});
