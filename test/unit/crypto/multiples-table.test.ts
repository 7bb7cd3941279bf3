import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { AssertionFailed } from "../../../src/base/assert.js";
import { MultiplesTable } from "../../../src/crypto/multiples-table.js";

const { Point } = ed25519;

describe("a table of multiples", () => {
  const points = [
    Point.BASE,
    Point.BASE.multiply(12345n),
    // Of mixed and of small order: nothing is reduced.
    ...ED25519_TORSION_SUBGROUP.map((encoded) => Point.BASE.double().add(Point.fromHex(encoded))),
    ...ED25519_TORSION_SUBGROUP.map((encoded) => Point.fromHex(encoded)),
  ];
  const most = 2n ** 128n - 1n;

  test("gives the products that noble gives, for points of any order", () => {
    for (const point of points) {
      const table = new MultiplesTable(point, 128);
      const expected = (number: bigint) => point.multiplyUnsafe(number).toHex();
      for (const number of [0n, 1n, 7n, 8n, 9n, 15n, 16n, 136n, most, most - 1n, 2n ** 127n]) {
        assert.equal(table.multiply(number).toHex(), expected(number), `${number}`);
      }
      const numbers = fc.bigInt({ min: 0n, max: most });
      const property = fc.property(numbers, (number) => {
        assert.equal(table.multiply(number).toHex(), expected(number));
      });
      fc.assert(property, { numRuns: 5 });
    }
  });

  test("takes no number that is too large for it", () => {
    const table = new MultiplesTable(Point.BASE, 128);
    assert.throws(() => table.multiply(2n ** 132n), AssertionFailed);
  });
});
