/**
 * How storage nodes stand after each block, from the blocks alone: the rules of [R5.8] once more,
 * in another shape than the ledger's, to hold that against.
 */
import { createHash } from "node:crypto";
import { defined } from "../../../src/base/assert.js";
import { u64be } from "../../../src/base/bytes.js";
import type { ControlOperation, Policy } from "../../../src/gen/bss/v1/genesis_pb.js";
import type { ParsedBlock } from "../../../src/ledger/blocks/block-parsing.js";
import type { StandingChangeKind } from "../../../src/ledger/storage-nodes/credit.js";
import type { Consortium } from "../consortium.js";

export type ModelNode = {
  readonly sponsorId: string;
  credit: number;
  reward: bigint;
  suspension: "unreachable" | "boycotted" | undefined;
  auditFailed: boolean;
  /** Units that all of storing until its last MATCH comes to. */
  stored: bigint;
};

export type ModelCommittee = {
  readonly height: number;
  readonly missing: Set<string>;
  readonly audited: Set<string>;
};

export type ModelStatus = {
  readonly nodes: ReadonlyMap<string, ModelNode>;
  /** Ascending by height. */
  readonly open: readonly ModelCommittee[];
  readonly byteMs: bigint;
};

/** What changes a node's standing, as the ledger names it, and audits that are drawn. */
export type ModelChange =
  | Exclude<StandingChangeKind, "admitted" | "retired" | "paid">
  | "audit drawn";

type Block = Pick<ParsedBlock, "height" | "timestampMs" | "leaves" | "sealedBytes"> & {
  readonly beacon: Uint8Array;
};

export class StorageModel {
  readonly #policy: Policy;
  readonly #managersCount: number;
  readonly #onChange: (change: ModelChange) => void;
  /** By height of the block after which it holds. */
  readonly #after: ModelStatus[];
  /** By height; of genesis only the time counts. */
  readonly #blocks: Block[];

  constructor(
    { genesis, managerIds }: Consortium,
    onChange: (change: ModelChange) => void = () => {},
  ) {
    this.#onChange = onChange;
    this.#policy = genesis.policy;
    this.#managersCount = managerIds.length;
    const nodes = new Map<string, ModelNode>();
    for (const { operation } of genesis.genesis.operations) {
      if (operation.case !== "admitStorageNode") continue;
      const { nodeId, sponsorId } = operation.value;
      const clean = { suspension: undefined, auditFailed: false, stored: 0n };
      nodes.set(nodeId, { sponsorId, credit: 100, reward: 0n, ...clean });
    }
    this.#after = [{ nodes, open: [], byteMs: 0n }];
    const { timestampMs } = genesis;
    const nothing = { leaves: [], sealedBytes: 0, beacon: new Uint8Array() };
    this.#blocks = [{ height: 0, timestampMs, ...nothing }];
  }

