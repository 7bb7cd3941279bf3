/**
 * Credit over many blocks, with the ledger's own rules (`Members.applyBlock`): what becomes of
 * nodes that behave in a certain way. Certificates are made up, as nothing here verifies
 * signatures; who is drawn, audited, settled, carried and boycotted is decided by the ledger.
 */
import { create } from "@bufbuild/protobuf";
import { defaultPolicy } from "../../src/cli/init/defaults.js";
import { IntegrityCertificateSchema } from "../../src/gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../src/gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../../src/ledger/blocks/block-facts.js";
import { drawCommittee, matchesNeeded } from "../../src/ledger/certificates/committee.js";
import {
  faultsMaxOf,
  initialStanding,
  type StorageNode,
} from "../../src/ledger/members/member-lists.js";
import { Members } from "../../src/ledger/members/members.js";
import { initialStorageStanding } from "../../src/ledger/storage-nodes/credit.js";
import { type Random, seededRandom } from "./random.js";
import { nodeIds } from "./silence.js";

/** What becomes of a node's attestation: in time, too late for the certificate, or never seen. */
export type Arrival = "in time" | "late" | "lost";

export type CreditPlan = {
  readonly seed: string;
  readonly nodes: number;
  readonly blocks: number;
  /** Credit with which all start; 100 when left out. */
  readonly credit?: number;
  readonly auditsPerBlock?: number;
  /** Nodes whose audit digest is invented. */
  readonly lazy: ReadonlySet<string>;
  readonly arrival: (nodeId: string, random: Random) => Arrival;
  /** The certificate holds just enough matches, the first that come; else all in time. */
  readonly closesAtThreshold: boolean;
};

export type CreditHistory = {
  readonly members: Members;
  /** The lowest credit of each node. */
  readonly lowest: ReadonlyMap<string, number>;
  /** The block that boycotted each node that was. */
  readonly boycottedAt: ReadonlyMap<string, number>;
  readonly blocks: number;
};

const managerIds = ["manager-1", "manager-2", "manager-3", "manager-4"];
const blockMs = 1_000;
const signature = new Uint8Array(64);

/** Runs until all blocks are made, or every lazy node is boycotted. */
export function runCredit(plan: CreditPlan): CreditHistory {
  const random = seededRandom(plan.seed);
  const defaults = defaultPolicy(plan.nodes);
  const policy = { ...defaults, auditsPerBlock: plan.auditsPerBlock ?? defaults.auditsPerBlock };
  let members = startMembers(plan, random);
  const lowest = new Map<string, number>();
  const boycottedAt = new Map<string, number>();
  const lateOf = new Map<number, readonly string[]>();
  let previous: Parameters<Members["applyBlock"]>[0]["previous"];
  let height = 1;
  for (; height <= plan.blocks; height++) {
    const timestampMs = height * blockMs;
    const beacon = random.bytes(64);
    const facts = blockFacts(members.eligibleStorageNodes(policy), { height, beacon, random });
    const applied = members.applyBlock({
      policy,
      height,
      timestampMs,
      previousTimestampMs: timestampMs - blockMs,
      beacon,
      previous,
      sealedBytes: height * 1_000,
      operations: [...carried(members, lateOf), ...failedAudits(members, plan.lazy)],
    });
    if (!applied.ok) throw new Error(`block ${height}: ${applied.error.message}`);
    members = applied.value;
    for (const { nodeId, credit, suspension } of members.storageNodes) {
      if (credit < (lowest.get(nodeId) ?? Number.POSITIVE_INFINITY)) lowest.set(nodeId, credit);
      if (suspension === "boycotted" && !boycottedAt.has(nodeId)) boycottedAt.set(nodeId, height);
    }
    if (plan.lazy.size > 0 && [...plan.lazy].every((id) => boycottedAt.has(id))) break;
    const attested = attest(facts, plan, random);
    lateOf.set(height, attested.late);
    lateOf.delete(height - 16);
    previous = { facts, integrity: attested.integrity };
  }
  return { members, lowest, boycottedAt, blocks: height };
}

