/**
 * What comes in on VoteService streams: checked for shape, verified, and only then handed to
 * the ring. A message that fails is dropped and counted; it never ends the stream and never
 * reaches the core.
 *
 * Messages of one stream are taken one after the other, so a peer that floods waits for itself.
 */

import { err, type Result } from "../../base/result.js";
import { heightsWatchedBehind } from "../../consensus/height/evidence-watch.js";
import { partsOfLockCertificate } from "../../consensus/height/lock-certificate.js";
import type { RingEvent } from "../../consensus/ring/events.js";
import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { LockCertificate, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import type {
  Attestation,
  Proposal,
  SignedHead,
  Vote,
  VoteRequest,
} from "../../gen/bss/v1/vote_pb.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import {
  checkAttestation,
  checkHead,
  checkProposal,
  checkVote,
} from "../../ledger/certificates/votes.js";
import type { Members } from "../../ledger/members/members.js";
import { type Violation, violation } from "../../ledger/violation.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { CandidateBlocks } from "./candidate-blocks.js";

export type InboundVotesPorts = {
  readonly selfId: string;
  readonly consortiumId: Uint8Array;
  readonly members: () => Members;
  /** The height that is being voted on. */
  readonly height: () => number;
  readonly signatures: SignatureCache;
  readonly candidates: CandidateBlocks;
  readonly post: (event: RingEvent) => void;
  /** The body that came with a proposal: a relay of the same proposal may have been here before. */
  readonly onBody: (block: ManagerBlock | undefined) => Promise<void>;
  /** Whether there is something in a head that makes its signature worth verifying. */
  readonly isNews: (head: SignedHead) => boolean;
  /** A peer's own head; `verified` if its signature has been looked at. */
  readonly onHead: (from: string, head: SignedHead, verified: boolean) => Promise<void>;
  /** Something that this manager has signed comes from another one, be it of a height ahead. */
  readonly onOwn: (statement: Vote | Proposal) => void;
  /** What managers say about each other. */
  readonly onSupervision: (from: string, message: SupervisionMessage) => Promise<void>;
  /** What managers say of storage nodes, and of who joins. */
  readonly onPublic: (from: string, message: PublicMessage) => Promise<void>;
  /** Whether an attestation of a decided height is worth the look at its signature. */
  readonly wantsLate: (attestation: Attestation) => boolean;
  /** A peer speaks of a height that is decided here. */
  readonly onLagging: (from: string) => void;
  readonly onDropped: (from: string, reason: DropReason) => void;
  readonly onVote: (vote: Vote) => void;
  readonly onAttestation: (attestation: Attestation, from: string) => void;
};

export type VoteMessage = Exclude<VoteRequest["message"], { case: undefined }>;
export type SupervisionMessage = VoteMessage & { readonly case: "evidence" | "resume" | "fork" };
export type PublicMessage = VoteMessage & {
  readonly case: "operation" | "unreachable" | "finding";
};

export class InboundVotes {
  readonly #ports: InboundVotesPorts;

  constructor(ports: InboundVotesPorts) {
    this.#ports = ports;
  }

  async take(from: string, message: VoteMessage): Promise<void> {
    switch (message.case) {
      case "vote":
        return this.#takeVote(from, message.value);
      case "proposal":
        return this.#takeProposal(from, message.value);
      case "attestation":
        return this.takeAttestation(from, message.value);
      case "lockCertificate":
        return this.#takeCertificate(from, message.value);
      case "head":
        return this.#takeHead(from, message.value);
      case "evidence":
      case "resume":
      case "fork":
        return this.#ports.onSupervision(from, message);
      case "operation":
      case "unreachable":
      case "finding":
        return this.#ports.onPublic(from, message);
      default:
        return;
    }
  }

