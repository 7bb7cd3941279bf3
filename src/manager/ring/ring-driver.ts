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
 * While the manager only listens (abstention.ts), only jobs run, and events wait.
 */
import { defined } from "../../base/assert.js";
import type { Time } from "../../base/time.js";
import type { Clock, Decision, Ready, Statement } from "../../consensus/ring/events.js";
import type { Ring } from "../../consensus/ring/ring.js";
import { type FailStop, RingHalted } from "../fail-stop.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { ProposalRelays } from "../peers/proposal-relays.js";
import type { StatementLog } from "../signing/statement-log.js";
import type { Supervision } from "../supervision/supervision.js";
import type { Abstention } from "./abstention.js";
import type { CandidateBlocks } from "./candidate-blocks.js";
import type { ChainWriter } from "./chain-writer.js";
import type { RingInbox } from "./ring-inbox.js";
import type { RingTasks } from "./ring-tasks.js";

export type RingDriverParts = Pick<ManagerContext, "time"> & {
  readonly observer: Pick<ManagerObserver, "statement" | "expired">;
  readonly statements: Pick<StatementLog, "say" | "isDue">;
  /** While it only listens, the rounds are not taken up yet; it wakes the inbox when that ends. */
  readonly abstention: Pick<Abstention, "listening">;
  readonly candidates: Pick<CandidateBlocks, "get">;
  readonly peers: Pick<PeerSender, "send">;
  /** Passes on the proposals of others. */
  readonly relays: Pick<ProposalRelays, "send">;
  /** Starts tasks; their answers come through the inbox. */
  readonly tasks: Pick<RingTasks, "start">;
  /** Keeps evidence against a manager that contradicts itself, and spreads it. */
  readonly supervision: Pick<Supervision, "accuse">;
  readonly chain: Pick<ChainWriter, "append">;
  /** The loop has ended for good: a halt of the core, a failing disk, or a bug. */
  readonly failStop: Pick<FailStop, "fail">;
};

export class RingDriver {
  readonly #ring: Ring;
  readonly #inbox: RingInbox;
  readonly #parts: RingDriverParts;
  /** The round that this manager is in, and when it entered it; in no round while it is idle. */
  #round = { height: -1, number: 0, sinceMs: 0 };
  #running: Promise<void> = Promise.resolve();

  constructor(ring: Ring, inbox: RingInbox, parts: RingDriverParts) {
    this.#ring = ring;
    this.#inbox = inbox;
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends after the turn that is running. */
  async close(): Promise<void> {
    this.#inbox.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#inbox.closed) await this.#turn();
    } catch (error) {
      this.#inbox.close();
      this.#parts.failStop.fail(error instanceof Error ? error : new Error(String(error)));
    }
    this.#inbox.giveUp();
  }

  async #turn(): Promise<void> {
    const { statements, abstention, time } = this.#parts;
    if (abstention.listening) return this.#runJob();
    const [ring, inbox] = [this.#ring, this.#inbox];
    this.#noteRound();
    ring.tick(clockOf(time));
    for (let turn = inbox.next(); turn !== undefined; turn = inbox.next()) {
      if (turn.kind === "job") {
        await turn.run();
        break;
      }
      ring.step(turn);
    }
    const ready = ring.ready();
    this.#noteRound();
    if (ready !== undefined) await this.#carryOut(ready);
    else if (statements.isDue) await this.#speak([]);
    else if (inbox.length === 0) await inbox.sleep(time, ring.nextDeadlineMs);
  }

  async #runJob(): Promise<void> {
    const job = this.#inbox.nextJob();
    if (job === undefined) await this.#inbox.sleep(this.#parts.time, undefined);
    else await job.run();
  }

  async #carryOut(ready: Ready): Promise<void> {
    const { observer, statements, peers, relays, tasks, supervision } = this.#parts;
    for (const step of ready.expired) observer.expired(step);
    if (ready.statements.length > 0 || statements.isDue) await this.#speak(ready.statements);
    for (const message of ready.messages) {
      if (message.kind === "proposal") relays.send(message.proposal);
      else peers.send(message);
    }
    for (const task of ready.tasks) tasks.start(task);
    for (const evidence of ready.evidence) await supervision.accuse(evidence);
    if (ready.decision !== undefined) await this.#append(ready.decision);
    if (ready.halt !== undefined) throw new RingHalted(ready.halt.message);
  }

  /** Durable before visible. */
  async #speak(statements: readonly Statement[]): Promise<void> {
    const { observer, peers } = this.#parts;
    for (const { statement, said, body } of await this.#parts.statements.say(statements)) {
      observer.statement(statement);
      peers.send(said, said.kind === "proposal" ? body : undefined);
      this.#ring.step(said);
    }
  }

  /** Before a turn, as the height may have been idle until now, and after it. */
  #noteRound(): void {
    const { height, round, step } = this.#ring.status();
    const isSame = height === this.#round.height && round === this.#round.number;
    if (step !== "idle" && isSame) return;
    this.#round = { height, number: round, sinceMs: this.#parts.time.monotonicMs() };
  }

  async #append(decision: Decision): Promise<void> {
    const candidate = this.#parts.candidates.get(decision.blockId);
    const held = defined(candidate, "a decided block was judged, so its body is held");
    const executed = defined(held.executed, "a decided block was judged accurate");
    const { certificates } = decision;
    const roundMs = this.#parts.time.monotonicMs() - this.#round.sinceMs;
    await this.#parts.chain.append({ block: held.block, executed, certificates, roundMs });
  }
}

export function clockOf(time: Time): Clock {
  return {
    monotonicMs: time.monotonicMs(),
    attentiveMs: time.attentiveMs(),
    wallMs: time.wallMs(),
  };
}
