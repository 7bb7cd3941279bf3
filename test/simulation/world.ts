/** What everybody in a simulation shares. */
import { SuspensionMode } from "../../src/gen/bss/v1/genesis_pb.js";
import type { Consortium } from "./consortium.js";
import type { Counters } from "./counters.js";
import { type Checker, InvariantBroken } from "./events.js";
import type { Network } from "./network/network.js";
import type { Plan } from "./plan.js";
import type { Random } from "./random.js";
import type { Scheduler } from "./scheduler.js";

export class World {
  readonly plan: Plan;
  readonly consortium: Consortium;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly counters: Counters;
  readonly random: Random;
  readonly checkers: Checker[] = [];
  readonly log: (line: () => string) => void;
  /** True until everything is made good. */
  faulty = true;
  /** The first thing that went wrong; production code may swallow what is thrown at it. */
  broken: Error | undefined;

  constructor(parts: {
    readonly plan: Plan;
    readonly consortium: Consortium;
    readonly scheduler: Scheduler;
    readonly network: Network;
    readonly counters: Counters;
    readonly random: Random;
    readonly log: (line: () => string) => void;
  }) {
    this.plan = parts.plan;
    this.consortium = parts.consortium;
    this.scheduler = parts.scheduler;
    this.network = parts.network;
    this.counters = parts.counters;
    this.random = parts.random;
    this.log = parts.log;
  }

  /** Whether the ring goes on without those who are absent. */
  get suspends(): boolean {
    return this.plan.policy.suspension === SuspensionMode.FLOOR;
  }

  notify(tell: (checker: Checker) => void): void {
    if (this.broken !== undefined) return;
    try {
      for (const checker of this.checkers) tell(checker);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the run after the event that is being handled. */
  fail(error: unknown): void {
    this.broken ??= error instanceof Error ? error : new Error(String(error));
  }

  breach(checker: string, message: string): void {
    this.fail(new InvariantBroken(checker, message));
  }
}