  /** Blocks come in order; one that is known changes nothing. */
  add(block: ParsedBlock): void {
    const { height, timestampMs, leaves, sealedBytes, header } = block;
    if (this.#after[height] !== undefined) return;
    this.#after[height] = this.#next(block);
    this.#blocks[height] = { height, timestampMs, leaves, sealedBytes, beacon: header.beacon };
  }

  after(height: number): ModelStatus {
    return defined(this.#after[height], "blocks come in order");
  }

  /** At most ⌈X/N⌉ of those that are not suspended per sponsor, the first by id; sorted. */
  eligibleBefore(height: number): readonly string[] {
    const able = [...this.after(height - 1).nodes].filter(([, { suspension, credit }]) => {
      return suspension === undefined && credit >= this.#policy.boycottLine;
    });
    const share = Math.ceil(able.length / this.#managersCount);
    const bySponsor = new Map<string, string[]>();
    for (const [id, { sponsorId }] of able) {
      bySponsor.set(sponsorId, [...(bySponsor.get(sponsorId) ?? []), id].sort());
    }
    return [...bySponsor.values()].flatMap((ids) => ids.slice(0, share)).sort();
  }

  #next({ height, timestampMs, header, control, previousCertificates }: ParsedBlock): ModelStatus {
    const before = this.after(height - 1);
    const last = defined(this.#blocks[height - 1], "blocks come in order");
    const byteMs = before.byteMs + BigInt(last.sealedBytes * (timestampMs - last.timestampMs));
    const nodes = new Map([...before.nodes].map(([id, node]) => [id, { ...node }]));
    const open = before.open.map(({ height: of, missing, audited }) => {
      return { height: of, missing: new Set(missing), audited: new Set(audited) };
    });
    const integrity = previousCertificates?.integrity;
    if (integrity !== undefined) {
      const signers = integrity.signatures.map(({ nodeId }) => nodeId);
      const { matchReward } = this.#policy;
      for (const id of signers) {
        match(nodeOf(nodes, id), this.#earned(byteMs), matchReward);
        this.#onChange("match");
      }
      const eligible = this.eligibleBefore(last.height);
      const size = Math.floor((2 * eligible.length) / 3) + 1;
      const committee = drawn("committee", last.beacon, integrity.round, eligible, size);
      const { auditsPerBlock } = this.#policy;
      const audits = auditsPerBlock && Math.max(auditsPerBlock, Math.ceil(signers.length / 50));
      const audited = drawn("audited", header.beacon, last.height, signers, audits);
      for (const _ of audited) this.#onChange("audit drawn");
      const missing = new Set(committee.filter((id) => !signers.includes(id)));
      open.push({ height: last.height, missing, audited: new Set(audited) });
    }
    const stored = this.#earned(byteMs);
    for (const operation of control) {
      for (const change of apply(operation, { nodes, open, stored })) this.#onChange(change);
    }
    for (const { missing, audited } of open.filter((each) => each.height <= height - 8)) {
      for (const id of missing) {
        const node = nodeOf(nodes, id);
        if (node.suspension !== undefined) continue;
        lose(node, 1);
        this.#onChange("unseen");
      }
      for (const id of audited) {
        nodeOf(nodes, id).auditFailed = false;
        this.#onChange("audit-passed");
      }
    }
    for (const node of nodes.values()) {
      if (node.credit >= this.#policy.boycottLine || node.suspension === "boycotted") continue;
      node.suspension = "boycotted";
      this.#onChange("boycotted");
    }
    return { nodes, open: open.filter((each) => each.height > height - 8), byteMs };
  }

  #earned(byteMs: bigint): bigint {
    const kibSeconds = byteMs / 1_024_000n;
    return (kibSeconds * this.#policy.storageReward) / (1_048_576n * 86_400n);
  }
}

function match(node: ModelNode, stored: bigint, matchReward: bigint): void {
  node.credit = Math.min(1_000, node.credit + 1);
  node.reward += matchReward + (node.auditFailed ? 0n : stored - node.stored);
  node.stored = stored;
}

function lose(node: ModelNode, credit: number): void {
  node.credit = Math.max(0, node.credit - credit);
}

function nodeOf(nodes: ReadonlyMap<string, ModelNode>, id: string): ModelNode {
  return defined(nodes.get(id), "nobody joins or leaves a simulation");
}

function apply(
  { operation }: ControlOperation,
  { nodes, open, stored }: Pick<ModelStatus, "nodes" | "open"> & Pick<ModelNode, "stored">,
): readonly ModelChange[] {
  const committeeOf = (height: bigint) =>
    defined(
      open.find((each) => BigInt(each.height) === height),
      "the committee is open",
    );
  switch (operation.case) {
    case "suspendStorageNode":
      nodeOf(nodes, operation.value.nodeId).suspension = "unreachable";
      return ["unreachable"];
    case "returnStorageNode":
      Object.assign(nodeOf(nodes, operation.value.nodeId), { suspension: undefined, stored });
      return ["returned"];
    case "carryAttestations":
      return operation.value.attestations.map(({ nodeId, mismatch }) => {
        const wasMissing = committeeOf(operation.value.height).missing.delete(nodeId);
        if (!wasMissing) throw new Error(`${nodeId} was not missing`);
        const node = nodeOf(nodes, nodeId);
        if (mismatch !== undefined) lose(node, 50);
        else if (node.credit < 100) node.credit += 1;
        return mismatch === undefined ? "late" : "mismatch";
      });
    case "failAudit": {
      const { nodeId, height } = operation.value;
      if (!committeeOf(height).audited.delete(nodeId)) throw new Error(`${nodeId} was not drawn`);
      for (const each of open) if (BigInt(each.height) < height) each.audited.delete(nodeId);
      Object.assign(nodeOf(nodes, nodeId), { auditFailed: true, stored });
      lose(nodeOf(nodes, nodeId), 100);
      return ["audit-failed"];
    }
  }
  return [];
}

/** Draws without replacement, by the platform's own SHAKE256; sorted. */
function drawn(
  what: "committee" | "audited",
  beacon: Uint8Array,
  number: number,
  from: readonly string[],
  size: number,
): readonly string[] {
  const hash = createHash("shake256", { outputLength: 4_096 });
  const stream = hash.update(`bss/v1/${what}`).update(beacon).update(u64be(number)).digest();
  const left = from.toSorted();
  const chosen: string[] = [];
  for (let at = 0; chosen.length < size && left.length > 0; at += 4) {
    const value = stream.readUInt32BE(at);
    if (value >= 2 ** 32 - (2 ** 32 % left.length)) continue;
    const place = value % left.length;
    chosen.push(defined(left[place], "a place in the list"));
    left[place] = defined(left[0], "the list is not empty");
    left.shift();
  }
  return chosen.sort();
}
