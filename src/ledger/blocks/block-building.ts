/**
 * Making a block: what the manager whose turn it is puts together from its pool.
 *
 * The result is what `validateBlock` accepts, because both run the same execution. The proposer
 * brings what needs a clock, a secret or its own memory: the timestamp, the beacon with its proof,
 * and the previous block's certificates.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { assert } from "../../base/assert.js";
import { emptyBytes } from "../../base/bytes.js";
import {
  BlockCertificatesSchema,
  BlockSchema,
  type ManagerBlock,
  ManagerBlockHeaderSchema,
  ManagerBlockSchema,
  PrivateEntrySchema,
} from "../../gen/bss/v1/block_pb.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type Policy,
} from "../../gen/bss/v1/genesis_pb.js";
import type { Members } from "../members/members.js";
import { rootOfLeafHashes } from "../merkle/frontier.js";
import type { ParsedSubmission } from "../records/submissions.js";
import type { LedgerHead } from "../state/head.js";
import type { StateView } from "../state/state.js";
import type { BlockStart } from "../storage-nodes/storage-nodes-draft.js";
import { type Violation, violation } from "../violation.js";
import { decodeCanonical, encode } from "../wire.js";
import {
  type DuplicateRecord,
  type Filling,
  fillBlock,
  type RecordObjection,
} from "./block-filling.js";
import {
  blockId,
  bodyDigest,
  certificatesDigest,
  controlRoot,
  privateRoot,
} from "./block-hashes.js";
import {
  controlBytesMax,
  controlOperationBytesMax,
  controlOperationsMax,
} from "./block-parsing.js";
import {
  type BlockOutcome,
  concludeExecution,
  type ExecutedBlock,
  executedBlock,
  storageSuffices,
} from "./executed-block.js";
import { BlockExecution } from "./execution.js";
import { type KnownWork, nothingKnown } from "./known-work.js";

type BuildOptions = {
  /** The block is built on this one. */
  readonly head: LedgerHead;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  /** The proposer of the next height and `createdRound`. */
  readonly proposerId: string;
  readonly createdRound: number;
  /** Unix ms, after the head's. */
  readonly timestampMs: number;
  /** 80 bytes: the proposer's VRF proof over `beaconInput`. */
  readonly beaconProof: Uint8Array;
  /** 64 bytes: its output. */
  readonly beacon: Uint8Array;
  /** Encoded BlockCertificates of the head; left out on genesis only. */
  readonly previousCertificates?: Uint8Array;
  readonly control: readonly ControlOperation[];
  /**
   * In the order in which they are tried. Their own and their trades' signatures
   * have been verified.
   */
  readonly candidates: readonly ParsedSubmission[];
  /** Fewer records than the policy allows, if the block is to be smaller. */
  readonly recordsMax?: number;
  /** Hashes, in hex, of records that are left out, such as those that others object to. */
  readonly excluded?: ReadonlySet<string>;
  /** The state after the head, with the keys of all candidates and operations. */
  readonly state: StateView;
  /** 32 bytes. */
  readonly epochKey: Uint8Array;
  /** What has been worked out of the candidates' records before. */
  readonly known?: KnownWork;
  /**
   * Storage nodes have failed to attest a block on this head: one that changes who may attest
   * holds no records, so that it becomes final without those who may now.
   */
  readonly unattested: boolean;
};

type RefusedOperation = {
  readonly operation: ControlOperation;
  readonly violation: Violation;
};

export type BuiltBlock = {
  readonly block: ManagerBlock;
  readonly executed: ExecutedBlock;
  /** Records that break a rule. Those that only found no room are not among them. */
  readonly objections: readonly RecordObjection[];
  /** Records that are on the ledger already. */
  readonly duplicates: readonly DuplicateRecord[];
  readonly refusedOperations: readonly RefusedOperation[];
};

/** Builds the next block. Wrong candidates and operations are left out and reported. */
export function buildBlock(options: BuildOptions): BuiltBlock {
  const { head, policy, timestampMs, epochKey, known = nothingKnown } = options;
  checkOptions(options);
  const execution = new BlockExecution({
    state: options.state,
    policy,
    timestampMs,
    members: head.members,
    height: head.height + 1,
    firstPosition: head.frontier.size,
    start: startOf(options),
  });
  const { control, refusedOperations } = addOperations(execution, options.control);
  const filling = fill(execution, options);
  const outcome = concludeExecution(execution, head, { epochKey, known });
  const block = assemble(options, outcome, control, filling);
  const { createdRound, proposerId, beacon } = options;
  const identity = {
    createdRound,
    proposerId,
    timestampMs,
    beacon,
    blockId: blockId(block.block?.header ?? emptyBytes),
  };
  const executed = executedBlock(outcome, head, identity, policy);
  const { objections, duplicates } = filling;
  return { block, executed, objections, duplicates, refusedOperations };
}

