/**
 * A disk: a write takes time, and is there as a whole or not at all. Statements may be sent only
 * when the write that holds them is through. A crash may come during a write, after it, or while
 * the owner sends what it has written; what was under way is then there or is not, by chance.
 */
import type { Counters } from "./counters.js";
import type { Random } from "./random.js";
import type { Scheduler } from "./scheduler.js";

/** What is done to the owner of a disk at a write. */
export type DiskFault = "none" | "during" | "after" | "while-sending";

export type DiskPorts = {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly counters: Counters;
  readonly crashChance: () => number;
  /** The owner's process ends here; `afterSends` lets it send that many messages before. */
  readonly crash: (afterSends?: number) => void;
};

type Pending = { readonly apply: () => void };

const writeMeanMs = 0.5;
const slowWriteMs = 30;
const slowChance = 0.02;

export class FakeDisk {
  readonly #ports: DiskPorts;
  #pending: Pending | undefined;

  constructor(ports: DiskPorts) {
    this.#ports = ports;
  }

  /** `apply` makes it durable; `done` tells the process, unless that is gone by then. */
  write(apply: () => void, done: () => void): void {
    const { scheduler, random } = this.#ports;
    const pending = { apply };
    this.#pending = pending;
    const slow = random.chance(slowChance) ? random.between(0, slowWriteMs) : 0;
    scheduler.after(random.exponential(writeMeanMs) + slow, () => {
      if (this.#pending !== pending) return;
      const fault = this.#fault();
      if (fault === "during") return this.#ports.crash();
      this.#pending = undefined;
      apply();
      if (fault === "after") return this.#ports.crash();
      if (fault === "while-sending") this.#ports.crash(random.below(8));
      done();
    });
  }

  /** The owner is gone. */
  interrupt(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return;
    const survives = this.#ports.random.chance(0.5);
    this.#ports.counters.count(survives ? "write kept in a crash" : "write lost in a crash");
    if (survives) pending.apply();
  }

  #fault(): DiskFault {
    const { random, counters, crashChance } = this.#ports;
    if (!random.chance(crashChance())) return "none";
    const fault = random.pick(["during", "after", "while-sending"] as const);
    counters.count(`crash ${fault === "while-sending" ? fault : `${fault} a write`}`);
    return fault;
  }
}
