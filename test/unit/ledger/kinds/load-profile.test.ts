import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ValueQuality } from "../../../../src/gen/bss/v1/record_pb.js";
import { energySums } from "../../../../src/ledger/kinds/energy.js";
import { profileIntervalsMax } from "../../../../src/ledger/kinds/load-profile.js";
import { deliverySlotOf, windowSlotOf } from "../../../../src/ledger/kinds/market-grid.js";
import { parseRecord } from "../../../../src/ledger/records/records.js";
import { readKeys } from "../../../../src/ledger/state/effects.js";
import {
  consortiumId,
  hourS,
  policy,
  quarterS,
  ratedPowerW,
  startS,
} from "../support/consortium.js";
import { Market } from "../support/market.js";
import {
  type ProfileOptions,
  type ProfileValue,
  parsed,
  profileBytes,
  readingBytes,
  tradeBytes,
} from "../support/records.js";
import { Trial } from "../support/trial.js";

const { ABSENT, ESTIMATED, MEASURED, SUBSTITUTED } = ValueQuality;
/** What 1000 W carry in 900 s. */
const limitWh = (ratedPowerW * quarterS) / 3600;
const dayS = 86_400;

function sumsOf(trial: Trial, owner = "participant-1", deliveryS = startS) {
  return energySums(trial.execution.tables, owner, deliverySlotOf(deliveryS, policy));
}

/** What stands for a quarter of meter-1: imported and exported; undefined for nothing. */
function standing(trial: Trial, quarter: number): ProfileValue {
  const at = windowSlotOf(startS + quarter * quarterS, quarterS, policy);
  const value = trial.execution.tables.readings.get("meter-1", at);
  return value && [value.importedWh, value.exportedWh];
}

/** The same value in so many intervals. */
function times(count: number, value: ProfileValue): ProfileValue[] {
  return Array<ProfileValue>(count).fill(value);
}

type Message = NonNullable<ProfileOptions["message"]>;