function checkOptions(options: BuildOptions): void {
  const { head, proposerId, createdRound, timestampMs, previousCertificates } = options;
  const proposer = head.members.proposer(head.height + 1, createdRound);
  assert(proposerId === proposer, "a block is built by the manager whose turn it is");
  assert(timestampMs > head.timestampMs, "a block's timestamp is after its parent's");
  assert(
    (previousCertificates !== undefined) === (head.facts !== undefined),
    "a block carries the certificates of the one before, if that has any",
  );
}

function startOf({ head, beacon, previousCertificates }: BuildOptions): BlockStart {
  const { facts, timestampMs: previousTimestampMs } = head;
  if (facts === undefined || previousCertificates === undefined) {
    return { beacon, previousTimestampMs };
  }
  const { integrity } = fromBinary(BlockCertificatesSchema, previousCertificates);
  return { beacon, previousTimestampMs, previous: { facts, integrity } };
}

function addOperations(
  execution: BlockExecution,
  operations: readonly ControlOperation[],
): {
  readonly control: readonly Uint8Array[];
  readonly refusedOperations: readonly RefusedOperation[];
} {
  const control: Uint8Array[] = [];
  const refusedOperations: RefusedOperation[] = [];
  let byteCount = 0;
  for (const operation of operations) {
    const bytes = encode(ControlOperationSchema, operation);
    // Operations for which there is no room wait for the next block.
    if (control.length === controlOperationsMax) break;
    if (byteCount + bytes.length > controlBytesMax) break;
    const refused = isReadable(bytes)
      ? execution.tryOperation(operation)
      : violation("OPERATION_INVALID", "The operation has no canonical form that fits a block.");
    if (refused !== undefined) {
      refusedOperations.push({ operation, violation: refused });
      continue;
    }
    control.push(bytes);
    byteCount += bytes.length;
  }
  return { control, refusedOperations };
}

/** Whether those who check the block will read the operation: short, and without unknown fields. */
function isReadable(bytes: Uint8Array): boolean {
  return (
    bytes.length <= controlOperationBytesMax &&
    decodeCanonical(ControlOperationSchema, bytes) !== undefined
  );
}

function fill(execution: BlockExecution, options: BuildOptions): Filling {
  const { head, policy, candidates, recordsMax = policy.blockRecordsMax } = options;
  const { excluded = new Set(), unattested } = options;
  const isWithout = unattested && changesEligible(execution, head.members, policy);
  if (isWithout || !storageSuffices(head.members, policy)) {
    return { entries: [], objections: [], duplicates: [] };
  }
  return fillBlock({ execution, candidates, policy, recordsMax, excluded });
}

/** Whether committees are drawn from other storage nodes after the block than before it. */
function changesEligible(execution: BlockExecution, before: Members, policy: Policy): boolean {
  const eligible = execution.members().eligibleStorageNodes(policy);
  return eligible.join() !== before.eligibleStorageNodes(policy).join();
}

function assemble(
  options: BuildOptions,
  outcome: BlockOutcome,
  control: readonly Uint8Array[],
  { entries }: Filling,
): ManagerBlock {
  const { head, consortiumId, previousCertificates = emptyBytes } = options;
  const { leaves, leafHashes, frontier, hash1, members, placed } = outcome;
  const privateEntries = entries.map((entry) => encode(PrivateEntrySchema, entry));
  const roots = {
    controlRoot: controlRoot(control),
    leavesRoot: rootOfLeafHashes(leafHashes),
    privateRoot: privateRoot(privateEntries),
  };
  const header = create(ManagerBlockHeaderSchema, {
    consortiumId,
    height: BigInt(head.height + 1),
    previousBlockId: head.blockId,
    createdRound: options.createdRound,
    proposerId: options.proposerId,
    timestampUnixMs: BigInt(options.timestampMs),
    treeSize: BigInt(frontier.size),
    hash1,
    sealedBytes: BigInt(outcome.sealedBytes),
    membersDigest: members.digest(),
    previousStateDigest: head.stateDigest,
    bodyDigest: bodyDigest(roots),
    certificatesDigest: certificatesDigest(previousCertificates),
    beacon: options.beacon,
    beaconProof: options.beaconProof,
  });
  const block = create(BlockSchema, {
    header: encode(ManagerBlockHeaderSchema, header),
    control: [...control],
    leaves: [...leaves],
    privateRoot: roots.privateRoot,
    previousCertificates,
  });
  const records = placed.map(({ record }) => record.bytes);
  return create(ManagerBlockSchema, { block, privateEntries, records });
}
