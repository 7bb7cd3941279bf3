/**
 * One simulation: everything follows from its seed. Whole production managers and storage nodes run
 * over a network, disks and clocks that are made up; faults happen for a while, then all is made
 * good, and the ring has to settle everything without an operator.
 */
import { defined } from "../../src/base/assert.js";
import { ManagerStore } from "../../src/store/manager-store.js";
import { StorageNodeStore } from "../../src/store/storage-node-store.js";
import { ByzantineManager } from "./byzantine/byzantine-manager.js";
import { ByzantineStorage } from "./byzantine/byzantine-storage.js";
import { AccountabilityChecker } from "./checkers/accountability.js";
import { AgreementChecker } from "./checkers/agreement.js";
import { AttestationsChecker } from "./checkers/attestations.js";
import { CertificatesChecker } from "./checkers/certificates.js";
import { ConductChecker } from "./checkers/conduct.js";
import { CreditChecker } from "./checkers/credit.js";
import { DurabilityChecker } from "./checkers/durability.js";
import { EnergyChecker } from "./checkers/energy.js";
import type { FinalDisks } from "./checkers/final-disks.js";
import { IntegrityChecker } from "./checkers/integrity.js";
import { LivenessChecker } from "./checkers/liveness.js";
import { PrivacyChecker } from "./checkers/privacy.js";
import { ReplayChecker } from "./checkers/replay.js";
import { RoundsChecker } from "./checkers/rounds.js";
import { TimestampsChecker } from "./checkers/timestamps.js";
import { createConsortium } from "./consortium.js";
import { Counters } from "./counters.js";
import { InvariantBroken } from "./events.js";
import { Faults } from "./faults.js";
import { Network } from "./network/network.js";
import { ManagerHost } from "./nodes/manager-host.js";
import { NodeClock, Process } from "./nodes/process.js";
import { StorageHost } from "./nodes/storage-host.js";
import { Participants } from "./participants.js";
import { type Plan, type PlanOptions, planOf } from "./plan.js";
import { Random } from "./random.js";
import { Scheduler } from "./scheduler.js";
import { Workload } from "./workload.js";
import { World } from "./world.js";

export type Report = {
  readonly plan: Plan;
  readonly counters: Counters;
  readonly simulatedMs: number;
  readonly events: number;
  readonly height: number;
  readonly records: number;
  /** From the end of the faults until everything was settled. */
  readonly settledMs: number;
  readonly violation?: { readonly checker: string; readonly message: string };
};

export type SimulationOptions = PlanOptions & { readonly log?: (line: string) => void };

