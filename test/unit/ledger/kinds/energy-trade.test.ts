import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { energySums } from "../../../../src/ledger/kinds/energy.js";
import { deliverySlotOf } from "../../../../src/ledger/kinds/market-grid.js";
import { hourS, policy, quarterS, startS } from "../support/consortium.js";
import { readingBytes, tradeBytes } from "../support/records.js";
import { Trial } from "../support/trial.js";

const terms = "energy_trade.terms";

/** Participant-1 exported 100 Wh, the others imported 100 Wh each. */
function metered(): Trial {
  const trial = new Trial();
  trial.place(readingBytes({ exported: 100, imported: 0 }));
  for (const i of [2, 3, 4]) {
    trial.place(
      readingBytes({ owner: `participant-${i}`, meter: `meter-${i}`, imported: 100, exported: 0 }),
    );
  }
  return trial;
}

describe("the parties of a trade", () => {
  test("are two", () => {
    const self = tradeBytes({ buyer: "participant-1" });
    metered().refuses(self, "TRADE_PARTIES_EQUAL", `${terms}.buyer_id`);
  });

  test("are registered", () => {
    const unknown = tradeBytes({ buyer: "stranger" });
    metered().refuses(unknown, "TRADE_PARTY_UNKNOWN", `${terms}.buyer_id`);
  });
});

describe("the terms of a trade", () => {
  test("sell something", () => {
    metered().refuses(tradeBytes({ energy: 0 }), "ENERGY_INVALID", `${terms}.energy_wh`);
  });

  for (const offset of [1, quarterS, hourS - 1]) {
    test(`name an aligned delivery interval, not one ${offset} s late`, () => {
      const field = `${terms}.delivery_start_unix_s`;
      metered().refuses(tradeBytes({ delivery: startS + offset }), "INTERVAL_INVALID", field);
    });
  }

  test("keep the price within the market's bounds, ends included", () => {
    const trial = metered();
    const { priceMinMicroPerKwh: min, priceMaxMicroPerKwh: max } = policy;
    for (const price of [min - 1n, max + 1n, 0n, -1n, -(2n ** 63n), 2n ** 63n - 1n]) {
      const field = `${terms}.price_micro_per_kwh`;
      trial.refuses(tradeBytes({ price }), "PRICE_OUT_OF_BOUNDS", field);
    }
    trial.place(tradeBytes({ price: min }));
    trial.place(tradeBytes({ price: max }));
  });

  test("are recorded once, whoever sells what to whom", () => {
    const trial = metered();
    trial.place(tradeBytes({ id: "one" }));
    const again = tradeBytes({ id: "one", buyer: "participant-3", energy: 1 });
    trial.refuses(again, "TRADE_REPEATED", `${terms}.trade_id`);
  });
});