describe("the shape of a profile", () => {
  const three = (imported: number, exported: number) => ({
    runs: [{ count: 3, quality: MEASURED }],
    importedWh: Array<number>(imported).fill(1),
    exportedWh: Array<number>(exported).fill(1),
  });
  const large = BigInt(Number.MAX_SAFE_INTEGER) + 1n;
  const cases: readonly [string, Message, string, string][] = [
    ["a meter without a name", { meterId: "" }, "RECORD_MALFORMED", "meter_id"],
    ["a negative start", { startUnixS: -900n }, "INTERVAL_INVALID", "start_unix_s"],
    ["a start of no calendar", { startUnixS: 2n ** 60n }, "INTERVAL_INVALID", "start_unix_s"],
    ["intervals of 0 s", { intervalS: 0 }, "INTERVAL_INVALID", "interval_s"],
    [
      "intervals that are longer than the market's, whose keys would be many",
      { intervalS: hourS + 1 },
      "INTERVAL_INVALID",
      "interval_s",
    ],
    ["no intervals", { runs: [] }, "INTERVAL_INVALID", "runs"],
    [
      "an empty run",
      { runs: [{ count: 4, quality: MEASURED }, { quality: ABSENT }] },
      "RECORD_MALFORMED",
      "runs[1].count",
    ],
    ["a run without a quality", { runs: [{ count: 4 }] }, "RECORD_MALFORMED", "runs[0].quality"],
    [
      "a quality of tomorrow",
      { runs: [{ count: 4, quality: 5 as ValueQuality }] },
      "RECORD_MALFORMED",
      "runs[0].quality",
    ],
    ["a value too few", three(2, 3), "RECORD_MALFORMED", "imported_wh"],
    ["a value too many", three(3, 4), "RECORD_MALFORMED", "exported_wh"],
    [
      "more intervals than 31 days of five minutes",
      { intervalS: 1, runs: [{ count: profileIntervalsMax + 1, quality: ABSENT }] },
      "INTERVAL_INVALID",
      "runs",
    ],
    [
      "more than 31 days",
      { runs: [{ count: 31 * 96 + 1, quality: ABSENT }], importedWh: [], exportedWh: [] },
      "INTERVAL_INVALID",
      "runs",
    ],
    [
      "runs of so many intervals that their sum is inexact",
      { runs: Array(4).fill({ count: 2 ** 32 - 1, quality: ABSENT }) },
      "INTERVAL_INVALID",
      "runs",
    ],
    [
      "a register that no meter has",
      { registerStart: { exportedWh: large } },
      "ENERGY_INVALID",
      "register_start.exported_wh",
    ],
    [
      "the same at its end",
      { registerEnd: { importedWh: large } },
      "ENERGY_INVALID",
      "register_end.imported_wh",
    ],
  ];
  for (const [what, message, reason, field] of cases) {
    test(`is refused with ${what}`, () => {
      const record = parseRecord(consortiumId, profileBytes({ message }), policy);
      assert.deepEqual(record.ok ? undefined : [record.error.reason, record.error.field], [
        reason,
        `load_profile.${field}`,
      ]);
    });
  }

  test("may have registers, every quality, and lists that are left out as all is 0", () => {
    const trial = new Trial();
    const runs = [MEASURED, ESTIMATED, ABSENT, SUBSTITUTED].map((quality) => ({
      count: 1,
      quality,
    }));
    const message = {
      runs,
      importedWh: [5, 6, 7],
      exportedWh: [],
      registerStart: { importedWh: 1n, exportedWh: 2n },
      registerEnd: { importedWh: 3n, exportedWh: 2n ** 53n - 1n },
    };
    trial.place(profileBytes({ message }));
    assert.deepEqual(
      [0, 1, 2, 3].map((quarter) => standing(trial, quarter)),
      [[5, 0], [6, 0], undefined, [7, 0]],
    );
    const { importedWh, exportedWh } = sumsOf(trial);
    assert.deepEqual([importedWh, exportedWh], [18, 0]);
  });

  test("may be 31 days long, with an interval of a second too", () => {
    const trial = new Trial();
    trial.place(profileBytes({ start: startS - 40 * dayS, values: times(31 * 96, undefined) }));
    const meters = [{ meterId: "fast", ownerId: "participant-1", intervalS: 1 }];
    const market = new Market({ deliveryIntervalS: 5, deliveryOffsetS: 0 }, meters);
    const message = {
      runs: [{ count: profileIntervalsMax, quality: MEASURED }],
      importedWh: [],
      exportedWh: [],
    };
    const timeMs = (startS + profileIntervalsMax) * 1000;
    const bytes = profileBytes({ meter: "fast", intervalS: 1, timeMs, message });
    assert.equal(market.try(bytes), undefined);
  });
});

describe("a profile's time", () => {
  test("is not before the end of its last interval", () => {
    const trial = new Trial();
    const endMs = (startS + hourS) * 1000;
    trial.refuses(profileBytes({ timeMs: endMs - 1 }), "TIME_INVALID", "time_unix_ms");
    trial.place(profileBytes({ timeMs: endMs }));
  });
});

describe("a profile's meter", () => {
  const field = "load_profile.meter_id";

  test("is registered, and to the owner", () => {
    const trial = new Trial();
    trial.refuses(profileBytes({ meter: "meter-9" }), "METER_UNKNOWN", field);
    trial.refuses(profileBytes({ meter: "METER-1" }), "METER_UNKNOWN", field);
    const foreign = profileBytes({ meter: "meter-2" });
    trial.refuses(foreign, "METER_OWNER_MISMATCH", field);
    trial.refuses(foreign, "METER_OWNER_MISMATCH", field, "head-end");
    trial.place(profileBytes(), "head-end");
  });

  for (const intervalS of [1, quarterS - 1, 2 * quarterS, hourS]) {
    test(`of ${quarterS} s has no values of ${intervalS} s`, () => {
      const bytes = profileBytes({ intervalS });
      new Trial().refuses(bytes, "INTERVAL_INVALID", "load_profile.interval_s");
    });
  }

  for (const offset of [1, quarterS / 2, quarterS - 1]) {
    test(`has no intervals that start ${offset} s late`, () => {
      const bytes = profileBytes({ start: startS + offset });
      new Trial().refuses(bytes, "INTERVAL_INVALID", "load_profile.start_unix_s");
    });
  }
});

