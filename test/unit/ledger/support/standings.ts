/**
 * Members block by block, without blocks: the facts of each are made up, and a test says whom the
 * certificate of the one before names, what operations there are, and how much time has passed.
 */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { IntegrityCertificateSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import type { ControlOperation } from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import type { OpenCommittee, StorageNode } from "../../../../src/ledger/members/member-lists.js";
import { type BlockEffects, Members } from "../../../../src/ledger/members/members.js";
import { MembersDraft } from "../../../../src/ledger/members/members-draft.js";
import type { StandingChange } from "../../../../src/ledger/storage-nodes/credit.js";
import { floorPolicy, genesis, genesisMs, managerIds } from "./consortium.js";
import { accepted, refusal } from "./outcome.js";
import { seedOf } from "./records.js";
import { auditOf } from "./storage-statements.js";

export const policy = {
  ...floorPolicy,
  resumeWaitMs: 1_000,
  resumeWaitMaxMs: 8_000,
  matchReward: 1_000n,
  storageReward: 0n,
  auditsPerBlock: 0,
  unreachableAfterMs: 60_000,
};

export type NextBlock = {
  readonly operations?: readonly ControlOperation[];
  /** Of the committee of the block before, whom its certificate names; all when absent. */
  readonly named?: (committee: readonly string[]) => readonly string[];
  readonly elapsedMs?: number;
  /** After the block; as before when absent. */
  readonly sealedBytes?: number;
  /** False: it adds no records, so nobody attests it. */
  readonly hasLeaves?: boolean;
  readonly beacon?: Uint8Array;
};

export class Standings {
  members: Members;
  height = 0;
  timestampMs = genesisMs;
  readonly changes: StandingChange[] = [];
  readonly policy: typeof policy;
  #facts: BlockFacts | undefined;

  /** From genesis, with changed nodes and another policy if the test says so. */
  constructor(
    changes: {
      readonly policy?: Partial<typeof policy>;
      readonly nodes?: Readonly<Record<string, Partial<StorageNode>>>;
    } = {},
  ) {
    this.policy = { ...policy, ...changes.policy };
    const { managers, officers, storageNodes } = genesis.members;
    this.members = new Members({
      managers,
      officers,
      storageNodes: storageNodes.map((each) => ({ ...each, ...changes.nodes?.[each.nodeId] })),
    });
  }

  node(nodeId: string): StorageNode {
    return defined(this.members.storageNode(nodeId), "the node is known");
  }

  credits(): readonly number[] {
    return this.members.storageNodes.map(({ credit }) => credit);
  }

  /** The committee of a block that is open. */
  open(height: number): OpenCommittee {
    const found = this.members.openCommittees.find((each) => each.height === height);
    return defined(found, "the committee is open");
  }

  /** Whoever is drawn to attest the head. */
  committee(): readonly string[] {
    const facts = this.#facts;
    if (facts === undefined || facts.leafCount === 0) return [];
    return drawCommittee({ ...facts, round: facts.createdRound });
  }

  /** The next block, which must be right; returns what it changed. */
  block(next: NextBlock = {}): readonly StandingChange[] {
    const changes: StandingChange[] = [];
    const effects = {
      ...this.effects(next),
      onChange: (each: StandingChange) => changes.push(each),
    };
    const before = this.members;
    this.members = accepted(before.applyBlock(effects));
    assertSums(before, this.members, changes);
    this.changes.push(...changes);
    const { height, timestampMs, beacon } = effects;
    this.#facts = {
      height,
      timestampMs,
      beacon,
      createdRound: 0,
      proposerId: "manager-1",
      blockId: seedOf(`block ${height}`),
      hash1: seedOf(`root ${height}`),
      treeSize: height,
      leafCount: next.hasLeaves === false ? 0 : 1,
      requiredAccepts: managerIds,
      absences: [],
      eligible: before.eligibleStorageNodes(this.policy),
    };
    this.height = height;
    this.timestampMs = timestampMs;
    return changes;
  }

  /** Blocks without operations, in which all attest. */
  blocks(count: number, each: NextBlock = {}): void {
    for (let i = 0; i < count; i++) this.block(each);
  }

  /** The field at which the next block's only operation is refused; it changes nothing. */
  refuses(operation: ControlOperation, reason = "OPERATION_INVALID"): string | undefined {
    const effects = this.effects({ operations: [operation] });
    const found = refusal(this.members.applyBlock(effects));
    assert.equal(found.reason, reason, found.message);
    const [tried, untouched] = [0, 1].map(() => new MembersDraft(this.members, effects, effects));
    assert.ok(tried !== undefined && untouched !== undefined);
    assert.equal(tried.apply(operation)?.reason, reason);
    assert.deepEqual(tried.lists(), untouched.lists());
    return found.field?.replace("control[0].", "").replace("control[0]", "");
  }

  /** The next block as far as it bears on the members. */
  effects(next: NextBlock): BlockEffects {
    const { operations = [], elapsedMs = 1_000, named = (committee) => committee } = next;
    const facts = this.#facts;
    const signatures = named(this.committee()).map((nodeId) => {
      return { nodeId, audit: auditOf(nodeId), signature: new Uint8Array(64) };
    });
    const integrity =
      facts === undefined || facts.leafCount === 0
        ? undefined
        : create(IntegrityCertificateSchema, { round: 0, hash2: facts.hash1, signatures });
    const height = this.height + 1;
    return {
      policy: this.policy,
      height,
      operations,
      previousTimestampMs: this.timestampMs,
      timestampMs: this.timestampMs + elapsedMs,
      sealedBytes: next.sealedBytes ?? this.members.totals.sealedBytes,
      beacon: next.beacon ?? new Uint8Array([...seedOf(`beacon ${height}`), ...seedOf("beacon")]),
      previous: facts && { facts, integrity },
    };
  }
}

/** What is told of a block adds up to what it did. */
function assertSums(before: Members, after: Members, changes: readonly StandingChange[]): void {
  for (const node of after.storageNodes) {
    const mine = changes.filter(({ nodeId }) => nodeId === node.nodeId);
    const start = before.storageNode(node.nodeId) ?? { credit: 0, reward: 0n, paid: 0n };
    const sum = { credit: start.credit, reward: start.reward, paid: start.paid };
    for (const each of mine) {
      sum.credit += each.creditDelta;
      sum.reward += each.rewardDelta;
      sum.paid += each.paidDelta;
      assert.equal(each.credit, sum.credit);
    }
    const { credit, reward, paid } = node;
    assert.deepEqual({ credit, reward, paid }, sum, node.nodeId);
  }
}
