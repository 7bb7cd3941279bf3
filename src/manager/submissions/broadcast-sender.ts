/**
 * What this manager says about submissions, on the BroadcastService streams that it has dialled:
 * what it took in goes to all others, with its verdict and its objections.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { BroadcastRequestSchema, type SignedObjections } from "../../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import type { WaitingSubmission } from "../pool/pool.js";

type Request = MessageInitShape<typeof BroadcastRequestSchema>;

/** The streams that this manager dialled. */
export type BroadcastLinks = {
  readonly peerIds: readonly string[];
  /** Queues a message; false when it was dropped. */
  sendBroadcast(peerId: string, message: Request): boolean;
};

/** `leftOut`: indexes of the records that are not relayed (`leftOutOf`). */
export type OwnSubmission = {
  readonly submission: Submission;
  readonly leftOut: readonly number[];
};

export class BroadcastSender {
  readonly #links: () => BroadcastLinks;

  constructor(links: () => BroadcastLinks) {
    this.#links = links;
  }

  /** `to` everybody when left out. */
  relay(own: OwnSubmission, to: readonly string[] = this.#links().peerIds): void {
    this.#sendAll(requestOf(own), to);
  }

  /** Relays what is still open of a submission of the pool. */
  relayOpen({ submission, unsettled }: WaitingSubmission, to: readonly string[]): void {
    this.relay({ submission: submission.message, leftOut: leftOutOf(submission, unsettled) }, to);
  }

  /** Tells every manager that this one finds a submission accurate. */
  sendVerdict(submissionId: Uint8Array): void {
    this.#sendAll({ message: { case: "verdict", value: { submissionIds: [submissionId] } } });
  }

  sendObjections(value: SignedObjections): void {
    this.#sendAll({ message: { case: "objections", value } });
  }

  #sendAll(message: Request, to: readonly string[] = this.#links().peerIds): void {
    const links = this.#links();
    // Made once, so it is encoded once for all managers.
    const request = create(BroadcastRequestSchema, message);
    for (const peerId of to) links.sendBroadcast(peerId, request);
  }
}

function requestOf({ submission: value, leftOut }: OwnSubmission): Request {
  return { message: { case: "submission", value }, leftOut: [...leftOut] };
}

/**
 * Which records of a submission are not relayed, as ascending indexes: those that are not among
 * `open` (hashes in hex), because their sender has refused them or they are on the ledger. Others
 * need not look at them, so a refused record costs one manager and not all. If a manager leaves out
 * too much and is the first to relay a submission, the submitter's next manager relays the rest.
 */
export function leftOutOf(
  { records }: Pick<ParsedSubmission, "records">,
  open: Pick<ReadonlySet<string>, "has">,
): readonly number[] {
  return [...records.keys()].filter((index) => !open.has(records[index]?.hashHex ?? ""));
}

/** The hashes of records, in hex. */
export function hashesOf(records: readonly ParsedRecord[]): ReadonlySet<string> {
  return new Set(records.map(({ hashHex }) => hashHex));
}

/** The submission with only those records that are not left out. */
export function openPart(
  submission: ParsedSubmission,
  leftOut: readonly number[],
): ParsedSubmission {
  if (leftOut.length === 0) return submission;
  const out = new Set(leftOut);
  return { ...submission, records: submission.records.filter((_, index) => !out.has(index)) };
}
