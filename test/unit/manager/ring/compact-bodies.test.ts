/** Bodies of compact blocks: from the pool, with the proposer's help, or not at all. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import { systemTime } from "../../../../src/base/time.js";
import {
  type CompactBlock,
  CompactEntrySchema,
  type ManagerBlock,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  type CandidateEntries,
  CandidateEntriesSchema,
  FetchEntriesSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { compactOf } from "../../../../src/ledger/blocks/compact-blocks.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { Pool } from "../../../../src/manager/pool/pool.js";
import { CandidateBlocks } from "../../../../src/manager/ring/candidate-blocks.js";
import {
  CompactBodies,
  type CompactProposal,
  compactKeptMax,
} from "../../../../src/manager/ring/compact-bodies.js";
import { Chain } from "../../ledger/support/chain.js";
import { consortiumId, epochKey, policy } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";

const submissions = [submitted([documentBytes(), documentBytes()]), submitted([documentBytes()])];
const { block, executed } = new Chain().propose({ candidates: submissions });
const { blockId } = executed.facts;
const idHex = toHex(blockId);
const proposal = { from: "manager-1", height: 1, blockId };

class Manager {
  readonly pool = new Pool({
    limits: { submissionsMax: 100, bytesMax: 10_000_000 },
    verdictWaitMs: 500,
  });
  readonly candidates = new CandidateBlocks({ isBoundTo: () => false });
  readonly fetched: (readonly [string, readonly number[]])[] = [];
  /** Those that have not been cancelled. */
  readonly timers = new Set<() => void>();
  readonly compact: CompactBodies;

  constructor() {
    const after = (_: number, work: () => void) => {
      this.timers.add(work);
      return { cancel: () => void this.timers.delete(work) };
    };
    this.compact = new CompactBodies(
      { consortiumId, policy, epochKey, time: { ...systemTime, after } },
      {
        pool: this.pool,
        candidates: this.candidates,
        peers: { fetchEntries: (to, { entries }) => void this.fetched.push([to, entries]) },
      },
    );
  }

  /** A compact block comes, and the ring asks for its body. */
  take(compact: CompactBlock, from: CompactProposal): ManagerBlock | undefined {
    this.compact.keep(compact, from);
    return this.compact.make(from.height, from.blockId);
  }

  has(...some: readonly ParsedSubmission[]): void {
    for (const submission of some) {
      const unsettled = submission.records.map(({ hashHex }) => hashHex);
      const causer = { kind: "caller", id: submission.participantId } as const;
      this.pool.add(submission, { causer, nowMs: 0, unsettled });
    }
  }
}

