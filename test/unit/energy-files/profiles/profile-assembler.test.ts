import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { addWh, roundedWh, zeroWh } from "../../../../src/energy-files/exact-wh.js";
import type {
  ExactWh,
  FileProblem,
  IntervalValue,
} from "../../../../src/energy-files/file-values.js";
import { Periods } from "../../../../src/energy-files/profiles/periods.js";
import {
  type Profile,
  ProfileAssembler,
} from "../../../../src/energy-files/profiles/profile-assembler.js";
import { timeZoneOf } from "../../../../src/energy-files/time-zone.js";
import { iso } from "../support/items.js";

const dayS = 86_400;
const hourS = 3600;
const firstS = Date.UTC(2026, 0, 1) / 1000;

type Parts = Partial<IntervalValue> & { readonly wh?: number | ExactWh; readonly line?: number };

function value({ wh = 1, line = 1, ...parts }: Parts): IntervalValue {
  return {
    kind: "value",
    place: { line },
    meterName: "m1",
    direction: "imported",
    startS: firstS,
    intervalS: hourS,
    energy: typeof wh === "number" ? { amount: BigInt(wh), perWh: 1n } : wh,
    quality: "measured",
    ...parts,
  };
}

function assemble(
  values: readonly IntervalValue[],
  options: { readonly zone?: string; readonly openValuesMax?: number } = {},
) {
  const { zone, ...limits } = options;
  const periods = new Periods("day", zone === undefined ? undefined : timeZoneOf(zone));
  const assembler = new ProfileAssembler(periods, limits);
  const out = values.flatMap((each) => assembler.add(each.meterName, each));
  return split([...out, ...assembler.end()]);
}

function split(out: readonly (Profile | FileProblem)[]) {
  return {
    profiles: out.filter((each) => each.kind === "profile"),
    problems: out.flatMap((each) =>
      each.kind === "problem" ? [`${each.place.line}: ${each.message}`] : [],
    ),
  };
}

