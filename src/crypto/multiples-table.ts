/**
 * Multiples of one point of Ed25519's curve, worked out once, so that the product with a number is
 * a sum of a few of them, without doublings. The number is cut into digits of four bits, from −7 to
 * 8; the table has the multiples 1 to 8 for each place. Not for secret numbers: how long it takes
 * depends on them.
 */
import type { EdwardsPoint } from "@noble/curves/abstract/edwards.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { assert, defined } from "../base/assert.js";

const digitBits = 4;
const multiplesEach = 2 ** (digitBits - 1);

export class MultiplesTable {
  /** By place: once, twice … eight times the point times 16 to the power of the place. */
  readonly #places: readonly (readonly EdwardsPoint[])[];

  /** For numbers of up to `bits` bits. */
  constructor(point: EdwardsPoint, bits: number) {
    const places: EdwardsPoint[][] = [];
    let base = point;
    // One place more, as the highest digit may carry.
    for (let place = 0; place * digitBits <= bits; place++) {
      const multiples = [base];
      let last = base;
      for (let i = 1; i < multiplesEach; i++) {
        last = last.add(base);
        multiples.push(last);
      }
      places.push(multiples);
      base = last.double();
    }
    this.#places = places;
  }

  /** The point times `number`, of any order that the point may have. */
  multiply(number: bigint): EdwardsPoint {
    let sum = ed25519.Point.ZERO;
    let rest = number;
    for (const multiples of this.#places) {
      let digit = Number(rest & 15n);
      rest >>= 4n;
      if (digit > multiplesEach) {
        digit -= 16;
        rest += 1n;
      }
      if (digit === 0) continue;
      const multiple = defined(multiples[Math.abs(digit) - 1], "a digit has its multiple");
      sum = sum.add(digit < 0 ? multiple.negate() : multiple);
    }
    assert(rest === 0n, "the number fits the table");
    return sum;
  }
}
