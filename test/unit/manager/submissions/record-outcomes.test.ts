import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  BlockCertificatesSchema,
  BlockSchema,
  ManagerBlockHeaderSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  RecordOutcomeSchema,
  RecordPlaceSchema,
  SubmitResponseSchema,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { BlockSummaries } from "../../../../src/manager/submissions/block-summaries.js";
import {
  RecordOutcomes,
  type RecordSettlement,
} from "../../../../src/manager/submissions/record-outcomes.js";
import { submitResponse } from "../../../../src/manager/submissions/submit-response.js";
import type { ManagerStore } from "../../../../src/store/manager-store.js";
import { LedgerWorld } from "../support/ledger-world.js";

const placed = (height: bigint): RecordSettlement => ({
  kind: "placed",
  place: create(RecordPlaceSchema, { height }),
});
const never = new AbortController().signal;

describe("the outcome of a record", () => {
  test("is told to everybody who waits for it, and to nobody who came later", async () => {
    const outcomes = new RecordOutcomes();
    const watches = [outcomes.watch(["aa", "bb"]), outcomes.watch(["aa"])];
    const all = Promise.all([watches[0]?.all(["aa", "bb"], never), watches[1]?.all(["aa"], never)]);
    outcomes.settle("aa", placed(1n));
    const late = outcomes.watch(["aa"]);
    outcomes.settle("bb", placed(2n));
    assert.deepEqual(await all, [true, true]);
    assert.deepEqual(watches[0]?.settled.get("bb"), placed(2n));
    assert.equal(late.settled.size, 0);
  });

  test("stays what it was first", () => {
    const outcomes = new RecordOutcomes();
    const watch = outcomes.watch(["aa"]);
    outcomes.settle("aa", placed(1n));
    outcomes.settle("aa", placed(2n));
    assert.deepEqual(watch.settled.get("aa"), placed(1n));
  });

  test("that has come already is not waited for", async () => {
    const outcomes = new RecordOutcomes();
    const watch = outcomes.watch(["aa", "bb"]);
    outcomes.settle("aa", placed(1n));
    assert.equal(await watch.all(["aa"], never), true);
    const rest = watch.all(["aa", "bb"], never);
    outcomes.settle("bb", placed(2n));
    assert.equal(await rest, true);
  });

  test("is not waited for any longer than the caller wants", async () => {
    const outcomes = new RecordOutcomes();
    const abort = new AbortController();
    const watch = outcomes.watch(["aa"]);
    const waiting = watch.all(["aa"], abort.signal);
    abort.abort();
    assert.equal(await waiting, false);
    assert.equal(await watch.all(["aa"], abort.signal), false);
    outcomes.settle("aa", placed(1n));
    assert.equal(await watch.all(["aa"], abort.signal), true);
  });

  test("no longer reaches a watch that was closed", () => {
    const outcomes = new RecordOutcomes();
    const [closed, open] = [outcomes.watch(["aa"]), outcomes.watch(["aa"])];
    closed.close();
    outcomes.settle("aa", placed(1n));
    assert.equal(closed.settled.size, 0);
    assert.equal(open.settled.size, 1);
  });
});

const hash = new Uint8Array(32).fill(1);
const header = toBinary(
  ManagerBlockHeaderSchema,
  create(ManagerBlockHeaderSchema, {
    consortiumId: hash,
    height: 2n ** 53n - 1n,
    previousBlockId: hash,
    createdRound: 2 ** 32 - 1,
    proposerId: "m".repeat(63),
    timestampUnixMs: 2n ** 53n - 1n,
    treeSize: 2n ** 53n - 1n,
    hash1: hash,
    sealedBytes: 2n ** 53n - 1n,
    membersDigest: hash,
    previousStateDigest: hash,
    bodyDigest: hash,
    certificatesDigest: hash,
    beacon: new Uint8Array(64),
    beaconProof: new Uint8Array(80),
  }),
);

/** A ledger of which each block has the longest header, and COMMITs of so many managers. */
function storeWith(managers: number): ManagerStore {
  const signatures = Array.from({ length: managers }, (_, i) => {
    return { managerId: `${i}`.padStart(63, "m"), signature: new Uint8Array(64) };
  });
  const block = create(BlockSchema, { header });
  const commit = { height: 1n, round: 1, blockId: hash, signatures };
  const certificates = create(BlockCertificatesSchema, { commit });
  const store = { head: { height: 2_000 }, finalBlock: async () => ({ block, certificates }) };
  return store as unknown as ManagerStore;
}

const outcomes = (count: number) =>
  Array.from({ length: count }, (_, i) => {
    const value = { height: BigInt(i + 1), position: BigInt(i), sealDigest: hash };
    return create(RecordOutcomeSchema, {
      recordHash: hash,
      outcome: { case: "committed", value },
    });
  });

describe("the answer to a submission", () => {
  test("says of a block that was just appended what the store says, without reading it", async () => {
    const world = await LedgerWorld.create();
    const summaries = new BlockSummaries(world.store);
    summaries.onAppended(await world.extend());
    await world.extend();
    const stored = await new BlockSummaries(world.store).of(1);
    world.store.finalBlock = () => assert.fail("nothing is to be read");
    assert.deepEqual(await summaries.of(1), stored);
    assert.equal(stored.confirmations, 2n);
  });

  test("is kept of so many of the latest blocks only", async () => {
    const world = await LedgerWorld.create();
    const summaries = new BlockSummaries(world.store);
    for (let block = 0; block < 40; block++) summaries.onAppended(await world.extend());
    const read: number[] = [];
    const finalBlock = world.store.finalBlock.bind(world.store);
    world.store.finalBlock = (height, parts) => {
      read.push(height);
      return finalBlock(height, parts);
    };
    for (let height = 1; height <= 40; height++) {
      assert.equal((await summaries.of(height)).height, BigInt(height));
    }
    assert.deepEqual(read, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("proves the blocks that it names", async () => {
    const { blocks } = await submitResponse(new BlockSummaries(storeWith(100)), outcomes(10));
    assert.equal(blocks.length, 10);
    assert.ok(
      blocks.every(({ header, commitCertificate }) => header.length > 0 && commitCertificate),
    );
  });

  test("names blocks without proof once it would be too long, and says where records are", async () => {
    const response = await submitResponse(new BlockSummaries(storeWith(100)), outcomes(1_000));
    assert.ok(toBinary(SubmitResponseSchema, response).length < 4 * 2 ** 20);
    const proven = response.blocks.filter(({ header }) => header.length > 0).length;
    assert.ok(proven > 100 && proven < 1_000, `${proven}`);
    assert.deepEqual(
      response.blocks.map(({ height, managerSignatures }) => [height, managerSignatures]),
      outcomes(1_000).map((_, i) => [BigInt(i + 1), 100]),
    );
    const bare = response.blocks.slice(proven);
    assert.ok(bare.every(({ header, commitCertificate }) => !header.length && !commitCertificate));
  });
});
