/**
 * A received block's submissions and records, parsed, and the state keys that its execution can
 * touch. It stands between parsing and validating because the keys have to be fetched before
 * the rules run.
 */
import { defined } from "../../base/assert.js";
import { ok, type Result } from "../../base/result.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { blockIntervalsMax, intervalsOf } from "../records/intervals.js";
import { type ParsedRecord, parseRecord } from "../records/records.js";
import { parseSignedHeader, type SignedHeader } from "../records/submissions.js";
import { readKeysOfSubmission } from "../state/effects.js";
import { readKeysOfOperation } from "../state/state-operations.js";
import { refuse, type Violation } from "../violation.js";
import type { ParsedManagerBlock } from "./manager-blocks.js";

/** A submission, or the part of one, that a block adds. */
type ContentEntry = SignedHeader & {
  /** Those that the block adds, in the order of its leaves. */
  readonly records: readonly ParsedRecord[];
  /** Index of the first of them among the block's leaves. */
  readonly firstLeaf: number;
};

export type BlockContent = {
  readonly entries: readonly ContentEntry[];
  /** Every state key that executing the block can read or write; with repeats. */
  readonly readKeys: readonly Uint8Array[];
};

/**
 * Parses the content of a block whose parts fit each other. Refuses with BLOCK_TOO_LARGE, and like
 * `parseSignedHeader` and `parseRecord` with the path of the entry or record.
 */
export function parseContent(
  parsed: ParsedManagerBlock,
  consortiumId: Uint8Array,
  policy: Policy,
): Result<BlockContent, Violation> {
  const tooLarge = checkSize(parsed, policy);
  if (!tooLarge.ok) return tooLarge;
  const entries: ContentEntry[] = [];
  let intervals = 0;
  for (const [i, entry] of parsed.privateEntries.entries()) {
    const { known } = entry;
    const header =
      known === undefined
        ? parseSignedHeader(consortiumId, entry.headerBytes, entry.signature, policy)
        : ok(known);
    if (!header.ok) return at(`private_entries[${i}]`, header.error);
    const records: ParsedRecord[] = [];
    for (const [place, index] of entry.recordIndexes.entries()) {
      const leaf = entry.firstLeaf + place;
      // Of a submission that is known, the block's record has the hash, so it has the bytes.
      const bytes = defined(parsed.records[leaf], "a parsed block has a record for each index");
      const parsedBefore = known?.records[index];
      const record = parsedBefore ? ok(parsedBefore) : parseRecord(consortiumId, bytes, policy);
      if (!record.ok) return at(`records[${leaf}]`, record.error);
      records.push(record.value);
      intervals += intervalsOf([record.value]);
      // Here and not at the end, so that no more is parsed than a block may hold.
      if (intervals <= blockIntervalsMax) continue;
      const message = `The records are of more than ${blockIntervalsMax} intervals of meters.`;
      return refuse("BLOCK_TOO_LARGE", message, "records");
    }
    const { id, idHex, headerBytes, signature, participantId } = header.value;
    const signed = { id, idHex, header: header.value.header, headerBytes, signature };
    entries.push({ ...signed, participantId, records, firstLeaf: entry.firstLeaf });
  }
  const readKeys = [
    ...parsed.control.flatMap(readKeysOfOperation),
    ...entries.flatMap(readKeysOfSubmission),
  ];
  return ok({ entries, readKeys });
}

/** The refusal of a part of a block, with the part's path in front of the field. */
export function at(path: string, { reason, message, field }: Violation): Result<never, Violation> {
  return refuse(reason, message, field === undefined ? path : `${path}.${field}`);
}

function checkSize(
  { records, privateEntries }: ParsedManagerBlock,
  { blockRecordsMax, blockBytesMax }: Policy,
): Result<undefined, Violation> {
  if (records.length > blockRecordsMax) {
    const message = `The block adds ${records.length} records, at most ${blockRecordsMax} are allowed.`;
    return refuse("BLOCK_TOO_LARGE", message, "records");
  }
  const recordBytes = records.reduce((sum, bytes) => sum + bytes.length, 0);
  if (recordBytes > blockBytesMax) {
    const message = `The records have ${recordBytes} bytes, at most ${blockBytesMax} are allowed.`;
    return refuse("BLOCK_TOO_LARGE", message, "records");
  }
  const headerBytes = privateEntries.reduce((sum, { headerBytes }) => sum + headerBytes.length, 0);
  if (headerBytes <= blockBytesMax) return ok(undefined);
  const message = `The submission headers have ${headerBytes} bytes, at most ${blockBytesMax} are allowed.`;
  return refuse("BLOCK_TOO_LARGE", message, "private_entries");
}