describe("energy sold and bought", () => {
  const wh = `${terms}.energy_wh`;

  test("a seller sells all that it exported, to several buyers, and not 1 Wh more", () => {
    const trial = metered();
    trial.place(tradeBytes({ energy: 60 }));
    trial.refuses(tradeBytes({ energy: 41, buyer: "participant-3" }), "DOUBLE_SPEND", wh);
    trial.place(tradeBytes({ energy: 40, buyer: "participant-3" }));
    trial.refuses(tradeBytes({ energy: 1, buyer: "participant-4" }), "DOUBLE_SPEND", wh);
  });

  test("the refusal names seller, interval, exported, sold and asked", () => {
    const trial = metered();
    trial.place(tradeBytes({ energy: 60 }));
    const message = trial.try(tradeBytes({ energy: 41, buyer: "participant-3" }))?.message ?? "";
    for (const part of ["participant-1", "2024-10-04T00:00:00Z", "100 Wh", "60 Wh", "41 Wh"]) {
      assert.ok(message.includes(part), `${part} is not in: ${message}`);
    }
  });

  test("a buyer buys at most what it imported, from several sellers", () => {
    const trial = metered();
    trial.place(readingBytes({ start: startS + quarterS, exported: 100 }));
    trial.place(tradeBytes({ energy: 100 }));
    trial.refuses(tradeBytes({ energy: 1 }), "OVER_PURCHASE", wh);
    const other = readingBytes({
      owner: "participant-3",
      meter: "meter-3",
      start: startS + quarterS,
      exported: 10,
      imported: 0,
    });
    trial.place(other);
    trial.refuses(tradeBytes({ seller: "participant-3", energy: 1 }), "OVER_PURCHASE", wh);
  });

  test("the refusal tells the seller nothing of the buyer's meters and other trades", () => {
    const trial = metered();
    trial.place(readingBytes({ start: startS + quarterS, exported: 100 }));
    trial.place(tradeBytes({ energy: 60 }));
    const message = trial.try(tradeBytes({ energy: 41 }))?.message ?? "";
    for (const part of ["participant-2", "2024-10-04T00:00:00Z", "41 Wh"]) {
      assert.ok(message.includes(part), `${part} is not in: ${message}`);
    }
    assert.doesNotMatch(message, /\b(100|60|40)\b/);
  });

  test("one delivery interval does not cover another", () => {
    const trial = metered();
    trial.refuses(tradeBytes({ delivery: startS + hourS, energy: 1 }), "DOUBLE_SPEND", wh);
    trial.refuses(tradeBytes({ delivery: startS - hourS, energy: 1 }), "DOUBLE_SPEND", wh);
  });

  test("imports cannot be sold", () => {
    const trial = metered();
    trial.refuses(
      tradeBytes({ seller: "participant-2", buyer: "participant-3" }),
      "DOUBLE_SPEND",
      wh,
    );
  });

  test("an amount near 2^53 is refused without wrapping", () => {
    const trial = metered();
    trial.place(tradeBytes({ energy: 60 }));
    trial.refuses(tradeBytes({ energy: 2n ** 53n - 1n }), "DOUBLE_SPEND", wh);
  });
});

describe("an update of a trade", () => {
  test("replaces what it updates, with a fresh trade id", () => {
    const trial = metered();
    const parent = trial.place(tradeBytes({ id: "one", energy: 60 })).hash;
    trial.refuses(tradeBytes({ id: "one", parent }), "TRADE_REPEATED", `${terms}.trade_id`);
    const second = trial.place(tradeBytes({ energy: 100, parent })).hash;
    trial.refuses(tradeBytes({ energy: 1 }), "DOUBLE_SPEND", `${terms}.energy_wh`);
    trial.place(tradeBytes({ energy: 30, parent: second }));
    trial.place(tradeBytes({ energy: 70, buyer: "participant-3" }));
    const { soldWh } = energySums(
      trial.execution.tables,
      "participant-1",
      deliverySlotOf(startS, policy),
    );
    assert.equal(soldWh, 100);
    const { boughtWh } = energySums(
      trial.execution.tables,
      "participant-2",
      deliverySlotOf(startS, policy),
    );
    assert.equal(boughtWh, 30);
  });

  test("may not ask for more than is left with its own energy back", () => {
    const trial = metered();
    const parent = trial.place(tradeBytes({ energy: 60 })).hash;
    trial.place(tradeBytes({ energy: 30, buyer: "participant-3" }));
    trial.refuses(tradeBytes({ energy: 71, parent }), "DOUBLE_SPEND", `${terms}.energy_wh`);
    trial.place(tradeBytes({ energy: 70, parent }));
  });

  test("keeps buyer and delivery interval", () => {
    const trial = metered();
    trial.place(readingBytes({ start: startS + hourS }));
    const parent = trial.place(tradeBytes()).hash;
    for (const other of [{ buyer: "participant-3" }, { delivery: startS + hourS }]) {
      trial.refuses(tradeBytes({ ...other, parent }), "PARENT_KIND_MISMATCH", "parent");
    }
  });

  test("keeps the seller, who owns the record", () => {
    const trial = metered();
    const parent = trial.place(tradeBytes()).hash;
    const other = tradeBytes({ seller: "participant-2", buyer: "participant-3", parent });
    trial.refuses(other, "PARENT_OWNER_MISMATCH", "parent");
  });
});
