/** A manager without a network: what reaches its handlers, and what it says on its links. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { ProposalSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { proposalDigest } from "../../../src/ledger/certificates/vote-digests.js";
import { RingHalted } from "../../../src/manager/fail-stop.js";
import { until } from "../../support/rpc-consortium.js";
import { consortiumId, genesis } from "../ledger/support/consortium.js";
import { documentBytes, sign, submitted } from "../ledger/support/records.js";
import { gate, LedgerWorld } from "./support/ledger-world.js";
import { headOf, LoneManager, peer } from "./support/lone-manager.js";

/** Makes reads of the state wait, and then fail, as those of a store that has been closed. */
function holdReads({ store }: LedgerWorld): { begun(): boolean; fail(): void } {
  const held = gate<never>();
  let begun = false;
  Object.assign(store, {
    state: () => {
      begun = true;
      return held.promise;
    },
  });
  return { begun: () => begun, fail: () => held.fail(new Error("the store is closed")) };
}

const one = () => ({ candidates: [submitted([documentBytes()])] });

describe("a manager that has started", () => {
  let node: LoneManager;
  afterEach(() => node.manager?.close());

  test("says its head, and votes once it knows where Q managers are", async () => {
    const world = await LedgerWorld.create();
    node = await LoneManager.start(world, { hears: false });
    const manager = node.manager ?? assert.fail("it runs");
    assert.match(manager.abstaining() ?? "", /listens|marks/);
    await node.hear({ case: "head", value: headOf(world) });
    await until(() => /2 of 3 managers/.test(manager.abstaining() ?? ""));
    await node.hear({ case: "head", value: headOf(world, "manager-3") }, "manager-3");
    await until(() => manager.abstaining() === undefined);
    await until(() => node.told("head").length > 0);
  });
});

describe("a manager that is behind", () => {
  let node: LoneManager;
  afterEach(() => node.manager?.close());

  test("asks who is ahead, checks what it gets, and has it", async () => {
    const world = await LedgerWorld.create();
    node = await LoneManager.start(world);
    const made = [world.make(one()), world.make(one()), world.make(one())];
    await node.hear({ case: "head", value: headOf(world) });
    assert.ok(node.asked());
    await node.answer(...made);
    await until(() => world.store.head.height === 3);
    assert.deepEqual(world.store.head.blockId, world.chain.head.blockId);
    assert.deepEqual([node.blamed, node.fatal], [[], []]);
    await until(() => node.told("head", peer).some(({ height }) => height === 3n));
  });

  test("blames nobody for a block that came by itself while it was on its way", async () => {
    const world = await LedgerWorld.create();
    node = await LoneManager.start(world);
    const made = [world.make(one()), world.make(one()), world.make(one())];
    await node.hear({ case: "head", value: headOf(world) });
    assert.ok(node.asked());
    await world.store.append(defined(made[0], "three were made"));
    await node.answer(...made);
    await until(() => world.store.head.height === 3);
    assert.deepEqual(node.blamed, []);
  });

  test("takes no block whose certificates are not complete, and blames who sent it", async () => {
    const world = await LedgerWorld.create();
    node = await LoneManager.start(world);
    const made = [world.make(one()), world.make(one())] as const;
    const { commit, ...rest } = made[1].certificates;
    assert.ok(commit);
    const cut = { ...commit, signatures: commit.signatures.slice(1) };
    const uncertified = { ...made[1], certificates: { ...rest, commit: cut } };
    await node.hear({ case: "head", value: headOf(world) });
    await node.answer(made[0], uncertified);
    await until(() => node.blamed.length > 0);
    assert.equal(world.store.head.height, 1);
    assert.match(String(node.blamed), /^manager-2: CERTIFICATE_INVALID/);
  });

  test("halts at a block that Q managers committed and that is wrong here", async () => {
    const world = await LedgerWorld.create();
    node = await LoneManager.start(world);
    // As after a fork: the block before it is another one than this manager's.
    world.make(one());
    const fork = await LedgerWorld.create();
    const held = fork.make({ candidates: [submitted([documentBytes()])] });
    await world.store.append(held);
    const second = world.make(one());
    world.make(one());
    await node.hear({ case: "head", value: headOf(world) });
    await node.answer(second);
    await until(() => node.fatal.length > 0);
    assert.ok(node.fatal[0] instanceof RingHalted);
    assert.match(node.fatal[0].message, /BLOCK_WRONG_PARENT/);
    assert.equal(world.store.head.height, 1);
  });

  test("takes up what a stop left behind, and proposes or votes on it", async () => {
    const world = await LedgerWorld.create();
    const waiting = submitted([documentBytes()]);
    await world.store.savePooled(waiting);
    node = await LoneManager.start(world);
    assert.equal(node.manager?.pool.submissionCount, 1);
    await until(() => node.manager?.status().step !== "idle");
    assert.deepEqual(node.fatal, []);
  });
});

describe("a manager that is told to stop", () => {
  test("waits for what it is working on, and fails with nothing", async () => {
    const world = await LedgerWorld.create();
    const node = await LoneManager.start(world);
    const reads = holdReads(world);
    const { block } = world.make(one());
    const { blockId } = world.chain.head;
    const proposerId = genesis.members.proposer(1, 0);
    const digest = proposalDigest({ consortiumId, height: 1, round: 0, validRound: -1, blockId });
    const value = create(ProposalSchema, {
      height: 1n,
      validRound: -1,
      blockId,
      managerId: proposerId,
      block,
      signature: sign(proposerId, digest),
    });
    await node.hear({ case: "proposal", value });
    await until(reads.begun);
    let closed = false;
    const closing = node.manager?.close().then(() => {
      closed = true;
    });
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(closed, false);
    reads.fail();
    await closing;
    assert.deepEqual(node.fatal, []);
  });
});
