/**
 * How large each method's messages may be, and how large they may become when they are decoded: the
 * one table of bounds on bytes, elements and memory. A message is measured against it before it is
 * decoded: requests by the node, answers by its callers.
 *
 * The figures come from what the ledger allows at most: 10,000 records in a block, 1,000 in a
 * submission, 10,000 storage nodes and 100 managers, each with its entry in a certificate.
 */
import { blockRecordsBound } from "../../ledger/blocks/block-parsing.js";
import { managersMax, storageNodesMax } from "../../ledger/members/member-lists.js";
import { submissionRecordsBound } from "../../ledger/records/submission-bounds.js";
import type { WireBounds } from "../../ledger/wire-bounds.js";

const KiB = 1024;
const MiB = 1024 * KiB;

/** `bytes`: the longest request, unless the caller's role allows less. */
type RequestBounds = WireBounds & { readonly bytes: number };

/** Queries, registrations, approvals, health, reflection: a few fields each. */
const small: RequestBounds = { bytes: 256 * KiB, elements: 512, memoryBytes: 128 * KiB };

/**
 * Generous, as records and header are plain bytes: the rule on their number has a better reason.
 */
const submission: RequestBounds = {
  bytes: Number.POSITIVE_INFINITY,
  elements: 4 * submissionRecordsBound,
  memoryBytes: 1 * MiB,
};

/** Submissions, verdicts of up to 1,000 submissions, objections. */
const relayed: RequestBounds = { ...submission, elements: 16 * KiB, memoryBytes: 4 * MiB };

/** A leaf of two hashes, a private entry, a record: as lists of at most `blockRecordsBound`. */
const blockElements = 6 * blockRecordsBound;
/** A certificate entry has an id, a digest and a signature. */
const certificateElements = 4 * storageNodesMax + 3 * 4 * managersMax;

/**
 * One block with certificates, or a part of it. A leaf has 70 bytes and takes about 700 in memory;
 * an entry of a certificate has 75 to 115 and takes 500 to 900; one of a compact block has 36 to 39
 * and takes 604 to 716. A message with more elements per byte is no block, and would cost more to
 * decode than to send.
 */
const oneBlock: RequestBounds = {
  bytes: Number.POSITIVE_INFINITY,
  elements: 2 * KiB,
  memoryBytes: 512 * KiB,
  elementsPerByte: 1 / 12,
  memoryPerByte: 20,
  elementsMax: blockElements + certificateElements + 8 * KiB,
  memoryMax: 32 * MiB,
};

/** As many blocks as fit; each also carries the certificates of the one before it, as bytes. */
const manyBlocks: WireBounds = {
  elements: 4 * KiB,
  memoryBytes: 1 * MiB,
  elementsPerByte: 1 / 12,
  memoryPerByte: 8,
};

/** An attestation, a head, a proof of a fork with two signatures of each manager. */
const fromStorageNode: RequestBounds = {
  bytes: 256 * KiB,
  elements: 2 * 3 * managersMax + 256,
  memoryBytes: 256 * KiB,
};

/** Lists of records, blocks, members and changes, which clients take in at most 4 or 16 MiB. */
const answer: WireBounds = {
  elements: 128 * KiB,
  memoryBytes: 16 * MiB,
  elementsPerByte: 1 / 8,
  memoryPerByte: 12,
};

/** By names of registered methods, never by a caller's text. */
const requests: Readonly<Record<string, RequestBounds>> = {
  "bss.v1.BroadcastService/Submit": submission,
  "bss.v1.BroadcastService/SubmitStream": submission,
  "bss.v1.BroadcastService/Broadcast": relayed,
  "bss.v1.VoteService/Vote": oneBlock,
  "bss.v1.VerifyIntegrityService/VerifyIntegrity": fromStorageNode,
};

const answers: Readonly<Record<string, WireBounds>> = {
  "bss.v1.BroadcastService/Broadcast": relayed,
  "bss.v1.VoteService/Vote": manyBlocks,
  "bss.v1.VerifyIntegrityService/VerifyIntegrity": manyBlocks,
};

/** By "bss.v1.QueryService/GetStatus". */
export function requestBounds(method: string): RequestBounds {
  return requests[method] ?? small;
}

export function answerBounds(method: string): WireBounds {
  return answers[method] ?? answer;
}

/** The details of a status, which come in a header of HTTP/2. */
export const statusBounds: WireBounds = { elements: 256, memoryBytes: 64 * KiB };
