import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { defined } from "../../../src/base/assert.js";
import { emptyBytes, equalBytes } from "../../../src/base/bytes.js";
import {
  type Block,
  type ManagerBlock,
  ManagerBlockHeaderSchema,
  ManagerBlockSchema,
} from "../../../src/gen/bss/v1/block_pb.js";
import { Chain } from "./support/chain.js";
import { documentBytes, readingBytes, submitted, tradeBytes } from "./support/records.js";

const chain = new Chain();
chain.extend({ candidates: [submitted([documentBytes()])] });
const buying = readingBytes({ owner: "participant-2", meter: "meter-2" });
const right = chain.propose({
  candidates: [submitted([readingBytes(), buying], "head-end"), submitted([tradeBytes()])],
}).block;

/** A byte string of a block, and how to put another in its place. */
type Place = {
  readonly bytes: Uint8Array;
  readonly put: (block: ManagerBlock, bytes: Uint8Array) => void;
};

const publicPart = (block: ManagerBlock): Block => defined(block.block, "a block is public");

function listPlaces(listOf: (block: ManagerBlock) => Uint8Array[]): readonly Place[] {
  return listOf(right).map((bytes, i) => ({
    bytes,
    put(block, changed) {
      listOf(block)[i] = changed;
    },
  }));
}

function fieldPlace<Name extends string>(
  ownerOf: (block: ManagerBlock) => { [name in Name]: Uint8Array },
  name: Name,
): Place {
  return {
    bytes: ownerOf(right)[name],
    put(block, changed) {
      ownerOf(block)[name] = changed;
    },
  };
}

const places: readonly Place[] = [
  fieldPlace(publicPart, "header"),
  fieldPlace(publicPart, "privateRoot"),
  fieldPlace(publicPart, "previousCertificates"),
  ...publicPart(right).leaves.flatMap((_, i) => {
    const leafOf = (block: ManagerBlock) => defined(publicPart(block).leaves[i], "a leaf");
    return [fieldPlace(leafOf, "recordHash"), fieldPlace(leafOf, "sealDigest")];
  }),
  ...listPlaces((block) => block.privateEntries),
  ...listPlaces((block) => block.records),
];

/**
 * A later time, or a round with the same proposer, was the proposer's choice: such a header
 * is right too.
 */
function isAnotherRightHeader(block: ManagerBlock): boolean {
  const original = fromBinary(ManagerBlockHeaderSchema, publicPart(right).header);
  const { createdRound, timestampUnixMs } = original;
  try {
    const header = fromBinary(ManagerBlockHeaderSchema, publicPart(block).header);
    const encoded = toBinary(ManagerBlockHeaderSchema, {
      ...header,
      createdRound,
      timestampUnixMs,
    });
    return equalBytes(encoded, publicPart(right).header);
  } catch {
    return false;
  }
}

const change = fc.constantFrom(...places.keys()).chain((index) =>
  fc.record({
    index: fc.constant(index),
    at: fc.nat((places[index]?.bytes.length ?? 1) - 1),
    bit: fc.nat(7),
  }),
);

describe("any byte string of a block", () => {
  test("makes a block that is refused, when one of its bits is flipped", () => {
    let headersThatAreRight = 0;
    const property = fc.property(change, ({ index, at, bit }) => {
      const { bytes, put } = defined(places[index], "a place");
      const block = clone(ManagerBlockSchema, right);
      put(block, bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit)));
      if (index === 0 && isAnotherRightHeader(block)) headersThatAreRight += 1;
      else assert.ok(!chain.judge(block).ok);
    });
    fc.assert(property, { numRuns: 1500 });
    assert.ok(headersThatAreRight < 150, `${headersThatAreRight} were left out`);
  });

  test("makes a block that is refused, when it is emptied, cut or lengthened", () => {
    for (const { bytes, put } of places) {
      for (const wrong of [
        emptyBytes,
        bytes.subarray(1),
        bytes.subarray(0, bytes.length - 1),
        Uint8Array.of(...bytes, 0),
        Uint8Array.of(...bytes, ...bytes),
      ]) {
        const block = clone(ManagerBlockSchema, right);
        put(block, wrong);
        assert.ok(!chain.judge(block).ok);
      }
    }
  });
});
