import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Members } from "../../../src/ledger/members.js";
import { BlockCalls } from "../../../src/manager/block-calls.js";
import { Pool } from "../../../src/manager/pool.js";
import { genesis, policy } from "../ledger/support/consortium.js";
import { documentBytes, submitted } from "../ledger/support/records.js";

const causer = { kind: "caller", id: "participant-1" } as const;
const heartbeatMs = 60_000;

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

  beforeEach(() => {
    [members, idleMs, operationWaits, clockMs] = [membersWith(0), 0, false, 0];
    pool = new Pool({ limits: { submissionsMax: 100, bytesMax: 1e7 }, verdictWaitMs: 0 });
    calls = new BlockCalls({
      selfId: "manager-1",
      pool,
      idleMs: () => idleMs,
      members: () => members,
      policy: { ...policy, minStorage: 3, heartbeatMs },
      monotonicMs: () => clockMs,
      operations: [() => operationWaits],
    });
  });

  const add = () => {
    const submission = submitted([documentBytes()]);
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
      calls.onAppended(0, members);
    }
    operationWaits = true;
    assert.equal(calls.due, true, "one that brings a storage node back");
    operationWaits = false;
    members = membersWith(0);
    assert.equal(calls.due, true);
    assert.deepEqual(calls.ripe(10), [submission]);
  });

  test("less and less for records that no block takes", () => {
    add();
    let blocks = 0;
    for (; clockMs < 60_000; clockMs += 50) {
      if (!calls.due) continue;
      blocks += 1;
      calls.onAppended(0, members);
    }
    assert.ok(blocks <= 15, `${blocks} empty blocks in a minute`);
    calls.onAppended(1, members);
    assert.equal(calls.due, true, "what was placed may be what they lack");
  });
});
