/**
 * The rounds of one height (protocol §4).
 *
 *     idle ──wake or any message──▶ propose ──APPROVE sent──▶ approve ──polka ∧ AC──▶ verify ──LC──▶ commit
 *                                      │                        │                       │             │
 *                                   timeout: APPROVE nil     timeout: COMMIT nil     timeout: COMMIT nil
 *                                                                                                     │
 *            next round ◀── Q COMMITs of any kind and timeout ◀───────────────────────────────────────┤
 *            decided    ◀── Q COMMITs of one (height, round, block), with AC and IC ◀──────────────────┘
 *
 * The skeleton is Tendermint (arXiv:1807.04938, Algorithm 1). What this manager may say is
 * decided by lock-rules.ts, what it knows by height-state.ts. After every event all rules are
 * looked at again, in one fixed order, so no order of messages is special.
 */
import { defined, unreachable } from "../base/assert.js";
import { emptyBytes, fromHex, toHex } from "../base/bytes.js";
import type { LockCertificate } from "../gen/bss/v1/block_pb.js";
import type { Proposal } from "../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../ledger/block-facts.js";
import {
  type BlockKey,
  type Clock,
  type ExpiredStep,
  type HeightContext,
  type Judgement,
  nilBlock,
  type Ready,
  type RestoredHeight,
  type RingEvent,
  type RingStatus,
  type RingStep,
} from "./events.js";
import { HeightState } from "./height-state.js";
import { type LockState, lockedOn, onLockCertificate, unlocked } from "./lock-rules.js";
import { emptyOutbox, type Outbox, readyOf } from "./outbox.js";
import { Pace, type PaceOptions } from "./pace.js";
import { messagesToResend } from "./resend.js";
import { choiceFor, outcomeOfCommits } from "./round-rules.js";
import { Speaker } from "./speaker.js";

export type RoundsOptions = PaceOptions & {
  readonly selfId: string;
  /** How far a fresh block's timestamp may lie ahead of this manager's clock. */
  readonly futureBoundMs: number;
  readonly context: HeightContext;
  readonly restored?: RestoredHeight;
};

