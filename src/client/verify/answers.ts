/**
 * Checks answers against what was asked. A manager may lag, err or lie. Content with another hash,
 * a block with another id, or a proof that does not hold throws `UntrueAnswer` and never reaches
 * the caller as data.
 */
import { emptyBytes, equalBytes, toHex } from "../../base/bytes.js";
import { SignatureCache } from "../../crypto/signature-cache.js";
import type {
  BlockView,
  GetConsistencyProofResponse,
  RecordEntry,
} from "../../gen/bss/v1/query_pb.js";
import { type Record, RecordSchema } from "../../gen/bss/v1/record_pb.js";
import type { ForkProof } from "../../gen/bss/v1/vote_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import { checkForkProof, signersOfBoth } from "../../ledger/certificates/fork-proofs.js";
import type { GenesisState } from "../../ledger/genesis.js";
import { verifyConsistency } from "../../ledger/merkle/verify.js";
import { recordHash } from "../../ledger/records/record-hash.js";
import { strictDecode } from "../../ledger/strict-decode.js";
import { safeInteger } from "../../ledger/wire.js";

/**
 * The answer of a node does not prove what it claims: the node is faulty, or it lies, or what it
 * was checked against is the genesis of another consortium.
 */
export class UntrueAnswer extends Error {
  override readonly name = "UntrueAnswer";
  /** What a person should do next. */
  readonly next =
    "check that genesis.json is the consortium's, byte for byte; if it is, ask another manager, and " +
    "tell the consortium's operators";
}

/** A record, as far as the caller may see it. Its content has been checked against its hash. */
export type LedgerRecord = {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly height: number;
  /** Index of its leaf in the Merkle log. */
  readonly position: number;
  /** 32 bytes. */
  readonly sealDigest: Uint8Array;
  /** Absent for callers that are not a party of the record. */
  readonly content?: {
    /** The exact bytes. */
    readonly bytes: Uint8Array;
    readonly record: Record;
    /** 32 bytes: the version that updates this one. */
    readonly successor?: Uint8Array;
  };
};

/**
 * A tree size, and its root if the caller holds it, for instance from a receipt that it has
 * checked.
 */
export type TreeHead = { readonly treeSize: number; readonly root?: Uint8Array };

/** A record of an answer. Throws `UntrueAnswer` when its content does not have its hash. */
export function checkedRecord(
  entry: RecordEntry | undefined,
  consortiumId: Uint8Array,
): LedgerRecord {
  if (entry === undefined) throw new UntrueAnswer("the answer holds no record");
  const { recordHash: hash, sealDigest } = entry;
  const height = safeInteger(entry.height, 1);
  const position = safeInteger(entry.position);
  if (height === undefined || position === undefined) {
    throw new UntrueAnswer(`the place of record ${toHex(hash)} is out of range`);
  }
  const place = { hash, height, position, sealDigest };
  if (entry.record === undefined) return place;
  const bytes = entry.record;
  const decoded = strictDecode(RecordSchema, bytes);
  if (!equalBytes(recordHash(consortiumId, bytes), hash) || !decoded.ok) {
    throw new UntrueAnswer(`the content of record ${toHex(hash)} is not what was hashed`);
  }
  const later = entry.successor.length === 0 ? {} : { successor: entry.successor };
  return { ...place, content: { bytes, record: decoded.value, ...later } };
}

/**
 * The versions of one record, oldest first. Throws `UntrueAnswer` for one that does not update the
 * one before it, as far as their content may be seen, and when `asked` is not among them.
 */
export async function* checkedVersions(
  versions: AsyncIterable<LedgerRecord>,
  asked: Uint8Array,
): AsyncGenerator<LedgerRecord, void, undefined> {
  let previous = emptyBytes;
  let found = false;
  for await (const version of versions) {
    const { hash, content } = version;
    if (content !== undefined && !equalBytes(content.record.parent, previous)) {
      throw new UntrueAnswer(`version ${toHex(hash)} does not update the one before it`);
    }
    found ||= equalBytes(hash, asked);
    previous = hash;
    yield version;
  }
  if (!found) throw new UntrueAnswer("the history does not hold the record that was asked for");
}

/**
 * A block of an answer and the id of the one before it. Throws `UntrueAnswer` when it is not the
 * block of its id and height.
 */
export function checkedBlock(
  view: BlockView | undefined,
  wanted: { readonly height?: number; readonly blockId?: Uint8Array } = {},
): { readonly view: BlockView; readonly previousBlockId: Uint8Array } {
  const header = view?.block?.header;
  if (view === undefined || header === undefined)
    throw new UntrueAnswer("the answer is not a block");
  const parsed = parseHeader(header);
  if (!parsed.ok) throw new UntrueAnswer(`the answer is not a block: ${parsed.error.message}`);
  const { height } = parsed.value;
  const id = wanted.blockId ?? view.blockId;
  const isBlock = equalBytes(blockId(header), id) && equalBytes(view.blockId, id);
  if (!isBlock || view.height !== BigInt(height) || height !== (wanted.height ?? height)) {
    throw new UntrueAnswer(`the answer is not block ${toHex(id)}, as it claims`);
  }
  return { view, previousBlockId: parsed.value.header.previousBlockId };
}

/**
 * Throws `UntrueAnswer` unless the proof holds and is about the sizes and roots that the caller
 * named.
 */
export function checkConsistencyProof(
  proof: GetConsistencyProofResponse,
  from: TreeHead,
  to: TreeHead | undefined,
): void {
  checkTreeHead(from, proof.fromTreeSize, proof.fromRoot);
  if (to !== undefined) checkTreeHead(to, proof.toTreeSize, proof.toRoot);
  const claim = {
    fromSize: Number(proof.fromTreeSize),
    toSize: Number(proof.toTreeSize),
    fromRoot: proof.fromRoot,
    toRoot: proof.toRoot,
    proof: proof.proof,
  };
  if (verifyConsistency(claim)) return;
  const sizes = `${proof.fromTreeSize} and ${proof.toTreeSize}`;
  throw new UntrueAnswer(`the proof between ${sizes} records does not hold`);
}

function checkTreeHead(wanted: TreeHead, treeSize: bigint, root: Uint8Array): void {
  if (treeSize !== BigInt(wanted.treeSize)) {
    throw new UntrueAnswer(`asked for ${wanted.treeSize} records, the proof is about ${treeSize}`);
  }
  if (wanted.root !== undefined && !equalBytes(wanted.root, root)) {
    const roots = `${toHex(root)} instead of ${toHex(wanted.root)}`;
    throw new UntrueAnswer(`the root over ${treeSize} records is ${roots}`);
  }
}

/** Two different blocks of one height that managers made final. */
export type ProvenFork = {
  readonly height: number;
  /** 32 bytes each. */
  readonly blockIds: readonly [Uint8Array, Uint8Array];
  /** Managers that committed to both: more than f of them broke the rules. */
  readonly accusedIds: readonly string[];
};

/** The fork that a node claims; undefined if the proof does not hold by the keys in genesis. */
export async function provenFork(
  proof: ForkProof,
  { members, consortiumId }: GenesisState,
): Promise<ProvenFork | undefined> {
  const { first, second } = proof;
  const checks = checkForkProof(proof, members, consortiumId);
  if (first === undefined || second === undefined || !checks.ok) return undefined;
  if ((await new SignatureCache().firstInvalid(checks.value)) !== undefined) return undefined;
  return {
    height: Number(first.height),
    blockIds: [first.blockId, second.blockId],
    accusedIds: signersOfBoth(first, second),
  };
}
