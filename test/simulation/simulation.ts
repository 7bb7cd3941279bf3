/**
 * One simulation: everything follows from its seed. Managers and storage nodes run the production
 * core over a network, disks and clocks that are made up; faults happen for a while, then all is
 * made good, and the ring has to come to rest with everything settled.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { ControlOperationSchema } from "../../src/gen/bss/v1/genesis_pb.js";
import { Byzantine } from "./byzantine.js";
import { AgreementChecker } from "./checkers/agreement.js";
import { AttestationsChecker } from "./checkers/attestations.js";
import { CertificatesChecker } from "./checkers/certificates.js";
import { ConductChecker } from "./checkers/conduct.js";
import { EnergyChecker } from "./checkers/energy.js";
import { IntegrityChecker } from "./checkers/integrity.js";
import { LivenessChecker } from "./checkers/liveness.js";
import { ReplayChecker } from "./checkers/replay.js";
import { RoundsChecker } from "./checkers/rounds.js";
import { TimestampsChecker } from "./checkers/timestamps.js";
import { NodeClock } from "./clock.js";
import { admission, createConsortium, lateStorageCount } from "./consortium.js";
import { Counters } from "./counters.js";
import { type Checker, InvariantBroken } from "./events.js";
import { Faults } from "./faults.js";
import { Inbound } from "./inbound.js";
import { Judge } from "./judge.js";
import { ManagerNode } from "./manager-node.js";
import type { Message } from "./messages.js";
import { Network } from "./network.js";
import { type Plan, type PlanOptions, planOf } from "./plan.js";
import { Random } from "./random.js";
import { Scheduler } from "./scheduler.js";
import { StorageNode } from "./storage-node.js";
import { Workload } from "./workload.js";
import { notify, type World } from "./world.js";

export type Report = {
  readonly plan: Plan;
  readonly counters: Counters;
  readonly simulatedMs: number;
  readonly height: number;
  readonly records: number;
  /** The most rounds that a manager needed for one height after the faults. */
  readonly roundsNeeded: number;
  readonly violation?: { readonly checker: string; readonly message: string };
};

export type SimulationOptions = PlanOptions & { readonly log?: (line: string) => void };

/** The ring must have settled by then after the faults. */
const settleMaxMs = 60_000;
/** It has settled when nothing was appended for so long. */
const quietMs = 700;

