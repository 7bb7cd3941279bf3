/**
 * Drives the ring core: the one serial loop through which everything of a manager's chain goes.
 *
 *     events ─▶ ring.step / ring.tick ─▶ ready() ─┬─ 1 statements: sign, store (one synchronous batch),
 *        ▲                                        │    then send, and step back
 *        │                                        ├─ 2 messages: send
 *        └────── built, judged, own votes ────────┼─ 3 tasks: start, their answers come back as events
 *                                                 └─ 4 decision: append the block, go to the next height
 *
 * Nothing of a later turn starts before the statements of this one are on disk. Appending a block
 * that a peer shipped (catch-up) is a turn of the same loop, so there is one writer of the chain.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../base/assert.js";
import { toHex } from "../base/bytes.js";
import type { Time } from "../base/time.js";
import type {
  Clock,
  Decision,
  HeightContext,
  Lock,
  Outgoing,
  Ready,
  RingEvent,
  Statement,
  Task,
} from "../consensus/events.js";
import type { Ring } from "../consensus/ring.js";
import type { BlockCertificates, ManagerBlock } from "../gen/bss/v1/block_pb.js";
import type { Evidence } from "../gen/bss/v1/genesis_pb.js";
import {
  type Proposal,
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../gen/bss/v1/vote_pb.js";
import type { ExecutedBlock } from "../ledger/executed-block.js";
import { acceptDigest, approveDigest, commitDigest, proposalDigest } from "../ledger/votes.js";
import type { CandidateBlocks } from "./candidate-blocks.js";

/** Events that wait for their turn; beyond, the oldest is dropped and counted. Peers send again. */
export const eventsMax = 20_000;

/** The core has stopped for good: more than f managers broke the rules, or this software did. */
export class RingHalted extends Error {
  override readonly name = "RingHalted";
}

/** Statements are stored through this before anybody sees them. */
export type StatementStore = {
  saveStatements(statements: {
    readonly votes: readonly Vote[];
    readonly proposals: readonly Proposal[];
    readonly lock?: Lock;
    readonly bodies: readonly ManagerBlock[];
  }): Promise<void>;
};

export type AppendedBlock = {
  readonly block: ManagerBlock;
  readonly executed: ExecutedBlock;
  readonly certificates: BlockCertificates;
};

export type RingDriverPorts = {
  readonly selfId: string;
  readonly consortiumId: Uint8Array;
  /** Signs a 32-byte digest with this manager's key. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
  readonly store: StatementStore;
  readonly candidates: CandidateBlocks;
  readonly time: Time;
  /** Sends to every other manager; never waits. */
  readonly send: (message: Outgoing, body?: ManagerBlock) => void;
  /** Starts a task; its answer comes through `post`. */
  readonly start: (task: Task) => void;
  /** Keeps evidence against a manager that contradicts itself, and spreads it. */
  readonly accuse: (evidence: Evidence) => Promise<void>;
  /** Writes the block and moves the ring on. */
  readonly append: (appended: AppendedBlock) => Promise<void>;
  readonly observe: {
    statement(statement: Statement): void;
    expired(step: string): void;
    eventDropped(): void;
  };
  /** The loop has ended for good: a halt of the core, a failing disk, or a bug. */
  readonly onFatal: (error: Error) => void;
};

type Job = {
  readonly kind: "job";
  readonly run: () => Promise<void>;
  /** Instead of running it. */
  readonly giveUp: (error: Error) => void;
};

type Turn = RingEvent | Job;

export class RingDriver {
  readonly #ring: Ring;
  readonly #ports: RingDriverPorts;
  readonly #queue: Turn[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #running: Promise<void> = Promise.resolve();

  constructor(ring: Ring, ports: RingDriverPorts) {
    this.#ring = ring;
    this.#ports = ports;
  }

  get ring(): Pick<Ring, "height" | "status" | "waiting"> {
    return this.#ring;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Hands an event to the core. Its signatures have been verified. */
  post(event: RingEvent): void {
    if (!this.#closed) this.#enqueue(event);
  }

  /**
   * Runs `job` as a turn of its own, between two events. One that fails ends the loop, as it may
   * have changed the chain. Rejects when the loop has ended before its turn.
   */
  exclusive<T>(job: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(loopEnded());
      const run = async () => {
        try {
          resolve(await job());
        } catch (error) {
          reject(error);
          throw error;
        }
      };
      this.#enqueue({ kind: "job", run, giveUp: reject });
    });
  }

  /** To the height after a block that has been appended. Only within a turn: `append` or a job. */
  advance(context: HeightContext): void {
    this.#ring.advance(context);
  }