describe("a profile's intervals", () => {
  test("are not those of a reading, and the first one that is taken is named", () => {
    const trial = new Trial();
    trial.place(readingBytes({ start: startS + 2 * quarterS }));
    const values: ProfileValue[] = [undefined, [1, 1], [1, 1], [1, 1]];
    const bytes = profileBytes({ values });
    trial.refuses(bytes, "INTERVAL_OVERLAP", "load_profile.runs[1]");
    assert.match(trial.try(bytes)?.message ?? "", /from 2024-10-04T00:30:00Z already/);
  });

  test("that are absent stay free: for readings and for another profile", () => {
    const trial = new Trial();
    trial.place(readingBytes({ start: startS + quarterS, imported: 5 }));
    trial.place(profileBytes({ values: [[1, 2], undefined, undefined, [3, 4]] }));
    trial.place(profileBytes({ start: startS + 2 * quarterS, values: [[6, 7], undefined] }));
    assert.deepEqual(
      [0, 1, 2, 3].map((quarter) => standing(trial, quarter)),
      [
        [1, 2],
        [5, 100],
        [6, 7],
        [3, 4],
      ],
    );
    assert.equal(sumsOf(trial).importedWh, 1 + 5 + 6 + 3);
  });

  test("are taken for readings, profiles, and updates of either from elsewhere", () => {
    const trial = new Trial();
    const reading = trial.place(readingBytes({ start: startS + hourS })).hash;
    trial.place(profileBytes());
    const start = "meter_reading.interval_start_unix_s";
    trial.refuses(readingBytes(), "INTERVAL_OVERLAP", start);
    trial.refuses(readingBytes({ parent: reading }), "INTERVAL_OVERLAP", start);
    trial.refuses(profileBytes(), "INTERVAL_OVERLAP", "load_profile.runs[0]");
    const late = profileBytes({ start: startS + 3 * quarterS });
    trial.refuses(late, "INTERVAL_OVERLAP", "load_profile.runs[0]");
    trial.place(profileBytes({ owner: "participant-2", meter: "meter-2" }));
  });

  test("cross windows and delivery intervals, from anywhere in one", () => {
    const trial = new Trial();
    const first = 22;
    const values = Array.from({ length: 60 }, (_, i): ProfileValue => {
      return i % 7 === 3 ? undefined : [i, i % 5];
    });
    trial.place(profileBytes({ start: startS + first * quarterS, values }));
    for (const [i, value] of values.entries()) assert.deepEqual(standing(trial, first + i), value);
    for (let hour = 0; hour < 22; hour++) {
      const inHour = [0, 1, 2, 3].map((i) => values[4 * hour + i - first] ?? [0, 0]);
      const { importedWh, exportedWh } = sumsOf(trial, "participant-1", startS + hour * hourS);
      assert.deepEqual(
        [importedWh, exportedWh],
        [0, 1].map((direction) => inHour.reduce((sum, value) => sum + (value[direction] ?? 0), 0)),
        `hour ${hour}`,
      );
    }
  });

  test("lie on a market's grid that starts off the hour", () => {
    const meters = [{ meterId: "off", ownerId: "participant-1", intervalS: quarterS }];
    const market = new Market({ deliveryIntervalS: hourS, deliveryOffsetS: 1800 }, meters);
    const values = times(8, [1, 2]);
    assert.equal(market.try(profileBytes({ meter: "off", values })), undefined);
    const sums = [-1800, 1800, 5400].map((at) => market.sums("participant-1", startS + at));
    assert.deepEqual(
      sums.map(({ importedWh, exportedWh }) => [importedWh, exportedWh]),
      [
        [2, 4],
        [4, 8],
        [2, 4],
      ],
    );
  });
});

