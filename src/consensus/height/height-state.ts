/**
 * What a manager knows of the height that it works on, and the questions that the rounds ask of it:
 * is there a polka, is the accuracy unanimous, is the integrity attested, is the block lockable,
 * are all certificates there that make it final? ring/round-rules.ts decides by the answers.
 */
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import type { BlockCertificates, LockCertificate } from "../../gen/bss/v1/block_pb.js";
import type { Attestation, Proposal, Vote } from "../../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import {
  buildApproval,
  buildBlockCertificates,
  buildCommit,
  buildIntegrity,
  buildLock,
  buildPolka,
} from "../../ledger/certificates/certificate-builders.js";
import { drawCommittee } from "../../ledger/certificates/committee.js";
import type { BlockKey, HeightContext } from "../ring/events.js";
import { AttestationTally } from "./attestation-tally.js";
import { BlockJudgements } from "./judgements.js";
import { isLockBundle, partsOfLockCertificate } from "./lock-certificate.js";
import { roundsAheadMax, roundsBehindMax, VoteTally } from "./vote-tally.js";

/** Drawn committees that are remembered. */
const committeesMax = 64;

/** AC and IC of a block; `integrity` is absent when the block adds no leaves. */
type Verified = {
  readonly accepts: readonly Vote[];
  readonly integrity?: { readonly round: number; readonly matches: readonly Attestation[] };
};

export class HeightState {
  readonly context: HeightContext;
  readonly votes = new VoteTally();
  readonly attestations = new AttestationTally();
  /** The first proposal of each round's proposer, without its body. */
  readonly proposals = new Map<number, Proposal>();
  readonly judgements: BlockJudgements;
  readonly #committees = new Map<string, readonly string[]>();

  /** `mustKeep` names the blocks whose judgement is never forgotten. */
  constructor(context: HeightContext, mustKeep: (block: BlockKey) => boolean = () => false) {
    this.context = context;
    this.judgements = new BlockJudgements(mustKeep);
  }

  get quorum(): number {
    return this.context.members.quorum;
  }

  /** The facts of a block that the rules found accurate. */
  factsOf(block: BlockKey): BlockFacts | undefined {
    return this.judgements.factsOf(block);
  }

  committee(facts: BlockFacts, round: number): readonly string[] {
    const key = `${round}/${toHex(facts.blockId)}`;
    const known = this.#committees.get(key);
    if (known !== undefined) return known;
    const { eligible, beacon } = facts;
    const committee = drawCommittee({ eligible, beacon, round });
    if (this.#committees.size >= committeesMax) this.#committees.clear();
    this.#committees.set(key, committee);
    return committee;
  }

  /** AC(h, B): ACCEPT from every manager that the block requires. */
  unanimousAccepts(facts: BlockFacts): readonly Vote[] | undefined {
    const accepts = this.votes.accepts(toHex(facts.blockId));
    const required: Vote[] = [];
    for (const managerId of facts.requiredAccepts) {
      const vote = accepts.get(managerId);
      if (vote === undefined) return undefined;
      required.push(vote);
    }
    return required;
  }

  /** AC, and IC of a round up to `round` where the block adds leaves. */
  verified(facts: BlockFacts, round: number): Verified | undefined {
    const accepts = this.unanimousAccepts(facts);
    if (accepts === undefined) return undefined;
    if (facts.leafCount === 0) return { accepts };
    for (let drawn = facts.createdRound; drawn <= round; drawn++) {
      if (!this.attestations.hasAny(drawn, toHex(facts.blockId))) continue;
      const matches = this.attestations.integrity(facts, drawn, this.committee(facts, drawn));
      if (matches !== undefined) return { accepts, integrity: { round: drawn, matches } };
    }
    return undefined;
  }

  /** Whether a lock certificate of the block is known, of any round. */
  isCertified(block: BlockKey): boolean {
    const polkas = this.votes.blocksApprovedBy(this.quorum);
    return polkas.some((each) => each.block === block && this.lockable(each.round, block));
  }

  /** LC(h, round, B), once this manager knows the block to be accurate. */
  lockable(round: number, block: BlockKey): LockCertificate | undefined {
    const facts = this.factsOf(block);
    const approvals = this.votes.approves(round, block);
    if (facts === undefined || approvals.size < this.quorum) return undefined;
    const verified = this.verified(facts, round);
    if (verified === undefined) return undefined;
    return buildLock({
      polka: buildPolka([...approvals.values()]),
      approval: buildApproval(verified.accepts),
      ...integrityOf(verified),
    });
  }

  /** AC, IC and CC of a block with Q COMMITs in `round`. */
  blockCertificates(round: number, facts: BlockFacts): BlockCertificates | undefined {
    const commits = this.votes.commits(round, toHex(facts.blockId));
    const verified = this.verified(facts, round);
    if (commits.size < this.quorum || verified === undefined) return undefined;
    return buildBlockCertificates({
      approval: buildApproval(verified.accepts),
      commit: buildCommit([...commits.values()]),
      ...integrityOf(verified),
    });
  }

  /** Counts the votes in a lock certificate; false if it is not one of this height. */
  takeIn(certificate: LockCertificate, currentRound: number): boolean {
    if (!isLockBundle(certificate, this.context.height, this.quorum)) return false;
    const { votes, attestations } = partsOfLockCertificate(certificate);
    for (const vote of votes) this.votes.add(vote, currentRound, true);
    for (const attestation of attestations) this.attestations.add(attestation);
    return true;
  }

  /**
   * Keeps the first proposal of a round within the window, without its body, and returns what was
   * kept. The caller has checked that it comes from the round's proposer.
   */
  addProposal(proposal: Proposal, currentRound: number): Proposal | undefined {
    const { round } = proposal;
    if (this.proposals.has(round) || round > currentRound + roundsAheadMax) return undefined;
    if (round < currentRound - roundsBehindMax) return undefined;
    const { block: _, ...rest } = proposal;
    this.proposals.set(round, rest);
    return rest;
  }

  /** Forgets rounds that have fallen out of the window; the votes of `keepRound` stay. */
  prune(currentRound: number, keepRound: number): void {
    this.votes.prune(currentRound, keepRound);
    for (const round of this.proposals.keys()) {
      if (round < currentRound - roundsBehindMax) this.proposals.delete(round);
    }
  }

  /** Managers that have shown that they hold a block. */
  holders(block: BlockKey): readonly string[] {
    const ids = new Set<string>();
    for (const proposal of this.proposals.values()) {
      if (toHex(proposal.blockId) === block) ids.add(proposal.managerId);
    }
    for (const id of this.votes.accepts(block).keys()) ids.add(id);
    for (const round of this.#roundsOf(block)) {
      for (const id of this.votes.approves(round, block).keys()) ids.add(id);
      for (const id of this.votes.commits(round, block).keys()) ids.add(id);
    }
    return [...ids];
  }

  #roundsOf(block: BlockKey): readonly number[] {
    const found = [...this.votes.blocksApprovedBy(1), ...this.votes.blocksCommittedBy(1)];
    return found.filter((entry) => entry.block === block).map((entry) => entry.round);
  }
}

function integrityOf(verified: Verified) {
  if (verified.integrity === undefined) return {};
  const { round, matches } = verified.integrity;
  const first = defined(matches[0], "an integrity certificate has at least one match");
  return { integrity: buildIntegrity({ round, matches, hash2: first.hash2 }) };
}
