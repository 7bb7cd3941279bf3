/**
 * Candidate blocks as managers send them to each other: header, control operations and certificates
 * as they are, and of each private entry only which submission it is and which of its records it
 * adds. Whoever has the submissions makes the rest of the block itself: entries and records are the
 * submissions' own bytes, leaves are what it seals.
 *
 * Nothing here has to be believed. A submission's id binds the exact bytes of header and signature,
 * the header those of the records, and the block that comes of it is parsed and judged like any
 * other: if it is not the header's, nothing is known about the block, and the whole body is needed.
 * What is rebuilt is bounded before it is made, as an entry of 40 bytes may name one of megabytes.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { equalBytes, toHex } from "../../base/bytes.js";
import { hashBytes } from "../../crypto/hash.js";
import {
  BlockSchema,
  type CompactBlock,
  CompactBlockSchema,
  type CompactEntry,
  type Leaf,
  type ManagerBlock,
  ManagerBlockSchema,
  PrivateEntrySchema,
} from "../../gen/bss/v1/block_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { SubmissionHeaderSchema } from "../../gen/bss/v1/record_pb.js";
import { recordHash } from "../records/record-hash.js";
import { type SealedLeaf, sealLeaf } from "../records/records.js";
import { type ParsedSubmission, submissionId } from "../records/submissions.js";
import { strictDecode } from "../strict-decode.js";
import { decodeCanonical } from "../wire.js";
import { recordBounds } from "../wire-bounds.js";
import { privateRoot } from "./block-hashes.js";
import {
  certificatesBytesMax,
  controlBytesMax,
  controlOperationsMax,
  headerBytesMax,
} from "./block-parsing.js";
import type { KnownWork } from "./known-work.js";
import { privateEntryOf } from "./manager-blocks.js";

/** A private entry with its records, as a manager fetches it that does not have the submission. */
export type FetchedEntry = {
  readonly privateEntry: Uint8Array;
  readonly records: readonly Uint8Array[];
};

type RebuildOptions = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Pick<Policy, "blockRecordsMax" | "blockBytesMax">;
  /** 32 bytes. */
  readonly epochKey: Uint8Array;
  readonly known: KnownWork;
  /** What others have sent of it, by place among the entries. */
  readonly fetched?: ReadonlyMap<number, FetchedEntry>;
};

export type Rebuilt =
  /** Whether it is the header's is still to be judged. */
  | { readonly kind: "block"; readonly block: ManagerBlock }
  /** Places of the entries whose submissions are not known. */
  | { readonly kind: "missing"; readonly entries: readonly number[] }
  /** It cannot be a block, or what was fetched is not what it names. */
  | { readonly kind: "wrong" };

/** The compact form of a block that this manager has made or judged. */
export function compactOf({ block, privateEntries }: ManagerBlock): CompactBlock {
  return create(CompactBlockSchema, {
    header: block?.header ?? new Uint8Array(),
    control: block?.control ?? [],
    previousCertificates: block?.previousCertificates ?? new Uint8Array(),
    entries: privateEntries.map(compactEntry),
  });
}

function compactEntry(bytes: Uint8Array) {
  const { submissionHeader, signature, recordIndexes } = fromBinary(PrivateEntrySchema, bytes);
  const last = recordIndexes.at(-1) ?? 0;
  const header = fromBinary(SubmissionHeaderSchema, submissionHeader);
  const isWhole = recordIndexes.length === header.recordHashes.length;
  const recordBits = new Uint8Array(isWhole ? 0 : (last >> 3) + 1);
  if (!isWhole) {
    for (const index of recordIndexes) {
      recordBits[index >> 3] = (recordBits[index >> 3] ?? 0) | (1 << (index & 7));
    }
  }
  return { submissionId: submissionId(submissionHeader, signature), recordBits };
}

/** What each of these entries of a block adds; undefined if it has no such entry. */
export function entriesOf(
  { privateEntries, records }: ManagerBlock,
  places: readonly number[],
): readonly FetchedEntry[] | undefined {
  const wanted = new Set(places);
  if (wanted.size !== places.length) return undefined;
  const found: FetchedEntry[] = [];
  let first = 0;
  for (const [place, privateEntry] of privateEntries.entries()) {
    const { recordIndexes } = fromBinary(PrivateEntrySchema, privateEntry);
    const end = first + recordIndexes.length;
    if (wanted.has(place)) found.push({ privateEntry, records: records.slice(first, end) });
    first = end;
  }
  return found.length === places.length ? found : undefined;
}

/** Whether its parts are no longer than those of any block, apart from what it only names. */
export function isOfBlockSize(compact: CompactBlock, { blockRecordsMax }: Policy): boolean {
  const { header, control, previousCertificates, entries } = compact;
  return (
    header.length <= headerBytesMax &&
    control.length <= controlOperationsMax &&
    control.reduce((sum, { length }) => sum + length, 0) <= controlBytesMax &&
    previousCertificates.length <= certificatesBytesMax &&
    entries.length <= blockRecordsMax &&
    entries.every((entry) => entry.submissionId.length === hashBytes) &&
    entries.every((entry) => entry.recordBits.length <= recordBitsMax)
  );
}

/** Of a submission of 1,000 records. */
const recordBitsMax = 125;

