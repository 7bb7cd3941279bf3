import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { energySums } from "../../../../src/ledger/kinds/energy.js";
import { deliverySlotOf } from "../../../../src/ledger/kinds/market-grid.js";
import { hourS, policy, quarterS, ratedPowerW, startS } from "../support/consortium.js";
import { Market } from "../support/market.js";
import { hashOf, readingBytes, tradeBytes } from "../support/records.js";
import { Trial } from "../support/trial.js";

const start = "meter_reading.interval_start_unix_s";
/** What 1000 W carry in 900 s. */
const limitWh = (ratedPowerW * quarterS) / 3600;

describe("a reading's meter", () => {
  test("is registered, and to the owner", () => {
    const trial = new Trial();
    trial.place(readingBytes());
    trial.refuses(readingBytes({ meter: "meter-9" }), "METER_UNKNOWN", "meter_reading.meter_id");
    const foreign = readingBytes({ meter: "meter-2" });
    trial.refuses(foreign, "METER_OWNER_MISMATCH", "meter_reading.meter_id");
    trial.refuses(foreign, "METER_OWNER_MISMATCH", "meter_reading.meter_id", "head-end");
  });
});

describe("a meter with an id of the field", () => {
  const meters = [{ meterId: "DE*ABC*E1", ownerId: "participant-1", intervalS: quarterS }];
  const grid = { deliveryIntervalS: hourS, deliveryOffsetS: 0 };

  test("is read under that id, and its energy counts", () => {
    const market = new Market(grid, meters);
    assert.equal(market.try(readingBytes({ meter: "DE*ABC*E1", exported: 7 })), undefined);
    assert.equal(market.sums("participant-1", startS).exportedWh, 7);
    const again = market.try(readingBytes({ meter: "DE*ABC*E1" }));
    assert.equal(again?.reason, "INTERVAL_OVERLAP");
  });

  test("is not read under another spelling, by which its energy would count twice", () => {
    const market = new Market(grid, meters);
    assert.equal(market.try(readingBytes({ meter: "DE*ABC*E1", exported: 7 })), undefined);
    const refused = market.try(readingBytes({ meter: "de*abc*e1", exported: 7 }));
    assert.deepEqual(
      [refused?.reason, refused?.field, refused?.message],
      [
        "METER_UNKNOWN",
        "meter_reading.meter_id",
        "No meter de*abc*e1 is registered, but DE*ABC*E1 is.",
      ],
    );
    assert.equal(market.sums("participant-1", startS).exportedWh, 7);
  });
});

describe("a reading's interval", () => {
  for (const intervalS of [0, 1, quarterS - 1, quarterS + 1, 2 * quarterS, 2 ** 32 - 1]) {
    test(`of ${intervalS} s is refused for a meter of ${quarterS} s`, () => {
      const bytes = readingBytes({ intervalS, timeMs: (startS + hourS) * 1000 });
      const isLong = startS + intervalS > startS + hourS;
      const [reason, field] = isLong
        ? (["TIME_INVALID", "time_unix_ms"] as const)
        : (["INTERVAL_INVALID", "meter_reading.interval_s"] as const);
      new Trial().refuses(bytes, reason, field);
    });
  }

  for (const offset of [1, quarterS / 2, quarterS - 1]) {
    test(`that starts ${offset} s late is refused`, () => {
      new Trial().refuses(readingBytes({ start: startS + offset }), "INTERVAL_INVALID", start);
    });
  }

  test("is taken from the epoch on, and each of a day's once", () => {
    const trial = new Trial();
    for (const at of [0, startS, startS + quarterS, startS + 95 * quarterS]) {
      trial.place(readingBytes({ start: at }));
      trial.refuses(readingBytes({ start: at, exported: 1 }), "INTERVAL_OVERLAP", start);
    }
  });

  test("of one meter is not taken by another meter's reading", () => {
    const trial = new Trial();
    trial.place(readingBytes());
    trial.place(readingBytes({ owner: "participant-2", meter: "meter-2" }));
  });
});

