/**
 * Whatever blocks bring in whatever order: managers and storage nodes, who see different parts of
 * them, come to the same members at every height, and what is stored of these can be read back.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defined } from "../../../../src/base/assert.js";
import { checkFinal } from "../../../../src/consensus/attestation/attestor.js";
import type { ControlOperation } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { parseBlock } from "../../../../src/ledger/blocks/block-parsing.js";
import { matchesNeeded } from "../../../../src/ledger/certificates/committee.js";
import { invitationDigest } from "../../../../src/ledger/members/consent.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { creditMax } from "../../../../src/ledger/storage-nodes/credit.js";
import {
  genesisStorageHead,
  type StorageHead,
} from "../../../../src/ledger/storage-nodes/storage-head.js";
import { Chain, certify, verifies } from "../support/chain.js";
import { consortiumId, genesis } from "../support/consortium.js";
import { admissionOf, invitationBytes } from "../support/invitations.js";
import { accepted } from "../support/outcome.js";
import { documentBytes, seedOf, sign, submitted } from "../support/records.js";
import { policy } from "../support/standings.js";
import {
  carry,
  failAudit,
  payOut,
  retireNode,
  suspendNode,
  takeBack,
} from "../support/storage-statements.js";

const nodesMax = 12;
const trialPolicy = { ...policy, auditsPerBlock: 2, storageReward: 10n ** 12n };

const kinds = ["suspend", "retire", "late", "mismatch", "fail", "pay", "admit"] as const;
type Attempt = {
  readonly kind: (typeof kinds)[number];
  readonly node: number;
  readonly back: number;
};

const attempts: fc.Arbitrary<Attempt> = fc.record({
  kind: fc.constantFrom("late" as const, "late" as const, ...kinds),
  node: fc.nat(nodesMax - 1),
  back: fc.nat(9),
});
const blocks = fc.array(
  fc.record({
    tried: fc.array(attempts, { maxLength: 6 }),
    elapsedMs: fc.constantFrom(1, 1_000, 70_000),
    records: fc.nat(2),
    absent: fc.nat(8),
    extra: fc.boolean(),
  }),
  { minLength: 25, maxLength: 25 },
);

/** By the operator of the manager that sponsors it, who has seen the chain up to `height`. */
function admission(place: number, height: number): ControlOperation {
  const [nodeId, of] = [`storage-${place + 1}`, (place % 4) + 1];
  const operatorId = `operator-${of}`;
  const invitationId = seedOf(`invitation of ${operatorId}`).slice(0, 16);
  const [blockId, membersDigest] = [seedOf("a block"), seedOf("members")];
  const checkpoint = height > 0 && { height: BigInt(height), blockId, membersDigest };
  const invitation = invitationBytes({
    operatorId,
    invitationId,
    usesMax: 1_000,
    ...(checkpoint && { checkpoint }),
  });
  const invitationSignature = sign(operatorId, invitationDigest(invitation));
  return admissionOf(nodeId, {
    invitation,
    consent: { invitationSignature },
    value: { sponsorId: `manager-${of}` },
  });
}

function operationOf({ kind, node, back }: Attempt, { members, height }: StorageHead) {
  const nodeId = `storage-${node + 1}`;
  const known = members.storageNode(nodeId);
  const open = members.openCommittees[back % Math.max(1, members.openCommittees.length)];
  if (known === undefined || kind === "admit") return admission(node, height - (back % 3));
  if (kind === "suspend") return suspendNode(nodeId, Math.max(0, height - back));
  if (known.suspension === "unreachable" && kind !== "retire") {
    return takeBack(nodeId, known.changedHeight, Math.max(height - back, known.changedHeight));
  }
  if (kind === "retire" && back < 3) return retireNode(nodeId, known.admittedHeight);
  const due = known.reward - known.paid;
  if (kind === "pay") return payOut(nodeId, due / 2n, known.paid, `operator-${(node % 4) + 1}`);
  if (open === undefined) return undefined;
  if (kind === "fail") return failAudit(open.audited[0]?.nodeId ?? nodeId, open.height);
  if (open.missing.length === 0) return undefined;
  return carry(open, kind === "late" ? { matches: open.missing } : { mismatches: open.missing });
}

/** All, or as few as suffice; whoever is absent wanders through the committee. */
function chooser(absent: number, extra: boolean) {
  return (committee: readonly string[]) => {
    const sorted = committee.toSorted();
    const turned = [...sorted.slice(absent), ...sorted.slice(0, absent)];
    return extra ? turned : turned.slice(0, matchesNeeded(committee.length));
  };
}

function assertSound(members: Members): void {
  const decoded = defined(Members.decode(members.encode()), "what was written is read");
  const { managers, storageNodes, officers, openCommittees, totals } = members;
  assert.deepEqual(
    { ...decoded, activeManagerIds: 0, faultsMax: 0, quorum: 0 },
    {
      managers,
      storageNodes,
      officers,
      openCommittees,
      totals,
      activeManagerIds: 0,
      faultsMax: 0,
      quorum: 0,
    },
  );
  assert.deepEqual(decoded.digest(), members.digest());
  for (const { credit, reward, paid, suspension } of storageNodes) {
    assert.ok(credit >= 0 && credit <= creditMax && paid <= reward);
    assert.ok(credit >= trialPolicy.boycottLine || suspension !== undefined);
  }
  assert.ok(openCommittees.length <= 8);
}

test("managers and storage nodes come to the same members", () => {
  const seen = new Map<string, number>();
  const history = fc.property(blocks, (plan) => {
    const chain = new Chain(trialPolicy);
    let head = genesisStorageHead(genesis);
    const newcomers = [4, 5, 6, 7, 8, 9].map(admission);
    for (const [i, { tried, elapsedMs, records, absent, extra }] of plan.entries()) {
      const control = [
        ...(i === 0 ? newcomers : []),
        ...tried.flatMap((each) => operationOf(each, head) ?? []),
      ];
      const built = chain.propose({
        control,
        timestampMs: chain.head.timestampMs + elapsedMs,
        candidates: Array.from({ length: records }, () => submitted([documentBytes()])),
      });
      const { executed } = accepted(chain.judge(built.block));
      assert.deepEqual(executed, built.executed);
      const certificates = certify(executed.facts, chain.head.members, chooser(absent, extra));
      chain.append(executed, certificates);

      const block = accepted(parseBlock(defined(built.block.block, "it has a public part")));
      const parts = { block, sealedRecords: executed.sealed, certificates };
      const final = accepted(checkFinal(parts, { consortiumId, policy: trialPolicy, head }));
      assert.ok("append" in final, "contradiction" in final ? final.contradiction.message : "");
      assert.ok([...final.signatures, ...final.operations].every(verifies));
      head = final.append.head;
      assert.deepEqual(head.members.digest(), chain.head.members.digest());
      assert.deepEqual(head.facts?.eligible, executed.facts.eligible);
      assertSound(head.members);
      for (const { operation } of block.control) {
        seen.set(operation.case ?? "", (seen.get(operation.case ?? "") ?? 0) + 1);
      }
    }
  });
  fc.assert(history, { numRuns: 6, seed: 11 });
  for (const kind of [
    ...["admitStorageNode", "retireStorageNode", "suspendStorageNode", "returnStorageNode"],
    ...["carryAttestations", "failAudit", "recordPayout"],
  ]) {
    assert.ok((seen.get(kind) ?? 0) > 3, `${kind}: ${seen.get(kind)}`);
  }
});
