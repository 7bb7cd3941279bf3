import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { concatBytes, u64be, utf8 } from "../../../../src/base/bytes.js";
import { compareIds } from "../../../../src/ledger/ids.js";
import { noTotals, type StorageNode } from "../../../../src/ledger/members/member-lists.js";
import {
  addedUnits,
  creditAfter,
  rewardedForStoring,
  totalsUntil,
} from "../../../../src/ledger/storage-nodes/credit.js";
import { auditsAmong, drawAudited } from "../../../../src/ledger/storage-nodes/settlement.js";
import { storageNodeOf } from "../consortium.js";
import { storageIds } from "../support/consortium.js";
import { seedOf } from "../support/records.js";
import { Standings } from "../support/standings.js";
import { auditOf } from "../support/storage-statements.js";

const u64Max = 2n ** 64n - 1n;

describe("the totals of storing", () => {
  const tables: readonly [string, number, number, number, bigint, number][] = [
    ["nothing stored adds nothing", 0, 5_000, 0, 0n, 0],
    ["no time adds nothing", 1_024, 0, 7, 0n, 7],
    ["1 KiB for a second is one", 1_024, 1_000, 0, 1n, 0],
    ["what is less than one stays open", 1_024, 999, 0, 0n, 1_022_976],
    ["what is open completes one", 1_024, 1, 1_022_976, 1n, 0],
    ["more than one is left", 3_000, 1_500, 1_000, 4n, 405_000],
    ["a GiB for a day", 2 ** 30, 86_400_000, 0, 2n ** 20n * 86_400n, 0],
  ];
  for (const [what, sealedBytes, elapsedMs, remainder, kibSeconds, left] of tables) {
    test(what, () => {
      const totals = { sealedBytes, kibSeconds: 10n, remainder };
      assert.deepEqual(totalsUntil(totals, elapsedMs), {
        sealedBytes,
        remainder: left,
        kibSeconds: 10n + kibSeconds,
      });
    });
  }

  test("are exact for numbers that no double holds", () => {
    const [sealedBytes, elapsedMs] = [2 ** 53 - 1, 86_400_001];
    const { kibSeconds, remainder } = totalsUntil({ ...noTotals, sealedBytes }, elapsedMs);
    const byteMs = BigInt(sealedBytes) * BigInt(elapsedMs);
    assert.equal(kibSeconds * 1_024_000n + BigInt(remainder), byteMs);
  });

  test("do not depend on how often they are counted", () => {
    const start = { sealedBytes: 12_345, kibSeconds: 0n, remainder: 17 };
    let each = start;
    for (let ms = 1; ms <= 500; ms++) each = totalsUntil(each, ms);
    assert.deepEqual(each, totalsUntil(start, (500 * 501) / 2));
  });

  test("stop at what 64 bits hold", () => {
    const full = { sealedBytes: 2 ** 53 - 1, kibSeconds: u64Max - 1n, remainder: 0 };
    assert.equal(totalsUntil(full, 3_600_000).kibSeconds, u64Max);
  });
});

describe("the reward for storing", () => {
  const gibDay = 2n ** 20n * 86_400n;
  const node = { ...storageNodeOf("storage-1"), reward: 5n };

  const tables: readonly [string, bigint, bigint, bigint, bigint][] = [
    ["of a GiB for a day is what the policy says", 0n, gibDay, 1_000_000n, 1_000_000n],
    ["of nothing is nothing", 7n, 7n, 1_000_000n, 0n],
    ["below a unit is nothing yet", 0n, gibDay - 1n, 1n, 0n],
    ["is a unit as soon as it is earned", gibDay - 1n, gibDay, 1n, 1n],
    ["leaves open what is less than another unit", 0n, gibDay + gibDay / 2n, 1n, 1n],
    ["adds what was open before", gibDay + gibDay / 2n, 2n * gibDay, 1n, 1n],
    ["is nothing where the policy pays nothing", 0n, 9n * gibDay, 0n, 0n],
    ["of one KiB second can be many units", 0n, 1n, 10n ** 12n, 11n],
  ];
  for (const [what, rewardedKibSeconds, kibSeconds, storageReward, units] of tables) {
    test(what, () => {
      const before = { ...node, rewardedKibSeconds };
      assert.deepEqual(rewardedForStoring(before, { ...noTotals, kibSeconds }, { storageReward }), {
        ...before,
        reward: 5n + units,
        rewardedKibSeconds: kibSeconds,
      });
    });
  }

  for (const step of [1n, 7n, 90_597n, 131_072n, 181_000n, 1_000_003n, gibDay]) {
    test(`is the same however often it is paid: every ${step} KiB seconds`, () => {
      const [storageReward, start] = [1_000_000n, 12_345n];
      let paid: StorageNode = { ...node, rewardedKibSeconds: start };
      let kibSeconds = start;
      for (let i = 0; i < 2_000; i++) {
        kibSeconds += step;
        paid = rewardedForStoring(paid, { ...noTotals, kibSeconds }, { storageReward });
      }
      const due = (2_000n * step * storageReward) / gibDay;
      const extra = paid.reward - node.reward - due;
      assert.ok(extra === 0n || extra === 1n, `${extra} more than ${due}`);
    });
  }

  test("is not earned while the last audit failed, nor later for that time", () => {
    const failed = { ...node, auditFailed: true };
    const totals = { ...noTotals, kibSeconds: 3n * gibDay };
    assert.deepEqual(rewardedForStoring(failed, totals, { storageReward: 7n }), {
      ...failed,
      rewardedKibSeconds: 3n * gibDay,
    });
  });

  test("stops at what 64 bits hold", () => {
    const totals = { ...noTotals, kibSeconds: u64Max };
    const { reward } = rewardedForStoring(node, totals, { storageReward: 10n ** 12n });
    assert.equal(reward, u64Max);
    assert.equal(addedUnits(u64Max - 1n, 1n), u64Max);
    assert.equal(addedUnits(u64Max, 1n), u64Max);
    assert.equal(addedUnits(2n, 3n), 5n);
  });
});

