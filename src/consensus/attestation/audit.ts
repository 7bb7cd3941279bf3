/**
 * Showing that stored records are there.
 *
 * With each attestation a storage node hashes some of the sealed records that it holds. Which ones
 * follows from the block's beacon, that nobody knew before, and from the node's id, so that one
 * node's digest is of no use to another:
 *
 *     stream    = SHAKE256("bss/v1/draw-audit" ‖ beacon ‖ node_id)
 *     T         = records stored before the block
 *     draw      = the next 8 bytes of the stream, big-endian, that are below ⌊2^64 / T⌋ · T
 *     position  = draw mod T
 *     audit     = SHA-256("bss/v1/audit" ‖ beacon ‖ node_id ‖ sealed_1 ‖ … ‖ sealed_k)
 *
 * k is the policy's audit_records. Draws are independent, so a position may come twice; it is then
 * hashed twice. With an empty log there is nothing to draw. Larger draws are rejected because they
 * would favour low positions. Anyone who holds the sealed records can compute the digest again.
 */
import { assert } from "../../base/assert.js";
import { readU64be, utf8 } from "../../base/bytes.js";
import { createShake256Reader, domain, domainBytes, taggedHash } from "../../crypto/hash.js";
import { isTreeSize } from "../../ledger/merkle/nodes.js";

type AuditDraw = {
  /** 64 bytes: the block's. */
  readonly beacon: Uint8Array;
  readonly nodeId: string;
  /** Records on the ledger before the block. */
  readonly treeSize: number;
  /** How many to draw: the policy's audit_records. */
  readonly count: number;
};

const drawBytes = 8;
const drawRange = 2n ** 64n;

/** Positions in the Merkle log of the records to hash, in the order in which they are hashed. */
export function auditPositions({ beacon, nodeId, treeSize, count }: AuditDraw): readonly number[] {
  assert(isTreeSize(treeSize) && isTreeSize(count), "sizes and counts are safe integers");
  if (treeSize === 0) return [];
  const bound = BigInt(treeSize);
  const limit = (drawRange / bound) * bound;
  const read = createShake256Reader(domainBytes(domain.auditDraw), beacon, utf8(nodeId));
  const positions: number[] = [];
  while (positions.length < count) {
    const draw = readU64be(read(drawBytes));
    if (draw < limit) positions.push(Number(draw % bound));
  }
  return positions;
}

/** The audit digest over the sealed records at the drawn positions, 32 bytes. */
export function auditDigest(
  beacon: Uint8Array,
  nodeId: string,
  sealed: readonly Uint8Array[],
): Uint8Array {
  return taggedHash(domain.audit, beacon, utf8(nodeId), ...sealed);
}
