import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../../../src/base/bytes.js";
import {
  AttestationTally,
  attestationsPerNodeMax,
} from "../../../../src/consensus/height/attestation-tally.js";
import { matchesNeeded } from "../../../../src/ledger/certificates/committee.js";
import { RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 4, storage: 7 });
const facts = bench.facts("A0");
const committee = bench.committee("A0", 0);
const block = toHex(facts.blockId);

describe("attestations", () => {
  test("more than two thirds of the committee make an integrity certificate", () => {
    assert.equal(committee.length, 5);
    const tally = new AttestationTally();
    for (const [i, node] of committee.entries()) {
      const matches = tally.integrity(facts, 0, committee)?.length;
      assert.equal(matches, i >= matchesNeeded(committee.length) ? i : undefined);
      assert.ok(tally.add(bench.attestation(0, "A0", node)));
    }
    assert.equal(tally.integrity(facts, 0, committee)?.length, committee.length);
    assert.equal(tally.integrity(facts, 1, committee), undefined, "nor in another round");
  });

  test("a node counts once, however often it attests", () => {
    const tally = new AttestationTally();
    const [node = ""] = committee;
    assert.ok(tally.add(bench.attestation(0, "A0", node)));
    for (let i = 0; i < 10; i++) assert.ok(!tally.add(bench.attestation(0, "A0", node)));
    assert.equal(tally.integrity(facts, 0, committee), undefined);
    assert.equal(tally.of(0, block).length, 1);
  });

  test("who is not in the committee does not count", () => {
    const tally = new AttestationTally();
    const others = facts.eligible.filter((node) => !committee.includes(node));
    assert.equal(others.length, 2);
    for (const node of [...committee.slice(0, 3), ...others]) {
      tally.add(bench.attestation(0, "A0", node));
    }
    assert.equal(tally.integrity(facts, 0, committee), undefined);
  });

  for (const [what, wrong] of [
    ["a mismatch", { verdict: 2 }],
    ["another root", { hash2: new Uint8Array(32) }],
    ["another size", { treeSize: 8n }],
  ] as const) {
    test(`${what} does not count, and does not keep the same node's match from counting`, () => {
      const tally = new AttestationTally();
      for (const node of committee) {
        assert.ok(tally.add({ ...bench.attestation(0, "A0", node), ...wrong }));
      }
      assert.equal(tally.integrity(facts, 0, committee), undefined);
      for (const node of committee) assert.ok(tally.add(bench.attestation(0, "A0", node)));
      assert.equal(tally.integrity(facts, 0, committee)?.length, committee.length);
    });
  }

  test("a node's oldest statement makes room for its newest", () => {
    const tally = new AttestationTally();
    const [node = "", other = ""] = committee;
    tally.add(bench.attestation(0, "A0", other));
    for (let round = 0; round <= attestationsPerNodeMax; round++) {
      tally.add(bench.attestation(round, "A0", node));
    }
    assert.deepEqual(tally.of(0, block), [bench.attestation(0, "A0", other)]);
    assert.equal(tally.of(1, block).length, 1);
    for (let round = 100; round <= 100 + attestationsPerNodeMax; round++) {
      tally.add(bench.attestation(round, "A0", other));
    }
    assert.ok(!tally.hasAny(0, block), "nothing is kept of a place where nothing is left");
  });
});
