/**
 * The part of a block that only managers hold: the signed submission headers and the records.
 *
 * A private entry names a submission and which of its records this block adds. Entry by entry,
 * index by index, they give the block's leaves in order, so each record is bound three times: by
 * the signed header, by the leaf, by its own hash.
 */
import { equalBytes, toHex } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { hashBytes } from "../../crypto/hash.js";
import { type ManagerBlock, PrivateEntrySchema } from "../../gen/bss/v1/block_pb.js";
import { type SubmissionHeader, SubmissionHeaderSchema } from "../../gen/bss/v1/record_pb.js";
import { recordHash } from "../records/record-hash.js";
import { type ParsedSubmission, submissionId } from "../records/submissions.js";
import { strictDecode } from "../strict-decode.js";
import { refuse, type Violation, violation } from "../violation.js";
import { decodeCanonical, encode, hasUnknownFields } from "../wire.js";
import { recordBounds } from "../wire-bounds.js";
import { privateRoot } from "./block-hashes.js";
import { type ParsedBlock, parseBlock } from "./block-parsing.js";
import { type KnownWork, nothingKnown } from "./known-work.js";

/** A submission, or the part of one, that a block adds. */
type ParsedPrivateEntry = {
  readonly header: SubmissionHeader;
  /** The exact bytes, as signed. */
  readonly headerBytes: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** Ascending places in the header's record_hashes. */
  readonly recordIndexes: readonly number[];
  /** Index of the first of them among the block's leaves and records. */
  readonly firstLeaf: number;
  /** The submission of exactly this header and signature, if it has been parsed before. */
  readonly known?: ParsedSubmission;
};

export type ParsedManagerBlock = ParsedBlock & {
  readonly managerBlock: ManagerBlock;
  readonly privateEntries: readonly ParsedPrivateEntry[];
  /** Exact bytes of each added record, in the order of the leaves. */
  readonly records: readonly Uint8Array[];
};

/**
 * Reads a whole block. Refuses like `parseBlock`, and with RECORD_HASH_MISMATCH for a record, leaf
 * and header entry that do not agree. The submission headers' consortium and signatures, and the
 * records' content, are not looked at. `known` spares what has been parsed and hashed before; what
 * is found there is of exactly these bytes.
 */
export function parseManagerBlock(
  managerBlock: ManagerBlock,
  known: KnownWork = nothingKnown,
): Result<ParsedManagerBlock, Violation> {
  const { block, privateEntries: entries, records } = managerBlock;
  if (hasUnknownFields(managerBlock)) return malformed("There are unknown fields.");
  if (block === undefined) return malformed("The public block is missing.", "block");
  const parsed = parseBlock(block, known);
  if (!parsed.ok) return parsed;
  const { leaves, header } = parsed.value;
  if (records.length !== leaves.length) {
    return malformed("There are not as many records as leaves.", "records");
  }
  if (entries.length > leaves.length) {
    return malformed("An entry adds no record.", "private_entries");
  }
  if (!equalBytes(parsed.value.privateRoot, privateRoot(entries))) {
    const message = "The private root is not that of the private entries.";
    return refuse("BLOCK_ROOT_MISMATCH", message, "private_root");
  }
  const privateEntries = parseEntries(entries, leaves.length, known);
  if (!privateEntries.ok) return privateEntries;
  for (const entry of privateEntries.value) {
    const problem = checkRecords(entry, parsed.value, header.consortiumId, records);
    if (problem !== undefined) return err(problem);
  }
  return ok({ ...parsed.value, managerBlock, privateEntries: privateEntries.value, records });
}

function parseEntries(
  entries: readonly Uint8Array[],
  leafCount: number,
  known: KnownWork,
): Result<readonly ParsedPrivateEntry[], Violation> {
  const parsed: ParsedPrivateEntry[] = [];
  let firstLeaf = 0;
  for (const [i, bytes] of entries.entries()) {
    const path = `private_entries[${i}]`;
    const entry = parseEntry(bytes, { firstLeaf, path, known });
    if (!entry.ok) return entry;
    parsed.push(entry.value);
    firstLeaf += entry.value.recordIndexes.length;
    if (firstLeaf > leafCount) return malformed("The entries add more than the leaves.", path);
  }
  if (firstLeaf === leafCount) return ok(parsed);
  return malformed("The entries add less than the leaves.", "private_entries");
}