/** Who is named by the block's certificate, and who comes later. */
function attest(facts: BlockFacts, plan: CreditPlan, random: Random) {
  const { eligible, beacon } = facts;
  for (let round = 0; ; round++) {
    const committee = drawCommittee({ eligible, beacon, round });
    const came = random.shuffled(committee).map((nodeId) => {
      return { nodeId, arrival: plan.arrival(nodeId, random) };
    });
    const inTime = came.filter(({ arrival }) => arrival === "in time");
    const late = came.filter(({ arrival }) => arrival === "late");
    const needed = matchesNeeded(committee.length);
    // Too few in time: then the round waits for those that are late.
    const ordered = [...inTime, ...late].map(({ nodeId }) => nodeId);
    if (ordered.length < needed) continue;
    const count = plan.closesAtThreshold ? needed : Math.max(needed, inTime.length);
    const signatures = ordered
      .slice(0, count)
      .sort()
      .map((nodeId) => ({ nodeId, audit: beacon.subarray(0, 32), signature }));
    const { blockId, hash1: hash2, treeSize } = facts;
    const integrity = create(IntegrityCertificateSchema, {
      height: BigInt(facts.height),
      round,
      blockId,
      hash2,
      signatures,
      treeSize: BigInt(treeSize),
    });
    return { integrity, late: ordered.slice(count) };
  }
}

/** Late attestations, two blocks after the attested one as proposers carry them. */
function carried(
  { openCommittees }: Members,
  lateOf: ReadonlyMap<number, readonly string[]>,
): readonly ControlOperation[] {
  return openCommittees.flatMap(({ height, round, missing }) => {
    const late = (lateOf.get(height) ?? []).filter((id) => missing.includes(id)).sort();
    if (late.length === 0) return [];
    const audit = new Uint8Array(32);
    const attestations = late.map((nodeId) => ({ nodeId, audit, signature }));
    const value = { height: BigInt(height), round, attestations };
    return [create(ControlOperationSchema, { operation: { case: "carryAttestations", value } })];
  });
}

/** The managers' findings about audits of lazy nodes. */
function failedAudits(
  { openCommittees }: Members,
  lazy: ReadonlySet<string>,
): readonly ControlOperation[] {
  const witnesses = managerIds.slice(0, faultsMaxOf(managerIds.length) + 1);
  const findings = witnesses.map((managerId) => ({ managerId, signature }));
  return openCommittees.flatMap(({ height, audited }) =>
    audited
      .filter(({ nodeId }) => lazy.has(nodeId))
      .map(({ nodeId }) => {
        const value = { nodeId, height: BigInt(height), findings };
        return create(ControlOperationSchema, { operation: { case: "failAudit", value } });
      }),
  );
}

export function startMembers(
  { nodes, credit = 100 }: Pick<CreditPlan, "nodes" | "credit">,
  random: Random,
): Members {
  const key = () => random.bytes(32);
  const managers = managerIds.map((managerId) => {
    const keys = { signingKey: key(), vrfKey: key(), hpkeKey: key(), tlsSpkiSha256: key() };
    return { ...initialStanding, ...keys, managerId, address: "" };
  });
  const storageNodes = nodeIds(nodes).map((nodeId, i): StorageNode => {
    const sponsorId = managerIds[i % managerIds.length] ?? "";
    const keys = { signingKey: key(), tlsSpkiSha256: key() };
    return { ...initialStorageStanding, ...keys, nodeId, sponsorId, credit };
  });
  storageNodes.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  return new Members({ managers, storageNodes, officers: [] });
}

export function blockFacts(
  eligible: readonly string[],
  {
    height,
    beacon,
    random,
  }: { readonly height: number; readonly beacon: Uint8Array; readonly random: Random },
): BlockFacts {
  return {
    height,
    beacon,
    eligible,
    blockId: random.bytes(32),
    hash1: random.bytes(32),
    createdRound: 0,
    proposerId: managerIds[0] ?? "",
    timestampMs: height * blockMs,
    treeSize: height,
    leafCount: 1,
    requiredAccepts: managerIds,
    absences: [],
  };
}
