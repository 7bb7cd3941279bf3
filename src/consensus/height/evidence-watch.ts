/**
 * Who has signed what, so that a manager that contradicts itself is found out (protocol §4.9).
 *
 * A manager that keeps the rules signs one PROPOSE, one APPROVE and one COMMIT in a round, and
 * after COMMIT(B, r) approves another block only with a valid round of r or later. Two statements
 * that say otherwise are evidence: anybody can check their signatures.
 *
 * The watch sees every vote and proposal of the open height and of the two before it, late ones and
 * those inside certificates too. For each manager and height it remembers the first of a kind in
 * each round, up to some rounds ahead of the one that this manager is or was in. It knows of rounds
 * in a window only, so what is remembered is bounded, and nobody can have it forget by signing
 * things of rounds that are not there yet.
 */
import { equalBytes } from "../../base/bytes.js";
import type { LockCertificate } from "../../gen/bss/v1/block_pb.js";
import type { Evidence } from "../../gen/bss/v1/genesis_pb.js";
import { type Proposal, type Vote, VoteKind } from "../../gen/bss/v1/vote_pb.js";
import {
  breaksLock,
  brokenLockEvidence,
  proposalsEvidence,
  type SignedProposalOf,
  votesEvidence,
} from "../../ledger/certificates/evidence.js";
import type { RingEvent } from "../ring/events.js";
import { partsOfLockCertificate } from "./lock-certificate.js";
import { roundsAheadMax, roundsBehindMax } from "./vote-tally.js";

/** Heights before the open one that are watched. */
export const heightsWatchedBehind = 2;
/** Rounds remembered of one kind, manager and height; the lowest is forgotten first. */
export const roundsWatchedMax = roundsBehindMax + roundsAheadMax + 1;

/** What one manager has signed at one height: the first of each kind by round. */
type Said = {
  readonly proposals: Map<number, SignedProposalOf>;
  readonly approvals: Map<number, Vote>;
  readonly commits: Map<number, Vote>;
};

type WatchedHeight = {
  /** The highest round that this manager has been in. */
  reached: number;
  readonly saidBy: Map<string, Said>;
};

export class EvidenceWatch {
  readonly #heights = new Map<number, WatchedHeight>();
  readonly #accused = new Set<string>();
  #openHeight: number;
  #found: Evidence[] = [];

  constructor(openHeight: number) {
    this.#openHeight = openHeight;
  }

  /** Goes on to a later height; what lies too far behind is forgotten. */
  advance(height: number): void {
    this.#openHeight = height;
    for (const each of this.#heights.keys()) if (!this.#isWatched(each)) this.#heights.delete(each);
  }

  /** The open height is in `round`. */
  reach(round: number): void {
    const height = this.#heightOf(this.#openHeight, 0);
    if (round > height.reached) height.reached = round;
  }

  /** Looks at what others, or this manager, have signed. The signatures have been verified. */
  see(event: RingEvent): void {
    switch (event.kind) {
      case "proposal":
        this.#seeProposal(event.proposal);
        if (event.proposal.lockCertificate !== undefined) {
          this.#seeCertificate(event.proposal.lockCertificate);
        }
        return;
      case "vote":
        this.#seeVote(event.vote);
        return;
      case "lock-certificate":
        this.#seeCertificate(event.certificate);
        return;
      case "seen":
        for (const vote of event.votes) this.#seeVote(vote);
        return;
      default:
    }
  }

  /** What was found since the last call. */
  take(): readonly Evidence[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #seeCertificate(certificate: LockCertificate): void {
    for (const vote of partsOfLockCertificate(certificate).votes) this.#seeVote(vote);
  }

  #seeProposal({ block: _, lockCertificate: __, ...proposal }: Proposal): void {
    const said = this.#saidBy(proposal);
    if (said === undefined) return;
    const first = firstOf(said.proposals, proposal);
    if (!isSame(first, proposal)) this.#accuse(proposalsEvidence(first, proposal));
  }

  #seeVote(vote: Vote): void {
    const said = vote.kind === VoteKind.ACCEPT ? undefined : this.#saidBy(vote);
    if (said === undefined) return;
    const isCommit = vote.kind === VoteKind.COMMIT;
    const first = firstOf(isCommit ? said.commits : said.approvals, vote);
    if (!isSame(first, vote)) {
      this.#accuse(votesEvidence(first, vote));
      return;
    }
    if (first !== vote) return;
    for (const other of (isCommit ? said.approvals : said.commits).values()) {
      const [commit, approval] = isCommit ? [vote, other] : [other, vote];
      if (!breaksLock(commit, approval)) continue;
      this.#accuse(brokenLockEvidence(commit, approval));
      return;
    }
  }

  #accuse(evidence: Evidence): void {
    const { managerId } = evidence;
    this.#accused.add(managerId);
    for (const { saidBy } of this.#heights.values()) saidBy.delete(managerId);
    this.#found.push(evidence);
  }

  /** Undefined for what is not watched. */
  #saidBy(statement: Vote | SignedProposalOf): Said | undefined {
    const { managerId, round } = statement;
    const number = Number(statement.height);
    if (this.#accused.has(managerId) || !this.#isWatched(number)) return undefined;
    // Of a height that was never open here the rounds are not known.
    const height = this.#heightOf(number, roundsBehindMax);
    if (round > height.reached + roundsAheadMax) return undefined;
    let said = height.saidBy.get(managerId);
    if (said === undefined) {
      said = { proposals: new Map(), approvals: new Map(), commits: new Map() };
      height.saidBy.set(managerId, said);
    }
    return said;
  }

  #heightOf(number: number, reached: number): WatchedHeight {
    let height = this.#heights.get(number);
    if (height === undefined) {
      height = { reached: number === this.#openHeight ? 0 : reached, saidBy: new Map() };
      this.#heights.set(number, height);
    }
    return height;
  }

  #isWatched(height: number): boolean {
    return height <= this.#openHeight && height >= this.#openHeight - heightsWatchedBehind;
  }
}

type Signed = Pick<Vote, "round" | "validRound" | "blockId" | "signature">;

/** The first of a round: `statement` itself, which is kept then, or an earlier one. */
function firstOf<T extends Signed>(byRound: Map<number, T>, statement: T): T {
  const first = byRound.get(statement.round);
  if (first !== undefined) return first;
  byRound.set(statement.round, statement);
  if (byRound.size > roundsWatchedMax) byRound.delete(Math.min(...byRound.keys()));
  return statement;
}

function isSame(a: Signed, b: Signed): boolean {
  return a.validRound === b.validRound && equalBytes(a.blockId, b.blockId);
}
