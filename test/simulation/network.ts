/**
 * The network: it delays, drops, repeats and reorders, delivers old messages again, and keeps
 * groups of nodes apart for a while. What is sent is one object for all: nobody may change it.
 */
import type { Counters } from "./counters.js";
import type { NetworkPlan } from "./plan.js";
import type { Random } from "./random.js";
import type { Scheduler } from "./scheduler.js";

export type Deliver<M> = (from: string, message: M) => void;

/** Some messages to some take longer than others. */
export type Lag<M> = {
  readonly to: ReadonlySet<string>;
  readonly concerns: (message: M) => boolean;
  readonly delayMs: number;
};

/** Messages that may be delivered again later. */
const rememberedMax = 400;
const calmDelayMs = 2;

export class Network<M> {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #plan: NetworkPlan;
  readonly #counters: Counters;
  readonly #receivers = new Map<string, Deliver<M>>();
  readonly #remembered: { readonly from: string; readonly message: M }[] = [];
  /** One way: "from>to" cannot speak, by how many partitions. */
  readonly #cut = new Map<string, number>();
  readonly #lags = new Set<Lag<M>>();
  #calm = false;

  constructor(scheduler: Scheduler, random: Random, plan: NetworkPlan, counters: Counters) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#plan = plan;
    this.#counters = counters;
  }

  /** A node that is down has no receiver. */
  connect(id: string, deliver: Deliver<M>): void {
    this.#receivers.set(id, deliver);
  }

  disconnect(id: string): void {
    this.#receivers.delete(id);
  }

  /** From now on nothing is lost, and everything arrives soon. */
  calm(): void {
    this.#calm = true;
    this.#cut.clear();
    this.#lags.clear();
  }

  /** Nothing passes from one group to the other; back it does only when `oneWay`. */
  cut(groupA: readonly string[], groupB: readonly string[], oneWay: boolean): () => void {
    const links = groupA.flatMap((a) =>
      groupB.flatMap((b) => (oneWay ? [linkOf(a, b)] : [linkOf(a, b), linkOf(b, a)])),
    );
    for (const link of links) this.#cut.set(link, (this.#cut.get(link) ?? 0) + 1);
    return () => {
      for (const link of links) {
        const left = (this.#cut.get(link) ?? 1) - 1;
        if (left === 0) this.#cut.delete(link);
        else this.#cut.set(link, left);
      }
    };
  }

  /** Holds back some messages until the returned function is called. */
  lag(lag: Lag<M>): () => void {
    this.#lags.add(lag);
    return () => this.#lags.delete(lag);
  }

  send(from: string, to: string, message: M): void {
    const { dropChance, duplicateChance, replayChance } = this.#plan;
    if (this.#calm) {
      this.#deliver(from, to, message, this.#random.between(0, calmDelayMs));
      return;
    }
    if (this.#cut.has(linkOf(from, to))) {
      this.#counters.count("message cut off");
      return;
    }
    this.#remember(from, message);
    if (this.#random.chance(replayChance)) {
      this.#counters.count("message replayed");
      const old = this.#random.pick(this.#remembered);
      this.#deliver(old.from, to, old.message, this.#delayMs(to, old.message));
    }
    if (this.#random.chance(dropChance)) {
      this.#counters.count("message dropped");
      return;
    }
    this.#deliver(from, to, message, this.#delayMs(to, message));
    if (!this.#random.chance(duplicateChance)) return;
    this.#counters.count("message duplicated");
    this.#deliver(from, to, message, this.#delayMs(to, message));
  }

  #deliver(from: string, to: string, message: M, delayMs: number): void {
    this.#scheduler.after(delayMs, () => this.#receivers.get(to)?.(from, message));
  }

  #delayMs(to: string, message: M): number {
    const { delayMinMs, delayMeanMs, delayMaxMs } = this.#plan;
    let delayMs = Math.min(delayMinMs + this.#random.exponential(delayMeanMs), delayMaxMs);
    for (const lag of this.#lags) {
      if (!lag.to.has(to) || !lag.concerns(message)) continue;
      this.#counters.count("message lagged");
      delayMs += this.#random.between(0, lag.delayMs);
    }
    return delayMs;
  }

  #remember(from: string, message: M): void {
    if (this.#plan.replayChance === 0) return;
    if (this.#remembered.length < rememberedMax) {
      this.#remembered.push({ from, message });
    } else {
      this.#remembered[this.#random.below(rememberedMax)] = { from, message };
    }
  }
}

function linkOf(from: string, to: string): string {
  return `${from}>${to}`;
}
