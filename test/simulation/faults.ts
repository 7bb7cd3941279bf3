/** Crashes, full disks, partitions and resets, until everything is made good. */
import { defined } from "../../src/base/assert.js";
import type { Host } from "./nodes/host.js";
import type { ManagerHost } from "./nodes/manager-host.js";
import type { StorageHost } from "./nodes/storage-host.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

export type Nodes = {
  readonly managers: readonly ManagerHost[];
  readonly storageNodes: readonly StorageHost[];
};

const imageEveryMs = 30;
const rollBackEveryMs = 300;

export class Faults {
  readonly #world: World;
  readonly #random: Random;
  readonly #nodes: Nodes;

  constructor(world: World, random: Random, nodes: Nodes) {
    this.#world = world;
    this.#random = random;
    this.#nodes = nodes;
  }

  start(): void {
    const { faults } = this.#world.plan;
    const { managers, storageNodes } = this.#nodes;
    const all = [...managers, ...storageNodes];
    this.#repeat(faults.managerCrashEveryMs, () => this.#random.pick(managers).crash());
    this.#repeat(faults.storageCrashEveryMs, () => this.#random.pick(storageNodes).crash());
    this.#repeat(faults.stopEveryMs, () => void this.#random.pick(all).stop());
    this.#repeat(faults.blackoutEveryMs, () => this.#blackout());
    this.#repeat(faults.diskFullEveryMs, () => this.#fill(this.#random.pick(all)));
    this.#repeat(faults.partitionEveryMs, () => this.#partition());
    this.#repeat(faults.resetEveryMs, () =>
      this.#world.network.resetSome(this.#random.pick([0.05, 0.3, 1])),
    );
    const honest = this.#random.shuffled(managers.filter((each) => each.honest));
    if (faults.overlappingAbsences) this.#overlapAbsences(honest.splice(0, 2));
    this.#retire(honest.splice(0, faults.goneCount));
    this.#retire(this.#random.shuffled(storageNodes).slice(0, faults.goneStorageCount));
    this.#rollBack(honest.splice(0, faults.rolledBackCount));
  }

  /** Everybody who is to come back is up, the network is good, the clocks are right. */
  heal(): void {
    this.#world.faulty = false;
    this.#world.network.calm();
    for (const node of [...this.#nodes.managers, ...this.#nodes.storageNodes]) {
      node.fill(false);
      node.clock.correct();
      node.start();
    }
  }

  #repeat(meanMs: number | undefined, act: () => void): void {
    if (meanMs === undefined) return;
    this.#world.scheduler.after(this.#random.exponential(meanMs), () => {
      if (!this.#world.faulty) return;
      act();
      this.#repeat(meanMs, act);
    });
  }

  /** The power fails for all managers, and comes back for one after the other. */
  #blackout(): void {
    this.#world.counters.count("blackout");
    for (const manager of this.#nodes.managers) manager.crash();
  }

  #fill(node: Host): void {
    const { scheduler, plan, counters } = this.#world;
    counters.count("disk full");
    node.fill(true);
    scheduler.after(this.#random.between(1, plan.faults.diskFullMaxMs), () => {
      node.fill(false);
    });
  }

  #partition(): void {
    const { scheduler, network, plan, counters } = this.#world;
    const ids = [...this.#nodes.managers, ...this.#nodes.storageNodes].map(({ id }) => id);
    const shuffled = this.#random.shuffled(ids);
    const at = this.#random.below(shuffled.length + 1);
    const oneWay = this.#random.chance(0.3);
    counters.count(oneWay ? "one-way partition" : "partition");
    const mend = network.cut(shuffled.slice(0, at), shuffled.slice(at), oneWay);
    scheduler.after(this.#random.between(10, plan.faults.partitionMaxMs), () => {
      if (this.#world.faulty) mend();
    });
  }

  /** These never come back from some time on. */
  #retire(nodes: readonly Host[]): void {
    const { scheduler, plan } = this.#world;
    for (const node of nodes) {
      scheduler.after(this.#random.between(0, plan.faultsUntilMs), () => this.#leave(node));
    }
  }

  /** The one is down for a while; about when the others would suspend it, the other one goes. */
  #overlapAbsences(managers: readonly ManagerHost[]): void {
    const { scheduler, plan } = this.#world;
    const { suspendAfterMs } = plan.policy;
    const [away, gone] = managers;
    scheduler.after(this.#random.between(200, plan.faultsUntilMs - 500), () => {
      defined(away, "there are two").crash();
      const leaveMs = this.#random.between(0.4, 1.1) * suspendAfterMs + 50;
      scheduler.after(leaveMs, () => this.#leave(defined(gone, "there are two")));
    });
  }

  #leave(node: Host): void {
    this.#world.counters.count(`${node.id.replace(/-\d+$/, "")} gone for good`);
    node.leave();
  }

  /** The disks of these are put back, now and then, to what they held some time ago. */
  #rollBack(managers: readonly ManagerHost[]): void {
    for (const manager of managers) {
      this.#repeat(imageEveryMs, () => manager.takeImage());
      this.#repeat(rollBackEveryMs, () => manager.rollBack());
    }
  }
}
