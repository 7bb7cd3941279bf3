/** A manager that finds out, from what others say, that it must not go on. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  CertifiedManagerBlockSchema,
  CommitCertificateSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  ManagerBlocksSchema,
  type VoteResponse,
  VoteResponseSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { RingHalted } from "../../../../src/manager/fail-stop.js";
import { forkAnswerOf } from "../../../../src/manager/queries/manager-status.js";
import { managerIds } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { turns } from "../support/fake-stream.js";
import { type FinalBlock, LedgerWorld } from "../support/ledger-world.js";
import { headOf, LoneManager, peer } from "../support/lone-manager.js";
import { commit } from "../support/votes.js";

const one = () => ({ candidates: [submitted([documentBytes()])] });
const others = managerIds.slice(1);

function shipped({ block, certificates }: FinalBlock): VoteResponse {
  const blocks = [create(CertifiedManagerBlockSchema, { block, certificates })];
  const value = create(ManagerBlocksSchema, { blocks });
  return create(VoteResponseSchema, { message: { case: "blocks", value } });
}

describe("a manager that finds a contradiction", () => {
  let node: LoneManager;
  afterEach(() => node.manager?.close());

  test("also finds it between a vote and what a block carries, and keeps the evidence", async () => {
    const world = await LedgerWorld.create();
    node = await LoneManager.start(world);
    const made = [world.make(one()), world.make(one())];
    const elsewhere = { height: 1, blockId: new Uint8Array(32).fill(1) };
    await node.hear({ case: "vote", value: commit("manager-3", elsewhere) });
    await node.hear({ case: "head", value: headOf(world) });
    await node.answer(...made);
    const evidence = () => world.store.offences.loadEvidence();
    while ((await evidence()).length === 0) await setImmediate();
    assert.deepEqual(
      (await evidence()).map(({ managerId, offence }) => [managerId, offence.case]),
      [["manager-3", "votes"]],
    );
    assert.deepEqual(node.fatal, []);
  });
});

describe("a manager whose ledger is not the others'", () => {
  let node: LoneManager;
  afterEach(() => node.manager?.close());

  /** A manager with one block, and a world with another one at that height. */
  const forked = async () => {
    const world = await LedgerWorld.create();
    await world.extend(one());
    const elsewhere = await LedgerWorld.create();
    const other = elsewhere.make(one());
    node = await LoneManager.start(world);
    return { world, elsewhere, other };
  };

  test("halts when Q others show the same other head, and speaks no more", async () => {
    const { elsewhere } = await forked();
    const [second, third, fourth] = others;
    assert.ok(second && third && fourth);
    await node.hear({ case: "head", value: headOf(elsewhere, second) }, second);
    await node.hear({ case: "head", value: headOf(elsewhere, third) }, third);
    assert.equal(node.fatal.length, 0);
    await node.hear({ case: "head", value: headOf(elsewhere, fourth) }, fourth);
    const [error] = node.fatal;
    assert.ok(error instanceof RingHalted);
    assert.match(error.message, /manager-2, manager-3, manager-4 hold another block/);
    const manager = defined(node.manager, "it still answers");
    assert.deepEqual(forkAnswerOf(manager), { halted: error.message });
    await turns();
    const said = node.said.length;
    const { blockId } = elsewhere.chain.head;
    node.manager?.onPeerConnected(peer);
    await node.hear({ case: "vote", value: commit("manager-2", { height: 1, blockId }) });
    await turns();
    assert.equal(node.said.length, said, "no head is signed any more");
  });

  test("does not count what nobody signed", async () => {
    const { elsewhere } = await forked();
    for (const id of others) {
      const forged = { ...headOf(elsewhere, id), signature: new Uint8Array(64) };
      await node.hear({ case: "head", value: forged }, id);
    }
    assert.deepEqual(node.fatal, []);
    assert.deepEqual(node.told("fetchBlocks"), []);
  });

  const proveFork = async (): Promise<LedgerWorld> => {
    const { world, elsewhere, other } = await forked();
    await node.hear({ case: "head", value: headOf(elsewhere) });
    const [question] = node.told("fetchBlocks", peer);
    assert.deepEqual([question?.fromHeight, question?.limit], [1n, 1]);
    await node.manager?.peers.onResponse(peer, shipped(other));
    return world;
  };

  test("asks the one that differs, and proves a fork to everybody before it halts", async () => {
    await proveFork();
    const [error] = node.fatal;
    assert.ok(error instanceof RingHalted);
    assert.match(error.message, /two blocks are final at height 1/);
    assert.equal(node.told("fork").length, others.length);
    const manager = defined(node.manager, "it still answers");
    const answer = forkAnswerOf(manager);
    assert.equal(answer.halted, error.message);
    assert.deepEqual(answer.fork, node.told("fork")[0]);
    assert.deepEqual(answer.accusedIds, managerIds.slice(0, 3));
  });

  test("stays halted after a restart, and shows the proof to whoever connects", async () => {
    const world = await proveFork();
    await node.manager?.close();
    node = await LoneManager.start(world);
    assert.match(String(node.fatal), /two blocks are final at height 1/);
    node.said.length = 0;
    node.manager?.onPeerConnected("manager-3");
    assert.deepEqual(
      node.said.map(([to, message]) => [to, message.case]),
      [["manager-3", "fork"]],
    );
  });

  test("halts on a proof that another one brings, and passes it on", async () => {
    await proveFork();
    const [proof] = node.told("fork");
    await node.manager?.close();
    node = await LoneManager.start(await LedgerWorld.create());
    assert.ok(proof);
    const { first } = proof;
    await node.hear({ case: "fork", value: { ...proof, second: create(CommitCertificateSchema) } });
    assert.equal(node.fatal.length, 0);
    await node.hear({ case: "fork", value: proof });
    assert.match(String(node.fatal), /two blocks are final/);
    assert.deepEqual(
      node.told("fork").map((told) => told.first),
      others.map(() => first),
    );
  });
});