describe("an update of a profile", () => {
  test("corrects any part, from present to absent and back", () => {
    const trial = new Trial();
    let parent = trial.place(profileBytes()).hash;
    const versions: readonly ProfileValue[][] = [
      [[1, 2], undefined, [3, 4], undefined],
      [undefined, [5, 6], [3, 4], [7, 8]],
      [undefined, undefined, undefined, undefined],
      [
        [9, 9],
        [0, 0],
        [9, 9],
        [9, 9],
      ],
    ];
    for (const values of versions) {
      parent = trial.place(profileBytes({ parent, values })).hash;
      assert.deepEqual(
        [0, 1, 2, 3].map((quarter) => standing(trial, quarter)),
        values,
      );
      const imported = values.reduce((sum, value) => sum + (value?.[0] ?? 0), 0);
      assert.equal(sumsOf(trial).importedWh, imported);
    }
  });

  test("keeps the meter, the start and the number of intervals", () => {
    const trial = new Trial();
    const parent = trial.place(profileBytes()).hash;
    const moves: readonly ProfileOptions[] = [
      { start: startS + quarterS },
      { start: startS - hourS },
      { values: times(3, [1, 1]) },
      { values: [...times(4, [1, 1]), undefined] },
    ];
    for (const move of moves) {
      trial.refuses(profileBytes({ ...move, parent }), "PARENT_KIND_MISMATCH", "parent");
    }
    trial.refuses(readingBytes({ parent }), "PARENT_KIND_MISMATCH", "parent");
    const reading = trial.place(readingBytes({ start: startS + hourS })).hash;
    trial.refuses(profileBytes({ parent: reading }), "PARENT_KIND_MISMATCH", "parent");
  });

  test("is refused where a reading or profile has filled what was absent", () => {
    const trial = new Trial();
    const parent = trial.place(profileBytes({ values: [undefined, [1, 1], [1, 1]] })).hash;
    trial.place(readingBytes());
    const values = [[2, 2], undefined, [2, 2]] as const;
    const filled = profileBytes({ parent, values });
    trial.refuses(filled, "INTERVAL_OVERLAP", "load_profile.runs[0]");
    const update = trial.place(profileBytes({ parent, values: [undefined, undefined, [2, 2]] }));
    trial.refuses(filled, "PARENT_NOT_LATEST", "parent");
    trial.place(readingBytes({ start: startS + quarterS }));
    // What stands for another record is not taken away by an absent value.
    trial.place(profileBytes({ parent: update.hash, values: times(3, undefined) }));
    assert.deepEqual(standing(trial, 0), [100, 100]);
    assert.deepEqual(standing(trial, 1), [100, 100]);
    assert.equal(standing(trial, 2), undefined);
  });

  test("writes no sums that stay as they are", () => {
    const trial = new Trial();
    const values = times(2 * 96, [1, 1]);
    const parent = trial.place(profileBytes({ values })).hash;
    const before = new Map(trial.execution.writes().map(({ key, value }) => [`${key}`, value]));
    trial.place(profileBytes({ parent, values: values.with(10, [2, 1]) }));
    const changed = trial.execution.writes().filter(({ key, value }) => {
      return `${before.get(`${key}`)}` !== `${value}`;
    });
    // Two records, two windows of quarters, and one of hours.
    assert.equal(changed.length, 2 + 2 + 1);
  });
});

describe("a profile's energy", () => {
  for (const [direction, place] of [
    ["imported", 0],
    ["exported", 1],
  ] as const) {
    test(`${direction} is at most what the rated power carries, and the value is named`, () => {
      const trial = new Trial();
      const values = (energyWh: number): ProfileValue[] => [
        undefined,
        [1, 1],
        place === 0 ? [energyWh, 1] : [1, energyWh],
      ];
      const field = `load_profile.${direction}_wh[1]`;
      for (const energyWh of [limitWh + 1, 2 ** 31, 2 ** 32 - 1]) {
        const bytes = profileBytes({ values: values(energyWh) });
        trial.refuses(bytes, "ENERGY_ABOVE_RATING", field);
        assert.match(trial.try(bytes)?.message ?? "", /from 2024-10-04T00:30:00Z is more/);
      }
      trial.place(profileBytes({ values: values(limitWh) }));
    });
  }
});

