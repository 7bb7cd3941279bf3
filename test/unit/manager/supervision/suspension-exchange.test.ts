import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import {
  type Evidence,
  EvidenceSchema,
  type ResumeManager,
  ResumeManagerSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { VoteRequest } from "../../../../src/gen/bss/v1/vote_pb.js";
import { brokenLockEvidence, votesEvidence } from "../../../../src/ledger/certificates/evidence.js";
import { resumeDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import type { Manager } from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import type { LedgerHead } from "../../../../src/ledger/state/head.js";
import { SuspensionExchange } from "../../../../src/manager/supervision/suspension-exchange.js";
import { SuspensionPool } from "../../../../src/manager/supervision/suspension-pool.js";
import { OffenceLog } from "../../../../src/store/offences.js";
import { createMemoryDisk } from "../../../support/memory-store.js";
import { Chain } from "../../ledger/support/chain.js";
import { consortiumId } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";
import { approve, commit } from "../support/votes.js";

const peer = "manager-2";
const block = (n: number, height = 1) => ({ height, blockId: new Uint8Array(32).fill(n) });

function contradiction(managerId = "manager-3", height = 1): Evidence {
  return votesEvidence(commit(managerId, block(1, height)), commit(managerId, block(2, height)));
}

function resumeOf(managerId: string, heldHeight = 5, signer = managerId): ResumeManager {
  const digest = resumeDigest({ consortiumId, suspendedHeight: 4, heldHeight });
  return create(ResumeManagerSchema, {
    managerId,
    suspendedHeight: 4n,
    heldHeight: BigInt(heldHeight),
    signature: sign(signer, digest),
  });
}

describe("control operations on their way to the chain", () => {
  let head: LedgerHead;
  let offences: OffenceLog;
  let pool: SuspensionPool;
  let exchange: SuspensionExchange;
  let told: (readonly [VoteRequest["message"]["case"], string | undefined])[];
  let dropped: string[];
  let accused: string[];
  let wakes: number;
  let nowMs: number;

  const open = async () => {
    pool = new SuspensionPool(
      { head: () => head, members: () => head.members, monotonicMs: () => nowMs },
      () => true,
    );
    exchange = new SuspensionExchange(
      {
        consortiumId,
        head: () => head,
        signatures: new SignatureCache(),
        monotonicMs: () => nowMs,
        store: { offences },
        observer: {
          dropped: (from, reason) => dropped.push(`${from}: ${reason}`),
          accused: ({ managerId }) => accused.push(managerId),
        },
      },
      {
        pool,
        peers: { tell: (message, to) => told.push([message.case, to]) },
        trigger: { check: () => wakes++ },
      },
    );
    await exchange.restore();
  };

  beforeEach(async () => {
    head = new Chain().head;
    offences = new OffenceLog(await (await createMemoryDisk()).open());
    [told, dropped, accused] = [[], [], []];
    [wakes, nowMs] = [0, 0];
    await open();
  });

  const change = (id: string, changes: Partial<Manager>) => {
    const { managers, storageNodes, officers } = head.members;
    const list = managers.map((each) => (each.managerId === id ? { ...each, ...changes } : each));
    head = { ...head, members: new Members({ managers: list, storageNodes, officers }) };
  };
  const suspend = (id: string) =>
    change(id, { active: false, reason: "absent", changedHeight: 4, changedAtMs: 1 });
  const pending = () => pool.operations(0).map(({ operation }) => operation.case);

  test("are kept, passed on once, and said again every second until they are there", async () => {
    await exchange.takeEvidence(peer, contradiction());
    await exchange.takeEvidence("manager-4", contradiction());
    assert.deepEqual(told, [["evidence", undefined]]);
    assert.deepEqual([accused, wakes], [["manager-3"], 1]);
    nowMs += 1_000;
    exchange.tick();
    exchange.tick();
    assert.equal(told.length, 2);
    exchange.onPeerConnected("manager-4");
    assert.deepEqual(told.at(-1), ["evidence", "manager-4"]);
    change("manager-3", { offenceHeight: 1 });
    await exchange.onAppended(1, block(9).blockId);
    nowMs += 1_000;
    exchange.tick();
    assert.equal(told.length, 3);
    assert.deepEqual(await offences.loadEvidence(), []);
    await exchange.takeEvidence(peer, contradiction());
    assert.deepEqual([told.length, accused.length], [3, 1], "it is on the chain");
  });

  test("survive a restart, unless the chain has them meanwhile", async () => {
    await exchange.accuse(contradiction("manager-3"));
    await exchange.accuse(contradiction("manager-4"));
    change("manager-4", { offenceHeight: 1 });
    await open();
    assert.deepEqual(pending(), ["evidence"]);
    assert.deepEqual(
      (await offences.loadEvidence()).map(({ managerId }) => managerId),
      ["manager-3"],
    );
  });

  test("of a broken lock are taken as well as two votes", async () => {
    const [first, second] = [commit("manager-3", block(1)), approve("manager-3", block(2), 1)];
    await exchange.takeEvidence(peer, brokenLockEvidence(first, second));
    assert.deepEqual(pending(), ["evidence"]);
  });

  test("wait for this manager to reach their height: they come again", async () => {
    await exchange.takeEvidence(peer, contradiction("manager-3", 2));
    assert.deepEqual([pending(), dropped], [[], []]);
    head = { ...head, height: 1 };
    await exchange.takeEvidence(peer, contradiction("manager-3", 2));
    assert.deepEqual(pending(), ["evidence"]);
  });

  const forged = contradiction();
  for (const [why, evidence, reason] of [
    ["contradict nothing", create(EvidenceSchema, { managerId: "manager-3" }), "OPERATION_INVALID"],
    [
      "are signed by another",
      create(EvidenceSchema, { ...forged, managerId: "manager-4" }),
      "SIGNATURE_INVALID",
    ],
  ] as const) {
    test(`are dropped if they ${why}`, async () => {
      await exchange.takeEvidence(peer, evidence);
      assert.deepEqual(dropped, [`${peer}: ${reason}`]);
      assert.deepEqual([pending(), told, await offences.loadEvidence()], [[], [], []]);
    });
  }

  test("about strangers are not looked at", async () => {
    await exchange.takeEvidence(peer, create(EvidenceSchema, { managerId: "manager-9" }));
    assert.deepEqual([pending(), dropped], [[], []]);
  });

  test("that are resumes wake the ring, and are not passed on", async () => {
    suspend("manager-4");
    await exchange.takeResume("manager-4", resumeOf("manager-4"));
    await exchange.takeResume("manager-4", resumeOf("manager-4"));
    assert.deepEqual([pending(), wakes, told], [["resumeManager"], 1, []]);
  });

  test("that are resumes are dropped if another has signed them, or their shape is wrong", async () => {
    suspend("manager-4");
    await exchange.takeResume(peer, resumeOf("manager-4", 5, peer));
    await exchange.takeResume(peer, { ...resumeOf("manager-4"), signature: new Uint8Array(3) });
    await exchange.takeResume(peer, resumeOf("manager-3"));
    assert.deepEqual(dropped, [`${peer}: SIGNATURE_INVALID`, `${peer}: OPERATION_INVALID`]);
    assert.deepEqual([pending(), wakes], [[], 0]);
  });
});
