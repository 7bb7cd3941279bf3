import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Members } from "../../../../src/ledger/members/members.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { Pool } from "../../../../src/manager/pool/pool.js";
import { BlockCalls } from "../../../../src/manager/ring/block-calls.js";
import { BlockSize } from "../../../../src/manager/ring/block-size.js";
import { genesis, policy } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";

const causer = { kind: "caller", id: "participant-1" } as const;
const heartbeatMs = 60_000;

const managerIds = genesis.members.managers.map(({ managerId }) => managerId);
const blockOf = (proposerId: string, ...submissions: readonly ParsedSubmission[]) => {
  const records = submissions.flatMap((each) => each.records);
  const placed = records.map((record, position) => ({ record, position }));
  return { facts: { proposerId, leafCount: placed.length }, placed };
};

function membersWith(suspended: number): Members {
  const { managers, storageNodes, officers } = genesis.members;
  const nodes = storageNodes.map((each, i) =>
    i < suspended ? { ...each, suspension: "unreachable" as const } : each,
  );
  return new Members({ managers, storageNodes: nodes, officers });
}

describe("a manager calls for a block", () => {
  let members: Members;
  let idleMs: number;
  let operationWaits: boolean;
  let clockMs: number;
  let pool: Pool;
  let calls: BlockCalls;
  let asked: number[];
  let again: (readonly [ParsedSubmission, readonly string[]])[];

  beforeEach(() => {
    [again, asked] = [[], []];
    [members, idleMs, operationWaits, clockMs] = [membersWith(0), 0, false, 0];
    pool = new Pool({ limits: { submissionsMax: 100, bytesMax: 1e7 }, verdictWaitMs: 0 });
    calls = callsOf(1_000);
  });

  const callsOf = (recordsMax: number) =>
    new BlockCalls({
      selfId: "manager-1",
      pool,
      size: new BlockSize({ recordsMax, timeouts: { proposeMs: 4_000 } }),
      idleMs: () => idleMs,
      members: () => members,
      policy: { ...policy, minStorage: 3, heartbeatMs },
      monotonicMs: () => clockMs,
      operations: [() => operationWaits],
      askAfter: (delayMs) => asked.push(delayMs),
      relayAgain: ({ waiting, to }) => again.push([waiting.submission, to]),
    });

  const add = (count = 1, ownerId = "participant-1") => {
    const records = Array.from({ length: count }, () => documentBytes({}, { ownerId }));
    const submission = submitted(records, ownerId);
    const unsettled = submission.records.map(({ hashHex }) => hashHex);
    pool.add(submission, { causer, nowMs: clockMs, unsettled });
    return submission;
  };

  test("for records, operations, and when it is time, and for nothing else", () => {
    assert.equal(calls.due, false);
    add();
    assert.equal(calls.due, true);
    pool.placed([...pool.ripe(0, [], 9)].flatMap(({ records }) => records.map((r) => r.hashHex)));
    assert.equal(calls.due, false);
    operationWaits = true;
    assert.equal(calls.due, true);
    operationWaits = false;
    idleMs = heartbeatMs;
    assert.equal(calls.due, true);
  });

  test("for no records while too few storage nodes are eligible, and again once they are", () => {
    const submission = add();
    members = membersWith(2);
    for (; clockMs < 60_000; clockMs += 250) {
      assert.equal(calls.due, false);
      calls.onAppended(blockOf("manager-1"), members);
    }
    operationWaits = true;
    assert.equal(calls.due, true, "one that brings a storage node back");
    operationWaits = false;
    members = membersWith(0);
    assert.equal(calls.due, true);
    assert.deepEqual(calls.ripe(), [submission]);
  });

  const placed = (submission: ParsedSubmission) =>
    pool.placed(submission.records.map(({ hashHex }) => hashHex));

  test("a moment later while those who were just answered may send more", () => {
    const [first, , third] = [add(), add(), add()];
    calls.onAppended(blockOf("manager-2", first), members, 120);
    placed(first);
    assert.equal(calls.due, false, "two wait, and one has been answered");
    assert.deepEqual(asked, [41], "a part of the round, and 1 ms as timers may end too soon");
    clockMs += 39;
    assert.equal(calls.due, false);
    add();
    assert.equal(calls.due, true, "as many wait as did before");
    calls.onAppended(blockOf("manager-2", third), members, 9_000);
    placed(third);
    assert.equal(calls.due, false);
    assert.deepEqual(asked, [41, 251], "never for long");
    clockMs += 250;
    assert.equal(calls.due, true);
  });

  test("later for many, some of whom come back in any case", () => {
    const [first] = Array.from({ length: 8 }, () => add());
    assert.ok(first);
    calls.onAppended(blockOf("manager-2", first), members, 120);
    placed(first);
    clockMs += 119;
    assert.equal(calls.due, false);
    clockMs += 1;
    assert.equal(calls.due, true);
    assert.deepEqual(asked, [121]);
    const rest = pool.ripe(clockMs, [], 9);
    calls.onAppended(blockOf("manager-3"), members);
    for (let i = 0; i < 3; i++) add();
    calls.onAppended(blockOf("manager-3", ...rest), members, 120);
    for (const each of rest) placed(each);
    assert.equal(calls.due, false, "whoever is back first waits for the others");
  });

  const ripen = ({ id }: ParsedSubmission) => {
    for (const managerId of managerIds) pool.verdict(managerId, id);
  };
  const poolOfVerdicts = () => {
    pool = new Pool({ limits: { submissionsMax: 100, bytesMax: 1e7 }, verdictWaitMs: 60_000 });
    calls = callsOf(1_000);
  };

  for (const [apart, rounds] of [
    [2, 2],
    [3, 1],
  ] as const) {
    test(`${rounds} rounds later at most when ${apart} wait beside 8 that were answered`, () => {
      const answered = Array.from({ length: 8 }, () => add());
      for (let i = 0; i < apart; i++) add();
      calls.onAppended(blockOf("manager-2", ...answered), members, 120);
      for (const each of answered) placed(each);
      for (let i = 0; i < 7; i++) add();
      clockMs += rounds * 120 - 1;
      assert.equal(calls.due, false);
      clockMs += 1;
      assert.equal(calls.due, true);
      clockMs -= 1;
      add();
      assert.equal(calls.due, true, "all are back");
    });
  }

  test("with many that came a moment ago, though they are not ripe yet", () => {
    poolOfVerdicts();
    const old = add();
    clockMs += 120;
    const late = Array.from({ length: 7 }, () => add());
    const answered = add();
    ripen(answered);
    calls.onAppended(blockOf("manager-2", answered), members, 120);
    placed(answered);
    ripen(add());
    assert.equal(calls.due, false, "one is ripe, and others are about to be");
    for (const each of late) ripen(each);
    assert.equal(calls.due, true, "whatever came long ago");
    assert.equal(pool.has(old.idHex), true);
  });

  test("not that late beside somebody who was not answered", () => {
    const [first] = Array.from({ length: 8 }, () => add());
    assert.ok(first);
    add(1, "participant-2");
    calls.onAppended(blockOf("manager-2", first), members, 120);
    placed(first);
    clockMs += 39;
    assert.equal(calls.due, false);
    clockMs += 1;
    assert.equal(calls.due, true);
  });

  test("no sooner than what comes meanwhile is ripe, as the block would not hold it", () => {
    poolOfVerdicts();
    const [first, second] = [add(), add()];
    for (const each of [first, second]) ripen(each);
    calls.onAppended(blockOf("manager-2", first), members, 120);
    placed(first);
    const third = add();
    assert.equal(calls.due, false);
    ripen(third);
    assert.equal(calls.due, true);
  });

  test("and not for what was not ripe when they were answered, as it may not be for long", () => {
    poolOfVerdicts();
    // What was placed is ripe where the block was made, and perhaps not here.
    const [first, second] = [add(), add(), add()];
    ripen(second);
    calls.onAppended(blockOf("manager-2", first), members, 120);
    placed(first);
    assert.equal(calls.due, false);
    ripen(add());
    assert.equal(calls.due, true);
  });

  for (const [what, waits, prepare] of [
    ["a moment later when a lone one beside it", true, () => add(40, "participant-2")],
    ["at once when a long one beside it", false, () => add(41, "participant-2")],
    [
      "at once when one of several beside it",
      false,
      () => void [add(1, "participant-2"), add(1, "participant-2")],
    ],
  ] as const) {
    test(`for a block that is full in any case, ${what} is not ripe yet`, () => {
      pool = new Pool({ limits: { submissionsMax: 100, bytesMax: 1e7 }, verdictWaitMs: 60_000 });
      calls = callsOf(20);
      const [first, second] = [add(), add(50)];
      for (const each of [first, second]) ripen(each);
      const lone = prepare();
      calls.onAppended(blockOf("manager-2", first), members, 120);
      placed(first);
      assert.equal(calls.due, !waits);
      assert.deepEqual(asked, waits ? [41] : []);
      if (lone === undefined || !waits) return;
      clockMs += 40;
      assert.equal(calls.due, true, "not for long");
      clockMs -= 1;
      assert.equal(calls.due, false);
      ripen(lone);
      assert.equal(calls.due, true, "and not once it is ripe");
    });
  }

  test("at once for what comes alone, fills a block, or follows one that others shipped", () => {
    const alone = add();
    calls.onAppended(blockOf("manager-2", alone), members, 120);
    placed(alone);
    add();
    assert.equal(calls.due, true, "nothing else waited");
    const next = add();
    calls.onAppended(blockOf("manager-2", next), members);
    placed(next);
    assert.equal(calls.due, true, "nobody was answered here");
    calls = callsOf(2);
    const [first] = [add(), add(), add()];
    calls.onAppended(blockOf("manager-2", first), members, 120);
    placed(first);
    assert.equal(calls.due, true, "a block is full");
    assert.deepEqual(asked, []);
  });

  for (const [what, prepare] of [
    ["was tried in vain", () => calls.onAppended(blockOf("manager-1"), members)],
    ["is not ripe", () => {}],
  ] as const) {
    test(`at once for what comes alone beside what ${what}`, () => {
      const isRipe = what === "was tried in vain";
      pool = new Pool({
        limits: { submissionsMax: 100, bytesMax: 1e7 },
        verdictWaitMs: isRipe ? 0 : 60_000,
      });
      calls = callsOf(1_000);
      add();
      // It calls less and less.
      for (let i = 0; i < 8; i++) prepare();
      const alone = [add(), add()];
      for (const { id } of alone) {
        for (const managerId of managerIds) pool.verdict(managerId, id);
      }
      calls.onAppended(blockOf("manager-2", ...alone), members, 120);
      for (const each of alone) placed(each);
      const { id } = add();
      for (const managerId of managerIds) pool.verdict(managerId, id);
      assert.equal(calls.due, true);
      assert.deepEqual(asked, []);
    });
  }

  test("less and less for records that no block takes", () => {
    add();
    let blocks = 0;
    for (; clockMs < 60_000; clockMs += 50) {
      if (!calls.due) continue;
      blocks += 1;
      calls.onAppended(blockOf("manager-1"), members);
    }
    assert.ok(blocks <= 15, `${blocks} empty blocks in a minute`);
    calls.onAppended(blockOf("manager-1", submitted([documentBytes()])), members);
    assert.equal(calls.due, true, "what was placed may be what they lack");
  });

  /** Blocks in a minute in which `makers` make empty ones in turn whenever this one calls. */
  const minute = (makers: readonly string[] = managerIds) => {
    const blocks: string[] = [];
    const until = clockMs + 60_000;
    for (; clockMs < until; clockMs += 50) {
      if (!calls.due) continue;
      const maker = makers[blocks.length % makers.length] ?? "";
      blocks.push(maker);
      calls.onAppended(blockOf(maker), members);
    }
    return blocks;
  };

  test("until it has made one itself, where the others may not have what waits", () => {
    add();
    const others = managerIds.filter((id) => id !== "manager-1");
    for (let round = 0; round < 2; round++) {
      for (const maker of others) {
        assert.equal(calls.due, true, "none of these could hold it");
        calls.onAppended(blockOf(maker), members);
      }
      assert.equal(calls.due, true);
      calls.onAppended(blockOf("manager-1"), members);
    }
    assert.equal(calls.due, false);
  });

  test("a bounded number of times, whoever makes the blocks and says what", () => {
    const { idHex } = add();
    const unheard = minute(managerIds.slice(1));
    assert.ok(unheard.length <= 15 * managerIds.length, `${unheard.length} empty blocks`);
    clockMs += 60_000;
    const other = submitted([documentBytes()]);
    pool.placed(pool.waiting(idHex)?.submission.records.map(({ hashHex }) => hashHex) ?? []);
    assert.equal(pool.has(idHex), false);
    for (const managerId of managerIds) pool.verdict(managerId, other.id);
    pool.add(other, { causer, nowMs: clockMs, unsettled: other.records.map((r) => r.hashHex) });
    const heard = minute();
    assert.ok(heard.length <= 15, `${heard.length} empty blocks when all have it`);
  });

  test("and relays again what was not placed, to those that may not have it, ever less", () => {
    const submission = add();
    pool.verdict("manager-2", submission.id);
    const lacking = managerIds.filter((id) => !["manager-1", "manager-2"].includes(id));
    calls.onAppended(blockOf("manager-3"), members);
    calls.onAppended(blockOf("manager-4"), members);
    assert.deepEqual(again, [[submission, lacking]]);
    minute();
    assert.ok(again.length > 3 && again.length <= 15, `${again.length} times in a minute`);
    for (const managerId of lacking) pool.verdict(managerId, submission.id);
    again = [];
    minute();
    assert.deepEqual(again, []);
  });
});
