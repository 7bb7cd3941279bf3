/**
 * The managers' ring: the rounds of protocol §4.
 *
 *     idle ──wake or any message──▶ propose ──APPROVE sent──▶ approve ──polka ∧ AC──▶ verify ──LC──▶ commit
 *                                      │                        │                       │             │
 *                                   timeout: APPROVE nil     timeout: COMMIT nil     timeout: COMMIT nil
 *                                                                                                     │
 *            next round ◀── Q COMMITs of any kind and timeout ◀───────────────────────────────────────┤
 *            decided    ◀── Q COMMITs of one (height, round, block), with AC and IC ◀──────────────────┘
 *
 * The skeleton is Tendermint (arXiv:1807.04938, Algorithm 1). What this manager may say is decided by
 * lock-rules.ts, what it knows by height-state.ts; this file moves it from step to step. After every
 * event all rules are looked at again, in one fixed order, so no order of messages is special.
 */
import { clone } from "@bufbuild/protobuf";
import { assert, defined, unreachable } from "../base/assert.js";
import { emptyBytes, fromHex, toHex } from "../base/bytes.js";
import type { LockCertificate } from "../gen/bss/v1/block_pb.js";
import type { RoundTimeouts } from "../gen/bss/v1/genesis_pb.js";
import { type Proposal, ProposalSchema, type Vote, VoteKind } from "../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../ledger/block-facts.js";
import {
  type BlockKey,
  type Clock,
  type Decision,
  type ExpiredStep,
  type Halt,
  type HeightContext,
  type Judgement,
  nilBlock,
  type Outgoing,
  type Ready,
  type RestoredHeight,
  type RingEvent,
  type RingStatus,
  type RingStep,
  type Statement,
  type Task,
} from "./events.js";
import { HeightState } from "./height-state.js";
import { approvalOf, type LockState, onLockCertificate, unlocked } from "./lock-rules.js";
import { Deadlines, stepTimeoutMs } from "./timeouts.js";
import { roundsAheadMax, roundsBehindMax } from "./vote-tally.js";

export type RingOptions = {
  readonly selfId: string;
  readonly timeouts: RoundTimeouts;
  /** How far a fresh block's timestamp may lie ahead of this manager's clock. */
  readonly futureBoundMs: number;
  /** What is known of an undecided height is sent again after this time. */
  readonly resendMs: number;
  readonly context: HeightContext;
  readonly restored?: RestoredHeight;
  readonly clock: Clock;
};

/** Messages of the next height that are kept while this one is being finished. */
export const nextHeightEventsMax = 2048;

export class Ring {
  readonly #options: RingOptions;
  #clock: Clock;
  #state: HeightState;
  #round = 0;
  #step: RingStep = "idle";
  #stepSinceMs: number;
  #lock: LockState = unlocked;
  #validCertificate: LockCertificate | undefined;
  #deadlines = new Deadlines();
  #resendAtMs = Number.POSITIVE_INFINITY;
  /** Kind, round and for ACCEPT block of everything said at this height: each is said once. */
  #said = new Set<string>();
  #integrityAsked = new Set<string>();
  #decided = false;
  #halted = false;
  #nextHeight: RingEvent[] = [];
  #out = emptyOutbox();

  constructor(options: RingOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#stepSinceMs = options.clock.monotonicMs;
    this.#state = new HeightState(options.context);
    if (options.restored !== undefined) this.#restore(options.restored);
  }

  get height(): number {
    return this.#state.context.height;
  }

  status(): RingStatus {
    return {
      height: this.height,
      round: this.#round,
      step: this.#step,
      sinceMs: this.#stepSinceMs,
    };
  }

