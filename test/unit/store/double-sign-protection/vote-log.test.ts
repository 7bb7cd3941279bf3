import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AssertionFailed, defined } from "../../../../src/base/assert.js";
import { concatBytes, emptyBytes, utf8 } from "../../../../src/base/bytes.js";
import type { Lock } from "../../../../src/consensus/ring/events.js";
import {
  LockCertificateSchema,
  type ManagerBlock,
  ManagerBlockSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { blockId } from "../../../../src/ledger/blocks/block-hashes.js";
import { buckets } from "../../../../src/store/buckets.js";
import { bodiesMax } from "../../../../src/store/double-sign-protection/candidate-bodies.js";
import type { Statements } from "../../../../src/store/double-sign-protection/vote-log.js";
import { bucketKey, u8Part, u64Part } from "../../../../src/store/key-codec.js";
import { ManagerStore } from "../../../../src/store/manager-store.js";
import { createMemoryDisk } from "../../../support/memory-store.js";
import { genesis } from "../../ledger/support/consortium.js";
import { seedOf } from "../../ledger/support/records.js";
import { blockAt } from "../support/chain.js";
import { disks, keysIn } from "../support/disks.js";

const height = 1n;

/** 64 bytes that differ with what is said. */
function signature(...said: readonly (string | number | Uint8Array)[]): Uint8Array {
  const text = said.map((part) => (part instanceof Uint8Array ? part.join() : String(part))).join();
  return concatBytes(seedOf(text), seedOf(`${text} again`));
}

function vote(kind: VoteKind, round: number, id: Uint8Array, at = height): Vote {
  const managerId = "manager-1";
  const validRound = -1;
  return create(VoteSchema, {
    kind,
    height: at,
    round,
    validRound,
    blockId: id,
    managerId,
    signature: signature("vote", kind, round, id),
  });
}

function proposal(round: number, id: Uint8Array) {
  const managerId = "manager-1";
  return create(ProposalSchema, {
    height,
    round,
    validRound: -1,
    blockId: id,
    managerId,
    signature: signature("proposal", round, id),
  });
}

/** A body that is as good as any here: the log looks at nothing but the header's hash. */
function body(name: string): { block: ManagerBlock; id: Uint8Array } {
  const header = utf8(name);
  const block = create(ManagerBlockSchema, { block: { header }, records: [utf8(`in ${name}`)] });
  return { block, id: blockId(header) };
}

function lockOn(id: Uint8Array, round: number): Lock {
  const polka = { height, round, blockId: id };
  return { round, blockId: id, certificate: create(LockCertificateSchema, { polka }) };
}

const nothing: Statements = { votes: [], proposals: [], bodies: [] };
const memory = defined(disks[0], "there is memory")[1];

async function openStore() {
  const disk = createMemoryDisk();
  const kv = await disk.open();
  return { disk, kv, store: await ManagerStore.open(kv, genesis) };
}

describe("what a manager has said about a height", () => {
  test("is asked to be written at once, and so before the signer's mark", async () => {
    const kv = await createMemoryDisk().open();
    let writes = 0;
    const store = await ManagerStore.open(
      {
        get: (key) => kv.get(key),
        getMany: (keys) => kv.getMany(keys),
        range: (options) => kv.range(options),
        scan: (options) => kv.scan(options),
        write: (batch, durability) => {
          writes += 1;
          return kv.write(batch, durability);
        },
        close: () => kv.close(),
      },
      genesis,
    );
    writes = 0;
    const a = body("a");
    const votes = [vote(VoteKind.COMMIT, 0, a.id)];
    const saved = store.saveStatements({
      ...nothing,
      votes,
      lock: lockOn(a.id, 0),
      bodies: [a.block],
    });
    assert.equal(writes, 1);
    await saved;
  });

  for (const [name, createDisk] of disks) {
    test(`is there after a restart, on ${name}`, async () => {
      const disk = await createDisk();
      const first = await ManagerStore.open(await disk.open(), genesis);
      const a = body("a");
      const votes = [
        vote(VoteKind.ACCEPT, 0, a.id),
        vote(VoteKind.APPROVE, 0, a.id),
        vote(VoteKind.APPROVE, 300, emptyBytes),
        vote(VoteKind.COMMIT, 0, a.id),
      ];
      const lock = lockOn(a.id, 0);
      const proposals = [proposal(0, a.id), proposal(4, a.id)];
      await first.saveStatements({ ...nothing, proposals, bodies: [a.block] });
      await first.saveStatements({ ...nothing, votes, lock, bodies: [a.block] });
      await first.close();

      const second = await ManagerStore.open(await disk.open(), genesis);
      const { restored, bodies } = await second.loadHeight(1);
      assert.deepEqual(restored, { votes, proposals, lock });
      assert.deepEqual(bodies, [a.block]);
      await second.close();
      await disk.remove();
    });
  }

  test("is empty where nothing was said", async () => {
    const { store } = await openStore();
    const empty = { restored: { votes: [], proposals: [] }, bodies: [] };
    assert.deepEqual(await store.loadHeight(1), empty);
    await store.saveStatements({ ...nothing, votes: [vote(VoteKind.ACCEPT, 0, seedOf("a"))] });
    assert.deepEqual(await store.loadHeight(2), empty);
  });

  test("holds exactly what was said about the open height, also after a restart", async () => {
    const { disk, store } = await openStore();
    const said = vote(VoteKind.APPROVE, 2, emptyBytes);
    const proposed = proposal(2, seedOf("a"));
    assert.equal(store.hasSpoken, false);
    await store.saveStatements({ ...nothing, votes: [said], proposals: [proposed] });
    disk.crash();
    const again = await ManagerStore.open(await disk.open(), genesis);
    assert.ok(again.hasSpoken);
    assert.ok(again.holdsStatement(said) && again.holdsStatement(proposed));
    for (const other of [
      vote(VoteKind.APPROVE, 2, seedOf("b")),
      vote(VoteKind.APPROVE, 3, emptyBytes),
      vote(VoteKind.COMMIT, 2, emptyBytes),
      proposal(2, seedOf("b")),
    ]) {
      assert.equal(again.holdsStatement(other), false);
    }
  });

  test("remembers through which height the manager abstains, whatever is decided", async () => {
    const { disk, store } = await openStore();
    assert.equal(store.abstainsThrough, 0);
    await store.saveAbstention(9);
    await store.append(blockAt(1));
    disk.crash();
    assert.equal((await ManagerStore.open(await disk.open(), genesis)).abstainsThrough, 9);
  });

  test("survives the death of the machine once it is saved", async () => {
    const { disk, store } = await openStore();
    const said = vote(VoteKind.APPROVE, 2, emptyBytes);
    await store.saveStatements({ ...nothing, votes: [said] });
    disk.crash();
    const again = await ManagerStore.open(await disk.open(), genesis);
    assert.deepEqual((await again.loadHeight(1)).restored.votes, [said]);
  });

  test("goes with the block that decides the height, and nothing of it stays", async () => {
    const { kv, store } = await openStore();
    const { block } = blockAt(1);
    const id = blockId(defined(block.block, "a block").header);
    const votes = [vote(VoteKind.ACCEPT, 0, id), vote(VoteKind.COMMIT, 1, id)];
    const lock = lockOn(id, 1);
    const proposals = [proposal(0, id)];
    const other = body("other").block;
    await store.saveStatements({ votes, proposals, lock, bodies: [block, other] });
    assert.equal((await keysIn(kv, buckets.voteLog)).length, 4);
    assert.equal((await keysIn(kv, buckets.candidate)).length, 2);
    await store.append(blockAt(1));
    assert.deepEqual(await keysIn(kv, buckets.voteLog), []);
    assert.deepEqual(await keysIn(kv, buckets.candidate), []);

    const at2 = vote(VoteKind.APPROVE, 0, emptyBytes, 2n);
    await store.saveStatements({ ...nothing, votes: [at2] });
    assert.deepEqual((await store.loadHeight(2)).restored.votes, [at2]);
  });

  test("goes in the same way when it was said before a restart", async () => {
    const { disk, store } = await openStore();
    const a = body("a");
    const votes = [vote(VoteKind.COMMIT, 0, a.id)];
    await store.saveStatements({ ...nothing, votes, lock: lockOn(a.id, 0), bodies: [a.block] });
    await store.close();
    const again = await disk.open();
    await (await ManagerStore.open(again, genesis)).append(blockAt(1));
    assert.deepEqual(await keysIn(again, buckets.voteLog), []);
    assert.deepEqual(await keysIn(again, buckets.candidate), []);
  });
});

describe("contradictions", () => {
  const a = body("a");
  const b = body("b");
  const said: Statements = {
    votes: [vote(VoteKind.APPROVE, 3, a.id), vote(VoteKind.COMMIT, 3, emptyBytes)],
    proposals: [proposal(3, a.id)],
    bodies: [a.block],
  };
  const contradicting: readonly (readonly [string, Partial<Statements>])[] = [
    ["another APPROVE in one round", { votes: [vote(VoteKind.APPROVE, 3, b.id)] }],
    ["an APPROVE of nil after one of a block", { votes: [vote(VoteKind.APPROVE, 3, emptyBytes)] }],
    ["a COMMIT of a block after one of nil", { votes: [vote(VoteKind.COMMIT, 3, a.id)] }],
    ["another PROPOSE in one round", { proposals: [proposal(3, b.id)] }],
    [
      "two APPROVEs at once",
      { votes: [vote(VoteKind.APPROVE, 4, a.id), vote(VoteKind.APPROVE, 4, b.id)] },
    ],
    ["a vote about another height", { votes: [vote(VoteKind.APPROVE, 4, a.id, 2n)] }],
  ];
  for (const [what, statements] of contradicting) {
    test(`are refused: ${what}`, async () => {
      const { disk, store } = await openStore();
      await store.saveStatements(said);
      await assert.rejects(store.saveStatements({ ...nothing, ...statements }), AssertionFailed);
      await store.close();
      const again = await ManagerStore.open(await disk.open(), genesis);
      await assert.rejects(again.saveStatements({ ...nothing, ...statements }), AssertionFailed);
      const { votes, proposals } = (await again.loadHeight(1)).restored;
      assert.deepEqual({ votes, proposals }, { votes: said.votes, proposals: said.proposals });
    });
  }

  test("are not: the same again, other rounds, and ACCEPTs of several blocks", async () => {
    const { store } = await openStore();
    await store.saveStatements(said);
    await store.saveStatements(said);
    const votes = [
      vote(VoteKind.APPROVE, 4, b.id),
      vote(VoteKind.ACCEPT, 0, a.id),
      vote(VoteKind.ACCEPT, 0, b.id),
    ];
    await store.saveStatements({ ...nothing, votes });
    assert.equal((await store.loadHeight(1)).restored.votes.length, 5);
  });

  test("are noticed without a kind, and with a body in a proposal", async () => {
    const { store } = await openStore();
    const kindless = vote(VoteKind.UNSPECIFIED, 0, a.id);
    await assert.rejects(store.saveStatements({ ...nothing, votes: [kindless] }), AssertionFailed);
    const heavy = { ...proposal(0, a.id), block: a.block };
    const saved = store.saveStatements({ ...nothing, proposals: [heavy] });
    await assert.rejects(saved, AssertionFailed);
  });
});

describe("the bodies of candidates", () => {
  test("are the latest ones and the locked one, however many rounds there are", async () => {
    const { disk, store } = await openStore();
    const locked = body("locked");
    const votes = [vote(VoteKind.COMMIT, 0, locked.id)];
    const lock = lockOn(locked.id, 0);
    await store.saveStatements({ ...nothing, votes, lock, bodies: [locked.block] });
    for (let round = 1; round <= 3 * bodiesMax; round++) {
      const { block, id } = body(`of round ${round}`);
      await store.saveStatements({ ...nothing, proposals: [proposal(round, id)], bodies: [block] });
    }
    const { bodies, restored } = await store.loadHeight(1);
    assert.equal(bodies.length, bodiesMax);
    assert.equal(restored.proposals.length, 3 * bodiesMax);
    const latest = [];
    for (let back = 0; back < bodiesMax - 1; back++) {
      latest.push(body(`of round ${3 * bodiesMax - back}`).block);
    }
    for (const block of [locked.block, ...latest]) {
      assert.ok(bodies.some((each) => same(each, block)));
    }
    await store.close();

    const again = await ManagerStore.open(await disk.open(), genesis);
    const next = body("after the restart");
    for (let round = 100; round < 100 + bodiesMax; round++) {
      const { block, id } = round === 105 ? next : body(`of round ${round}`);
      await again.saveStatements({ ...nothing, proposals: [proposal(round, id)], bodies: [block] });
    }
    const kept = (await again.loadHeight(1)).bodies;
    assert.equal(kept.length, bodiesMax);
    assert.ok(kept.some((each) => same(each, locked.block)));
    assert.ok(kept.some((each) => same(each, next.block)));
  });

  test("include that of a new lock, and the old lock's may go", async () => {
    const { store } = await openStore();
    const old = body("old");
    const next = body("next");
    await store.saveStatements({ ...nothing, lock: lockOn(old.id, 0), bodies: [old.block] });
    await store.saveStatements({ ...nothing, lock: lockOn(next.id, 1), bodies: [next.block] });
    for (let round = 2; round < 2 + bodiesMax; round++) {
      await store.saveStatements({ ...nothing, bodies: [body(`of round ${round}`).block] });
    }
    const { bodies, restored } = await store.loadHeight(1);
    assert.ok(bodies.some((each) => same(each, next.block)));
    assert.ok(!bodies.some((each) => same(each, old.block)));
    assert.deepEqual(restored.lock, lockOn(next.id, 1));
  });

  test("are written once", async () => {
    const { kv, store } = await openStore();
    const a = body("a");
    await store.saveStatements({ ...nothing, bodies: [a.block] });
    const changed = create(ManagerBlockSchema, { block: { header: utf8("a") } });
    await store.saveStatements({ ...nothing, bodies: [changed] });
    assert.deepEqual((await store.loadHeight(1)).bodies, [a.block]);
    assert.equal((await keysIn(kv, buckets.candidate)).length, 1);
  });

  test("must hold the block of a lock", async () => {
    const { store } = await openStore();
    const lock = lockOn(seedOf("no body"), 0);
    await assert.rejects(store.saveStatements({ ...nothing, lock }), AssertionFailed);
  });
});

describe("a damaged vote log", () => {
  const entries: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ["a vote that does not decode", entryKey(3), Uint8Array.of(0xff)],
    ["a lock without certificate", bucketKey(buckets.voteLog, u64Part(1), u8Part(5)), emptyBytes],
    ["a kind that nobody wrote", entryKey(9), emptyBytes],
  ];
  function entryKey(kind: number): Uint8Array {
    return bucketKey(buckets.voteLog, u64Part(1), u8Part(kind), u64Part(0));
  }
  for (const [what, key, value] of entries) {
    test(`keeps the store from opening: ${what}`, async () => {
      const disk = await memory();
      const kv = await disk.open();
      await ManagerStore.open(kv, genesis);
      await kv.write([{ type: "put", key, value }], "sync");
      await assert.rejects(ManagerStore.open(kv, genesis), {
        code: "CORRUPT",
        message: /bss check/,
      });
    });
  }
});

function same(a: ManagerBlock, b: ManagerBlock): boolean {
  return (
    a.block !== undefined &&
    b.block !== undefined &&
    a.block.header.join() === b.block.header.join()
  );
}
