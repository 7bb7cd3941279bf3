import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { defined } from "../../../../src/base/assert.js";
import { concatBytes, fromHex, toHex, u64be, utf8 } from "../../../../src/base/bytes.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  type ByteReader,
  committeeSize,
  drawBelow,
  drawCommittee,
  matchesNeeded,
} from "../../../../src/ledger/certificates/committee.js";
import { u32be } from "../../../support/bytes.js";

type Vectors = {
  readonly cases: readonly {
    readonly note: string;
    readonly eligible: readonly string[];
    readonly beacon: string;
    readonly round: number;
    readonly committee: readonly string[];
  }[];
  readonly largeCases: readonly {
    readonly note: string;
    readonly idPrefix: string;
    readonly idDigits: number;
    readonly idCount: number;
    readonly beacon: string;
    readonly round: number;
    readonly rejectedDraws: number;
    readonly committeeSize: number;
    readonly firstMembers: readonly string[];
    readonly lastMembers: readonly string[];
    readonly committeeSha256: string;
  }[];
};

const vectors: Vectors = JSON.parse(readFileSync("test/vectors/committee.json", "utf8"));

describe("the sizes of a committee", () => {
  const table = [
    { eligible: 0, committee: 0, matches: 1 },
    { eligible: 1, committee: 1, matches: 1 },
    { eligible: 2, committee: 2, matches: 2 },
    { eligible: 3, committee: 3, matches: 3 },
    { eligible: 4, committee: 3, matches: 3 },
    { eligible: 7, committee: 5, matches: 4 },
    { eligible: 10, committee: 7, matches: 5 },
    { eligible: 100, committee: 67, matches: 45 },
    { eligible: 1000, committee: 667, matches: 445 },
  ];
  for (const { eligible, committee, matches } of table) {
    test(`${eligible} eligible nodes: ${committee} members, ${matches} matches`, () => {
      assert.equal(committeeSize(eligible), committee);
      assert.equal(matchesNeeded(committee), matches);
    });
  }

  test("both are the least number that is more than two thirds", () => {
    for (let n = 1; n <= 5000; n++) {
      for (const part of [committeeSize(n), matchesNeeded(n)]) {
        assert.ok(part <= n && 3 * part > 2 * n && 3 * (part - 1) <= 2 * n, `of ${n}`);
      }
    }
  });
});

describe("the draw of a committee", () => {
  for (const { note, eligible, beacon, round, committee } of vectors.cases) {
    test(`gives the vector: ${note}`, () => {
      assert.deepEqual(drawCommittee({ eligible, beacon: bytes(beacon), round }), committee);
    });
  }

  for (const vector of vectors.largeCases) {
    test(`gives the vector of round ${vector.round}: ${vector.note}`, () => {
      const eligible = Array.from(
        { length: vector.idCount },
        (_, i) => `${vector.idPrefix}${String(i).padStart(vector.idDigits, "0")}`,
      );
      const { round } = vector;
      const committee = drawCommittee({ eligible, beacon: bytes(vector.beacon), round });
      assert.equal(committee.length, vector.committeeSize);
      assert.deepEqual(committee.slice(0, 3), vector.firstMembers);
      assert.deepEqual(committee.slice(-3), vector.lastMembers);
      const digest = sha256(utf8(committee.map((id) => `${id}\n`).join("")));
      assert.equal(toHex(digest), vector.committeeSha256);
    });
  }

  test("the vectors hold draws that are rejected", () => {
    assert.ok(vectors.largeCases.some(({ rejectedDraws }) => rejectedDraws > 0));
  });

  test("is the same for any order of the eligible nodes, and leaves that list as it was", () => {
    const ids = fc.uniqueArray(fc.string({ unit: "grapheme" }), { maxLength: 40 });
    const shuffled = ids.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    const beacons = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(shuffled, beacons, fc.nat(), ([list, other], beacon, round) => {
        const given = [...other];
        const drawn = drawCommittee({ eligible: other, beacon, round });
        assert.deepEqual(drawn, drawCommittee({ eligible: list, beacon, round }));
        assert.deepEqual(other, given);
      }),
    );
  });

  test("names distinct eligible nodes, as many as the size says", () => {
    const sizes = fc.integer({ min: 0, max: 300 });
    fc.assert(
      fc.property(sizes, fc.uint8Array(), fc.maxSafeNat(), (size, beacon, round) => {
        const eligible = numberedIds(size);
        const drawn = drawCommittee({ eligible, beacon, round });
        assert.equal(drawn.length, committeeSize(size));
        assert.equal(new Set(drawn).size, drawn.length);
        assert.ok(drawn.every((id) => eligible.includes(id)));
      }),
    );
  });

  test("changes with the round and with every bit of the beacon", () => {
    const eligible = numberedIds(60);
    const beacon = beaconOf(1);
    const seen = new Set([drawCommittee({ eligible, beacon, round: 0 }).join()]);
    for (let bit = 0; bit < 512; bit++) {
      const flipped = new Uint8Array(beacon);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      seen.add(drawCommittee({ eligible, beacon: flipped, round: 0 }).join());
    }
    for (let round = 1; round <= 100; round++) {
      seen.add(drawCommittee({ eligible, beacon, round }).join());
    }
    assert.equal(seen.size, 1 + 512 + 100);
  });

  test("sees two ids that are equal, or a round that is no whole number, as our own bug", () => {
    const beacon = beaconOf(1);
    const wrong = [
      { eligible: ["a", "b", "a"], beacon, round: 0 },
      { eligible: ["a"], beacon, round: -1 },
      { eligible: ["a"], beacon, round: 0.5 },
      { eligible: ["a"], beacon, round: 2 ** 53 },
    ];
    for (const draw of wrong) {
      assert.throws(() => drawCommittee(draw), { name: "AssertionFailed" });
    }
  });
});