  /** Also what storage nodes send. */
  async takeAttestation(from: string, attestation: Attestation): Promise<void> {
    const { members, consortiumId, wantsLate } = this.#ports;
    const isOfInterest = this.#isOfInterest(from, attestation.height);
    if (!isOfInterest && !wantsLate(attestation)) return;
    if (!(await this.#holds(from, [checkAttestation(attestation, members(), consortiumId)])))
      return;
    this.#ports.onAttestation(attestation, from);
    if (isOfInterest) this.#ports.post({ kind: "attestation", attestation });
  }

  async #takeVote(from: string, vote: Vote): Promise<void> {
    if (!this.#isOwnOrOfInterest(from, vote)) return;
    const { members, consortiumId } = this.#ports;
    if (!(await this.#holds(from, [checkVote(vote, members(), consortiumId)]))) return;
    this.#noticeOwn([vote]);
    this.#ports.onVote(vote);
    this.#ports.post({ kind: "vote", vote });
  }

  async #takeProposal(from: string, proposal: Proposal): Promise<void> {
    if (!this.#isOwnOrOfInterest(from, proposal)) return;
    const { members, consortiumId, candidates, post } = this.#ports;
    const checks = [checkProposal(proposal, members(), consortiumId)];
    if (proposal.lockCertificate !== undefined) {
      checks.push(...this.#checksOf(proposal.lockCertificate));
    }
    if (!(await this.#holds(from, checks))) return;
    const { block, ...rest } = proposal;
    const { height, round, managerId, lockCertificate } = rest;
    this.#noticeOwn([rest, ...approvalsOf(lockCertificate)]);
    // Of a decided height: whose turn it was then may not be known any more, and does not matter.
    if (height < BigInt(this.#ports.height())) return post({ kind: "proposal", proposal: rest });
    if (members().proposer(Number(height), round) !== managerId) {
      this.#ports.onDropped(from, "NOT_THE_PROPOSER");
      return;
    }
    if (block !== undefined) candidates.add(Number(height), block);
    // Bodies are kept once and bounded by number; an event that waits must not hold one.
    post({ kind: "proposal", proposal: rest });
    await this.#ports.onBody(block);
  }

  async #takeCertificate(from: string, certificate: LockCertificate): Promise<void> {
    if (!this.#isOfInterest(from, certificate.polka?.height ?? 0n)) return;
    if (!(await this.#holds(from, this.#checksOf(certificate)))) return;
    this.#noticeOwn(approvalsOf(certificate));
    this.#ports.post({ kind: "lock-certificate", certificate });
  }

  async #takeHead(from: string, head: SignedHead): Promise<void> {
    const { members, consortiumId, isNews, onHead } = this.#ports;
    if (head.managerId !== from) return this.#ports.onDropped(from, "HEAD_OF_ANOTHER");
    const check = checkHead(head, members(), consortiumId);
    // Most heads say what is known here already.
    const verify = !check.ok || isNews(head);
    if (verify && !(await this.#holds(from, [check]))) return;
    await onHead(from, head, verify);
  }

  /** Every signature in it, or one refusal when there are more than members who could sign. */
  #checksOf(certificate: LockCertificate): readonly Result<SignatureCheck, Violation>[] {
    const { consortiumId } = this.#ports;
    const members = this.#ports.members();
    const { polka, approval, integrity } = certificate;
    const managersMax = members.managers.length;
    const isTooLong =
      (polka?.approvals.length ?? 0) > managersMax ||
      (approval?.signatures.length ?? 0) > managersMax ||
      (integrity?.signatures.length ?? 0) > members.storageNodes.length;
    if (isTooLong) {
      const message = "There are more signatures than members who could have signed.";
      return [err(violation("CERTIFICATE_INVALID", message))];
    }
    const { votes, attestations } = partsOfLockCertificate(certificate);
    return [
      ...votes.map((vote) => checkVote(vote, members, consortiumId)),
      ...attestations.map((entry) => checkAttestation(entry, members, consortiumId)),
    ];
  }

  async #holds(
    from: string,
    checks: readonly Result<SignatureCheck, Violation>[],
  ): Promise<boolean> {
    const obligations: SignatureCheck[] = [];
    for (const check of checks) {
      if (!check.ok) {
        this.#ports.onDropped(from, check.error.reason);
        return false;
      }
      obligations.push(check.value);
    }
    const invalid = await this.#ports.signatures.firstInvalid(obligations);
    if (invalid !== undefined) this.#ports.onDropped(from, invalid.violation.reason);
    return obligations.length > 0 && invalid === undefined;
  }

  #noticeOwn(statements: readonly (Vote | Proposal)[]): void {
    const { selfId, onOwn } = this.#ports;
    for (const statement of statements) if (statement.managerId === selfId) onOwn(statement);
  }

  #isOwnOrOfInterest(from: string, { height, managerId }: Vote | Proposal): boolean {
    const isOwn = managerId === this.#ports.selfId && height >= BigInt(this.#ports.height());
    return isOwn || this.#isOfInterest(from, height, heightsWatchedBehind);
  }

  /**
   * This height and the next; what is older shows that the sender is behind, and is of interest
   * where it may show that somebody contradicts itself.
   */
  #isOfInterest(from: string, height: bigint, heightsBehind = 0): boolean {
    const current = BigInt(this.#ports.height());
    if (height < current) this.#ports.onLagging(from);
    return height >= current - BigInt(heightsBehind) && height <= current + 1n;
  }
}

function approvalsOf(certificate: LockCertificate | undefined): readonly Vote[] {
  return certificate === undefined ? [] : partsOfLockCertificate(certificate).votes;
}