describe("[R4.1.5] the body of a compact block", () => {
  let manager: Manager;
  let answer: CandidateEntries;

  beforeEach(() => {
    manager = new Manager();
    const proposer = new Manager();
    proposer.candidates.add(1, block, executed);
    const wanted = create(FetchEntriesSchema, { height: 1n, blockId, entries: [1] });
    answer = defined(proposer.compact.answer("manager-2", wanted), "it is the first time");
  });

  const take = () => manager.take(compactOf(block), proposal);

  test("is made of the pool, whose records are sealed by it at the latest", () => {
    manager.has(...submissions);
    assert.deepEqual(take(), block);
    assert.deepEqual(manager.fetched, []);
    for (const { records } of submissions) {
      for (const { hashHex } of records) assert.ok(manager.pool.sealed(hashHex));
    }
  });

  test("is not made, nor what is missing asked for, before it is wanted", () => {
    manager.has(defined(submissions[0], "there are two"));
    assert.ok(manager.compact.keep(compactOf(block), proposal));
    assert.equal(manager.compact.make(2, blockId), undefined, "of another height");
    assert.equal(manager.compact.make(1, new Uint8Array(32)), undefined);
    assert.equal(manager.compact.isAwaited(idHex), false);
    assert.equal(manager.pool.sealed(submissions[0]?.records[0]?.hashHex ?? ""), undefined);
    assert.deepEqual(manager.fetched, []);
    assert.equal(manager.compact.make(1, blockId), undefined);
    assert.deepEqual(manager.fetched, [["manager-1", [1]]]);
  });

  test("is made once of what each proposer sends", () => {
    manager.has(...submissions);
    assert.deepEqual(take(), block);
    assert.equal(manager.compact.keep(compactOf(block), proposal), false);
    assert.equal(manager.compact.make(1, blockId), undefined);
    assert.deepEqual(manager.take(compactOf(block), { ...proposal, from: "manager-2" }), block);
  });

  test("is made with the proposer's help of what is missing, which is asked for once", () => {
    manager.has(defined(submissions[0], "there are two"));
    assert.equal(take(), undefined);
    assert.equal(take(), undefined);
    assert.deepEqual(manager.fetched, [["manager-1", [1]]]);
    assert.ok(manager.compact.isAwaited(idHex));
    assert.equal(manager.compact.takeEntries("manager-3", answer), undefined, "it was not asked");
    const rebuilt = manager.compact.takeEntries("manager-1", answer);
    assert.deepEqual(rebuilt, { height: 1, block });
    assert.equal(manager.timers.size, 0);
    assert.equal(manager.compact.isAwaited(idHex), false);
    assert.equal(manager.compact.takeEntries("manager-1", answer), undefined);
  });

  for (const [what, change] of [
    ["too few entries", () => ({ entries: [] })],
    ["another block's", () => ({ blockId: new Uint8Array(32) })],
    ["other records", () => ({ entries: [{ ...answer.entries[0], records: [] }] })],
  ] as const) {
    test(`is left to be fetched as a whole when the answer holds ${what}`, () => {
      manager.has(defined(submissions[0], "there are two"));
      take();
      const wrong = create(CandidateEntriesSchema, { ...answer, ...change() } as never);
      assert.equal(manager.compact.takeEntries("manager-1", wrong), undefined);
      for (const timer of manager.timers) timer();
      assert.equal(manager.compact.isAwaited(idHex), false);
    });
  }

  test("is left to be fetched as a whole when the proposer is silent", () => {
    take();
    assert.ok(manager.compact.isAwaited(idHex));
    for (const timer of manager.timers) timer();
    assert.equal(manager.compact.isAwaited(idHex), false);
    assert.equal(manager.compact.takeEntries("manager-1", answer), undefined);
  });

  test("is not waited for again, whoever proposes it how often", () => {
    take();
    for (const timer of manager.timers) timer();
    for (const from of ["manager-1", "manager-2"]) {
      manager.take(compactOf(block), { ...proposal, from });
      assert.equal(manager.compact.isAwaited(idHex), false);
    }
    assert.equal(manager.fetched.length, 1);
  });

  test("is made while what another proposer has put under its id is waited for", () => {
    manager.has(...submissions);
    const nobodys = { submissionId: new Uint8Array(32), recordBits: new Uint8Array() };
    const entries = [create(CompactEntrySchema, nobodys)];
    const bogus = { ...compactOf(block), entries };
    assert.equal(manager.take(bogus, { ...proposal, from: "manager-4" }), undefined);
    assert.ok(manager.compact.isAwaited(idHex));
    assert.deepEqual(take(), block);
  });

  test("is not made where it is here, under another id, or longer than a block", () => {
    manager.has(...submissions);
    const other = { ...proposal, blockId: new Uint8Array(32) };
    assert.equal(manager.take(compactOf(block), other), undefined);
    const long = { ...compactOf(block), previousCertificates: new Uint8Array(2 ** 21) };
    assert.equal(manager.take(long, proposal), undefined);
    manager.candidates.add(1, block);
    assert.equal(take(), undefined);
    assert.deepEqual(manager.fetched, []);
  });

  test("waits for one block of each proposer, and for few of all", () => {
    /** Another block, of which nothing is here; its id in hex. */
    const takeOther = (from: string) => {
      const other = new Chain().propose({ candidates: [submitted([documentBytes()])] });
      const { blockId: otherId } = other.executed.facts;
      manager.take(compactOf(other.block), { ...proposal, from, blockId: otherId });
      return toHex(otherId);
    };
    take();
    const first = takeOther("manager-1");
    assert.equal(manager.compact.isAwaited(idHex), false, "the proposer's later one");
    for (let i = 1; i < compactKeptMax; i++) takeOther(`manager-${i + 1}`);
    assert.ok(manager.compact.isAwaited(first));
    const last = takeOther("manager-9");
    assert.equal(manager.compact.isAwaited(first), false, "the oldest");
    manager.compact.onAppended({ executed: { facts: { height: 0 } } } as never);
    assert.ok(manager.compact.isAwaited(last));
    assert.equal(manager.timers.size, compactKeptMax, "none for what is not waited for");
    manager.compact.onAppended({ executed } as never);
    assert.equal(manager.compact.isAwaited(last), false, "its height is over");
    assert.equal(manager.timers.size, 0);
  });
});

describe("[R4.1.5] what others lack of a block", () => {
  const wanted = (entries: number[], id = blockId) =>
    create(FetchEntriesSchema, { height: 1n, blockId: id, entries });
  let manager: Manager;

  beforeEach(() => {
    manager = new Manager();
    manager.candidates.add(1, block, executed);
  });

  test("is sent to each manager once", () => {
    const recordsOf = (held: ManagerBlock) => held.records.slice(0, 2);
    const first = manager.compact.answer("manager-2", wanted([0]));
    assert.deepEqual(first?.entries[0]?.records, recordsOf(block));
    assert.equal(manager.compact.answer("manager-2", wanted([0])), undefined);
    assert.ok(manager.compact.answer("manager-3", wanted([0, 1])));
  });

  test("is not sent of a block that has not been judged, which may be anything", () => {
    const other = new Manager();
    other.candidates.add(1, { ...block, privateEntries: [new Uint8Array([255])] });
    assert.equal(other.compact.answer("manager-2", wanted([0])), undefined);
  });

  test("is not sent of a block that is not here, nor of entries that it does not have", () => {
    assert.equal(manager.compact.answer("manager-2", wanted([0], new Uint8Array(32))), undefined);
    assert.equal(manager.compact.answer("manager-2", wanted([5])), undefined);
    const many = wanted(Array.from({ length: 1_001 }, (_, i) => i));
    assert.equal(manager.compact.answer("manager-3", many), undefined);
  });
});