/** One height, from its first message to its decision. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #state: HeightState;
  #lock: LockState = unlocked;
  #validCertificate: LockCertificate | undefined;
  readonly #pace: Pace;
  readonly #speaker: Speaker;
  readonly #integrityAsked = new Set<string>();
  /** Decided or halted: nothing is said at this height any more. */
  #over = false;
  #out: Outbox = emptyOutbox();

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#pace = new Pace(options);
    this.#state = new HeightState(options.context);
    this.#speaker = new Speaker(options.context.height);
    if (options.restored !== undefined) this.#restore(options.restored);
  }

  get height(): number {
    return this.#state.context.height;
  }

  status(): RingStatus {
    const { round, step, sinceMs } = this.#pace;
    return { height: this.height, round, step, sinceMs };
  }

  /** Monotonic time at which `tick` has something to do, if no event comes before. */
  get nextDeadlineMs(): number | undefined {
    return this.#over ? undefined : this.#pace.nextMs;
  }

  /** Whether this manager may have to show the body of a block again: it is bound to it. */
  isBoundTo(block: BlockKey): boolean {
    return block === this.#lock.lockedBlock || block === this.#lock.validBlock;
  }

  /** Takes in one event of this height. */
  step(event: RingEvent): void {
    if (this.#over || !this.#apply(event)) return;
    if (this.#step === "idle") {
      // A storage node cannot make the managers work: only what managers say starts a height.
      if (event.kind === "attestation") return;
      this.#enterRound(0);
    }
    this.#evaluate();
  }

  /** Lets time pass. */
  tick(clock: Clock): void {
    this.#pace.advance(clock);
    if (this.#step === "idle" || this.#over) return;
    for (const step of this.#pace.takeExpired()) {
      this.#onTimeout(step);
      // The timeouts of the round that was left mean nothing in the next one.
      if (step === "commit") break;
    }
    if (this.#pace.takeResend()) this.#resend();
    this.#evaluate();
  }

  /** Hands out what is to be done since the last call; see `Ready` for the order. */
  ready(): Ready | undefined {
    const outbox = this.#out;
    this.#out = emptyOutbox();
    return readyOf(outbox, this.#speaker.take());
  }

  /**
   * Files the event; false when it changes nothing, so that junk neither starts nor
   * delays a height.
   */
  #apply(event: RingEvent): boolean {
    switch (event.kind) {
      case "wake":
        return this.#step === "idle";
      case "proposal":
        return this.#takeProposal(event.proposal);
      case "vote": {
        const added = this.#state.votes.add(event.vote, this.#round);
        return added === "added" || added === "conflict" || event.vote.round > this.#round;
      }
      case "attestation":
        return this.#state.attestations.add(event.attestation);
      case "lock-certificate":
        if (!this.#state.takeIn(event.certificate, this.#round)) return false;
        this.#validateIfUnknown(event.certificate.polka?.blockId ?? emptyBytes);
        return true;
      case "judged":
        return this.#takeJudgement(event.blockId, event.judgement);
      case "built":
        return this.#takeBuilt(event.round, event.facts);
      default:
        return unreachable(event);
    }
  }

  #takeProposal(proposal: Proposal): boolean {
    const { round, managerId } = proposal;
    if (managerId !== this.#state.context.members.proposer(this.height, round)) return false;
    this.#state.votes.sawRound(managerId, round);
    if (proposal.lockCertificate !== undefined) {
      this.#state.takeIn(proposal.lockCertificate, this.#round);
    }
    const relayed = this.#state.addProposal(proposal, this.#round);
    if (relayed === undefined) return round > this.#round;
    if (managerId !== this.#options.selfId) {
      this.#out.messages.push({ kind: "proposal", proposal: relayed });
    }
    this.#validateIfUnknown(proposal.blockId);
    return true;
  }

  #takeJudgement(blockId: Uint8Array, judgement: Judgement): boolean {
    const block = toHex(blockId);
    this.#state.validating.delete(block);
    if (this.#state.judgements.has(block)) return false;
    this.#state.judgements.set(block, judgement);
    return true;
  }

  /** A block that comes when its round is over is of no use: a later one names its own round. */
  #takeBuilt(round: number, facts: BlockFacts): boolean {
    if (round !== this.#round || this.#step === "idle") return false;
    if (this.#validCertificate !== undefined) {
      this.#propose(round);
      return true;
    }
    this.#state.judgements.set(toHex(facts.blockId), { accurate: true, facts });
    this.#speaker.propose(round, -1, facts.blockId);
    return true;
  }

  /** All rules, in a fixed order. Statements count only when they come back signed. */
  #evaluate(): void {
    if (this.#over || this.#step === "idle") return;
    this.#skipRounds();
    this.#acceptAccurateBlocks();
    this.#approveProposal();
    this.#followLockCertificates();
    this.#watchApprovals();
    this.#watchCommits();
  }

  /** Later rounds in which f+1 distinct managers are: at least one of them is honest. */
  #skipRounds(): void {
    const reached = this.#state.votes.roundReachedBy(this.#state.context.members.faultsMax + 1);
    if (reached > this.#round) this.#enterRound(reached);
  }

  /** ACCEPT is about accuracy alone: no round, no lock, and it may come late. */
  #acceptAccurateBlocks(): void {
    for (const judgement of this.#state.judgements.values()) {
      if (!judgement.accurate || !this.#locallyFine(judgement.facts)) continue;
      this.#speaker.accept(judgement.facts.blockId);
    }
  }

  #approveProposal(): void {
    if (this.#step !== "propose") return;
    const proposal = this.#state.proposals.get(this.#round);
    if (proposal === undefined) return;
    const choice = choiceFor(proposal, this.#state, this.#lock, (facts) =>
      this.#locallyFine(facts),
    );
    if (choice === undefined) return;
    this.#approve(choice, choice === nilBlock ? -1 : proposal.validRound);
  }

  #followLockCertificates(): void {
    for (const { round, block } of this.#state.votes.blocksApprovedBy(this.#state.quorum)) {
      const current = round === this.#round && !this.#speaker.hasCommitted(round);
      if (!current && round <= this.#lock.validRound) continue;
      // As in Tendermint, a manager commits in a round only after it has approved there, be it nil.
      if (current && this.#step === "propose") continue;
      const certificate = this.#state.lockable(round, block);
      if (certificate === undefined) continue;
      const after = onLockCertificate(
        { polkaRound: round, block },
        { round: this.#round, committedInRound: this.#speaker.hasCommitted(this.#round) },
        this.#lock,
      );
      this.#lock = after.lock;
      this.#validCertificate = certificate;
      if (after.commit) this.#commit(block, certificate);
    }
  }

  #watchApprovals(): void {
    const { votes, quorum } = this.#state;
    const round = this.#round;
    if (this.#step === "approve" && votes.approversCount(round) >= quorum) {
      this.#pace.startTimeout("approve");
    }
    for (const found of votes.blocksApprovedBy(quorum)) {
      const facts = found.round === round ? this.#state.factsOf(found.block) : undefined;
      if (facts !== undefined) this.#verify(facts);
    }
    if (votes.approves(round, nilBlock).size >= quorum && this.#step !== "propose") {
      this.#commit(nilBlock);
    }
  }

  /** On polka ∧ AC the block goes to the committee of this round. */
  #verify(facts: BlockFacts): void {
    const round = this.#round;
    const accepts = this.#state.unanimousAccepts(facts);
    if (accepts === undefined) return;
    if (this.#step === "approve") {
      this.#pace.enterStep("verify");
      this.#pace.startTimeout("verify");
    }
    const key = `${round}/${toHex(facts.blockId)}`;
    if (facts.leafCount === 0 || this.#integrityAsked.has(key)) return;
    this.#integrityAsked.add(key);
    this.#out.tasks.push({
      kind: "verify-integrity",
      height: this.height,
      round,
      blockId: facts.blockId,
      committee: this.#state.committee(facts, round),
      accepts,
    });
  }

  #watchCommits(): void {
    const { votes, quorum } = this.#state;
    if (votes.committersCount(this.#round) >= quorum) this.#pace.startTimeout("commit");
    const outcome = outcomeOfCommits(this.#state);
    switch (outcome?.kind) {
      case "unknown":
        this.#validateIfUnknown(idOf(outcome.block));
        return;
      case "halt":
        this.#over = true;
        this.#out.halt = { message: outcome.message };
        return;
      case "decision":
        this.#over = true;
        this.#out.decision = outcome.decision;
        return;
      default:
    }
  }

  #onTimeout(step: ExpiredStep): void {
    // The timeout of a step that is over already means nothing; that of the COMMITs ends the round.
    if (step !== "commit" && step !== this.#step) return;
    this.#out.expired.push(step);
    switch (step) {
      case "propose":
        this.#approve(nilBlock, -1);
        return;
      case "approve":
      case "verify":
        this.#commit(nilBlock);
        return;
      case "commit":
        this.#enterRound(this.#round + 1);
        return;
      default:
        unreachable(step);
    }
  }

  #enterRound(round: number): void {
    this.#pace.enterRound(round);
    this.#state.prune(round, this.#lock.validRound);
    if (this.#state.context.members.proposer(this.height, round) === this.#options.selfId) {
      this.#propose(round);
    }
  }

  get #round(): number {
    return this.#pace.round;
  }

  get #step(): RingStep {
    return this.#pace.step;
  }

  #propose(round: number): void {
    if (this.#speaker.hasProposed(round)) return;
    if (this.#validCertificate === undefined) {
      this.#out.tasks.push({ kind: "build", height: this.height, round });
      return;
    }
    const { validRound, validBlock } = this.#lock;
    this.#speaker.propose(round, validRound, idOf(validBlock), this.#validCertificate);
  }

  #approve(block: BlockKey, validRound: number): void {
    this.#pace.enterStep("approve");
    this.#speaker.approve(this.#round, validRound, idOf(block));
  }

  #commit(block: BlockKey, certificate?: LockCertificate): void {
    const round = this.#round;
    if (this.#speaker.hasCommitted(round)) return;
    this.#pace.enterStep("commit");
    const blockId = idOf(block);
    this.#speaker.commit(round, blockId, certificate && { round, blockId, certificate });
  }

  #locallyFine(facts: BlockFacts): boolean {
    return facts.timestampMs <= this.#pace.wallMs + this.#options.futureBoundMs;
  }

  #validateIfUnknown(blockId: Uint8Array): void {
    if (this.#state.awaitJudgement(blockId)) this.#askToValidate(blockId);
  }

  #askToValidate(blockId: Uint8Array): void {
    const holders = this.#state.holders(toHex(blockId)).filter((id) => id !== this.#options.selfId);
    this.#out.tasks.push({ kind: "validate", height: this.height, blockId, holders });
  }

  /** Everything that others may have missed. */
  #resend(): void {
    this.#out.messages.push(...messagesToResend(this.#state, this.#round, this.#validCertificate));
    for (const blockId of this.#state.validating.values()) this.#askToValidate(blockId);
  }

  /** Takes up a height where the disk says that this manager left it. */
  #restore(restored: RestoredHeight): void {
    const rounds = [...restored.votes, ...restored.proposals].map((entry) => entry.round);
    if (restored.lock !== undefined) rounds.push(restored.lock.round);
    if (rounds.length === 0) return;
    this.#speaker.recall(restored.votes, restored.proposals);
    const lock = restored.lock;
    if (lock !== undefined) {
      this.#lock = lockedOn(lock.round, toHex(lock.blockId));
      this.#validCertificate = lock.certificate;
    }
    const round = Math.max(...rounds);
    this.#enterRound(round);
    if (lock !== undefined) this.#state.takeIn(lock.certificate, round);
    for (const vote of restored.votes) this.#state.votes.add(vote, round);
    for (const proposal of restored.proposals) this.#takeProposal(proposal);
    if (this.#speaker.hasApproved(round)) this.#pace.enterStep("approve");
    if (this.#speaker.hasCommitted(round)) this.#pace.enterStep("commit");
    if (lock !== undefined) this.#validateIfUnknown(lock.blockId);
    this.#pace.resendAtOnce();
  }
}

function idOf(block: BlockKey): Uint8Array {
  return defined(fromHex(block), "block keys are hex");
}