describe("profiles of a file", () => {
  test("have one day of a meter, both directions, and nothing where there is no value", () => {
    const { profiles, problems } = assemble([
      value({ startS: firstS + hourS, wh: 5, line: 2 }),
      value({
        startS: firstS + hourS,
        wh: 6,
        line: 2,
        direction: "exported",
        quality: "estimated",
      }),
      value({ startS: firstS + dayS, wh: 7 }),
      value({ meterName: "m2" }),
    ]);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      profiles.map(({ meterId, startS, values }) => `${meterId} ${iso(startS)} ${values.length}`),
      ["m1 2026-01-01T00:00:00Z 24", "m1 2026-01-02T00:00:00Z 24", "m2 2026-01-01T00:00:00Z 24"],
    );
    const [first, second] = profiles;
    assert.equal(first?.values[0], undefined);
    assert.deepEqual(first?.values[1], { importedWh: 5, exportedWh: 6, quality: "estimated" });
    assert.deepEqual(second?.values[0], { importedWh: 7, exportedWh: 0, quality: "measured" });
    assert.deepEqual(first?.place, { line: 2 });
  });

  test("have the days of the zone: 23 and 25 hours where clocks change", () => {
    const values = (from: string, hours: number) =>
      Array.from({ length: hours }, (_, i) =>
        value({ startS: Date.parse(from) / 1000 + i * hourS }),
      );
    for (const [from, hours] of [
      ["2026-03-28T23:00Z", 23],
      ["2026-10-24T22:00Z", 25],
      ["2026-07-01T22:00Z", 24],
    ] as const) {
      const { profiles } = assemble(values(from, hours + 1), { zone: "Europe/Berlin" });
      assert.deepEqual(
        profiles.map((profile) => profile.values.length),
        [hours, 24],
      );
      assert.equal(profiles[0]?.startS, Date.parse(from) / 1000);
    }
  });

  test("begin with the first interval of the day when days begin in the middle of one", () => {
    const { profiles } = assemble([value({ startS: firstS })], { zone: "+05:30" });
    const [profile] = profiles;
    assert.equal(iso(profile?.startS ?? 0), "2025-12-31T19:00:00Z");
    assert.equal(profile?.values.length, 24);
    assert.ok(profile?.values[5] !== undefined);
  });

  test("of months: the 25th hour of a long month is a profile of its own", () => {
    const periods = new Periods("month", timeZoneOf("Europe/Berlin"));
    const october = periods.of(Date.parse("2026-10-15T00:00Z") / 1000);
    assert.deepEqual([october.startS, october.endS].map(iso), [
      "2026-09-30T22:00:00Z",
      "2026-10-31T22:00:00Z",
    ]);
    assert.deepEqual(
      [periods.of(october.endS)].map(({ startS, endS }) => [iso(startS), iso(endS)]),
      [["2026-10-31T22:00:00Z", "2026-10-31T23:00:00Z"]],
    );
    assert.equal(periods.nameOf(october), "2026-10");
  });

  test("the day begins at the change where clocks leave midnight out", () => {
    const periods = new Periods("day", timeZoneOf("Asia/Beirut"));
    const day = periods.of(Date.parse("2026-03-29T12:00Z") / 1000);
    assert.deepEqual([day.startS, day.endS].map(iso), [
      "2026-03-28T22:00:00Z",
      "2026-03-29T21:00:00Z",
    ]);
  });

  test("values may come in any order, also a direction after the other", () => {
    const hours = Array.from({ length: 72 }, (_, i) => firstS + i * hourS);
    const inOrder = hours.flatMap((startS, i) => [
      value({ startS, wh: { amount: BigInt(i), perWh: 7n } }),
      value({ startS, wh: i, direction: "exported" }),
    ]);
    const expected = assemble(inOrder).profiles.map(({ place: _, ...rest }) => rest);
    for (const order of [
      inOrder.toReversed(),
      inOrder.toSorted((a, b) =>
        a.direction < b.direction ? -1 : a.direction > b.direction ? 1 : 0,
      ),
    ]) {
      const found = assemble(order).profiles.map(({ place: _, ...rest }) => rest);
      assert.deepEqual(found, expected);
    }
  });

  test("what is open is bounded; a value that comes back to a day that is out is refused", () => {
    const days = [0, 1, 2, 3].map((day) => value({ startS: firstS + day * dayS, line: day + 2 }));
    const late = value({ startS: firstS + hourS, line: 9 });
    const { profiles, problems } = assemble([...days, late], { openValuesMax: 2 });
    assert.equal(profiles.length, 4);
    assert.deepEqual(problems, [
      "9: comes back to 2026-01-01, which is complete; sort the file by meter, or by time",
    ]);
    const one = [0, 1, 2].map((hour) => value({ startS: firstS + hour * hourS }));
    assert.throws(() => assemble(one, { openValuesMax: 2 }), { name: "FileUnreadable" });
  });

  test("a meter that has ended goes out at once", () => {
    const assembler = new ProfileAssembler(new Periods("day"));
    assembler.add("m1", value({}));
    assert.equal(assembler.endOf("m1").length, 1);
    assert.deepEqual(assembler.end(), []);
  });

  test("values that cannot stand beside each other are refused, and the others stay", () => {
    const { profiles, problems } = assemble([
      value({ line: 2, wh: 3 }),
      value({ line: 3, wh: 4 }),
      value({ line: 4, startS: firstS + hourS, intervalS: 900 }),
      value({ line: 5, startS: firstS + hourS + 900 }),
      value({ line: 6, startS: firstS + 2 * hourS, wh: -1 }),
      value({ line: 7, startS: firstS + 3 * hourS, wh: 2 ** 32 }),
      value({ line: 8, startS: firstS + 4 * hourS, wh: 2 ** 32 - 1 }),
    ]);
    assert.deepEqual(problems, [
      "3: is a second value of the interval from 2026-01-01T00:00:00Z, as line 2 has one",
      "4: has an interval of 900 s, others of the meter have 3600 s",
      "5: overlaps others of the meter: its interval starts at 2026-01-01T01:15:00Z",
      "6: -1 Wh is negative",
      "7: 4294967296 Wh is more than an interval can have, 4294967295 Wh",
    ]);
    const sent = profiles[0]?.values.flatMap((each) =>
      each === undefined ? [] : [each.importedWh],
    );
    assert.deepEqual(sent, [3, 2 ** 32 - 1]);
  });

  test("a direction that is missing beside the other one is not taken for zero", () => {
    const { profiles, problems } = assemble([
      value({ line: 2 }),
      value({ line: 2, direction: "exported" }),
      value({ line: 3, startS: firstS + hourS }),
    ]);
    assert.deepEqual(problems, [
      "3: there is no exported value of the interval from 2026-01-01T01:00:00Z beside this one",
    ]);
    assert.equal(profiles[0]?.values[1], undefined);
  });

  test("registers at the ends of a day stand in its profile", () => {
    const assembler = new ProfileAssembler(new Periods("day"));
    for (const [atS, wh] of [
      [firstS, 1000],
      [firstS + hourS, 1500],
      [firstS + dayS, 3000],
    ] as const) {
      const energy = { amount: BigInt(wh), perWh: 1n };
      const at = {
        place: { line: 1 },
        meterName: "m1",
        direction: "imported",
        atS,
        energy,
      } as const;
      assembler.addRegister("m1", { kind: "register", ...at });
    }
    assembler.add("m1", value({}));
    const [profile] = split(assembler.end()).profiles;
    assert.deepEqual(profile?.registerStart, { importedWh: 1000n, exportedWh: 0n });
    assert.deepEqual(profile?.registerEnd, { importedWh: 3000n, exportedWh: 0n });
  });

  test("the sum over the file is right to the Wh, and no value is off by a whole one", () => {
    const energy = fc.record({
      amount: fc.bigInt({ min: 0n, max: 10n ** 15n }),
      perWh: fc.constantFrom(1n, 3n, 12n, 1000n, 3600n, 10n ** 12n, 36n * 10n ** 13n),
    });
    const file = fc.array(
      fc.record({
        meterName: fc.constantFrom("m1", "m2"),
        hour: fc.nat(200),
        direction: fc.constantFrom("imported", "exported"),
        energy,
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(file, (rows) => {
        const exact = new Map<string, ExactWh>();
        const seen = new Map<string, ExactWh>();
        const values: IntervalValue[] = [];
        const add = (parts: (typeof rows)[number]) => {
          const { meterName, hour, direction } = parts;
          const key = `${meterName} ${hour} ${direction}`;
          if (seen.has(key) || parts.energy.amount > (2n ** 32n - 1n) * parts.energy.perWh) return;
          seen.set(key, parts.energy);
          const sum = `${meterName} ${direction}`;
          exact.set(sum, addWh(exact.get(sum) ?? zeroWh, parts.energy));
          const { energy: wh } = parts;
          values.push(value({ meterName, direction, startS: firstS + hour * hourS, wh }));
        };
        for (const row of rows) {
          const other = row.direction === "imported" ? "exported" : "imported";
          if (seen.has(`${row.meterName} ${row.hour} ${row.direction}`)) continue;
          const isTooMuch = row.energy.amount > (2n ** 32n - 1n) * row.energy.perWh;
          if (isTooMuch) continue;
          add(row);
          add({ ...row, direction: other, energy: { amount: 1n, perWh: 3n } });
        }
        const sums = new Map<string, bigint>();
        const { profiles, problems } = assemble(values);
        assert.deepEqual(problems, []);
        for (const { meterId, startS, values: slots } of profiles) {
          for (const [i, slot] of slots.entries()) {
            if (slot === undefined) continue;
            const hour = (startS - firstS) / hourS + i;
            for (const direction of ["imported", "exported"] as const) {
              const recorded = BigInt(slot[`${direction}Wh`]);
              const sum = `${meterId} ${direction}`;
              sums.set(sum, (sums.get(sum) ?? 0n) + recorded);
              const { amount, perWh } = seen.get(`${meterId} ${hour} ${direction}`) ?? zeroWh;
              const off = recorded * perWh - amount;
              assert.ok(off < perWh && off > -perWh, `${amount}/${perWh} became ${recorded}`);
            }
          }
        }
        for (const [sum, total] of exact) assert.equal(sums.get(sum), roundedWh(total), sum);
      }),
      { numRuns: 60 },
    );
  });
});
