/**
 * The rounds of one height (protocol §4).
 *
 *     idle ──reason to start────────▶ propose ──APPROVE sent──▶ approve ──polka ∧ AC──▶ verify ──LC──▶ commit
 *                                      │                        │                       │             │
 *                                   timeout: APPROVE nil     timeout: COMMIT nil     timeout: COMMIT nil
 *                                                                                                     │
 *            next round ◀── Q COMMITs of any kind and timeout ◀───────────────────────────────────────┤
 *            decided    ◀── Q COMMITs of one (height, round, block), with AC and IC ◀──────────────────┘
 *
 * The skeleton is Tendermint (arXiv:1807.04938, Algorithm 1). What starts a height is decided by
 * height-start.ts, what this manager may say by lock-rules.ts and opinion.ts; what it knows is in
 * height-state.ts, where intake.ts files it. After every event all rules are looked at again, in
 * one fixed order, so no order of messages is special.
 */
import { defined, unreachable } from "../../base/assert.js";
import { fromHex, toHex } from "../../base/bytes.js";
import type { LockCertificate } from "../../gen/bss/v1/block_pb.js";
import type { Evidence } from "../../gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import { HeightLock } from "../height/height-lock.js";
import { HeightState } from "../height/height-state.js";
import {
  type BlockKey,
  type Clock,
  type ExpiredStep,
  emptyOutbox,
  type HeightContext,
  type HeightEvent,
  nilBlock,
  type Outbox,
  type Ready,
  type RestoredHeight,
  type RingStatus,
  type RingStep,
  readyOf,
} from "./events.js";
import { HeightStart } from "./height-start.js";
import { Intake } from "./intake.js";
import { OwnView, type OwnViewOptions } from "./opinion.js";
import { Pace, type PaceOptions } from "./pace.js";
import { messagesToResend } from "./resend.js";
import { choiceFor, outcomeOfCommits } from "./round-rules.js";
import { Speaker } from "./speaker.js";
import { type RingWaiting, waitingFor } from "./waiting.js";

export type RoundsOptions = PaceOptions &
  OwnViewOptions & {
    readonly context: HeightContext;
    readonly restored?: RestoredHeight;
  };

