import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type OtherDirection,
  withOtherDirection,
} from "../../../../src/cli/import/other-direction.js";
import { RowProblem } from "../../../../src/cli/sending/row-problem.js";
import { chargingSession, loadProfile } from "../../../../src/client/submit/records.js";
import type { Profile } from "../../../../src/energy-files/profiles/profile-assembler.js";

const startS = Date.UTC(2026, 0, 1) / 1000;
const meter = { meterId: "m-1", startS, intervalS: 3600 };

type Directions = Profile["directions"];

function profileOf(
  values: Profile["values"],
  directions: Directions = ["exported"],
  registers: Pick<Profile, "registerStart" | "registerEnd"> = {},
): Profile {
  const period = { startS, endS: startS + 86_400 };
  return {
    kind: "profile",
    place: { line: 2 },
    period,
    ...meter,
    values,
    directions,
    ...registers,
  };
}

const measured = (importedWh: number, exportedWh: number) =>
  ({ importedWh, exportedWh, quality: "measured" }) as const;
const estimated = (importedWh: number, exportedWh: number) =>
  ({ importedWh, exportedWh, quality: "estimated" }) as const;

const recordOf = (values: Profile["values"], registers = {}) =>
  loadProfile({ ownerId: "home-1", ...meter, values, ...registers });

describe("a file without one of the directions of a recorded profile", () => {
  const standing = recordOf([measured(5, 0), undefined, estimated(6, 0)]);
  const exported = profileOf([measured(0, 1), undefined, measured(0, 2)]);
  const over = (profile: Profile, other?: OtherDirection) =>
    withOtherDirection(profile, standing, other);

  test("is refused, with both ways on", () => {
    assert.throws(
      () => over(exported),
      (error) => {
        assert.ok(error instanceof RowProblem);
        assert.match(
          error.message,
          /no imported values .*--other-direction keep.*--other-direction drop/,
        );
        return true;
      },
    );
  });

  test("is joined with what is recorded, and the worse quality counts", () => {
    const { values } = over(exported, "keep");
    assert.deepEqual(values, [measured(5, 1), undefined, estimated(6, 2)]);
  });

  test("is not joined where intervals would lose a value", () => {
    const more = profileOf([measured(0, 1), measured(0, 1), measured(0, 2)]);
    assert.throws(() => over(more, "keep"), /its record has no value .* 2026-01-01T01:00:00Z/);
    const less = profileOf([undefined, undefined, measured(0, 2)]);
    assert.throws(() => over(less, "keep"), /the file has no value .* 2026-01-01T00:00:00Z/);
  });

  test("takes the direction away if that is what is asked", () => {
    assert.equal(over(exported, "drop"), exported);
  });

  test("joins what registers showed, where both are known", () => {
    const one = { importedWh: 10n, exportedWh: 0n };
    const record = recordOf([measured(5, 0)], { registerStart: one });
    const own = { importedWh: 0n, exportedWh: 7n };
    const profile = profileOf([measured(0, 1)], ["exported"], {
      registerStart: own,
      registerEnd: own,
    });
    const joined = withOtherDirection(profile, record, "keep");
    assert.deepEqual(joined.registerStart, { importedWh: 10n, exportedWh: 7n });
    assert.equal(joined.registerEnd, undefined);
  });

  test("changes nothing when the file has both, or when only zeros are recorded", () => {
    const both = profileOf([measured(0, 1), undefined, undefined], ["imported", "exported"]);
    assert.equal(over(both), both);
    const zeros = recordOf([measured(0, 3)]);
    assert.equal(withOtherDirection(exported, zeros, undefined), exported);
    const parts = { stationId: "s-1", startS, endS: startS + 60, energyWh: 5 };
    const session = chargingSession({ ownerId: "home-1", ...parts });
    assert.equal(withOtherDirection(exported, session, undefined), exported);
  });
});