describe("the draw is uniform", () => {
  const draws = 6000;

  // 0.999 quantiles of chi-square. The beacons are fixed, so the outcome is too.
  test("over the places: each node is drawn first, and last, equally often", () => {
    const eligible = numberedIds(10);
    const last = committeeSize(10) - 1;
    const first = new Map<string, number>();
    const final = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const drawn = drawCommittee({ eligible, beacon: beaconOf(i), round: 0 });
      count(first, defined(drawn[0], "first member"));
      count(final, defined(drawn[last], "last member"));
    }
    assert.ok(chiSquare(first, eligible, draws / 10) < 27.88);
    assert.ok(chiSquare(final, eligible, draws / 10) < 27.88);
  });

  test("over the committees: each of the 4 sets of 3 out of 4 nodes is equally frequent", () => {
    const eligible = ["a", "b", "c", "d"];
    const sets = new Map<string, number>();
    for (let round = 0; round < draws; round++) {
      count(
        sets,
        drawCommittee({ eligible, beacon: beaconOf(0), round })
          .toSorted()
          .join(""),
      );
    }
    assert.ok(chiSquare(sets, ["abc", "abd", "acd", "bcd"], draws / 4) < 16.27);
  });

  test("over the orders: each of the 6 orders of 3 nodes is equally frequent", () => {
    const orders = new Map<string, number>();
    for (let round = 0; round < draws; round++) {
      const drawn = drawCommittee({ eligible: ["a", "b", "c"], beacon: beaconOf(1), round });
      count(orders, drawn.join(""));
    }
    const all = ["abc", "acb", "bac", "bca", "cab", "cba"];
    assert.ok(chiSquare(orders, all, draws / 6) < 20.52);
  });

  test("the statistic itself finds a draw that is off by a tenth", () => {
    const skewed = new Map([
      ["a", draws * 0.275],
      ["b", draws * 0.225],
      ["c", draws * 0.25],
      ["d", draws * 0.25],
    ]);
    assert.ok(chiSquare(skewed, ["a", "b", "c", "d"], draws / 4) > 16.27);
  });
});

describe("drawBelow", () => {
  const cases = [
    { bound: 1, stream: [0xffff_ffff], value: 0, used: 1 },
    { bound: 3, stream: [0xffff_fffe], value: 2, used: 1 },
    { bound: 3, stream: [0xffff_ffff, 7], value: 1, used: 2 },
    { bound: 10, stream: [0xffff_fffa, 0xffff_ffff, 0xffff_fff9], value: 9, used: 3 },
    { bound: 2 ** 31, stream: [0xffff_ffff], value: 0x7fff_ffff, used: 1 },
    { bound: 2 ** 31 + 1, stream: [0x8000_0001, 0x8000_0000], value: 0x8000_0000, used: 2 },
    { bound: 2 ** 32 - 1, stream: [0xffff_ffff, 0xffff_fffe], value: 0xffff_fffe, used: 2 },
    { bound: 2 ** 32, stream: [0xffff_ffff], value: 0xffff_ffff, used: 1 },
    { bound: 1000, stream: [0x0102_0304], value: 0x0102_0304 % 1000, used: 1 },
  ];
  for (const { bound, stream, value, used } of cases) {
    test(`below ${bound} takes ${used} of ${stream.map((draw) => draw.toString(16))}`, () => {
      const reader = readerOf(stream);
      assert.equal(drawBelow(bound, reader.read), value);
      assert.equal(reader.drawsRead(), used);
    });
  }

  test("sees a bound outside 1 to 2^32 as our own bug", () => {
    for (const bound of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) {
      const { read } = readerOf([0]);
      assert.throws(() => drawBelow(bound, read), { name: "AssertionFailed" });
    }
  });
});

/** Gives the draws as bytes that stand at an offset in their buffer, as a stream's chunks may. */
function readerOf(draws: readonly number[]): { read: ByteReader; drawsRead: () => number } {
  const stream = concatBytes(Uint8Array.of(0xee), ...draws.map(u32be));
  let at = 1;
  return {
    read: (lengthBytes) => {
      assert.ok(at + lengthBytes <= stream.length, "more was read than the test provides");
      const bytes = stream.subarray(at, at + lengthBytes);
      at += lengthBytes;
      return bytes;
    },
    drawsRead: () => (at - 1) / 4,
  };
}

function numberedIds(size: number): string[] {
  return Array.from({ length: size }, (_, i) => `node-${i}`);
}

function beaconOf(seed: number): Uint8Array {
  return concatBytes(sha256(u64be(seed)), sha256(u64be(seed), Uint8Array.of(1)));
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Infinite when something was counted that is not among `keys`. */
function chiSquare(counts: Map<string, number>, keys: readonly string[], expected: number): number {
  for (const key of counts.keys()) if (!keys.includes(key)) return Number.POSITIVE_INFINITY;
  return keys.reduce((sum, key) => sum + ((counts.get(key) ?? 0) - expected) ** 2 / expected, 0);
}

function bytes(hex: string): Uint8Array {
  return defined(fromHex(hex), "the vectors are hex");
}
