/**
 * Drives the ring core: the one serial loop through which everything of a manager's chain goes.
 *
 *     events ─▶ ring.step / ring.tick ─▶ ready() ─┬─ 1 statements: through the statement log, which
 *        ▲                                        │    signs and stores; then send, and step back
 *        │                                        ├─ 2 messages: send
 *        └────── built, judged, own votes ────────┼─ 3 tasks: start, their answers come back as events
 *                                                 └─ 4 decision: append the block, go to the next height
 *
 * Nothing of a later turn starts before the statements of this one are on disk. Appending a block
 * that a peer shipped (catch-up) is a turn of the same loop, so there is one writer of the chain.
 *
 * While the manager only listens (abstention.ts), jobs are the turns that run; events wait.
 */
import { defined } from "../../base/assert.js";
import type { Time } from "../../base/time.js";
import type {
  Clock,
  Decision,
  ExpiredStep,
  HeightContext,
  Outgoing,
  Ready,
  RingEvent,
  Statement,
  Task,
} from "../../consensus/ring/events.js";
import type { Ring } from "../../consensus/ring/ring.js";
import type { CommitCertificate, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import type { Evidence } from "../../gen/bss/v1/genesis_pb.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import type { StatementLog } from "../signing/statement-log.js";
import type { CandidateBlocks } from "./candidate-blocks.js";

/** Events that wait for their turn; beyond, the oldest is dropped and counted. Peers send again. */
export const eventsMax = 20_000;

/** The core has stopped for good: more than f managers broke the rules, or this software did. */
export class RingHalted extends Error {
  override readonly name = "RingHalted";
  /** Of the block that contradicts what this manager computes, if it was for one that it halted. */
  readonly contradicting: CommitCertificate | undefined;

  constructor(message: string, contradicting?: CommitCertificate) {
    super(message);
    this.contradicting = contradicting;
  }
}

/** One that has been appended, or is about to be. */
export type DecidedBlock = AppendedBlock & {
  /** How long the round took in which it was decided; undefined for one that a peer shipped. */
  readonly roundMs?: number;
};

export type RingDriverPorts = {
  readonly statements: Pick<StatementLog, "say" | "isDue">;
  /** True while the rounds are not taken up yet; `wake` when that changes. */
  readonly listening: () => boolean;
  readonly candidates: Pick<CandidateBlocks, "get">;
  readonly time: Time;
  /** Sends to every other manager; never waits. */
  readonly send: (message: Outgoing, body?: ManagerBlock) => void;
  /** Starts a task; its answer comes through `post`. */
  readonly start: (task: Task) => void;
  /** Keeps evidence against a manager that contradicts itself, and spreads it. */
  readonly accuse: (evidence: Evidence) => Promise<void>;
  /** Writes the block and moves the ring on. */
  readonly append: (appended: DecidedBlock) => Promise<void>;
  readonly observe: {
    statement(statement: Statement): void;
    expired(step: ExpiredStep): void;
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
  #jobsWaiting = 0;
  #wake: (() => void) | undefined;
  /** Between the last sleep and the next. */
  #isWoken = false;
  /** The round that this manager is in, and when it entered it; in no round while it is idle. */
  #round = { number: 0, sinceMs: 0 };
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

  /** Has the loop look again at what its ports say. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
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
    if (turn.kind === "job") this.#jobsWaiting += 1;
    this.#queue.push(turn);
    this.wake();
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
    const { statements, listening } = this.#ports;
    if (listening()) return this.#runJob();
    const ring = this.#ring;
    this.#noteRound();
    ring.tick(clockOf(this.#ports.time));
    for (let turn = this.#queue.shift(); turn !== undefined; turn = this.#queue.shift()) {
      if (turn.kind === "job") {
        this.#jobsWaiting -= 1;
        await turn.run();
        break;
      }
      ring.step(turn);
    }
    const ready = ring.ready();
    this.#noteRound();
    if (ready !== undefined) await this.#carryOut(ready);
    else if (statements.isDue) await this.#speak([]);
    else if (this.#queue.length === 0) await this.#sleep(ring.nextDeadlineMs);
  }

  /** The next job, whatever waits before it. */
  async #runJob(): Promise<void> {
    if (this.#jobsWaiting === 0) return this.#sleep(undefined);
    const index = this.#queue.findIndex(({ kind }) => kind === "job");
    const [turn] = this.#queue.splice(index, 1);
    this.#jobsWaiting -= 1;
    if (turn?.kind === "job") await turn.run();
  }

  async #carryOut(ready: Ready): Promise<void> {
    const ports = this.#ports;
    for (const step of ready.expired) ports.observe.expired(step);
    if (ready.statements.length > 0 || ports.statements.isDue) await this.#speak(ready.statements);
    for (const message of ready.messages) ports.send(message);
    for (const task of ready.tasks) ports.start(task);
    for (const evidence of ready.evidence) await ports.accuse(evidence);
    if (ready.decision !== undefined) await this.#append(ready.decision);
    if (ready.halt !== undefined) throw new RingHalted(ready.halt.message);
  }

  /** Durable before visible. */
  async #speak(statements: readonly Statement[]): Promise<void> {
    const { observe, send } = this.#ports;
    for (const { statement, said, body } of await this.#ports.statements.say(statements)) {
      observe.statement(statement);
      send(said, said.kind === "proposal" ? body : undefined);
      this.#ring.step(said);
    }
  }

  /** Before a turn, as the height may have been idle until now, and after it. */
  #noteRound(): void {
    const { round, step } = this.#ring.status();
    if (step !== "idle" && round === this.#round.number) return;
    this.#round = { number: round, sinceMs: this.#ports.time.monotonicMs() };
  }

  async #append(decision: Decision): Promise<void> {
    const candidate = this.#ports.candidates.get(decision.blockId);
    const held = defined(candidate, "a decided block was judged, so its body is held");
    const executed = defined(held.executed, "a decided block was judged accurate");
    const { certificates } = decision;
    const roundMs = this.#ports.time.monotonicMs() - this.#round.sinceMs;
    await this.#ports.append({ block: held.block, executed, certificates, roundMs });
  }

  /** Until an event comes, something wakes the loop, or the time has come. */
  #sleep(deadlineMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const { time } = this.#ports;
      const wait = deadlineMs === undefined ? undefined : deadlineMs - time.monotonicMs();
      const timer = wait === undefined ? undefined : time.after(wait, () => done());
      const done = () => {
        timer?.cancel();
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      if (this.#closed || this.#isWoken) done();
      this.#isWoken = false;
    });
  }
}

export function clockOf(time: Time): Clock {
  return {
    monotonicMs: time.monotonicMs(),
    attentiveMs: time.attentiveMs(),
    wallMs: time.wallMs(),
  };
}

function loopEnded(): Error {
  return new Error("the manager has stopped working on its chain");
}