export function simulate(options: SimulationOptions): Promise<Report> {
  return new Simulation(options).run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #managers: readonly ManagerHost[];
  readonly #storageNodes: readonly StorageHost[];
  readonly #faults: Faults;
  readonly #participants: Participants;
  readonly #workload: Workload;
  readonly #liveness: LivenessChecker;
  #settledMs = 0;
  #disks: FinalDisks | undefined;

  constructor(options: SimulationOptions) {
    const random = new Random(options.seed);
    const plan = planOf(options, random.fork());
    this.#plan = plan;
    const consortium = createConsortium(plan);
    const [scheduler, counters] = [new Scheduler(), new Counters()];
    const count = (what: string, by?: number) => counters.count(what, by);
    const { log } = options;
    const world = new World({
      plan,
      consortium,
      scheduler,
      counters,
      network: new Network(scheduler, random.fork(), plan.network, count),
      random: random.fork(),
      log: (line) => log?.(`${scheduler.nowMs.toFixed(1).padStart(9)} ${line()}`),
    });
    this.#world = world;
    this.#managers = consortium.managerIds.map((id) => this.#manager(id, random.fork()));
    this.#storageNodes = consortium.storageIds.map(
      (id) => new StorageHost(world, id, random.fork()),
    );
    const nodes = { managers: this.#managers, storageNodes: this.#storageNodes };
    this.#chooseByzantine(random.fork());
    this.#faults = new Faults(world, random.fork(), nodes);
    this.#participants = new Participants(world, random.fork(), this.#managers);
    this.#workload = new Workload(world, random.fork(), this.#participants);
    const nowMs = () => scheduler.nowMs;
    this.#liveness = new LivenessChecker({ ...nodes, participants: this.#participants, nowMs });
    this.#addCheckers();
  }

  async run(): Promise<Report> {
    const { counters } = this.#world;
    try {
      await this.#run();
      return this.#report();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const checker = error instanceof InvariantBroken ? error.checker : "exception";
      counters.count("violation");
      const isChecked = error instanceof InvariantBroken;
      const message = isChecked ? error.message : (error.stack ?? error.message);
      return { ...this.#report(), violation: { checker, message } };
    }
  }

  async #run(): Promise<void> {
    const world = this.#world;
    for (const node of [...this.#managers, ...this.#storageNodes]) node.start();
    this.#faults.start();
    this.#workload.start();
    await this.#until(() => world.scheduler.nowMs >= this.#plan.faultsUntilMs);
    world.log(() => "the faults are over");
    this.#faults.heal();
    const healedMs = world.scheduler.nowMs;
    world.notify((checker) => checker.healed(healedMs));
    await this.#until(() => this.#liveness.settled());
    this.#settledMs = world.scheduler.nowMs - healedMs;
    for (const node of [...this.#managers, ...this.#storageNodes]) node.retire();
    await this.#finalDisks();
    for (const checker of world.checkers) await checker.finish();
  }

  async #until(isOver: () => boolean): Promise<void> {
    const world = this.#world;
    await world.scheduler.runUntil(() => {
      for (const manager of this.#managers) manager.look();
      return world.broken !== undefined || isOver();
    });
    if (world.broken !== undefined) throw world.broken;
  }

  #manager(id: string, random: Random): ManagerHost {
    const { clockSkewMs, strayClockMs } = this.#plan.faults;
    // A lone manager's clock is always right: nobody else's time is there to compare it with.
    const isStray = strayClockMs !== 0 && id === "manager-2";
    if (isStray) this.#world.counters.count("stray clock");
    const skewMs = isStray ? strayClockMs : random.between(-clockSkewMs, clockSkewMs);
    return new ManagerHost(this.#world, id, random, skewMs);
  }

  #chooseByzantine(random: Random): void {
    const world = this.#world;
    const { byzantineCount, habits, badStorage } = this.#plan.faults;
    for (const node of random.shuffled(this.#managers).slice(0, byzantineCount)) {
      world.counters.count("byzantine manager");
      node.twist(new ByzantineManager(world, node, random.fork(), habits));
    }
    const storageNodes = random.shuffled(this.#storageNodes);
    for (const [place, fault] of badStorage.entries()) {
      const node = defined(storageNodes[place], "few of them are at fault");
      node.twist(new ByzantineStorage(world, node, fault, random.fork()));
    }
  }

  #addCheckers(): void {
    const { consortium, checkers, scheduler, counters } = this.#world;
    const disks = () => this.#finalDisks();
    const isHonest = (id: string) => this.#managers.find((each) => each.id === id)?.honest ?? false;
    const clocks = () =>
      this.#managers
        .filter(({ honest }) => honest)
        .map(({ id, clock }) => ({ id, wallMs: clock.wallMs }));
    const privacy = new PrivacyChecker();
    const accountability = new AccountabilityChecker(consortium, isHonest, () => scheduler.nowMs);
    this.#liveness.alsoDue = () => accountability.due;
    checkers.push(
      new AgreementChecker(),
      new AttestationsChecker(),
      new IntegrityChecker(consortium),
      new CertificatesChecker(consortium),
      new ConductChecker(consortium.managerIds.length),
      new RoundsChecker(consortium.managerIds),
      new EnergyChecker(consortium, disks, counters),
      new TimestampsChecker(clocks),
      new ReplayChecker(consortium, disks),
      new DurabilityChecker(consortium, disks),
      new CreditChecker(consortium, disks, counters),
      this.#liveness,
      accountability,
      privacy,
    );
    for (const { id, disk } of this.#storageNodes) {
      const look = (where: string, bytes: Uint8Array) =>
        this.#world.notify((checker) => {
          if (checker === privacy) privacy.look(id, where, bytes);
        });
      this.#world.network.listenIn(id, (bytes) => look("a message", bytes));
      disk.onWrite = (batch) => {
        for (const each of batch) if (each.type === "put") look("its store", each.value);
      };
    }
  }

  /** Opens what is on the disks, once everybody is down. */
  async #finalDisks(): Promise<FinalDisks> {
    const { genesis } = this.#world.consortium;
    if (this.#disks !== undefined) return this.#disks;
    const managers = new Map<string, ManagerStore>();
    const storageNodes = new Map<string, StorageNodeStore>();
    const clock = new NodeClock(new Scheduler(), { startMs: 0, rate: 1, skewMs: 0 });
    const open = ({ disk }: ManagerHost | StorageHost) => disk.openToRead(new Process(clock));
    for (const node of this.#managers.filter((each) => this.#liveness.isAwaited(each))) {
      const store = await ManagerStore.open(open(node), genesis);
      // The run may have ended between the write of a block and the word of it.
      await node.catchUpWatchers(store);
      managers.set(node.id, store);
    }
    for (const node of this.#storageNodes.filter((each) => this.#liveness.isAwaited(each))) {
      storageNodes.set(node.id, await StorageNodeStore.open(open(node), genesis));
    }
    this.#disks = { managers, storageNodes };
    return this.#disks;
  }

  #report(): Report {
    const { scheduler, counters } = this.#world;
    return {
      plan: this.#plan,
      counters,
      simulatedMs: scheduler.nowMs,
      events: scheduler.events,
      height: this.#liveness.height,
      records: this.#liveness.records,
      settledMs: this.#settledMs,
    };
  }
}
