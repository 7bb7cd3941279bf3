/**
 * Messages of managers as far as they can be judged by themselves: parts that must be there,
 * ranges, blocks that hang together.
 */

import { err, ok, type Result } from "../../base/result.js";
import type { ParsedCandidate } from "../../consensus/attestation/attestor.js";
import { hashBytes } from "../../crypto/hash.js";
import type { BlockCertificates } from "../../gen/bss/v1/block_pb.js";
import type {
  CommitBlock,
  StorageBlocks,
  VerifyCandidate,
} from "../../gen/bss/v1/verify_integrity_pb.js";
import { type ParsedBlock, parseBlock } from "../../ledger/blocks/block-parsing.js";
import type { Violation } from "../../ledger/violation.js";
import { safeInteger } from "../../ledger/wire.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { SyncAnswer } from "../../sync/sync-events.js";
import type { SyncBlock } from "../../sync/sync-window.js";

/** Final blocks in one answer; a node asks for fewer. */
export const blocksPerAnswerMax = 100;

/** A block with its sealed records, not yet held against anything. */
export type ShippedBlock = {
  readonly block: ParsedBlock;
  readonly sealedRecords: readonly Uint8Array[];
};

/** Certificates that say that a block is final, and perhaps the block. */
export type ParsedCommit = {
  readonly height: number;
  /** 32 bytes. */
  readonly blockId: Uint8Array;
  readonly certificates: BlockCertificates;
  readonly shipped?: ShippedBlock;
};

/** A final block that was asked for. */
export type ShippedFinalBlock = ShippedBlock &
  SyncBlock & { readonly certificates: BlockCertificates };

export function parseCandidate(message: VerifyCandidate): Result<ParsedCandidate, DropReason> {
  const { round, block, sealedRecords, approval } = message;
  if (block === undefined || approval === undefined) return err(malformed);
  const parsed = parseBlock(block);
  if (!parsed.ok) return err(parsed.error.reason);
  return ok({ round, block: parsed.value, sealedRecords, approval });
}

export function parseCommit({
  certificates,
  block,
}: CommitBlock): Result<ParsedCommit, DropReason> {
  const commit = certificates?.commit;
  if (certificates === undefined || commit === undefined) return err(malformed);
  const height = safeInteger(commit.height, 1);
  const { blockId } = commit;
  if (height === undefined || blockId.length !== hashBytes) return err(malformed);
  if (block === undefined) return ok({ height, blockId, certificates });
  if (block.block === undefined) return err(malformed);
  const parsed = parseBlock(block.block);
  if (!parsed.ok) return err(parsed.error.reason);
  const shipped = { block: parsed.value, sealedRecords: block.sealedRecords };
  return ok({ height, blockId, certificates, shipped });
}

/** The blocks of an answer up to the first one that is malformed. */
export function parseAnswer(
  peer: string,
  { blocks, headHeight }: StorageBlocks,
): Omit<SyncAnswer<ShippedFinalBlock>, "kind"> {
  const parsed: ShippedFinalBlock[] = [];
  const height = safeInteger(headHeight) ?? 0;
  for (const { block, sealedRecords, certificates } of blocks.slice(0, blocksPerAnswerMax)) {
    const next = block === undefined || certificates === undefined ? undefined : parseBlock(block);
    if (next === undefined || certificates === undefined || !next.ok) {
      const reason = next === undefined ? malformed : reasonOf(next);
      return { peer, blocks: parsed, headHeight: height, malformed: reason };
    }
    const shipped = { block: next.value, sealedRecords, certificates };
    parsed.push({ ...shipped, height: next.value.height, byteCount: byteCountOf(shipped) });
  }
  const answer = { peer, blocks: parsed, headHeight: height };
  return blocks.length > blocksPerAnswerMax ? { ...answer, malformed } : answer;
}

/** About the memory that a block takes: its records, its leaves, and what is around them. */
function byteCountOf({ block, sealedRecords }: ShippedBlock): number {
  const sealed = sealedRecords.reduce((sum, { length }) => sum + length, 0);
  return 4_096 + sealed + block.leaves.length * 256;
}

const malformed: DropReason = "MESSAGE_MALFORMED";

function reasonOf(result: Result<unknown, Violation>): DropReason {
  return result.ok ? malformed : result.error.reason;
}