export function simulate(options: SimulationOptions): Report {
  const simulation = new Simulation(options);
  return simulation.run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #managers: readonly ManagerNode[];
  readonly #storageNodes: StorageNode[];
  readonly #faults: Faults;
  readonly #workload: Workload;
  readonly #liveness: LivenessChecker;
  readonly #random: Random;

  constructor(options: SimulationOptions) {
    const random = new Random(options.seed);
    this.#random = random;
    const plan = planOf(options, random.fork());
    this.#plan = plan;
    const consortium = createConsortium(plan.managersCount, plan.storageCount, plan.signatures);
    const [scheduler, counters] = [new Scheduler(), new Counters()];
    const checkers: Checker[] = [];
    const { log } = options;
    this.#world = {
      ...{ plan, consortium, scheduler, counters, checkers },
      network: new Network<Message>(scheduler, random.fork(), plan.network, counters),
      judge: new Judge(consortium, plan.judgeAlone),
      inbound: new Inbound(consortium),
      random: random.fork(),
      admissions: [],
      faulty: true,
      log: (line) => log?.(`${scheduler.nowMs.toFixed(1).padStart(9)} ${line()}`),
    };
    this.#managers = consortium.managerIds.map((id) => this.#manager(id, random.fork()));
    this.#storageNodes = consortium.storageIds.map((id) => new StorageNode(this.#world, id));
    this.#chooseByzantine(random.fork());
    this.#choosePublicFaults(random.fork());
    const nodes = { managers: this.#managers, storageNodes: this.#storageNodes };
    this.#faults = new Faults(this.#world, random.fork(), nodes);
    this.#workload = new Workload(this.#world, random.fork(), this.#managers);
    this.#liveness = new LivenessChecker(plan.managersCount, () => ({
      managers: this.#managers,
      storageHeights: new Map(this.#storageNodes.map(({ id, disk }) => [id, disk.head.height])),
      accepted: this.#workload.accepted,
    }));
    checkers.push(
      new AgreementChecker(),
      new AttestationsChecker(),
      new IntegrityChecker(consortium),
      new CertificatesChecker(consortium),
      new ConductChecker(plan.managersCount),
      new RoundsChecker(plan.managersCount),
      new EnergyChecker(consortium),
      new TimestampsChecker(() =>
        this.#managers
          .filter(({ honest }) => honest)
          .map(({ id, clock }) => ({ id, wallMs: clock.read().wallMs })),
      ),
      new ReplayChecker(consortium, () => this.#managers),
      this.#liveness,
    );
  }

  run(): Report {
    const { counters } = this.#world;
    try {
      this.#run();
      return this.#report();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const checker = error instanceof InvariantBroken ? error.checker : "exception";
      counters.count("violation");
      const message = checker === "exception" ? (error.stack ?? error.message) : error.message;
      return { ...this.#report(), violation: { checker, message } };
    }
  }

  #run(): void {
    for (const node of [...this.#managers, ...this.#storageNodes]) node.start();
    this.#admitLater(this.#random.fork());
    this.#faults.start();
    this.#workload.start();
    const { scheduler } = this.#world;
    while (scheduler.nowMs < this.#plan.faultsUntilMs && scheduler.step());
    this.#world.log(() => "the faults are over");
    this.#faults.heal();
    notify(this.#world, (checker) => checker.healed(scheduler.nowMs));
    this.#settle();
    notify(this.#world, (checker) => checker.finish());
  }

  #settle(): void {
    const { scheduler } = this.#world;
    const endMs = scheduler.nowMs + settleMaxMs;
    let height = -1;
    let quietFromMs = scheduler.nowMs;
    while (scheduler.step()) {
      const highest = this.#height();
      const isIdle = this.#managers.every((each) => each.status()?.step === "idle");
      if (highest !== height || !isIdle || scheduler.nowMs < this.#plan.workloadUntilMs) {
        height = highest;
        quietFromMs = scheduler.nowMs;
      }
      if (scheduler.nowMs - quietFromMs > quietMs) return;
      if (scheduler.nowMs > endMs) {
        throw new InvariantBroken("liveness", `the ring has not settled: ${this.#whyNot()}`);
      }
    }
  }

  #whyNot(): string {
    return this.#managers
      .map((each) => `${each.id} after ${each.disk.head.height}: ${JSON.stringify(each.status())}`)
      .join(", ");
  }

  #height(): number {
    return Math.max(...this.#managers.map(({ disk }) => disk.head.height));
  }

  #manager(id: string, random: Random): ManagerNode {
    const { clockSkewMs, strayClockMs } = this.#plan.faults;
    // A lone manager's clock is always right: nobody else's time is there to compare it with.
    const isStray = strayClockMs !== 0 && id === "manager-2";
    if (isStray) this.#world.counters.count("stray clock");
    const clock = new NodeClock(this.#world.scheduler, {
      startMs: random.between(0, 1e6),
      rate: random.between(0.95, 1.05),
      skewMs: isStray ? strayClockMs : random.between(-clockSkewMs, clockSkewMs),
    });
    return new ManagerNode(this.#world, id, clock);
  }

  #chooseByzantine(random: Random): void {
    const { byzantineCount } = this.#plan.faults;
    for (const node of random.shuffled(this.#managers).slice(0, byzantineCount)) {
      node.twist = new Byzantine(this.#world, node, random.fork());
      this.#world.counters.count("byzantine manager");
    }
  }

  #choosePublicFaults(random: Random): void {
    const { silentStorageCount, lyingStorageCount } = this.#plan.faults;
    const shuffled = random.shuffled(this.#storageNodes);
    for (const node of shuffled.splice(0, silentStorageCount)) {
      node.behaviour = "silent";
      this.#world.counters.count("storage node silent");
    }
    for (const node of shuffled.splice(0, lyingStorageCount)) {
      node.behaviour = "lying";
      this.#world.counters.count("storage node lying");
    }
  }

  /** New storage nodes start from genesis and catch up. */
  #admitLater(random: Random): void {
    const { scheduler, consortium, admissions, counters } = this.#world;
    for (let late = 1; late <= lateStorageCount; late++) {
      if (!random.chance(0.3)) continue;
      scheduler.after(random.between(0, this.#plan.faultsUntilMs), () => {
        counters.count("storage node admitted");
        const id = `storage-${this.#plan.storageCount + late}`;
        const sponsorId = random.pick(consortium.managerIds);
        admissions.push(create(ControlOperationSchema, admission(id, sponsorId)));
        const node = new StorageNode(this.#world, id);
        this.#storageNodes.push(node);
        this.#faults.adopt(node);
        node.start();
      });
    }
  }

  #report(): Report {
    const highest = this.#managers.reduce((a, b) =>
      b.disk.head.height > a.disk.head.height ? b : a,
    );
    const { head } = defined(highest, "there is a manager").disk;
    return {
      plan: this.#plan,
      counters: this.#world.counters,
      simulatedMs: this.#world.scheduler.nowMs,
      height: head.height,
      records: head.frontier.size,
      roundsNeeded: this.#liveness.roundsNeeded,
    };
  }
}