test("who comes late gets back what it had lost, and no more", () => {
  const after = [0, 49, 99, 100, 101, 1_000].map((credit) => creditAfter("late", credit));
  assert.deepEqual(after, [1, 50, 100, 100, 101, 1_000]);
});

describe("the draw of audits", () => {
  const beacon = new Uint8Array(64).fill(9);
  const ids = Array.from({ length: 12 }, (_, i) => `storage-${i + 1}`).sort();

  /** By another SHAKE256, from a list whose drawn ones are taken out. */
  function drawnApart(height: number, count: number): readonly string[] {
    const stream = createHash("shake256", { outputLength: 4_096 })
      .update(concatBytes(utf8("bss/v1/audited"), beacon, u64be(height)))
      .digest();
    const left = [...ids];
    const drawn: string[] = [];
    let at = 0;
    while (drawn.length < count) {
      const value = stream.readUInt32BE(at);
      at += 4;
      if (value >= 2 ** 32 - (2 ** 32 % left.length)) continue;
      const place = value % left.length;
      drawn.push(left[place] ?? "");
      // Fisher–Yates puts the first of those left in the place of the drawn one.
      left[place] = left[0] ?? "";
      left.shift();
    }
    return drawn.sort();
  }

  for (const count of [0, 1, 2, 5, 11, 12]) {
    test(`takes ${count} of 12, each once, as computed apart`, () => {
      for (let height = 1; height <= 20; height++) {
        const drawn = drawAudited(ids, { beacon, height, auditsPerBlock: count });
        assert.deepEqual(drawn, drawnApart(height, count));
        assert.equal(new Set(drawn).size, count);
      }
    });
  }

  test("takes all where the policy asks for more", () => {
    assert.deepEqual(drawAudited(ids, { beacon, height: 1, auditsPerBlock: 100 }), ids);
    assert.deepEqual(drawAudited([], { beacon, height: 1, auditsPerBlock: 100 }), []);
  });

  const counts = [
    ...[
      [0, 2, 0],
      [1, 2, 1],
      [2, 2, 2],
      [3, 2, 2],
      [100, 2, 2],
      [101, 2, 3],
    ],
    ...[
      [6_667, 2, 134],
      [6_667, 100, 134],
      [5_000, 100, 100],
      [667, 1, 14],
      [6_667, 0, 0],
    ],
  ] as const;
  for (const [named = 0, auditsPerBlock = 0, audits] of counts) {
    test(`is of ${audits} among ${named} where the policy says ${auditsPerBlock}`, () => {
      assert.equal(auditsAmong(named, auditsPerBlock), audits);
    });
  }

  test("does not depend on the order, but on the beacon and the height", () => {
    const draw = (changes: object, from: readonly string[] = ids) =>
      drawAudited(from, { beacon, height: 1, auditsPerBlock: 4, ...changes }).join();
    assert.equal(draw({}, ids.toReversed()), draw({}));
    const others = [{ height: 2 }, { height: 3 }, { beacon: new Uint8Array(64) }].map((each) =>
      draw(each),
    );
    assert.equal(new Set([draw({}), ...others]).size, 4);
  });
});