  /** Ends after the turn that is running. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#running;
  }

  #enqueue(turn: Turn): void {
    if (this.#queue.length >= eventsMax) {
      const oldest = this.#queue.findIndex((entry) => entry.kind !== "job");
      if (oldest !== -1) this.#queue.splice(oldest, 1);
      this.#ports.observe.eventDropped();
    }
    this.#queue.push(turn);
    this.#wake?.();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closed) await this.#turn();
    } catch (error) {
      this.#closed = true;
      this.#ports.onFatal(error instanceof Error ? error : new Error(String(error)));
    }
    for (const turn of this.#queue.splice(0)) if (turn.kind === "job") turn.giveUp(loopEnded());
  }

  async #turn(): Promise<void> {
    const ring = this.#ring;
    ring.tick(clockOf(this.#ports.time));
    for (let turn = this.#queue.shift(); turn !== undefined; turn = this.#queue.shift()) {
      if (turn.kind === "job") {
        await turn.run();
        break;
      }
      ring.step(turn);
    }
    const ready = ring.ready();
    if (ready !== undefined) await this.#carryOut(ready);
    else if (this.#queue.length === 0) await this.#rest();
  }

  async #carryOut(ready: Ready): Promise<void> {
    const ports = this.#ports;
    for (const step of ready.expired) ports.observe.expired(step);
    await this.#speak(ready.statements);
    for (const message of ready.messages) ports.send(message);
    for (const task of ready.tasks) ports.start(task);
    for (const evidence of ready.evidence) await ports.accuse(evidence);
    if (ready.decision !== undefined) await this.#append(ready.decision);
    if (ready.halt !== undefined) throw new RingHalted(ready.halt.message);
  }

  /** Durable before visible. */
  async #speak(statements: readonly Statement[]): Promise<void> {
    if (statements.length === 0) return;
    const votes: Vote[] = [];
    const proposals: Proposal[] = [];
    const bodies = new Map<string, ManagerBlock>();
    let lock: Lock | undefined;
    for (const statement of statements) {
      if (statement.kind === "propose") proposals.push(this.#signProposal(statement));
      else votes.push(this.#signVote(statement));
      if (statement.kind === "commit" && statement.lock !== undefined) lock = statement.lock;
      const mustKeep = statement.kind === "propose" || statement.kind === "commit";
      if (mustKeep && statement.blockId.length > 0) {
        const candidate = this.#ports.candidates.get(statement.blockId);
        bodies.set(
          toHex(statement.blockId),
          defined(candidate, "a manager proposes and commits only blocks that it holds").block,
        );
      }
    }
    const durable = { votes, proposals, bodies: [...bodies.values()] };
    await this.#ports.store.saveStatements(lock === undefined ? durable : { ...durable, lock });
    for (const statement of statements) this.#ports.observe.statement(statement);
    for (const proposal of proposals) {
      const body = this.#ports.candidates.get(proposal.blockId)?.block;
      this.#ports.send({ kind: "proposal", proposal }, body);
      this.#ring.step({ kind: "proposal", proposal });
    }
    for (const vote of votes) {
      this.#ports.send({ kind: "vote", vote });
      this.#ring.step({ kind: "vote", vote });
    }
  }

  #signProposal(statement: Statement & { kind: "propose" }): Proposal {
    const { height, round, validRound, blockId, lockCertificate } = statement;
    const { consortiumId, selfId, sign } = this.#ports;
    const signature = sign(proposalDigest({ consortiumId, height, round, validRound, blockId }));
    const base = {
      height: BigInt(height),
      round,
      validRound,
      blockId,
      managerId: selfId,
      signature,
    };
    return create(
      ProposalSchema,
      lockCertificate === undefined ? base : { ...base, lockCertificate },
    );
  }

  #signVote(statement: Exclude<Statement, { kind: "propose" }>): Vote {
    const { consortiumId, selfId: managerId, sign } = this.#ports;
    const { height, blockId } = statement;
    const base = { height: BigInt(height), blockId, managerId };
    switch (statement.kind) {
      case "accept": {
        const signature = sign(acceptDigest({ consortiumId, height, blockId }));
        return create(VoteSchema, { ...base, kind: VoteKind.ACCEPT, validRound: -1, signature });
      }
      case "approve": {
        const { round, validRound } = statement;
        const digest = approveDigest({ consortiumId, height, round, validRound, blockId });
        const kind = VoteKind.APPROVE;
        return create(VoteSchema, { ...base, kind, round, validRound, signature: sign(digest) });
      }
      case "commit": {
        const { round } = statement;
        const signature = sign(commitDigest({ consortiumId, height, round, blockId }));
        return create(VoteSchema, {
          ...base,
          kind: VoteKind.COMMIT,
          round,
          validRound: -1,
          signature,
        });
      }
    }
  }

  async #append(decision: Decision): Promise<void> {
    const candidate = this.#ports.candidates.get(decision.blockId);
    const held = defined(candidate, "a decided block was judged, so its body is held");
    const executed = defined(held.executed, "a decided block was judged accurate");
    const { certificates } = decision;
    await this.#ports.append({ block: held.block, executed, certificates });
  }

  /** Until an event comes or a timeout is due. */
  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const { time } = this.#ports;
      const deadline = this.#ring.nextDeadlineMs;
      const wait = deadline === undefined ? undefined : deadline - time.monotonicMs();
      const timer = wait === undefined ? undefined : time.after(wait, () => done());
      const done = () => {
        timer?.cancel();
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      if (this.#closed || this.#queue.length > 0) done();
    });
  }
}

export function clockOf(time: Time): Clock {
  return { monotonicMs: time.monotonicMs(), wallMs: time.wallMs() };
}

function loopEnded(): Error {
  return new Error("the manager has stopped working on its chain");
}
