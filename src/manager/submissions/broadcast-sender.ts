/**
 * What this manager says about submissions, on the BroadcastService streams that it has dialled:
 * what it took in goes to all others, and its verdicts and objections. Whoever relays a submission
 * has found accurate what it does not leave out, so that needs no verdict besides.
 *
 * A message costs each manager more than a verdict in it. So a verdict goes out at once if none did
 * a moment ago, and otherwise with those that have come by the end of that moment.
 */
import { create } from "@bufbuild/protobuf";
import type { Time } from "../../base/time.js";
import {
  type BroadcastRequest,
  BroadcastRequestSchema,
  type SignedObjections,
  VerdictSchema,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import type { WaitingSubmission } from "../pool/pool.js";

/** Verdicts that come within this time of the last ones go out together. */
const verdictsEveryMs = 5;
/** What a message may hold. */
export const verdictsPerMessageMax = 1_000;

/** The streams that this manager dialled. */
export type BroadcastLinks = {
  readonly peerIds: readonly string[];
  /** Queues a message; false when it was dropped. */
  sendBroadcast(peerId: string, message: BroadcastRequest): boolean;
};

/** `leftOut`: indexes of the records that are not relayed (`leftOutOf`). */
export type OwnSubmission = {
  readonly submission: Submission;
  readonly leftOut: readonly number[];
};

export class BroadcastSender {
  readonly #links: () => BroadcastLinks;
  readonly #time: Pick<Time, "monotonicMs" | "after">;
  #verdicts: Uint8Array[] = [];
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(links: () => BroadcastLinks, time: Pick<Time, "monotonicMs" | "after">) {
    this.#links = links;
    this.#time = time;
  }

  /** `to` everybody when left out. It is encoded once for all of them. */
  relay(
    { submission: value, leftOut }: OwnSubmission,
    to: readonly string[] = this.#links().peerIds,
  ): void {
    this.#send({ case: "submission", value }, to, [...leftOut]);
  }

  /** Relays what is still open of a submission of the pool. */
  relayOpen({ submission, unsettled }: WaitingSubmission, to: readonly string[]): void {
    this.relay({ submission: submission.message, leftOut: leftOutOf(submission, unsettled) }, to);
  }

  /** Tells every manager that this one finds a submission accurate. */
  sendVerdict(submissionId: Uint8Array): void {
    this.#verdicts.push(submissionId);
    const dueInMs = this.#saidMs + verdictsEveryMs - this.#time.monotonicMs();
    if (dueInMs <= 0 || this.#verdicts.length === verdictsPerMessageMax) this.#sayVerdicts();
    else if (this.#verdicts.length === 1) this.#time.after(dueInMs, () => this.#sayVerdicts());
  }

  sendObjections(value: SignedObjections): void {
    this.#send({ case: "objections", value });
  }

  #sayVerdicts(): void {
    const submissionIds = this.#verdicts;
    if (submissionIds.length === 0) return;
    this.#verdicts = [];
    this.#saidMs = this.#time.monotonicMs();
    this.#send({ case: "verdict", value: create(VerdictSchema, { submissionIds }) });
  }

  #send(
    message: BroadcastRequest["message"],
    to: readonly string[] = this.#links().peerIds,
    leftOut: number[] = [],
  ): void {
    const links = this.#links();
    const request = create(BroadcastRequestSchema, { message, leftOut });
    for (const peerId of to) links.sendBroadcast(peerId, request);
  }
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
