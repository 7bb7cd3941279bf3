import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { doingOf, syncWords, troublesOf, waitsFor } from "../../../../src/cli/text/status-words.js";
import { SuspensionReason } from "../../../../src/gen/bss/v1/members_pb.js";
import {
  GetStatusResponseSchema,
  ManagerStatusSchema,
  NodeRole,
  SyncProgressSchema,
  WaitingSchema,
} from "../../../../src/gen/bss/v1/query_pb.js";

const status = (nodeId: string, init: MessageInitShape<typeof GetStatusResponseSchema> = {}) =>
  create(GetStatusResponseSchema, { nodeId, step: "approve", round: 3, ...init });
const waiting = (init: MessageInitShape<typeof WaitingSchema>) =>
  create(WaitingSchema, { heightMs: 12_000n, ...init });
const manager = (
  managerId: string,
  init: Omit<MessageInitShape<typeof ManagerStatusSchema>, "member" | "$typeName">,
) => create(ManagerStatusSchema, { ...init, member: { managerId } });

describe("what the ring waits for, in words", () => {
  const cases: readonly (readonly [MessageInitShape<typeof WaitingSchema>, string])[] = [
    [{ missingProposer: "manager-2" }, "the proposal of manager-2"],
    [{ missingAccepts: ["manager-3"] }, "the ACCEPT of manager-3"],
    [
      { missingAccepts: ["manager-3"], missingApprovals: ["manager-3", "manager-4"] },
      "the ACCEPT of manager-3 and the APPROVE of manager-3 and manager-4",
    ],
    [
      { missingAttestations: Array.from({ length: 8 }, (_, i) => `s${i}`) },
      "the attestation of s0, s1, s2, s3, s4 and 3 more",
    ],
    [{ missingCommits: ["a", "b", "c"] }, "the COMMIT of a, b and c"],
    [{}, "the next round"],
  ];
  for (const [init, words] of cases) {
    test(`names who owes it: ${words}`, () => assert.equal(waitsFor(waiting(init)), words));
  }

  test("is nothing while a height takes no longer than heights do", () => {
    const init = { missingAccepts: ["manager-3"], heightMs: 1_999n };
    assert.equal(waitsFor(waiting(init)), undefined);
    assert.equal(doingOf(status("m", { waiting: waiting(init) })), "approve");
    assert.equal(waitsFor(undefined), undefined);
  });
});

describe("what stands in the way", () => {
  test("is nothing when all is well", () => {
    const peers = [{ peerId: "manager-2", role: NodeRole.MANAGER }];
    assert.deepEqual(troublesOf([status("m", { peers })], [manager("m", { active: true })]), []);
  });

  test("is said once by all who wait for the same, with the longest wait", () => {
    const missing = { missingAccepts: ["manager-3"] };
    const statuses = [
      status("manager-1", { waiting: waiting(missing) }),
      status("manager-2", { waiting: waiting({ ...missing, heightMs: 125_000n }) }),
      status("manager-4", { waiting: waiting({ missingProposer: "manager-3" }) }),
    ];
    assert.deepEqual(troublesOf(statuses, []), [
      "no block for 2 min 05 s: manager-1 and manager-2 wait for the ACCEPT of manager-3",
      "no block for 12.0 s: manager-4 waits for the proposal of manager-3",
    ]);
  });

  test("is who is suspended, why and since when", () => {
    const at = { changedHeight: 812n, changedAtUnixMs: 1_700_000_000_000n };
    const { ABSENT, EQUIVOCATED } = SuspensionReason;
    const since = "since 2023-11-14 22:13:20 UTC (block 812)";
    const managers = [
      manager("a", { ...at, reason: ABSENT, absences: 1 }),
      manager("b", { ...at, reason: ABSENT, absences: 3 }),
      manager("c", { ...at, reason: EQUIVOCATED, offenceHeight: 811n }),
      manager("d", { active: true, offenceHeight: 813n }),
    ];
    assert.deepEqual(troublesOf([], managers), [
      `a is suspended ${since}: absent`,
      `b is suspended ${since}: absent, 3 times in succession`,
      `c is suspended ${since}: signed contradicting statements`,
      "d signed contradicting statements (recorded in block 813); it stays, as too few would be left",
    ]);
  });

  test("is who has halted, first of all and by its own words", () => {
    const peers = [{ peerId: "storage-2", role: NodeRole.STORAGE, halted: "the chain forks" }];
    const missing = { missingAccepts: ["manager-3"], heightMs: 60_000n };
    const halted = { halted: "two blocks are final", abstaining: "x", waiting: waiting(missing) };
    assert.deepEqual(
      troublesOf([status("manager-1", { peers }), status("manager-2", halted)], []),
      [
        "storage-2 has halted, as it told manager-1: the chain forks",
        "manager-2 has halted: two blocks are final",
      ],
    );
  });

  test("is who signs nothing, is behind, or objects falsely", () => {
    const sync = { targetHeight: 1_200n, blocksPerSecond: 35, secondsLeft: 11n, peerId: "m2" };
    const peers = [
      { peerId: "manager-4", role: NodeRole.MANAGER, falseObjections: 3n },
      { peerId: "manager-2", role: NodeRole.MANAGER },
    ];
    const said = troublesOf(
      [
        status("manager-1", { abstaining: "the vote log is behind" }),
        status("manager-2", { height: 812n, syncing: true, sync }),
        status("manager-3", { peers }),
      ],
      [],
    );
    assert.deepEqual(said, [
      "manager-1 signs nothing: the vote log is behind",
      "manager-2 is catching up: block 812 of 1200, 35.0 blocks/s, 11.0 s left, from m2",
      "manager-3 has found 3 false objections of manager-4",
    ]);
    assert.deepEqual(doingOf(status("manager-1", { halted: "two blocks are final" })), "halted");
    const unknown = create(SyncProgressSchema, { targetHeight: 9n });
    assert.equal(syncWords(8, unknown), "block 8 of 9");
  });

  test("is a disk that lied, until the node starts again", () => {
    const scrub = { damaged: 3n, repaired: 1n, lastDamage: "height 812: sealed records" };
    const found =
      "3 found damaged since its start, 1 repaired; the last: height 812: sealed records";
    const repairing = status("storage-1", { scrub: { ...scrub, repairing: true } });
    assert.equal(doingOf(repairing), "repairs itself");
    const doubting = status("storage-3", { scrub: { repairing: true } });
    const none = "0 found damaged since its start, 0 repaired";
    const whole = status("storage-4", { scrub: { checkedHeight: 812n } });
    assert.deepEqual(troublesOf([repairing, status("storage-2", { scrub }), doubting, whole], []), [
      `storage-1 checks its whole store and attests nothing meanwhile: ${found}`,
      `look at the disk of storage-2: ${found}`,
      `storage-3 checks its whole store and attests nothing meanwhile: ${none}`,
    ]);
    assert.equal(doingOf(status("storage-4", { step: "", scrub: {} })), "in step");
  });
});
