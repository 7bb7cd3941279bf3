import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { shake256 } from "@noble/hashes/sha3.js";
import { concatBytes, utf8 } from "../../../../src/base/bytes.js";
import { auditDigest, auditPositions } from "../../../../src/consensus/attestation/audit.js";

const beacon = new Uint8Array(64).map((_, i) => i);

/** The draw as the model in audit.ts says it, over a stream that is long enough. */
function drawnByHand(nodeId: string, treeSize: number, count: number): number[] {
  const stream = shake256(concatBytes(utf8("bss/v1/draw-audit"), beacon, utf8(nodeId)), {
    dkLen: 8 * (count + 64),
  });
  const view = new DataView(stream.buffer, stream.byteOffset);
  const bound = BigInt(treeSize);
  const positions: number[] = [];
  for (let at = 0; positions.length < count; at += 8) {
    const draw = view.getBigUint64(at);
    if (draw < (2n ** 64n / bound) * bound) positions.push(Number(draw % bound));
  }
  return positions;
}

describe("the records of an audit", () => {
  for (const treeSize of [1, 2, 7, 1_000, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER]) {
    test(`are drawn from a log of ${treeSize} as the model says`, () => {
      const positions = auditPositions({ beacon, nodeId: "storage-1", treeSize, count: 20 });
      assert.deepEqual(positions, drawnByHand("storage-1", treeSize, 20));
      for (const position of positions) assert.ok(position >= 0 && position < treeSize);
    });
  }

  test("differ from node to node and from block to block", () => {
    const draw = { beacon, nodeId: "storage-1", treeSize: 1_000_000, count: 8 };
    const otherBeacon = beacon.toReversed();
    assert.notDeepEqual(auditPositions(draw), auditPositions({ ...draw, nodeId: "storage-2" }));
    assert.notDeepEqual(auditPositions(draw), auditPositions({ ...draw, beacon: otherBeacon }));
  });

  test("are none when the log is empty or the policy asks for none", () => {
    const draw = { beacon, nodeId: "storage-1", treeSize: 0, count: 8 };
    assert.deepEqual(auditPositions(draw), []);
    assert.deepEqual(auditPositions({ ...draw, treeSize: 9, count: 0 }), []);
  });

  test("reach every position of a small log", () => {
    const draw = { beacon, nodeId: "storage-1", treeSize: 8, count: 400 };
    assert.equal(new Set(auditPositions(draw)).size, 8);
  });
});

describe("an audit digest", () => {
  test("is SHA-256 over tag, beacon, node id and the sealed records in order", () => {
    const sealed = [utf8("first"), utf8("second")];
    const byHand = createHash("sha256")
      .update("bss/v1/audit")
      .update(beacon)
      .update("storage-1")
      .update("first")
      .update("second")
      .digest();
    assert.deepEqual(auditDigest(beacon, "storage-1", sealed), new Uint8Array(byHand));
  });

  test("depends on the order of the records", () => {
    const sealed = [utf8("first"), utf8("second")];
    assert.notDeepEqual(
      auditDigest(beacon, "storage-1", sealed),
      auditDigest(beacon, "storage-1", sealed.toReversed()),
    );
  });
});
