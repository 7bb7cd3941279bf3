import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Decimal } from "../../../../examples/energy-community/community/decimal.js";
import {
  HomeMeter,
  WholeWattHours,
} from "../../../../examples/energy-community/community/to-wh.js";

const home = { building: "Building_1", id: "building-1", panelsKw: { digits: 45n, scale: 1 } };
const decimal = fc.record({ digits: fc.bigInt(0n, 10n ** 9n), scale: fc.nat(12) });

/** Every amount here is a multiple of 10^−20. */
const unit = 10n ** 20n;

function unitsOf({ digits, scale }: Decimal): bigint {
  return digits * 10n ** BigInt(20 - scale);
}

function roundedUnits(units: bigint): bigint {
  return (2n * units + unit) / (2n * unit);
}

describe("whole Wh", () => {
  test("0.4 Wh an hour are 4 Wh in ten hours", () => {
    const counter = new WholeWattHours();
    const hours = Array.from({ length: 10 }, () => counter.next({ digits: 4n, scale: 1 }));
    assert.deepEqual(hours, [0, 1, 0, 1, 0, 0, 1, 0, 1, 0]);
  });

  test("from the first hour on, their sum is the rounded sum of the energy", () => {
    fc.assert(
      fc.property(fc.array(decimal, { maxLength: 50 }), (amounts) => {
        const counter = new WholeWattHours();
        let exact = 0n;
        let whole = 0n;
        for (const amount of amounts) {
          exact += unitsOf(amount);
          const wh = counter.next(amount);
          assert.ok(wh >= 0 && Number.isSafeInteger(wh));
          whole += BigInt(wh);
          assert.equal(whole, roundedUnits(exact));
        }
      }),
    );
  });
});

describe("the meter of a home", () => {
  test("takes kWh for the load and W per installed kW for the panels", () => {
    const meter = new HomeMeter();
    const hour = {
      home,
      loadKwh: { digits: 25n, scale: 1 },
      solarWPerKw: { digits: 0n, scale: 0 },
    };
    assert.deepEqual(meter.next(hour), { importedWh: 2500, exportedWh: 0 });
    const sunny = { ...hour, solarWPerKw: { digits: 800n, scale: 0 } };
    assert.deepEqual(meter.next(sunny), { importedWh: 0, exportedWh: 1100 });
  });

  test("imports or exports, and its balance is load less generation, each rounded once", () => {
    const hours = fc.array(fc.record({ loadKwh: decimal, solarWPerKw: decimal }), {
      maxLength: 50,
    });
    fc.assert(
      fc.property(hours, (given) => {
        const meter = new HomeMeter();
        let balance = 0n;
        let load = 0n;
        let generation = 0n;
        for (const { loadKwh, solarWPerKw } of given) {
          const { importedWh, exportedWh } = meter.next({ home, loadKwh, solarWPerKw });
          assert.ok(importedWh >= 0 && exportedWh >= 0 && Math.min(importedWh, exportedWh) === 0);
          balance += BigInt(importedWh - exportedWh);
          load += unitsOf(loadKwh) * 1000n;
          generation += (unitsOf(solarWPerKw) * 45n) / 10n;
          assert.equal(balance, roundedUnits(load) - roundedUnits(generation));
        }
      }),
    );
  });
});
