/** Submissions that wait for a block, kept so that an ACCEPTED one survives a restart. */
import { fromBinary } from "@bufbuild/protobuf";
import { toHex } from "../../base/bytes.js";
import { type ManagerBlock, PrivateEntrySchema } from "../../gen/bss/v1/block_pb.js";
import {
  type Submission,
  SubmissionHeaderSchema,
  SubmissionSchema,
} from "../../gen/bss/v1/record_pb.js";
import { type ParsedSubmission, submissionId } from "../../ledger/records/submissions.js";
import { buckets } from "../buckets.js";
import { bucketKey, bucketRange } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";
import { putMessage, storedMessage } from "./stored-values.js";

export type PoolLimits = { readonly submissionsMax: number; readonly bytesMax: number };

/** Few, as each may have megabytes. */
const submissionsPerPage = 16;

function poolKey(id: Uint8Array): Uint8Array {
  return bucketKey(buckets.pool, id);
}

export function savePooled(
  kv: KeyValueStore,
  { id, message }: Pick<ParsedSubmission, "id" | "message">,
): Promise<void> {
  return kv.write([putMessage(poolKey(id), SubmissionSchema, message)], "sync");
}

/** If a crash undoes a deletion, no harm is done: what is on the ledger is not added again. */
export function deletePooled(kv: KeyValueStore, ids: readonly Uint8Array[]): Promise<void> {
  return kv.write(poolDeletions(ids), "buffered");
}

export function poolDeletions(ids: readonly Uint8Array[]): WriteOperation[] {
  return ids.map((id) => ({ type: "delete", key: poolKey(id) }));
}

/** Whether no submission waits on disk. */
export async function isPoolEmpty(kv: KeyValueStore): Promise<boolean> {
  return (await kv.range({ ...bucketRange(buckets.pool), limit: 1 })).length === 0;
}

/** The submissions that were waiting, in any order; those beyond the limits stay on disk. */
export async function loadPool(
  kv: KeyValueStore,
  { submissionsMax, bytesMax }: PoolLimits,
): Promise<readonly Submission[]> {
  const submissions: Submission[] = [];
  let bytes = 0;
  const range = { ...bucketRange(buckets.pool), pageEntries: submissionsPerPage };
  for await (const [, value] of kv.scan(range)) {
    bytes += value.length;
    if (submissions.length === submissionsMax || bytes > bytesMax) break;
    submissions.push(storedMessage(SubmissionSchema, value, "a waiting submission"));
  }
  return submissions;
}

/**
 * The submissions that are complete once the block is appended: it adds all their records, or their
 * other records are on the ledger already.
 */
export async function completedSubmissions(
  { block, privateEntries }: ManagerBlock,
  areOnLedger: (recordHashes: readonly Uint8Array[]) => Promise<boolean>,
): Promise<readonly Uint8Array[]> {
  const added = new Set(block?.leaves.map(({ recordHash }) => toHex(recordHash)));
  const completed: Uint8Array[] = [];
  for (const bytes of privateEntries) {
    const entry = fromBinary(PrivateEntrySchema, bytes);
    const { submissionHeader, signature, recordIndexes } = entry;
    const { recordHashes } = fromBinary(SubmissionHeaderSchema, submissionHeader);
    const isWhole = recordIndexes.length === recordHashes.length;
    const others = isWhole ? [] : recordHashes.filter((hash) => !added.has(toHex(hash)));
    if (others.length > 0 && !(await areOnLedger(others))) continue;
    completed.push(submissionId(submissionHeader, signature));
  }
  return completed;
}
