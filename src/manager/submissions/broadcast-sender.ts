/**
 * What this manager says about submissions, on the BroadcastService streams that it has dialled:
 * what it took in goes to all others, and its verdicts and objections. Whoever relays a submission
 * has found accurate what it does not leave out, so that needs no verdict besides.
 *
 * A message costs each manager more than a verdict in it. So whoever makes the next block hears a
 * verdict at once if there was none a moment ago, and otherwise with those that have come by the
 * end of that moment. Most submissions are in that block, so the others hear of those only that are
 * not, of all at a time.
 */
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../base/bytes.js";
import type { Time, Timer } from "../../base/time.js";
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

/** Verdicts that come within this time of the last ones go to the next proposer together. */
const verdictsEveryMs = 5;
/** Others hear a verdict after this time, if no block has come before. */
const othersAfterMs = 200;
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

export type BroadcastSenderOptions = {
  readonly links: () => BroadcastLinks;
  readonly time: Pick<Time, "monotonicMs" | "after">;
  /** The manager that is going to make a block of what is said now, perhaps this one. */
  readonly nextProposer: () => string;
  /** Whether a submission, by its id in hex, waits for a block. */
  readonly isWaiting: (idHex: string) => boolean;
};

/** What some have not heard yet. */
type Verdict = {
  readonly submissionId: Uint8Array;
  readonly toldTo: string;
  /** It waits here, so it is known when it does no more; there may have been no room for it. */
  readonly waits: boolean;
};

export class BroadcastSender {
  readonly #options: BroadcastSenderOptions;
  /** For `toldTo`, whom they have not reached yet. */
  #verdicts: Verdict[] = [];
  #saidMs = Number.NEGATIVE_INFINITY;
  /** For everybody but `toldTo`. */
  #forOthers: Verdict[] = [];
  #othersTimer: Timer | undefined;

  constructor(options: BroadcastSenderOptions) {
    this.#options = options;
  }

  /** `to` everybody when left out. It is encoded once for all of them. */
  relay(
    { submission: value, leftOut }: OwnSubmission,
    to: readonly string[] = this.#peerIds,
  ): void {
    this.#send({ case: "submission", value }, to, [...leftOut]);
  }

  /** Relays what is still open of a submission of the pool. */
  relayOpen({ submission, unsettled }: WaitingSubmission, to: readonly string[]): void {
    this.relay({ submission: submission.message, leftOut: leftOutOf(submission, unsettled) }, to);
  }

  /** Tells every manager that this one finds a submission accurate, if it needs to know. */
  sendVerdict(submissionId: Uint8Array): void {
    const { time, nextProposer, isWaiting } = this.#options;
    const waits = isWaiting(toHex(submissionId));
    const verdict = { submissionId, toldTo: nextProposer(), waits };
    this.#forOthers.push(verdict);
    if (this.#forOthers.length === verdictsPerMessageMax) this.#tellOthers();
    else this.#othersTimer ??= time.after(othersAfterMs, () => this.#tellOthers());
    this.#verdicts.push(verdict);
    const dueInMs = this.#saidMs + verdictsEveryMs - time.monotonicMs();
    if (dueInMs <= 0 || this.#verdicts.length === verdictsPerMessageMax) this.#tellProposer();
    else if (this.#verdicts.length === 1) time.after(dueInMs, () => this.#tellProposer());
  }

  /** A block has been appended, and what it placed waits no more. */
  onAppended(): void {
    this.#tellOthers();
  }

  sendObjections(value: SignedObjections): void {
    this.#send({ case: "objections", value });
  }

  get #peerIds(): readonly string[] {
    return this.#options.links().peerIds;
  }

  #tellProposer(): void {
    const verdicts = this.#verdicts;
    if (verdicts.length === 0) return;
    this.#verdicts = [];
    this.#saidMs = this.#options.time.monotonicMs();
    for (const id of new Set(verdicts.map(({ toldTo }) => toldTo))) {
      const own = verdicts.filter(({ toldTo }) => toldTo === id);
      this.#tell([id], own);
    }
  }

  #tellOthers(): void {
    this.#othersTimer?.cancel();
    this.#othersTimer = undefined;
    const { isWaiting } = this.#options;
    const open = this.#forOthers.filter(({ submissionId, waits }) => {
      return !waits || isWaiting(toHex(submissionId));
    });
    this.#forOthers = [];
    const told = new Set(open.map(({ toldTo }) => toldTo));
    for (const id of told) {
      const others = open.filter(({ toldTo }) => toldTo !== id);
      this.#tell([id], others);
    }
    const untold = this.#peerIds.filter((id) => !told.has(id));
    this.#tell(untold, open);
  }

  #tell(managerIds: readonly string[], verdicts: readonly Verdict[]): void {
    if (verdicts.length === 0) return;
    const submissionIds = verdicts.map(({ submissionId }) => submissionId);
    this.#send({ case: "verdict", value: create(VerdictSchema, { submissionIds }) }, managerIds);
  }

  #send(
    message: BroadcastRequest["message"],
    to: readonly string[] = this.#peerIds,
    leftOut: number[] = [],
  ): void {
    const links = this.#options.links();
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