function parseEntry(
  bytes: Uint8Array,
  at: { readonly firstLeaf: number; readonly path: string; readonly known: KnownWork },
): Result<ParsedPrivateEntry, Violation> {
  const { firstLeaf, path } = at;
  const made = madeHere.get(bytes);
  if (made !== undefined) return ok({ ...made, firstLeaf });
  const entry = decodeCanonical(PrivateEntrySchema, bytes, recordBounds);
  if (entry === undefined) return malformed("A private entry does not decode.", path);
  const { submissionHeader: headerBytes, signature, recordIndexes } = entry;
  const known = knownOf(headerBytes, signature, at.known);
  const decoded =
    known === undefined ? strictDecode(SubmissionHeaderSchema, headerBytes) : ok(known.header);
  if (!decoded.ok) {
    const message = `A submission header does not decode: ${decoded.error}.`;
    return malformed(message, `${path}.submission_header`);
  }
  if (signature.length !== ed25519SignatureBytes) {
    return malformed("A signature has 64 bytes.", `${path}.signature`);
  }
  const header = decoded.value;
  if (recordIndexes.length === 0) return malformed("An entry adds no record.", path);
  let previous = -1;
  for (const [i, index] of recordIndexes.entries()) {
    const field = `${path}.record_indexes[${i}]`;
    if (index <= previous) return malformed("The indexes are not ascending.", field);
    if (header.recordHashes[index]?.length !== hashBytes) {
      return malformed("The header has no record hash of 32 bytes there.", field);
    }
    previous = index;
  }
  const parsed = { header, headerBytes, signature, recordIndexes, firstLeaf };
  return ok(known === undefined ? parsed : { ...parsed, known });
}

/** Entries that were encoded in this process, by the very array: nobody else has one of these. */
const madeHere = new WeakMap<Uint8Array, Omit<ParsedPrivateEntry, "firstLeaf">>();

/**
 * The private entry of some records of a submission, by their ascending places in it, at least one.
 * `parseManagerBlock` need not decode it again.
 */
export function privateEntryOf(known: ParsedSubmission, recordIndexes: number[]): Uint8Array {
  const { header, headerBytes, signature } = known;
  const parts = { submissionHeader: headerBytes, signature, recordIndexes };
  const bytes = encode(PrivateEntrySchema, parts);
  madeHere.set(bytes, { header, headerBytes, signature, recordIndexes, known });
  return bytes;
}

/** The submission of exactly these bytes: its id is their digest. */
function knownOf(
  headerBytes: Uint8Array,
  signature: Uint8Array,
  known: KnownWork,
): ParsedSubmission | undefined {
  if (known === nothingKnown || signature.length !== ed25519SignatureBytes) return undefined;
  return known.submission(toHex(submissionId(headerBytes, signature)));
}

function checkRecords(
  entry: ParsedPrivateEntry,
  { leaves }: ParsedBlock,
  consortiumId: Uint8Array,
  records: readonly Uint8Array[],
): Violation | undefined {
  for (const [i, index] of entry.recordIndexes.entries()) {
    const place = entry.firstLeaf + i;
    const expected = leaves[place]?.recordHash ?? new Uint8Array();
    const named = entry.header.recordHashes[index] ?? new Uint8Array();
    const bytes = records[place] ?? new Uint8Array();
    const parsed = entry.known?.records[index];
    const isKnown = parsed !== undefined && equalBytes(parsed.bytes, bytes);
    const actual = isKnown ? parsed.hash : recordHash(consortiumId, bytes);
    if (equalBytes(actual, expected) && equalBytes(named, expected)) continue;
    const message = "Record, leaf and submission header name different hashes.";
    return violation("RECORD_HASH_MISMATCH", message, `records[${place}]`);
  }
  return undefined;
}

function malformed(message: string, field?: string): Result<never, Violation> {
  return refuse("BLOCK_MALFORMED", message, field);
}
