/**
 * How long the messages become that a policy allows, and whether they can travel: the one place
 * where sizes of the policy meet limits of messages [R2.5.8].
 *
 * A block has R = block_records_max records of B = block_bytes_max bytes, in up to R entries whose
 * submission headers have B bytes too. Each part is a field with its tag and length:
 *
 *     public part   = header + control + certificates of the block before + R · leaf
 *     manager block = public part + R · (record's framing + entry + index) + B + B
 *     sealed block  = public part + R · (sealed record's framing + tag of the seal) + B
 *
 * Managers send each other a manager block with one set of certificates more: a lock certificate in
 * a proposal, the block's own certificates in catch-up. Storage nodes get a sealed block with its
 * AC, or its certificates. Whoever builds a block keeps R and B, so no mix of records, entries and
 * operations makes it longer; a test builds the longest of each part and measures.
 */
import { sealTagBytes } from "../crypto/seal-tag.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import {
  certificatesBytesMax,
  controlBytesMax,
  controlOperationsMax,
  headerBytesMax,
} from "./blocks/block-parsing.js";

const MiB = 2 ** 20;

/** What a node takes from others, bytes. */
type MessageLimits = {
  /** Longest message of a participant, and the longest answer that every client takes. */
  readonly participantBytes: number;
  /** Longest message of a manager or storage node. */
  readonly peerBytes: number;
};

/**
 * What every node takes unless its owner says otherwise, and what each policy has to keep to. 4 MiB
 * is also what gRPC clients take by default.
 */
export const defaultMessageLimits: MessageLimits = {
  participantBytes: 4 * MiB,
  peerBytes: 16 * MiB,
};

/** What the messages of a policy need, bytes: see `MessageLimits`. */
type MessageNeeds = MessageLimits;

/** A size of the policy whose messages do not travel. */
type SizeProblem = {
  /** Field of the policy. */
  readonly field: "block_records_max" | "block_bytes_max" | "record_bytes_max";
  readonly message: string;
};

/** Tag and length in front of a part below 2^28 bytes. */
const framing = 5;
/** Two hashes with tag and length, in a leaf with tag and length. */
const leafBytes = 2 + 2 * 34;
/** Framing of a private entry, of its header, of its signature (64 bytes), of its indexes. */
const entryBytes = framing + framing + 66 + 4;
/** A submission has at most 1,000 records: an index is below 2^14. */
const indexBytes = 2;
/** Heights, rounds, ids, hashes, the signature and the lengths around a block in any message. */
const envelopeBytes = 512;
/**
 * Around one record: in a submission its header and signature, or in an answer hash, place, seal
 * digest, successor and the token of the next page.
 */
const recordEnvelopeBytes = 512;

/** What a parsed record or header takes in memory besides its bytes, roughly. */
const parsedBytes = 512;
/** What a sealed record takes besides its bytes: the tag, a leaf of two hashes and its own hash. */
const sealedLeafBytes = sealTagBytes + 496;

/** Of the part of a block that everybody gets. */
function publicPartBytes({ blockRecordsMax: records }: SizesOfPolicy): number {
  const header = framing + headerBytesMax;
  const control = controlOperationsMax * framing + controlBytesMax;
  const certificates = framing + certificatesBytesMax;
  return header + control + certificates + records * leafBytes;
}

type SizesOfPolicy = Pick<Policy, "blockRecordsMax" | "blockBytesMax" | "recordBytesMax">;

/** The longest ManagerBlock. */
export function managerBlockBytes(policy: SizesOfPolicy): number {
  const perRecord = framing + entryBytes + indexBytes;
  const { blockRecordsMax, blockBytesMax } = policy;
  return publicPartBytes(policy) + blockRecordsMax * perRecord + 2 * blockBytesMax;
}

/** The longest block with sealed records, as storage nodes get it. */
function sealedBlockBytes(policy: SizesOfPolicy): number {
  const perRecord = framing + sealTagBytes;
  return publicPartBytes(policy) + policy.blockRecordsMax * perRecord + policy.blockBytesMax;
}

/** What messages of the policy need. */
export function messageNeeds(policy: SizesOfPolicy): MessageNeeds {
  const blockBytes = Math.max(managerBlockBytes(policy), sealedBlockBytes(policy));
  const submissionBytes = defaultMessageLimits.participantBytes + envelopeBytes;
  return {
    participantBytes: policy.recordBytesMax + recordEnvelopeBytes,
    // Managers relay submissions, each of which came in one message of a participant.
    peerBytes: Math.max(blockBytes + certificatesBytesMax + envelopeBytes, submissionBytes),
  };
}

/** What a submission takes in memory, roughly; `bytes` are those of its message. */
export function submissionMemoryBytes(bytes: number, records: number): number {
  return bytes + (records + 1) * parsedBytes;
}

/** The same of its records as they are sealed. */
export function sealedMemoryBytes(bytes: number, records: number): number {
  return bytes + records * sealedLeafBytes;
}

/** The sizes of the policy whose messages are longer than the limits; empty when all travel. */
export function sizeProblems(
  policy: SizesOfPolicy,
  limits: MessageLimits = defaultMessageLimits,
): readonly SizeProblem[] {
  const needs = messageNeeds(policy);
  const problems: SizeProblem[] = [];
  if (needs.peerBytes > limits.peerBytes) problems.push(blockProblem(policy, needs, limits));
  if (needs.participantBytes > limits.participantBytes) {
    const most = limits.participantBytes - recordEnvelopeBytes;
    const message = `A message takes a record of at most ${most} bytes.`;
    problems.push({ field: "record_bytes_max", message });
  }
  return problems;
}

function blockProblem(
  { blockRecordsMax, blockBytesMax }: SizesOfPolicy,
  { peerBytes }: MessageNeeds,
  limits: MessageLimits,
): SizeProblem {
  const fits = (records: number, bytes: number) => blockTravels(records, bytes, limits);
  const text = `A block makes messages of up to ${peerBytes} bytes, nodes take ${limits.peerBytes}`;
  const mostBytes = largest(blockBytesMax, (bytes) => fits(blockRecordsMax, bytes));
  if (mostBytes > 0) {
    const message = `${text}: with block_records_max ${blockRecordsMax} at most ${mostBytes}.`;
    return { field: "block_bytes_max", message };
  }
  const mostRecords = largest(blockRecordsMax, (records) => fits(records, 1));
  return { field: "block_records_max", message: `${text}: at most ${mostRecords}.` };
}

function blockTravels(records: number, bytes: number, { peerBytes }: MessageLimits): boolean {
  const sizes = { blockRecordsMax: records, blockBytesMax: bytes, recordBytesMax: 1 };
  return messageNeeds(sizes).peerBytes <= peerBytes;
}

/** The largest number from 0 to `max` that fits, if all below one that fits do. */
function largest(max: number, fits: (value: number) => boolean): number {
  let [low, high] = [0, max];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The most bytes that any policy may allow in a record. */
export const recordBytesBound = defaultMessageLimits.participantBytes - recordEnvelopeBytes;
/** The most bytes of records that any policy may allow in a block: where it allows one record. */
export const blockBytesBound = largest(defaultMessageLimits.peerBytes, (bytes) =>
  blockTravels(1, bytes, defaultMessageLimits),
);
