import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type SignedHead, SignedHeadSchema } from "../../../../src/gen/bss/v1/vote_pb.js";
import { rootOf } from "../../../../src/ledger/merkle/frontier.js";
import {
  type HeadClaim,
  HeadWatch,
  HeldHeads,
  whatDiffers,
} from "../../../../src/manager/supervision/head-watch.js";
import { genesis } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { LedgerWorld } from "../support/ledger-world.js";

/** Another value of a digest's length. */
const other = (seed: number) => new Uint8Array(32).fill(seed);

describe("what a manager held", () => {
  test("is remembered of the last blocks, and read from the store before that", async () => {
    const world = await LedgerWorld.create();
    const held = new HeldHeads(world.store);
    const claims: HeadClaim[] = [claimOf(world)];
    for (let height = 1; height <= 3; height++) {
      await world.extend({ candidates: [submitted([documentBytes()])] });
      held.note(world.store.head);
      claims.push(claimOf(world));
    }
    const afterRestart = new HeldHeads(world.store);
    assert.equal(afterRestart.recent(2), undefined);
    for (const height of [1, 2, 3]) {
      assert.deepEqual(held.recent(height), claims[height]);
      assert.deepEqual(await held.at(height), claims[height]);
      assert.deepEqual(await afterRestart.at(height), claims[height]);
    }
    assert.deepEqual(await held.at(0), claims[0]);
    assert.equal(await held.at(4), undefined);
    assert.equal(await afterRestart.at(0), undefined);
  });

  test("is forgotten in memory after many blocks", async () => {
    const { store } = await LedgerWorld.create();
    const held = new HeldHeads(store);
    held.note({ ...store.head, height: 255 });
    assert.notEqual(held.recent(0), undefined);
    held.note({ ...store.head, height: 256 });
    assert.equal(held.recent(0), undefined);
  });
});

describe("the watch over heads", () => {
  let world: LedgerWorld;
  let held: HeldHeads;
  let watch: HeadWatch;
  let outvoted: string[];
  let differing: (readonly [managerId: string, height: bigint])[];

  beforeEach(async () => {
    world = await LedgerWorld.create();
    held = new HeldHeads(world.store);
    outvoted = [];
    differing = [];
    watch = new HeadWatch({
      held,
      quorum: () => genesis.members.quorum,
      onOutvoted: (message) => outvoted.push(message),
      onDiffering: ({ managerId, height }) => differing.push([managerId, height]),
    });
  });

  const extend = async () => {
    await world.extend();
    held.note(world.store.head);
    watch.onAppended(world.store.head.height);
  };
  const head = (managerId: string, height: number, claim: Partial<HeadClaim> = {}): SignedHead =>
    create(SignedHeadSchema, {
      ...(held.recent(height) ?? claimOf(world)),
      ...claim,
      managerId,
      height: BigInt(height),
    });

  test("says nothing of heads that are this manager's own", async () => {
    await extend();
    for (const id of ["manager-2", "manager-3", "manager-4"]) await watch.take(head(id, 1));
    assert.deepEqual([outvoted, differing], [[], []]);
    assert.equal(watch.isNews(head("manager-2", 1)), false);
  });

  for (const [what, claim] of [
    ["block", { blockId: other(1) }],
    ["root of the log", { hash1: other(1) }],
    ["state", { stateDigest: other(1) }],
  ] as const) {
    test(`stops this manager when Q others hold another ${what}`, async () => {
      await extend();
      assert.ok(watch.isNews(head("manager-2", 1, claim)));
      await watch.take(head("manager-2", 1, claim));
      await watch.take(head("manager-3", 1, claim));
      await watch.take(head("manager-3", 1, claim));
      assert.deepEqual(outvoted, []);
      assert.deepEqual(
        differing.map(([id]) => id),
        ["manager-2", "manager-3", "manager-3"],
      );
      await watch.take(head("manager-4", 1, claim));
      assert.equal(outvoted.length, 1);
      assert.match(String(outvoted), /manager-2, manager-3, manager-4 hold another/);
      assert.match(String(outvoted), new RegExp(`another ${what} than`));
      assert.equal(whatDiffers(head("manager-2", 1, claim), head("manager-2", 1)), what);
    });
  }

  test("does not add up heads that differ from each other, or of different heights", async () => {
    await extend();
    await extend();
    await watch.take(head("manager-2", 1, { blockId: other(1) }));
    await watch.take(head("manager-3", 1, { blockId: other(2) }));
    await watch.take(head("manager-4", 2, { blockId: other(1) }));
    assert.deepEqual(outvoted, []);
    assert.equal(differing.length, 3);
  });

  test("counts no manager that holds the same by now", async () => {
    await extend();
    const wrong = { stateDigest: other(1) };
    await watch.take(head("manager-2", 1, wrong));
    await watch.take(head("manager-3", 1, wrong));
    await watch.take(head("manager-2", 1));
    await watch.take(head("manager-4", 1, wrong));
    assert.deepEqual(outvoted, []);
    await watch.take(head("manager-2", 1, wrong));
    assert.equal(outvoted.length, 1);
  });

  test("remembers heads beyond this manager's until it gets there", async () => {
    for (const id of ["manager-2", "manager-3", "manager-4"]) {
      assert.ok(watch.isNews(head(id, 2)));
      await watch.take(head(id, 2, { stateDigest: other(1) }));
    }
    await extend();
    assert.deepEqual([outvoted, differing], [[], []]);
    await extend();
    assert.equal(outvoted.length, 1);
  });

  test("remembers so many heads of a manager, the newest", async () => {
    const wrong = { stateDigest: other(1) };
    for (const id of ["manager-2", "manager-3", "manager-4"]) await watch.take(head(id, 2, wrong));
    for (let height = 3; height < 67; height++) await watch.take(head("manager-4", height));
    await extend();
    await extend();
    assert.deepEqual(outvoted, []);
    assert.equal(differing.length, 2);
  });

  test("lets no manager push out what others said by saying much", async () => {
    await watch.take(head("manager-2", 2, { stateDigest: other(1) }));
    await watch.take(head("manager-3", 2, { stateDigest: other(1) }));
    for (let height = 3; height < 200; height++) await watch.take(head("manager-4", height));
    await watch.take(head("manager-4", 2, { stateDigest: other(1) }));
    await extend();
    await extend();
    assert.equal(outvoted.length, 1);
  });
});

function claimOf({ store }: LedgerWorld): HeadClaim {
  const { blockId, frontier, stateDigest } = store.head;
  return { blockId, hash1: rootOf(frontier), stateDigest };
}