  /** Monotonic time at which `tick` has something to do, if no event comes before. */
  get nextDeadlineMs(): number | undefined {
    if (this.#step === "idle" || this.#decided || this.#halted) return undefined;
    return Math.min(this.#deadlines.nextMs ?? Number.POSITIVE_INFINITY, this.#resendAtMs);
  }

  /** Takes in one event. Messages of other heights are dropped, those of the next one kept. */
  step(event: RingEvent): void {
    if (this.#halted) return;
    const height = heightOf(event);
    if (height !== undefined && height !== this.height) {
      const room = this.#nextHeight.length < nextHeightEventsMax;
      if (height === this.height + 1 && room) this.#nextHeight.push(event);
      return;
    }
    if (this.#decided) return;
    if (!this.#apply(event)) return;
    if (this.#step === "idle") {
      // A storage node cannot make the managers work: only what managers say starts a height.
      if (event.kind === "attestation") return;
      this.#enterRound(0);
    }
    this.#evaluate();
  }

  /** Lets time pass. */
  tick(clock: Clock): void {
    this.#clock = clock;
    if (this.#step === "idle" || this.#decided || this.#halted) return;
    for (const step of this.#deadlines.expire(clock.monotonicMs)) {
      this.#onTimeout(step);
      // Entering a round has replaced the deadlines; those of the round that was left mean nothing now.
      if (step === "commit") break;
    }
    if (clock.monotonicMs >= this.#resendAtMs) this.#resend();
    this.#evaluate();
  }

  /** Hands out what is to be done since the last call; see `Ready` for the order. */
  ready(): Ready | undefined {
    const out = this.#out;
    if (out.empty) return undefined;
    this.#out = emptyOutbox();
    const { statements, messages, tasks, expired, decision, halt } = out;
    return {
      statements,
      messages,
      tasks,
      expired,
      ...(decision === undefined ? {} : { decision }),
      ...(halt === undefined ? {} : { halt }),
    };
  }

  /** Goes to the next height, idle until something happens there. */
  advance(context: HeightContext): void {
    assert(context.height > this.height, "a ring only goes forward");
    const follows = context.height === this.height + 1;
    const kept = follows ? this.#nextHeight : [];
    this.#nextHeight = [];
    this.#state = new HeightState(context);
    this.#round = 0;
    this.#lock = unlocked;
    this.#validCertificate = undefined;
    this.#deadlines = new Deadlines();
    this.#resendAtMs = Number.POSITIVE_INFINITY;
    this.#said = new Set();
    this.#integrityAsked = new Set();
    this.#decided = false;
    this.#out = emptyOutbox();
    this.#enterStep("idle");
    for (const event of kept) this.step(event);
  }

  /** Files the event; false when it changes nothing, so that junk neither starts nor delays a height. */
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
        this.#state.takeIn(event.certificate, this.#round);
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
    const outside = round > this.#round + roundsAheadMax || round < this.#round - roundsBehindMax;
    if (outside || this.#state.proposals.has(round)) return round > this.#round;
    const relayed = clone(ProposalSchema, proposal);
    delete relayed.block;
    this.#state.proposals.set(round, relayed);
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

  #takeBuilt(round: number, facts: BlockFacts): boolean {
    this.#state.judgements.set(toHex(facts.blockId), { accurate: true, facts });
    if (round === this.#round && this.#step !== "idle") {
      this.#say(`propose/${round}`, {
        kind: "propose",
        height: this.height,
        round,
        validRound: -1,
        blockId: facts.blockId,
      });
    }
    return true;
  }

  /** All rules, in a fixed order. Statements count only when they come back signed. */
  #evaluate(): void {
    if (this.#decided || this.#halted || this.#step === "idle") return;
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
    for (const [block, judgement] of this.#state.judgements) {
      if (!judgement.accurate || !this.#locallyFine(judgement.facts)) continue;
      this.#say(`accept/${block}`, {
        kind: "accept",
        height: this.height,
        blockId: judgement.facts.blockId,
      });
    }
  }

  #approveProposal(): void {
    if (this.#step !== "propose") return;
    const proposal = this.#state.proposals.get(this.#round);
    if (proposal === undefined) return;
    const block = toHex(proposal.blockId);
    const judgement = this.#state.judgements.get(block);
    if (judgement === undefined) return;
    const fresh = proposal.validRound === -1;
    const choice = approvalOf(
      {
        round: proposal.round,
        validRound: proposal.validRound,
        block,
        accurate: judgement.accurate && (!fresh || this.#madeInRound(judgement.facts, proposal)),
        locallyFine: judgement.accurate && this.#locallyFine(judgement.facts),
        certified: !fresh && this.#state.lockable(proposal.validRound, block) !== undefined,
      },
      this.#lock,
    );
    this.#approve(choice, choice === nilBlock ? -1 : proposal.validRound);
  }

  #followLockCertificates(): void {
    for (const { round, block } of this.#state.votes.blocksApprovedBy(this.#state.quorum)) {
      const current = round === this.#round && !this.#said.has(`commit/${round}`);
      if (!current && round <= this.#lock.validRound) continue;
      // As in Tendermint, a manager commits in a round only after it has approved there, be it nil.
      if (current && this.#step === "propose") continue;
      const certificate = this.#state.lockable(round, block);
      if (certificate === undefined) continue;
      const after = onLockCertificate(
        { polkaRound: round, block },
        { round: this.#round, committedInRound: this.#said.has(`commit/${this.#round}`) },
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
      this.#startDeadline("approve");
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
      this.#enterStep("verify");
      this.#startDeadline("verify");
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
    if (votes.committersCount(this.#round) >= quorum) this.#startDeadline("commit");
    for (const { round, block } of votes.blocksCommittedBy(quorum)) {
      const judgement = this.#state.judgements.get(block);
      if (judgement === undefined) {
        this.#validateIfUnknown(defined(fromHex(block), "block keys are hex"));
        continue;
      }
      if (!judgement.accurate) {
        this.#halt(
          `Q managers committed block ${block}, which breaks the rules here: ` +
            `${judgement.violation.reason}: ${judgement.violation.message}`,
        );
        return;
      }
      const certificates = this.#state.blockCertificates(round, judgement.facts);
      if (certificates === undefined) continue;
      const { facts } = judgement;
      this.#decided = true;
      this.#out.decision = {
        height: this.height,
        round,
        blockId: facts.blockId,
        facts,
        certificates,
      };
      return;
    }
  }

  #onTimeout(step: ExpiredStep): void {
    this.#out.expired.push(step);
    switch (step) {
      case "propose":
        if (this.#step === "propose") this.#approve(nilBlock, -1);
        return;
      case "approve":
      case "verify":
        if (this.#step === step) this.#commit(nilBlock);
        return;
      case "commit":
        this.#enterRound(this.#round + 1);
        return;
      default:
        unreachable(step);
    }
  }

  #enterRound(round: number): void {
    this.#round = round;
    this.#deadlines = new Deadlines();
    this.#enterStep("propose");
    this.#state.votes.prune(round, this.#lock.validRound);
    for (const old of this.#state.proposals.keys()) {
      if (old < round - roundsBehindMax) this.#state.proposals.delete(old);
    }
    this.#startDeadline("propose");
    if (this.#resendAtMs === Number.POSITIVE_INFINITY) this.#scheduleResend();
    if (this.#state.context.members.proposer(this.height, round) === this.#options.selfId) {
      this.#propose(round);
    }
  }

  #propose(round: number): void {
    if (this.#said.has(`propose/${round}`)) return;
    if (this.#validCertificate === undefined) {
      this.#out.tasks.push({ kind: "build", height: this.height, round });
      return;
    }
    this.#say(`propose/${round}`, {
      kind: "propose",
      height: this.height,
      round,
      validRound: this.#lock.validRound,
      blockId: defined(fromHex(this.#lock.validBlock), "block keys are hex"),
      lockCertificate: this.#validCertificate,
    });
  }

  #approve(block: BlockKey, validRound: number): void {
    const round = this.#round;
    this.#enterStep("approve");
    const blockId = defined(fromHex(block), "block keys are hex");
    this.#say(`approve/${round}`, {
      kind: "approve",
      height: this.height,
      round,
      validRound,
      blockId,
    });
  }

  #commit(block: BlockKey, certificate?: LockCertificate): void {
    const round = this.#round;
    if (this.#said.has(`commit/${round}`)) return;
    this.#enterStep("commit");
    const blockId = defined(fromHex(block), "block keys are hex");
    const base = { kind: "commit", height: this.height, round, blockId } as const;
    const lock = certificate === undefined ? {} : { lock: { round, blockId, certificate } };
    this.#say(`commit/${round}`, { ...base, ...lock });
  }

  #say(key: string, statement: Statement): void {
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#out.statements.push(statement);
  }

  /** A fresh proposal's block was made for this very round by its proposer. */
  #madeInRound(facts: BlockFacts, proposal: Proposal): boolean {
    return facts.createdRound === proposal.round && facts.proposerId === proposal.managerId;
  }

  #locallyFine(facts: BlockFacts): boolean {
    return facts.timestampMs <= this.#clock.wallMs + this.#options.futureBoundMs;
  }

  #validateIfUnknown(blockId: Uint8Array): void {
    const block = toHex(blockId);
    if (block === nilBlock || this.#state.judgements.has(block)) return;
    if (this.#state.validating.has(block)) return;
    this.#state.validating.set(block, blockId);
    this.#askToValidate(blockId);
  }

  #askToValidate(blockId: Uint8Array): void {
    const holders = this.#state.holders(toHex(blockId)).filter((id) => id !== this.#options.selfId);
    this.#out.tasks.push({ kind: "validate", height: this.height, blockId, holders });
  }

  /** Everything that others may have missed: messages are lost, and peers restart. */
  #resend(): void {
    this.#scheduleResend();
    const { messages } = this.#out;
    for (const round of [this.#round - 1, this.#round]) {
      const proposal = this.#state.proposals.get(round);
      if (proposal !== undefined) messages.push({ kind: "proposal", proposal });
      for (const vote of this.#state.votes.votesOfRound(round)) {
        const acceptAgain = vote.kind === VoteKind.ACCEPT && round !== this.#round;
        if (!acceptAgain) messages.push({ kind: "vote", vote });
      }
    }
    const certificate = this.#validCertificate;
    if (certificate !== undefined) messages.push({ kind: "lock-certificate", certificate });
    for (const { round, block } of this.#state.votes.blocksApprovedBy(this.#state.quorum)) {
      if (round !== this.#round) continue;
      for (const attestation of this.#state.attestations.of(round, block).values()) {
        messages.push({ kind: "attestation", attestation });
      }
    }
    for (const blockId of this.#state.validating.values()) this.#askToValidate(blockId);
  }

  #scheduleResend(): void {
    this.#resendAtMs = this.#clock.monotonicMs + this.#options.resendMs;
  }

  #startDeadline(step: ExpiredStep): void {
    const timeout = stepTimeoutMs(this.#options.timeouts, step, this.#round);
    this.#deadlines.start(step, this.#clock.monotonicMs + timeout);
  }

  #enterStep(step: RingStep): void {
    this.#step = step;
    this.#stepSinceMs = this.#clock.monotonicMs;
  }

  #halt(message: string): void {
    this.#halted = true;
    this.#out.halt = { message };
  }

  /** Takes up a height where the disk says that this manager left it. */
  #restore(restored: RestoredHeight): void {
    const rounds = [...restored.votes, ...restored.proposals].map((entry) => entry.round);
    if (restored.lock !== undefined) rounds.push(restored.lock.round);
    if (rounds.length === 0) return;
    for (const vote of restored.votes) this.#said.add(saidKey(vote));
    for (const { round } of restored.proposals) this.#said.add(`propose/${round}`);
    const lock = restored.lock;
    if (lock !== undefined) {
      const block = toHex(lock.blockId);
      this.#lock = {
        lockedRound: lock.round,
        lockedBlock: block,
        validRound: lock.round,
        validBlock: block,
      };
      this.#validCertificate = lock.certificate;
    }
    const round = Math.max(...rounds);
    this.#enterRound(round);
    if (lock !== undefined) this.#state.takeIn(lock.certificate, round);
    for (const vote of restored.votes) this.#state.votes.add(vote, round);
    for (const proposal of restored.proposals) this.#takeProposal(proposal);
    if (this.#said.has(`approve/${round}`)) this.#enterStep("approve");
    if (this.#said.has(`commit/${round}`)) this.#enterStep("commit");
    if (lock !== undefined) this.#validateIfUnknown(lock.blockId);
    // At once, not after a period: peers may have gone on while this manager was away.
    this.#resendAtMs = this.#clock.monotonicMs;
  }
}

type Outbox = {
  statements: Statement[];
  messages: Outgoing[];
  tasks: Task[];
  expired: ExpiredStep[];
  decision?: Decision;
  halt?: Halt;
  readonly empty: boolean;
};

function emptyOutbox(): Outbox {
  return {
    statements: [],
    messages: [],
    tasks: [],
    expired: [],
    get empty() {
      const queued = this.statements.length + this.messages.length + this.tasks.length;
      const rest = this.decision === undefined && this.halt === undefined;
      return queued === 0 && this.expired.length === 0 && rest;
    },
  };
}

function heightOf(event: RingEvent): number | undefined {
  switch (event.kind) {
    case "wake":
      return undefined;
    case "proposal":
      return Number(event.proposal.height);
    case "vote":
      return Number(event.vote.height);
    case "attestation":
      return Number(event.attestation.height);
    case "lock-certificate":
      return Number(event.certificate.polka?.height ?? -1n);
    case "judged":
    case "built":
      return event.height;
    default:
      return unreachable(event);
  }
}

function saidKey(vote: Vote): string {
  switch (vote.kind) {
    case VoteKind.ACCEPT:
      return `accept/${toHex(vote.blockId)}`;
    case VoteKind.APPROVE:
      return `approve/${vote.round}`;
    default:
      return `commit/${vote.round}`;
  }
}
