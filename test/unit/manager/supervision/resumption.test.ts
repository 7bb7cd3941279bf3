import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { ResumeManager } from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { Manager } from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { checkResume } from "../../../../src/ledger/members/operation-signatures.js";
import type { LedgerHead } from "../../../../src/ledger/state/head.js";
import { Resumption } from "../../../../src/manager/supervision/resumption.js";
import { Chain, verifies } from "../../ledger/support/chain.js";
import { consortiumId, genesis, policy } from "../../ledger/support/consortium.js";
import { accepted } from "../../ledger/support/outcome.js";
import { sign } from "../../ledger/support/records.js";

const selfId = "manager-4";
const suspendedAtMs = 1_000_000;
const waitMs = 5_000;

describe("a manager that is suspended", () => {
  let head: LedgerHead;
  let said: ResumeManager[];
  let tipHeight: number;
  let takesPart: boolean;
  let wallMs: number;
  let monotonicMs: number;
  let resumption: Resumption;

  beforeEach(() => {
    head = { ...new Chain().head, height: 9 };
    said = [];
    [tipHeight, takesPart] = [9, true];
    [wallMs, monotonicMs] = [suspendedAtMs + waitMs, 0];
    stand({ active: false, reason: "absent" });
    resumption = new Resumption(
      {
        selfId,
        consortiumId,
        head: () => head,
        policy: { ...policy, resumeWaitMs: waitMs, resumeWaitMaxMs: 100_000 },
        wallMs: () => wallMs,
        monotonicMs: () => monotonicMs,
      },
      {
        sync: { heightOf: () => tipHeight },
        abstention: {
          get listening() {
            return !takesPart;
          },
        },
        statements: { sign: async (_kind, _height, digest) => sign(selfId, digest) },
        peers: {
          tell: (message) => {
            if (message.case === "resume") said.push(message.value);
          },
        },
      },
    );
  });

  function stand(standing: Partial<Manager>): void {
    const { managers, storageNodes, officers } = genesis.members;
    const suspended = { changedHeight: 7, changedAtMs: suspendedAtMs, absences: 1, ...standing };
    const list = managers.map((each) =>
      each.managerId === selfId ? { ...each, ...suspended } : each,
    );
    head = { ...head, members: new Members({ managers: list, storageNodes, officers }) };
  }

  const append = () => {
    resumption.onAppended();
    return resumption.tick();
  };

  test("says, signed, that it is back, for which suspension, and what it holds", async () => {
    await append();
    const [resume] = said;
    assert.ok(resume);
    const { managerId, suspendedHeight, heldHeight } = resume;
    assert.deepEqual([managerId, suspendedHeight, heldHeight], [selfId, 7n, 9n]);
    assert.ok(verifies(accepted(checkResume(resume, head.members, consortiumId))));
  });

  test("says so after every block, and every second", async () => {
    await resumption.tick();
    await resumption.tick();
    assert.equal(said.length, 1);
    await append();
    assert.equal(said.length, 2);
    monotonicMs += 999;
    await resumption.tick();
    assert.equal(said.length, 2);
    monotonicMs += 1;
    await resumption.tick();
    assert.equal(said.length, 3);
  });

  const set = (values: { tipHeight?: number; takesPart?: boolean; wallMs?: number }) => {
    ({ tipHeight = tipHeight, takesPart = takesPart, wallMs = wallMs } = values);
  };
  const silent: readonly (readonly [why: string, arrange: () => void])[] = [
    ["it is active", () => stand({ active: true, reason: undefined })],
    ["it contradicted itself", () => stand({ active: false, reason: "equivocated" })],
    [
      "evidence against it is on the chain",
      () => stand({ active: false, reason: "absent", offenceHeight: 8 }),
    ],
    ["it lacks more than two blocks", () => set({ tipHeight: 12 })],
    ["it accepts no blocks", () => set({ takesPart: false })],
    ["its wait is not over", () => set({ wallMs: wallMs - 1 })],
    ["its wait is longer this time", () => stand({ active: false, reason: "absent", absences: 2 })],
  ];
  for (const [why, arrange] of silent) {
    test(`says nothing while ${why}`, async () => {
      arrange();
      await append();
      await resumption.tick();
      assert.deepEqual(said, []);
    });
  }

  test("says so while it lacks two blocks: they are on their way", async () => {
    tipHeight = 11;
    await append();
    assert.equal(said.length, 1);
  });
});
