import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  clearHour,
  type Position,
} from "../../../../examples/energy-community/community/clearing.js";

/** Positive: surplus; negative: need. */
function positionsOf(nets: readonly number[]): readonly Position[] {
  return nets.map((net, index) => ({
    homeId: `home-${index + 1}`,
    importedWh: Math.max(-net, 0),
    exportedWh: Math.max(net, 0),
  }));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const net = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
);
const community = fc.array(net, { maxLength: 30 }).map(positionsOf);
const turn = fc.nat(1000);

describe("clearing an hour", () => {
  test("the surplus is shared in proportion to the need", () => {
    const positions = positionsOf([100, -300, -100]);
    assert.deepEqual(clearHour(positions, 0), [
      { sellerId: "home-1", buyerId: "home-2", energyWh: 75 },
      { sellerId: "home-1", buyerId: "home-3", energyWh: 25 },
    ]);
  });

  test("the sales are shared in proportion to the surplus", () => {
    const positions = positionsOf([-100, 300, 100]);
    assert.deepEqual(clearHour(positions, 0), [
      { sellerId: "home-2", buyerId: "home-1", energyWh: 75 },
      { sellerId: "home-3", buyerId: "home-1", energyWh: 25 },
    ]);
  });

  test("the last Wh go to the largest remainders", () => {
    // 9 1/3 and 2/3 of 10 Wh.
    const trades = clearHour(positionsOf([-14, 10, -1]), 0);
    assert.deepEqual(trades.map(({ buyerId, energyWh }) => [buyerId, energyWh]).toSorted(), [
      ["home-1", 9],
      ["home-3", 1],
    ]);
  });

  test("the odd Wh goes round with the turns", () => {
    const positions = positionsOf([1, -5, -5, -5]);
    const buyers = [1, 2, 3].map((at) => clearHour(positions, at).map(({ buyerId }) => buyerId));
    assert.deepEqual(buyers, [["home-2"], ["home-3"], ["home-4"]]);
  });

  test("one-sided hours have no trades", () => {
    assert.deepEqual(clearHour([], 5), []);
    assert.deepEqual(clearHour(positionsOf([3, 0, 4]), 1), []);
    assert.deepEqual(clearHour(positionsOf([-3, 0, -4]), 2), []);
  });

  test("what can be traded is traded, and nobody trades more than it has or needs", () => {
    fc.assert(
      fc.property(community, turn, (positions, at) => {
        const trades = clearHour(positions, at);
        const surplusWh = sum(positions.map(({ exportedWh }) => exportedWh));
        const needWh = sum(positions.map(({ importedWh }) => importedWh));
        const tradedWh = sum(trades.map(({ energyWh }) => energyWh));
        assert.equal(tradedWh, Math.min(surplusWh, needWh));
        for (const { homeId, exportedWh, importedWh } of positions) {
          const of = (side: "sellerId" | "buyerId") =>
            sum(trades.filter((trade) => trade[side] === homeId).map(({ energyWh }) => energyWh));
          assert.ok(of("sellerId") <= exportedWh && of("buyerId") <= importedWh);
          // In proportion, to the Wh.
          const sold = surplusWh === 0 ? 0 : (exportedWh * tradedWh) / surplusWh;
          const bought = needWh === 0 ? 0 : (importedWh * tradedWh) / needWh;
          assert.ok(Math.abs(of("sellerId") - sold) < 1.001);
          assert.ok(Math.abs(of("buyerId") - bought) < 1.001);
        }
      }),
    );
  });

  test("trades are of at least 1 Wh, one per pair, and fewer than the homes", () => {
    fc.assert(
      fc.property(community, turn, (positions, at) => {
        const trades = clearHour(positions, at);
        assert.ok(trades.length <= Math.max(0, positions.length - 1));
        assert.ok(trades.every(({ energyWh }) => Number.isSafeInteger(energyWh) && energyWh >= 1));
        const pairs = new Set(trades.map(({ sellerId, buyerId }) => `${sellerId} ${buyerId}`));
        assert.equal(pairs.size, trades.length);
      }),
    );
  });

  test("the same hour is always cleared alike", () => {
    fc.assert(
      fc.property(community, turn, (positions, at) => {
        assert.deepEqual(clearHour(positions, at), clearHour(positions, at));
      }),
    );
  });
});