describe("an update of a reading", () => {
  test("stands for the interval from then on", () => {
    const trial = new Trial();
    const first = trial.place(readingBytes({ imported: 5, exported: 7 })).hash;
    const second = trial.place(readingBytes({ imported: 50, exported: 3, parent: first })).hash;
    trial.refuses(readingBytes(), "INTERVAL_OVERLAP", start);
    trial.place(readingBytes({ imported: 1, exported: 2, parent: second }));
    const sums = energySums(
      trial.execution.tables,
      "participant-1",
      deliverySlotOf(startS, policy),
    );
    assert.deepEqual([sums.importedWh, sums.exportedWh], [1, 2]);
  });

  test("does not move to another interval or meter, free or not", () => {
    const trial = new Trial();
    const parent = trial.place(readingBytes()).hash;
    const next = startS + quarterS;
    const moved = readingBytes({ parent, start: next });
    trial.refuses(moved, "PARENT_KIND_MISMATCH", "parent");
    trial.place(readingBytes({ start: next }));
    trial.refuses(moved, "INTERVAL_OVERLAP", start);
  });
});

describe("a reading's energy", () => {
  test("sums over the meters and quarters of the delivery interval, and no further", () => {
    const trial = new Trial();
    for (let i = 0; i < 5; i++) {
      trial.place(readingBytes({ start: startS + i * quarterS, imported: i, exported: 10 + i }));
    }
    const first = energySums(
      trial.execution.tables,
      "participant-1",
      deliverySlotOf(startS, policy),
    );
    assert.deepEqual([first.importedWh, first.exportedWh], [6, 46]);
    const second = energySums(
      trial.execution.tables,
      "participant-1",
      deliverySlotOf(startS + hourS, policy),
    );
    assert.deepEqual([second.importedWh, second.exportedWh], [4, 14]);
    const other = energySums(
      trial.execution.tables,
      "participant-2",
      deliverySlotOf(startS, policy),
    );
    assert.deepEqual([other.importedWh, other.exportedWh], [0, 0]);
  });

  for (const direction of ["imported", "exported"] as const) {
    test(`${direction} is at most what the rated power carries`, () => {
      const field = `meter_reading.${direction}_wh`;
      const trial = new Trial();
      for (const wh of [limitWh + 1, 2n ** 53n - 1n]) {
        trial.refuses(readingBytes({ [direction]: wh }), "ENERGY_ABOVE_RATING", field);
      }
      trial.place(readingBytes({ [direction]: limitWh }));
    });
  }

  test("may be zero", () => {
    new Trial().place(readingBytes({ imported: 0, exported: 0 }));
  });
});

describe("an update under trades", () => {
  function traded() {
    const trial = new Trial();
    const seller = trial.place(readingBytes({ exported: 100 })).hash;
    const buying = readingBytes({ owner: "participant-2", meter: "meter-2", imported: 100 });
    const buyer = trial.place(buying).hash;
    trial.place(tradeBytes({ energy: 60 }));
    return { trial, seller, buyer };
  }

  test("may lower exports down to what is sold", () => {
    const { trial, seller: parent } = traded();
    const below = readingBytes({ exported: 59, parent });
    trial.refuses(below, "EXPORT_BELOW_SOLD", "meter_reading.exported_wh");
    trial.place(readingBytes({ exported: 60, parent }));
  });

  test("may lower imports down to what is bought", () => {
    const { trial, buyer: parent } = traded();
    const of = { owner: "participant-2", meter: "meter-2", exported: 0, parent };
    const below = readingBytes({ ...of, imported: 59 });
    trial.refuses(below, "IMPORT_BELOW_BOUGHT", "meter_reading.imported_wh");
    trial.place(readingBytes({ ...of, imported: 60 }));
  });

  test("counts what other quarters of the delivery interval exported", () => {
    const { trial, seller: parent } = traded();
    trial.place(readingBytes({ start: startS + quarterS, exported: 60 }));
    trial.place(readingBytes({ exported: 0, parent }));
  });

  test("is not helped by what another delivery interval exported", () => {
    const { trial, seller: parent } = traded();
    trial.place(readingBytes({ start: startS + hourS, exported: 100 }));
    const below = readingBytes({ exported: 0, parent });
    trial.refuses(below, "EXPORT_BELOW_SOLD", "meter_reading.exported_wh");
  });
});

test("the hash that an update names is that of the exact bytes", () => {
  const bytes = readingBytes();
  const trial = new Trial();
  assert.deepEqual(trial.place(bytes).hash, hashOf(bytes));
});
