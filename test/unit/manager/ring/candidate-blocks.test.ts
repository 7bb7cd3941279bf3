import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import { blocksHeldMax } from "../../../../src/consensus/height/judgements.js";
import { type ManagerBlock, ManagerBlockSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { blockId } from "../../../../src/ledger/blocks/block-hashes.js";
import type { ExecutedBlock } from "../../../../src/ledger/blocks/executed-block.js";
import { CandidateBlocks, candidatesMax } from "../../../../src/manager/ring/candidate-blocks.js";

const bodyOf = (name: number): ManagerBlock =>
  create(ManagerBlockSchema, { block: { header: new Uint8Array([name]) } });
const idOf = (body: ManagerBlock) => blockId(body.block?.header ?? new Uint8Array());
const executed = {} as ExecutedBlock;
const free = { isBoundTo: () => false };

describe("candidate blocks", () => {
  test("are kept under their own ids, the first body of each", () => {
    const candidates = new CandidateBlocks(free);
    const body = bodyOf(1);
    assert.equal(candidates.add(5, body), toHex(idOf(body)));
    candidates.add(5, { ...body, privateEntries: [new Uint8Array([1])] });
    assert.equal(candidates.get(idOf(body))?.block, body);
    assert.equal(candidates.get(idOf(bodyOf(2))), undefined);
  });

  test("learn what was executed without losing the body", () => {
    const candidates = new CandidateBlocks(free);
    const body = bodyOf(1);
    candidates.add(5, body);
    candidates.add(5, body, executed);
    assert.equal(candidates.get(idOf(body))?.executed, executed);
    candidates.add(5, body);
    assert.equal(candidates.get(idOf(body))?.executed, executed);
  });

  test("keep the body that was judged, not a wrong one that came before it", () => {
    const candidates = new CandidateBlocks(free);
    const body = bodyOf(1);
    candidates.add(5, { ...body, privateEntries: [new Uint8Array([1])] });
    candidates.add(5, body, executed);
    assert.equal(candidates.get(idOf(body))?.block, body);
  });

  test("go with their height, and by themselves when a body was not the block's", () => {
    const candidates = new CandidateBlocks(free);
    const bodies = [5, 6, 7].map((height) => {
      const body = bodyOf(height);
      candidates.add(height, body);
      return body;
    });
    candidates.onAppended({ executed: { facts: { height: 6 } } as ExecutedBlock });
    const kept = () => bodies.map((body) => candidates.get(idOf(body)) !== undefined);
    assert.deepEqual(kept(), [false, false, true]);
    candidates.discard(idOf(bodyOf(7)));
    assert.deepEqual(kept(), [false, false, false]);
  });

  test("have room for more than the ring is bound to", () => {
    assert.ok(candidatesMax >= blocksHeldMax + 16);
    const bound = new Set<string>();
    const candidates = new CandidateBlocks({ isBoundTo: (id) => bound.has(id) });
    for (let name = 0; name < blocksHeldMax; name++) {
      bound.add(candidates.add(5, bodyOf(name), executed));
    }
    for (let name = 100; name < 250; name++) candidates.add(5, bodyOf(name), executed);
    for (let name = 0; name < blocksHeldMax; name++) {
      assert.ok(candidates.get(idOf(bodyOf(name))) !== undefined, `${name} is there`);
    }
  });

  test("are bounded: those that nobody found accurate go first, bound ones never", () => {
    const bound = new Set([toHex(idOf(bodyOf(0)))]);
    const candidates = new CandidateBlocks({ isBoundTo: (id) => bound.has(id) });
    candidates.add(5, bodyOf(0));
    candidates.add(5, bodyOf(1), executed);
    for (let name = 2; name <= candidatesMax; name++) candidates.add(5, bodyOf(name));
    const kept = (name: number) => candidates.get(idOf(bodyOf(name))) !== undefined;
    assert.deepEqual([kept(0), kept(1), kept(2), kept(3)], [true, true, false, true]);
    for (let name = 100; name < 100 + candidatesMax; name++) {
      candidates.add(5, bodyOf(name), executed);
    }
    assert.deepEqual([kept(0), kept(1)], [true, false]);
    assert.ok(kept(100 + candidatesMax - 1));
  });
});
