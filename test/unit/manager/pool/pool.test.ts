import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { participantsInPoolMin } from "../../../../src/config/limit-settings.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { Pool } from "../../../../src/manager/pool/pool.js";
import type { PoolLimits } from "../../../../src/store/chain/pooled-submissions.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";

const ample: PoolLimits = { submissionsMax: 100, bytesMax: 1_000_000 };
const verdictWaitMs = 500;
const peers = ["manager-2", "manager-3"] as const;
const everything = 1_000;

function poolOf(limits = ample): Pool {
  return new Pool({ limits, verdictWaitMs });
}

const caller = { kind: "caller", id: "participant-1" } as const;
const relay = { kind: "manager", id: "manager-2", participantId: "participant-1" } as const;
const hashes = ({ records }: ParsedSubmission) => records.map(({ hashHex }) => hashHex);
const submissionBy = (participantId: string, records = 1) =>
  submitted(
    Array.from({ length: records }, () => documentBytes({}, { ownerId: participantId })),
    participantId,
  );

function add(pool: Pool, submission: ParsedSubmission, nowMs = 0, own = true) {
  return pool.add(submission, {
    causer: own ? caller : relay,
    nowMs,
    unsettled: hashes(submission),
  });
}

describe("the pool", () => {
  test("knows of a lone submission that is not ripe, and not of one of several or a long one", () => {
    const pool = poolOf();
    const [first, second] = [submissionBy("participant-1"), submissionBy("participant-1")];
    const long = submissionBy("participant-2", 41);
    const isUnripe = (nowMs = 0) => pool.loneIsUnripe(nowMs, peers);
    assert.equal(isUnripe(), false);
    add(pool, long);
    assert.equal(isUnripe(), false);
    add(pool, first);
    assert.equal(isUnripe(), true);
    assert.equal(isUnripe(verdictWaitMs), false);
    add(pool, second);
    assert.equal(isUnripe(), false);
    pool.placed(hashes(first));
    assert.equal(isUnripe(), true);
    pool.placed(hashes(second));
    assert.equal(isUnripe(), false);
  });

  test("knows what each participant has, as long as it waits", () => {
    const pool = poolOf();
    const submissions = [2, 3].map((records) => submissionBy("participant-1", records));
    const waiting = () => pool.waitingOf("participant-1");
    const [first, second] = submissions.map((each) => {
      add(pool, each);
      return waiting();
    });
    assert.ok(first !== undefined && first >= 2, "each record counts, and its bytes");
    assert.ok(second !== undefined && second >= first + 3);
    assert.equal(pool.waitingOf("participant-2"), 0);
    for (const each of submissions) pool.placed(hashes(each));
    assert.equal(waiting(), 0);
  });

  test("gives a submission out once all others have said yes, or the wait is over", () => {
    const pool = poolOf();
    const [first, second] = [submissionBy("participant-1"), submissionBy("participant-1")];
    add(pool, first, 0);
    add(pool, second, 100);
    assert.deepEqual(pool.ripe(100, peers, everything), []);
    pool.verdict("manager-2", second.id);
    assert.deepEqual(pool.ripe(100, peers, everything), []);
    pool.verdict("manager-3", second.id);
    assert.deepEqual(pool.ripe(100, peers, everything), [second]);
    assert.deepEqual(pool.ripe(499, peers, everything), [second]);
    assert.deepEqual(pool.ripe(500, peers, everything), [first, second]);
  });

  test("gives what was tried in vain after what was not tried", () => {
    const pool = poolOf();
    const [first, second] = [submissionBy("participant-1"), submissionBy("participant-1")];
    for (const submission of [first, second]) add(pool, submission);
    pool.postpone(first.idHex);
    assert.deepEqual(pool.ripe(0, [], 1), [second]);
    assert.deepEqual(pool.ripe(0, [], everything), [second, first]);
  });

  test("needs nobody's word when there is no other active manager", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1");
    add(pool, submission);
    assert.deepEqual(pool.ripe(0, [], everything), [submission]);
  });

  test("takes a verdict that comes before its submission", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1");
    for (const peer of peers) pool.verdict(peer, submission.id);
    add(pool, submission);
    assert.deepEqual(pool.ripe(0, peers, everything), [submission]);
  });

  test("forgets the oldest of more early verdicts than it keeps", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1");
    for (const peer of peers) pool.verdict(peer, submission.id);
    for (let i = 0; i < 10_000; i++) {
      pool.verdict("manager-2", new Uint8Array(new Uint32Array([i]).buffer));
    }
    add(pool, submission);
    assert.deepEqual(pool.ripe(0, peers, everything), []);
  });

  test("gives out whole submissions until there are as many records as were asked for", () => {
    const pool = poolOf();
    const three = [1, 2, 3].map(() => submissionBy("participant-1", 2));
    for (const each of three) add(pool, each);
    const given = (recordsMax: number) => pool.ripe(1_000, peers, recordsMax).length;
    assert.deepEqual([1, 2, 3, 4, 100].map(given), [1, 1, 2, 2, 3]);
  });

  test("takes a submission once", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1");
    assert.equal(add(pool, submission), "added");
    assert.equal(add(pool, submission), "known");
    assert.equal(add(pool, submission, 0, false), "known");
    assert.equal(pool.submissionCount, 1);
  });

  test("lets a submission go with the last of its records, and its room with it", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1", 2);
    const [first = "", second = ""] = hashes(submission);
    add(pool, submission);
    assert.deepEqual([...pool.settledOf([submission])], []);
    assert.deepEqual(pool.refuse([first]), []);
    assert.deepEqual([...pool.settledOf([submission])], [first]);
    assert.equal(pool.waiting(submission.idHex)?.unsettled.has(first), false);
    assert.equal(pool.waiting(submission.idHex)?.unsettled.has(second), true);
    assert.equal(pool.waiting(second), undefined);
    assert.deepEqual(pool.refuse([second]), [submission.id]);
    assert.deepEqual([pool.submissionCount, pool.recordCount, pool.byteCount], [0, 0, 0]);
    assert.deepEqual(pool.refuse([first, second, "ff"]), []);
  });

  test("settles a record for every submission that has it", () => {
    const pool = poolOf();
    const record = documentBytes();
    const both = [submitted([record]), submitted([record, documentBytes()])];
    for (const each of both) add(pool, each);
    assert.equal(pool.recordCount, 2);
    assert.deepEqual(pool.refuse(hashes(both[0] as ParsedSubmission)), [both[0]?.id]);
    assert.equal(pool.submissionCount, 1);
  });

  test("waits only for the records that are to be ordered", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1", 2);
    const [first = "", second = ""] = hashes(submission);
    pool.add(submission, { causer: caller, nowMs: 0, unsettled: [second] });
    assert.deepEqual([...pool.settledOf([submission])], [first]);
    assert.deepEqual(pool.refuse([second]), [submission.id]);
  });

  test("takes up a record that was refused when its submission came, and is accurate by now", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1", 2);
    const [first = "", second = ""] = hashes(submission);
    pool.add(submission, { causer: caller, nowMs: 0, unsettled: [second] });
    assert.equal(pool.add(submission, { causer: caller, nowMs: 9, unsettled: [first] }), "grown");
    assert.deepEqual([...pool.settledOf([submission])], []);
    assert.deepEqual(pool.refuse([second]), []);
    assert.equal(pool.recordCount, 1);
    assert.deepEqual(pool.refuse([first]), [submission.id]);
  });

  test("knows which submissions it has taken in itself", () => {
    const pool = poolOf();
    const [own, relayed] = [submissionBy("participant-1"), submissionBy("participant-1")];
    add(pool, own, 0, true);
    add(pool, relayed, 0, false);
    assert.deepEqual(
      pool.own().map(({ submission }) => submission),
      [own],
    );
    assert.equal(add(pool, relayed, 0, true), "grown");
    assert.equal(pool.own().length, 2);
  });

  test("is full at its number of submissions, and takes one again when one has left", () => {
    const pool = poolOf({ submissionsMax: 2, bytesMax: 1_000_000 });
    const [first, second, third] = [1, 2, 3].map((i) => submissionBy(`participant-${i}`));
    const all = [first, second, third] as ParsedSubmission[];
    assert.deepEqual(
      all.map((each) => add(pool, each)),
      ["added", "added", "full"],
    );
    pool.refuse(hashes(all[0] as ParsedSubmission));
    assert.equal(add(pool, all[2] as ParsedSubmission), "added");
  });

  test("gives no participant more than a quarter of its places, however short its submissions", () => {
    const pool = poolOf({ submissionsMax: 8, bytesMax: 10_000_000 });
    const mine = [1, 2, 3].map(() => submissionBy("participant-1"));
    assert.deepEqual(
      mine.map((each) => add(pool, each)),
      ["added", "added", "share"],
    );
    const other = submissionBy("participant-2");
    assert.equal(add(pool, other), "added");
    pool.refuse(hashes(mine[0] as ParsedSubmission));
    assert.equal(add(pool, mine[2] as ParsedSubmission), "share", "of what the other one leaves");
    pool.refuse(hashes(other));
    assert.equal(add(pool, mine[2] as ParsedSubmission), "added");
  });

  test("gives a part of what is free, so that whoever is new finds a place", () => {
    const pool = poolOf({ submissionsMax: 1_000, bytesMax: 100_000 });
    const taken = (id: string) => {
      let count = 0;
      while (add(pool, submissionBy(id)) === "added") count += 1;
      return count;
    };
    const ids = Array.from({ length: 8 }, (_, i) => `participant-${i + 1}`);
    const quarter = pool.byteCount + 100_000 / participantsInPoolMin;
    taken("participant-1");
    assert.ok(pool.byteCount > quarter * 0.9 && pool.byteCount <= quarter);
    for (const id of ids) assert.ok(taken(id) >= 0);
    assert.ok(pool.byteCount < 90_000, `${pool.byteCount} bytes of eight that take what they may`);
    assert.ok(taken("newcomer") >= 1);
    assert.ok(pool.byteCount <= 100_000);
  });

  test("orders in turn of participants: one record of another is before a thousand", () => {
    const pool = poolOf({ submissionsMax: 1_000, bytesMax: 1e9 });
    const flood = [1, 2, 3].map(() => submissionBy("participant-1", 10));
    const single = submissionBy("participant-2");
    const some = [1, 2].map(() => submissionBy("participant-3", 4));
    for (const each of [...flood, single, ...some]) add(pool, each);
    assert.deepEqual(pool.ripe(0, [], everything).slice(0, 4), [
      single,
      some[0],
      some[1],
      flood[0],
    ]);
    assert.deepEqual(pool.ripe(0, [], 1), [single]);
    const own = pool.ripe(0, [], everything).filter((each) => flood.includes(each));
    assert.deepEqual(own, flood, "each participant's stay in their order");
  });

  /** Blocks of so many records, each with those that came first before it. */
  const blockOf = (pool: Pool, recordsMax: number) => {
    const placed: string[] = [];
    for (const submission of pool.ripe(0, [], recordsMax * 4)) {
      const settled = pool.settledOf([submission]);
      placed.push(...hashes(submission).filter((hash) => !settled.has(hash)));
    }
    pool.placed(placed.slice(0, recordsMax));
    return placed.slice(0, recordsMax);
  };

  test("serves a large submission among others that go on bringing small ones", () => {
    const pool = poolOf({ submissionsMax: 10_000, bytesMax: 1e9 });
    const flood = (count: number) => {
      for (const id of ["participant-2", "participant-3"]) {
        for (let i = 0; i < count; i++) add(pool, submissionBy(id));
      }
    };
    const large = submissionBy("participant-1", 40);
    add(pool, large);
    flood(40);
    let blocks = 0;
    while (pool.has(large.idHex) && blocks < 50) {
      blockOf(pool, 40);
      flood(20);
      blocks += 1;
    }
    assert.ok(blocks <= 4, `${blocks} blocks of its length until it was served`);
  });

  test("gives a newcomer's single record to the next block, however much came before", () => {
    const pool = poolOf({ submissionsMax: 10_000, bytesMax: 1e9 });
    for (let i = 0; i < 20; i++) {
      for (const id of ["participant-2", "participant-3"]) add(pool, submissionBy(id, 40));
    }
    for (let block = 0; block < 5; block++) {
      blockOf(pool, 40);
      const single = submissionBy("participant-1");
      add(pool, single);
      assert.deepEqual(pool.ripe(0, [], 1), [single]);
      assert.ok(blockOf(pool, 40).includes(hashes(single)[0] ?? ""));
    }
  });

  test("serves in their turn those that wait beside one that no block takes", () => {
    const pool = poolOf({ submissionsMax: 10_000, bytesMax: 1e9 });
    const stuck = submissionBy("participant-3");
    const large = submissionBy("participant-1", 40);
    for (const each of [stuck, large]) add(pool, each);
    for (let i = 0; i < 400; i++) add(pool, submissionBy("participant-2"));
    for (let block = 0; block < 8; block++) {
      pool.postpone(stuck.idHex);
      const given = pool.ripe(0, [], 40).filter((each) => each !== stuck);
      pool.placed(given.flatMap(hashes).slice(0, 40));
      for (let i = 0; i < 40; i++) add(pool, submissionBy("participant-4"));
    }
    assert.equal(pool.has(large.idHex), false);
  });

  test("lets nobody come later for what was refused, or was tried in vain", () => {
    const pool = poolOf({ submissionsMax: 10_000, bytesMax: 1e9 });
    const kept = submissionBy("participant-1");
    add(pool, kept);
    for (let i = 0; i < 10; i++) {
      const wrong = submissionBy("participant-1", 40);
      add(pool, wrong);
      pool.postpone(wrong.idHex);
      pool.refuse(hashes(wrong));
    }
    const other = submissionBy("participant-2", 10);
    const mine = submissionBy("participant-1");
    for (const each of [other, mine]) add(pool, each);
    assert.deepEqual(pool.ripe(0, [], everything), [kept, mine, other]);
  });

  test("calls less and less for a block that would be empty again", () => {
    const pool = poolOf();
    const submission = submissionBy("participant-1");
    add(pool, submission);
    let calls = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
      if (!pool.calls(nowMs, [])) continue;
      calls += 1;
      pool.triedInVain({ nowMs, maker: undefined, awaited: [] });
    }
    assert.ok(calls >= 5 && calls <= 15, `${calls} blocks in a minute`);
    add(pool, submissionBy("participant-2"));
    assert.ok(pool.calls(60_000, []), "what is new calls at once");
    pool.triedInVain({ nowMs: 60_000, maker: undefined, awaited: [] });
    pool.triedInVain({ nowMs: 60_000, maker: undefined, awaited: [] });
    assert.ok(!pool.calls(60_000, []));
    pool.recordsPlaced();
    assert.ok(pool.calls(60_000, []), "it may be right by now");
  });
});