describe("a block settles the one before", () => {
  test("who is named by its certificate gains 1 and the reward of a match", () => {
    const ledger = new Standings();
    ledger.block();
    assert.deepEqual(ledger.changes, []);
    const committee = ledger.committee().toSorted();
    assert.equal(committee.length, 3);
    const changes = ledger.block();
    assert.deepEqual(
      changes.toSorted((a, b) => compareIds(a.nodeId, b.nodeId)),
      committee.map((nodeId) => ({
        nodeId,
        kind: "match",
        height: 2,
        aboutHeight: 1,
        credit: 101,
        creditDelta: 1,
        rewardDelta: 1_000n,
        paidDelta: 0n,
      })),
    );
    for (const id of storageIds) {
      const { credit, reward, lastAttestedHeight, changedHeight } = ledger.node(id);
      const isNamed = committee.includes(id);
      assert.deepEqual(
        [credit, reward, lastAttestedHeight, changedHeight],
        isNamed ? [101, 1_000n, 1, 0] : [100, 0n, 0, 0],
      );
    }
  });

  test("credit does not grow beyond 1000", () => {
    const nodes = Object.fromEntries(storageIds.map((id) => [id, { credit: 999 }]));
    const ledger = new Standings({ nodes });
    ledger.blocks(12);
    assert.deepEqual(ledger.credits(), [1_000, 1_000, 1_000, 1_000]);
  });

  test("its committee stays open with those who are missing", () => {
    const ledger = new Standings();
    ledger.block();
    const committee = ledger.committee().toSorted();
    ledger.block({ named: (all) => all.toSorted().slice(1) });
    assert.deepEqual(ledger.members.openCommittees, [
      {
        height: 1,
        round: 0,
        treeSize: 1,
        blockId: seedOf("block 1"),
        hash1: seedOf("root 1"),
        missing: committee.slice(0, 1),
        audited: [],
      },
    ]);
  });

  test("audits are drawn by the later beacon, among those named", () => {
    const draws = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const ledger = new Standings({ policy: { auditsPerBlock: 1 } });
      ledger.block();
      const named = ledger.committee().toSorted().slice(1);
      const beacon = new Uint8Array(64).fill(i);
      ledger.block({ beacon, named: () => named });
      const [drawn] = drawAudited(named, { beacon, height: 1, auditsPerBlock: 1 });
      assert.deepEqual(ledger.open(1).audited, [{ nodeId: drawn, audit: auditOf(drawn ?? "") }]);
      draws.add(drawn ?? "");
    }
    assert.equal(draws.size, 2);
  });

  test("a block without records has no committee, and settles nothing", () => {
    const ledger = new Standings();
    ledger.block({ hasLeaves: false });
    ledger.block();
    assert.deepEqual(ledger.members.openCommittees, []);
    assert.deepEqual(ledger.changes, []);
  });

  test("storing is counted from the bytes before the block, and kept while none attests", () => {
    const policy = { storageReward: 86_400n, matchReward: 0n };
    const ledger = new Standings({ policy });
    ledger.block({ sealedBytes: 2 ** 30, elapsedMs: 777 });
    assert.deepEqual(ledger.members.totals, { ...noTotals, sealedBytes: 2 ** 30 });
    const committee = ledger.committee();
    // 2^20 KiB for 2.5 s are two units and a half.
    ledger.block({ sealedBytes: 2 ** 31, elapsedMs: 2_500 });
    const idle = storageIds.find((id) => !committee.includes(id)) ?? "";
    for (const id of committee) {
      assert.deepEqual([ledger.node(id).reward, ledger.node(id).credit], [2n, 101]);
    }
    assert.equal(ledger.node(idle).reward, 0n);
    while (!ledger.committee().includes(idle)) ledger.block({ elapsedMs: 1_000 });
    ledger.block({ elapsedMs: 1_000 });
    const { kibSeconds } = ledger.members.totals;
    assert.equal(ledger.node(idle).reward, kibSeconds >> 20n);
  });

  test("a reward that 64 bits do not hold stays at the most", () => {
    const nodes = Object.fromEntries(storageIds.map((id) => [id, { reward: u64Max - 1n }]));
    const ledger = new Standings({ nodes });
    ledger.blocks(8);
    for (const id of storageIds) assert.equal(ledger.node(id).reward, u64Max);
  });

  test("a node that has left meanwhile still gets what it did", () => {
    const nodes = { "storage-1": { suspension: "retired" as const } };
    const ledger = new Standings({ nodes });
    ledger.block();
    ledger.block({ named: () => ["storage-1"] });
    assert.deepEqual(
      [ledger.node("storage-1").reward, ledger.node("storage-1").credit],
      [1_000n, 101],
    );
    assert.equal(ledger.node("storage-1").suspension, "retired");
  });
});