/** One height, from its first message to its decision. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #state: HeightState;
  readonly #lock = new HeightLock();
  readonly #pace: Pace;
  readonly #speaker: Speaker;
  readonly #intake: Intake;
  readonly #view: OwnView;
  readonly #start: HeightStart;
  /** "polka round/block": what went to a committee in this round. */
  readonly #integrityAsked = new Set<string>();
  /** A verify step of this height has ended without the attestations that its block needs. */
  #unattested = false;
  /** Monotonic time from which on time alone may change what the rules say. */
  #lookAtMs = Number.NEGATIVE_INFINITY;
  /** Decided or halted: nothing is said at this height any more. */
  #over = false;
  #out: Outbox = emptyOutbox();

  constructor(options: RoundsOptions) {
    const { context, clock, restored, selfId } = options;
    this.#options = options;
    this.#pace = new Pace(options);
    this.#state = new HeightState(context, (block) => this.#mustKeep(block));
    this.#speaker = new Speaker(context.height);
    this.#intake = new Intake({
      selfId,
      state: this.#state,
      round: () => this.#round,
      send: (message) => this.#out.messages.push(message),
      start: (task) => this.#out.tasks.push(task),
    });
    this.#view = new OwnView(options, this.#state, this.#pace);
    this.#start = new HeightStart(clock.monotonicMs, context.members.faultsMax);
    if (restored !== undefined) this.#restore(restored);
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
    if (this.#over) return undefined;
    if (this.#step === "idle") return this.#start.nextMs;
    const dueMs = this.#pace.nextMs ?? Number.POSITIVE_INFINITY;
    const nextMs = Math.min(dueMs, this.#view.nextMs);
    // A timer may end a little too early for `tick` to look, but late enough for the view to see
    // nothing more to come.
    return this.#lookAtMs > this.#pace.monotonicMs ? Math.min(nextMs, this.#lookAtMs) : nextMs;
  }

  /** What the height waits for; undefined while it is idle, or over. */
  waiting(nowMs: number): RingWaiting | undefined {
    const { round, step, sinceMs, startedMs } = this.#pace;
    if (step === "idle" || this.#over) return undefined;
    const place = { round, step, stepMs: nowMs - sinceMs, heightMs: nowMs - startedMs };
    return waitingFor(this.#state, place);
  }

  /** Whether this manager may yet need the body of a block: the driver keeps it. */
  isBoundTo(block: BlockKey): boolean {
    return this.#lock.binds(block) || this.#state.judgements.isHeld(block);
  }

  /** Takes in one event of this height. */
  step(event: HeightEvent): void {
    if (this.#over || !this.#apply(event)) return;
    if (this.#step === "idle" && !this.#isStartedBy(event)) return;
    if (this.#step === "idle") this.#enterRound(0);
    this.#evaluate();
  }

  /** Lets time pass. */
  tick(clock: Clock): void {
    this.#pace.advance(clock);
    if (this.#over) return;
    if (this.#step === "idle") {
      if (!this.#start.isDue(clock.monotonicMs)) return;
      this.#enterRound(0);
      this.#evaluate();
    }
    const expired = this.#pace.takeExpired();
    for (const step of expired) {
      this.#onTimeout(step);
      // The timeouts of the round that was left mean nothing in the next one.
      if (step === "commit") break;
    }
    if (this.#pace.takeResend()) this.#resend();
    if (expired.length > 0 || clock.monotonicMs >= this.#lookAtMs) this.#evaluate();
  }

  /** Hands out what is to be done since the last call; see `Ready` for the order. */
  ready(evidence: readonly Evidence[]): Ready | undefined {
    const outbox = this.#out;
    this.#out = emptyOutbox();
    return readyOf(outbox, this.#speaker.take(), evidence);
  }

  /** Whether what was taken in is reason enough to start an idle height; see height-start.ts. */
  #isStartedBy(event: HeightEvent): boolean {
    switch (event.kind) {
      case "wake":
      case "lock-certificate":
        return true;
      case "proposal":
        this.#start.hear(event.proposal.managerId);
        return event.proposal.round === 0 || this.#start.isDue(this.#pace.monotonicMs);
      case "vote":
        this.#start.hear(event.vote.managerId);
        return this.#start.isDue(this.#pace.monotonicMs);
      default:
        // Storage nodes cannot make the managers work, and a judgement is no manager's message.
        return false;
    }
  }

  #apply(event: HeightEvent): boolean {
    switch (event.kind) {
      case "wake":
        return this.#step === "idle";
      case "built":
        return this.#takeBuilt(event.round, event.facts);
      default:
        return this.#intake.take(event);
    }
  }

  /** A block that comes after its round is of no use: a block names the round it is made in. */
  #takeBuilt(round: number, facts: BlockFacts): boolean {
    if (round !== this.#round || this.#step === "idle") return false;
    if (this.#lock.certificate !== undefined) {
      this.#propose(round);
      return true;
    }
    this.#state.judgements.add(toHex(facts.blockId), { accurate: true, facts });
    this.#speaker.propose(round, -1, facts.blockId);
    return true;
  }

  /** All rules, in a fixed order. Statements count only when they come back signed. */
  #evaluate(): void {
    if (this.#over || this.#step === "idle") return;
    this.#skipRounds();
    if (!this.#speaker.hasCommitted(this.#round)) this.#view.watchAbsences();
    this.#acceptAccurateBlocks();
    this.#approveProposal();
    this.#followLockCertificates();
    this.#watchApprovals();
    this.#watchCommits();
    this.#lookAtMs = this.#view.nextMs;
  }

  /** Later rounds in which f+1 distinct managers are: at least one of them is honest. */
  #skipRounds(): void {
    const reached = this.#state.votes.roundReachedBy(this.#state.context.members.faultsMax + 1);
    if (reached > this.#round) this.#enterRound(reached);
  }

  /** ACCEPT is about accuracy alone: no round, no lock, and it may come late. */
  #acceptAccurateBlocks(): void {
    for (const facts of this.#state.judgements.accurate()) {
      if (!facts.requiredAccepts.includes(this.#options.selfId)) continue;
      if (this.#view.of(facts) === "fine") this.#speaker.accept(facts.blockId);
    }
  }

  #approveProposal(): void {
    if (this.#step !== "propose") return;
    const proposal = this.#state.proposals.get(this.#round);
    if (proposal === undefined) {
      const proposerId = this.#state.context.members.proposer(this.height, this.#round);
      // A proposer that has been missing for so long is not waited for.
      if (this.#view.isMissing(proposerId)) this.#approve(nilBlock, -1);
      return;
    }
    const { state } = this.#lock;
    const choice = choiceFor(proposal, this.#state, state, (facts) => this.#view.of(facts));
    if (choice === undefined) return;
    this.#approve(choice, choice === nilBlock ? -1 : proposal.validRound);
  }

  #followLockCertificates(): void {
    for (const { round, block } of this.#state.votes.blocksApprovedBy(this.#state.quorum)) {
      const current = round === this.#round && !this.#speaker.hasCommitted(round);
      if (!current && round <= this.#lock.state.validRound) continue;
      // As in Tendermint, a manager commits in a round only after it has approved there, even nil.
      if (current && this.#step === "propose") continue;
      const certificate = this.#state.lockable(round, block);
      if (certificate === undefined) continue;
      const committedInRound = this.#speaker.hasCommitted(this.#round);
      const now = { round: this.#round, committedInRound };
      if (this.#lock.learn({ round, block }, now, certificate)) this.#commit(block, certificate);
    }
  }

  #watchApprovals(): void {
    const { votes, quorum } = this.#state;
    const round = this.#round;
    if (this.#step === "approve" && votes.approvers(round).size >= quorum) {
      this.#pace.startTimeout("approve");
    }
    for (const found of votes.blocksApprovedBy(quorum)) {
      const facts = this.#state.factsOf(found.block);
      if (facts !== undefined) this.#verify(facts, found.round);
    }
    if (votes.approves(round, nilBlock).size >= quorum && this.#step !== "propose") {
      this.#commit(nilBlock);
    }
  }

  /**
   * On polka ∧ AC the block goes to the committee of the round in which it was made, even if the
   * last ACCEPT comes after that round. Managers that got it at different times may disagree on who
   * is missing, but all of them can propose this block again. A block that was proposed again has
   * its attestations, or it would have no lock certificate.
   */
  #verify(facts: BlockFacts, round: number): void {
    const accepts = this.#state.unanimousAccepts(facts);
    if (accepts === undefined) return;
    if (round === this.#round && this.#step === "approve") {
      this.#pace.enterStep("verify");
      this.#pace.startTimeout("verify");
    }
    const block = toHex(facts.blockId);
    if (facts.leafCount === 0 || round !== facts.createdRound) return;
    if (this.#integrityAsked.has(block)) return;
    if (round !== this.#round && this.#state.lockable(round, block) !== undefined) return;
    this.#integrityAsked.add(block);
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
    if (votes.committers(this.#round).size >= quorum) this.#pace.startTimeout("commit");
    const outcome = outcomeOfCommits(this.#state);
    switch (outcome?.kind) {
      case "unknown":
        this.#intake.validateIfUnknown(idOf(outcome.block));
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
        this.#commit(nilBlock);
        return;
      case "verify":
        this.#unattested = true;
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
    this.#integrityAsked.clear();
    this.#speaker.prune(round);
    this.#state.prune(round, this.#lock.state.validRound);
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
    const { certificate, state } = this.#lock;
    if (certificate === undefined) {
      const [absent, unattested] = [this.#view.claimedAbsences(), this.#unattested];
      this.#out.tasks.push({ kind: "build", height: this.height, round, absent, unattested });
      return;
    }
    this.#speaker.propose(round, state.validRound, idOf(state.validBlock), certificate);
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

  #mustKeep(block: BlockKey): boolean {
    const proposed = this.#state.proposals.get(this.#round);
    return this.#lock.binds(block) || (proposed !== undefined && toHex(proposed.blockId) === block);
  }

  /** Sends everything again that others may have missed. */
  #resend(): void {
    this.#out.messages.push(...messagesToResend(this.#state, this.#round, this.#lock.certificate));
    this.#intake.askAgain();
  }

  /** Takes up a height where the disk says that this manager left it. */
  #restore(restored: RestoredHeight): void {
    const rounds = [...restored.votes, ...restored.proposals].map((entry) => entry.round);
    if (restored.lock !== undefined) rounds.push(restored.lock.round);
    if (rounds.length === 0) return;
    this.#speaker.recall(restored.votes, restored.proposals);
    const lock = restored.lock;
    if (lock !== undefined) this.#lock.restore(lock, restored.votes);
    const round = Math.max(...rounds);
    this.#enterRound(round);
    if (lock !== undefined) this.#state.takeIn(lock.certificate, round);
    for (const vote of restored.votes) this.#state.votes.add(vote, round);
    for (const proposal of restored.proposals) this.#intake.takeProposal(proposal);
    if (this.#speaker.hasApproved(round)) this.#pace.enterStep("approve");
    if (this.#speaker.hasCommitted(round)) this.#pace.enterStep("commit");
    if (lock !== undefined) this.#intake.validateIfUnknown(lock.blockId);
    this.#pace.resendAtOnce();
  }
}

function idOf(block: BlockKey): Uint8Array {
  return defined(fromHex(block), "block keys are hex");
}