describe("a profile under trades", () => {
  function traded() {
    const trial = new Trial();
    const seller = trial.place(profileBytes({ values: times(8, [0, 50]) })).hash;
    const of = { owner: "participant-2", meter: "meter-2" };
    const buyer = trial.place(profileBytes({ ...of, values: times(8, [50, 0]) })).hash;
    trial.place(tradeBytes({ delivery: startS + hourS, energy: 120 }));
    trial.refuses(
      tradeBytes({ delivery: startS + hourS, energy: 81 }),
      "DOUBLE_SPEND",
      "energy_trade.terms.energy_wh",
    );
    return { trial, seller, buyer };
  }

  test("may lower exports down to what is sold, in each delivery interval", () => {
    const { trial, seller: parent } = traded();
    const exports = (...exported: number[]) => {
      return profileBytes({ parent, values: exported.map((wh): ProfileValue => [0, wh]) });
    };
    const below = exports(50, 50, 50, 50, 30, 30, 30, 29);
    trial.refuses(below, "EXPORT_BELOW_SOLD", "load_profile.exported_wh[4]");
    assert.match(
      trial.try(below)?.message ?? "",
      /delivery interval from 2024-10-04T01:00:00Z would fall to 119 Wh, but 120 Wh are sold/,
    );
    trial.place(exports(0, 0, 0, 0, 30, 30, 30, 30));
  });

  test("may lower imports down to what is bought, in each delivery interval", () => {
    const { trial, buyer: parent } = traded();
    const of = { owner: "participant-2", meter: "meter-2", parent };
    const values = (last: number): ProfileValue[] => [
      undefined,
      ...times(3, [50, 0]),
      ...times(2, undefined),
      [100, 0],
      [last, 0],
    ];
    const below = profileBytes({ ...of, values: values(19) });
    trial.refuses(below, "IMPORT_BELOW_BOUGHT", "load_profile.imported_wh[3]");
    trial.place(profileBytes({ ...of, values: values(20) }));
  });

  test("names the run where no value is left, and the list where it is left out", () => {
    const { trial, seller: parent } = traded();
    const values = [...times(4, [0, 50]), ...times(4, undefined)];
    trial.refuses(profileBytes({ parent, values }), "EXPORT_BELOW_SOLD", "load_profile.runs[1]");
    const message = { exportedWh: [] };
    const zero = profileBytes({ parent, values: times(8, [0, 0]), message });
    trial.refuses(zero, "EXPORT_BELOW_SOLD", "load_profile.exported_wh");
  });

  test("is helped by other readings of the delivery interval, and by no others", () => {
    const meters = ["a", "b"].map((meterId) => ({
      meterId,
      ownerId: "participant-1",
      intervalS: quarterS,
    }));
    const market = new Market(policy, meters);
    const first = profileBytes({ meter: "a", values: times(8, [0, 50]) });
    assert.equal(market.try(first), undefined);
    const buyer = profileBytes({
      owner: "participant-2",
      meter: "meter-2",
      values: times(8, [50, 0]),
    });
    assert.equal(market.try(buyer), undefined);
    assert.equal(market.try(tradeBytes({ energy: 120 })), undefined);
    const parent = market.hashOf(first);
    const none = profileBytes({ meter: "a", parent, values: times(8, undefined) });
    assert.equal(market.try(readingBytes({ meter: "b", start: startS + hourS })), undefined);
    assert.equal(market.try(none)?.reason, "EXPORT_BELOW_SOLD");
    assert.equal(market.try(profileBytes({ meter: "b", values: times(4, [0, 30]) })), undefined);
    assert.equal(market.try(none), undefined);
  });
});

describe("what a profile costs", () => {
  test("is a window for each 96 of its intervals and delivery intervals", () => {
    const day = parsed(profileBytes({ values: times(96, [200, 0]) }));
    // The participant, the record, the meter, a window of quarters, one of hours.
    assert.equal(readKeys(day).length, 5);
    const shifted = profileBytes({ start: startS + quarterS, values: times(96, [200, 0]) });
    // One more of quarters.
    assert.equal(readKeys(parsed(shifted)).length, 6);
  });

  test("is below eight bytes of state for a value with what the record itself takes", () => {
    const trial = new Trial();
    const values = Array.from({ length: 96 }, (_, i): ProfileValue => [2 * i, i % 2]);
    trial.place(profileBytes({ values }));
    const bytes = trial.execution.writes().reduce((sum, each) => {
      return sum + each.key.length + each.value.length;
    }, 0);
    assert.ok(bytes < 7.5 * 96, `${bytes} bytes`);
  });
});