/** Makes the whole block, if everything that it names is known or fetched. */
export function rebuildBlock(compact: CompactBlock, options: RebuildOptions): Rebuilt {
  const missing: number[] = [];
  const entries: EntryParts[] = [];
  const room = new Room(options.policy);
  const named = new NamedRecords();
  for (const [place, entry] of compact.entries.entries()) {
    const idHex = toHex(entry.submissionId);
    const submission = options.known.submission(idHex);
    const fetched = options.fetched?.get(place);
    if (submission === undefined && fetched === undefined) {
      missing.push(place);
      continue;
    }
    const parts =
      submission === undefined ? partsOfFetched(entry, fetched) : partsOfKnown(entry, submission);
    if (parts === undefined || !room.take(parts)) return wrong;
    if (!named.add(idHex, parts.indexes)) return wrong;
    entries.push(parts);
  }
  if (missing.length > 0) return { kind: "missing", entries: missing };
  return { kind: "block", block: assemble(compact, entries, options) };
}

const wrong = { kind: "wrong" } as const;

/** An entry of the block to be. */
type EntryParts = {
  readonly headerBytes: Uint8Array;
  /** Of the records in their submission. */
  readonly indexes: number[];
  readonly records: readonly Uint8Array[];
  /** The submission, if it is known: then the entry's bytes are made once all is here. */
  readonly known?: ParsedSubmission;
  readonly fetched?: Uint8Array;
};

function partsOfKnown(entry: CompactEntry, submission: ParsedSubmission): EntryParts | undefined {
  const { headerBytes, message } = submission;
  const indexes = indexesOf(entry.recordBits, submission.records.length);
  if (indexes === undefined) return undefined;
  const records = indexes.map((index) => message.records[index] as Uint8Array);
  return { headerBytes, indexes, records, known: submission };
}

function partsOfFetched(
  entry: CompactEntry,
  fetched: FetchedEntry | undefined,
): EntryParts | undefined {
  if (fetched === undefined) return undefined;
  const parsed = decodeCanonical(PrivateEntrySchema, fetched.privateEntry, recordBounds);
  if (parsed === undefined) return undefined;
  const { submissionHeader: headerBytes, signature, recordIndexes: indexes } = parsed;
  if (!equalBytes(submissionId(headerBytes, signature), entry.submissionId)) return undefined;
  const decoded = strictDecode(SubmissionHeaderSchema, headerBytes);
  if (!decoded.ok) return undefined;
  const named = indexesOf(entry.recordBits, decoded.value.recordHashes.length);
  const isNamed = named?.length === indexes.length && named.every((each, i) => each === indexes[i]);
  if (!isNamed || fetched.records.length !== indexes.length) return undefined;
  const { records, privateEntry } = fetched;
  return { headerBytes, indexes, records, fetched: privateEntry };
}

/** The places of the bits that are set, or all; undefined if one is beyond, or there is none. */
function indexesOf(bits: Uint8Array, count: number): number[] | undefined {
  if (bits.length === 0) return Array.from({ length: count }, (_, index) => index);
  if (bits.length > (count + 7) >> 3) return undefined;
  const indexes: number[] = [];
  for (let index = 0; index < bits.length * 8; index++) {
    if (((bits[index >> 3] as number) & (1 << (index & 7))) === 0) continue;
    if (index >= count) return undefined;
    indexes.push(index);
  }
  return indexes.length === 0 ? undefined : indexes;
}

/** What a block may still hold while its entries are taken up one by one. */
class Room {
  #records: number;
  #recordBytes: number;
  #headerBytes: number;

  constructor({ blockRecordsMax, blockBytesMax }: RebuildOptions["policy"]) {
    this.#records = blockRecordsMax;
    this.#recordBytes = blockBytesMax;
    this.#headerBytes = blockBytesMax;
  }

  /** False when there is no room. */
  take({ headerBytes, records }: EntryParts): boolean {
    this.#records -= records.length;
    this.#headerBytes -= headerBytes.length;
    for (const { length } of records) this.#recordBytes -= length;
    return Math.min(this.#records, this.#headerBytes, this.#recordBytes) >= 0;
  }
}

/**
 * Which records of which submissions a block adds. It adds none twice; looked for before any is
 * sealed, as a few bytes may name one again and again.
 */
class NamedRecords {
  readonly #bySubmission = new Map<string, Set<number>>();

  /** False when one was named before. */
  add(idHex: string, indexes: readonly number[]): boolean {
    const named = this.#bySubmission.get(idHex);
    if (named === undefined) {
      this.#bySubmission.set(idHex, new Set(indexes));
      return true;
    }
    for (const index of indexes) {
      if (named.has(index)) return false;
      named.add(index);
    }
    return true;
  }
}

function assemble(
  { header, control, previousCertificates }: CompactBlock,
  entries: readonly EntryParts[],
  { consortiumId, epochKey, known }: RebuildOptions,
): ManagerBlock {
  const leaves: Leaf[] = [];
  const records: Uint8Array[] = [];
  const privateEntries: Uint8Array[] = [];
  for (const { known: submission, fetched = new Uint8Array(), ...entry } of entries) {
    privateEntries.push(
      submission === undefined ? fetched : privateEntryOf(submission, entry.indexes),
    );
    for (const [i, bytes] of entry.records.entries()) {
      const parsed = submission?.records[entry.indexes[i] as number];
      const seal: SealedLeaf =
        parsed === undefined
          ? sealLeaf(epochKey, { hash: recordHash(consortiumId, bytes), bytes })
          : (known.sealed(parsed.hashHex) ?? sealLeaf(epochKey, parsed));
      leaves.push(seal.leaf);
      records.push(bytes);
    }
  }
  const block = create(BlockSchema, {
    header,
    control,
    leaves,
    privateRoot: privateRoot(privateEntries),
    previousCertificates,
  });
  return create(ManagerBlockSchema, { block, privateEntries, records });
}
