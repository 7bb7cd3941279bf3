/** Crashes, restarts and partitions, until everything is made good. */
import type { ManagerNode } from "./manager-node.js";
import { laggedKindOf, laggedKinds } from "./messages.js";
import type { Random } from "./random.js";
import type { StorageNode } from "./storage-node.js";
import type { World } from "./world.js";

type Node = { readonly id: string; readonly up: boolean; start(): void; crash(): void };

export class Faults {
  readonly #world: World;
  readonly #random: Random;
  readonly #managers: readonly ManagerNode[];
  readonly #storageNodes: readonly StorageNode[];

  constructor(
    world: World,
    random: Random,
    nodes: {
      readonly managers: readonly ManagerNode[];
      readonly storageNodes: readonly StorageNode[];
    },
  ) {
    this.#world = world;
    this.#random = random;
    this.#managers = nodes.managers;
    this.#storageNodes = nodes.storageNodes;
    for (const node of [...nodes.managers, ...nodes.storageNodes]) this.adopt(node);
  }

  /** Sees to it that a node that its disk made crash comes back. */
  adopt(node: ManagerNode | StorageNode): void {
    node.onCrashed = () => this.#restartLater(node);
  }

  start(): void {
    const { managerCrashEveryMs, storageCrashEveryMs, partitionEveryMs, lagEveryMs } =
      this.#world.plan.faults;
    this.#repeat(managerCrashEveryMs, () => this.#crash(this.#managers, "manager crash"));
    this.#repeat(storageCrashEveryMs, () => this.#crash(this.#storageNodes, "storage node crash"));
    this.#repeat(this.#world.plan.faults.blackoutEveryMs, () => this.#blackout());
    this.#repeat(partitionEveryMs, () => this.#partition());
    this.#repeat(lagEveryMs, () => this.#lag());
  }

  /** Everybody is up, the network is good, the clocks are right. */
  heal(): void {
    this.#world.faulty = false;
    this.#world.network.calm();
    for (const node of [...this.#managers, ...this.#storageNodes]) node.start();
    for (const manager of this.#managers) manager.clock.correct();
    for (const node of this.#storageNodes) node.behaviour = "honest";
  }

  #repeat(meanMs: number | undefined, act: () => void): void {
    if (meanMs === undefined) return;
    this.#world.scheduler.after(this.#random.exponential(meanMs), () => {
      if (!this.#world.faulty) return;
      act();
      this.#repeat(meanMs, act);
    });
  }

  #crash(nodes: readonly Node[], name: string): void {
    const node = this.#random.pick(nodes);
    if (!node.up) return;
    this.#world.counters.count(name);
    node.crash();
    this.#restartLater(node);
  }

  /** The power fails for all managers, and comes back for one after the other. */
  #blackout(): void {
    this.#world.counters.count("blackout");
    for (const manager of this.#managers) {
      if (!manager.up) continue;
      manager.crash();
      this.#restartLater(manager);
    }
  }

  #restartLater(node: Node): void {
    const { scheduler, plan } = this.#world;
    scheduler.after(this.#random.between(1, plan.faults.downMaxMs), () => node.start());
  }

  /** Holds back one or two kinds of messages to some nodes: their knowledge differs then. */
  #lag(): void {
    const { scheduler, network, plan, counters } = this.#world;
    const kinds = new Set([this.#random.pick(laggedKinds), this.#random.pick(laggedKinds)]);
    const nodes = [...this.#managers, ...this.#storageNodes].map(({ id }) => id);
    counters.count("lag");
    const mend = network.lag({
      to: new Set(nodes.filter(() => this.#random.chance(0.5))),
      concerns: (message) => {
        const kind = laggedKindOf(message);
        return kind !== undefined && kinds.has(kind);
      },
      delayMs: this.#random.between(0, plan.faults.lagMaxMs),
    });
    scheduler.after(this.#random.between(10, 2 * plan.faults.lagMaxMs), mend);
  }

  #partition(): void {
    const { scheduler, network, plan, counters } = this.#world;
    const ids = [...this.#managers, ...this.#storageNodes].map(({ id }) => id);
    const shuffled = this.#random.shuffled(ids);
    const at = this.#random.below(shuffled.length + 1);
    const oneWay = this.#random.chance(0.3);
    counters.count(oneWay ? "one-way partition" : "partition");
    const mend = network.cut(shuffled.slice(0, at), shuffled.slice(at), oneWay);
    scheduler.after(this.#random.between(10, plan.faults.partitionMaxMs), () => {
      if (this.#world.faulty) mend();
    });
  }
}
