/**
 * The machine of a node: its clock, its disk, and the process that runs on it now, if any. Starts
 * production code, ends it as roughly as a seed wants, and starts it again.
 */
import { StoreError } from "../../../src/store/store-error.js";
import type { Random } from "../random.js";
import type { World } from "../world.js";
import { type DiskImage, SimulatedDisk, type WriteFault } from "./disk.js";
import { NodeClock, Process } from "./process.js";

const writeFaults = ["during", "after", "while-sending"] as const;
/** What looks after processes starts one that ended again, after this time at least. */
const restartMs = 50;

export abstract class Host {
  readonly id: string;
  readonly world: World;
  readonly clock: NodeClock;
  readonly disk: SimulatedDisk;
  readonly #disks: SimulatedDisk[] = [];
  readonly #random: Random;
  #process: Process | undefined;
  /** It never comes back. */
  leftForGood = false;
  #over = false;
  #opening = false;

  constructor(world: World, id: string, random: Random, skewMs: number) {
    this.world = world;
    this.id = id;
    this.#random = random;
    this.clock = new NodeClock(world.scheduler, {
      startMs: random.between(0, 1e6),
      rate: random.between(0.97, 1.03),
      skewMs,
    });
    this.disk = this.addDisk();
  }

  /** One more disk of this machine; the thread that writes it may write `first` too. */
  protected addDisk(first?: SimulatedDisk): SimulatedDisk {
    const { scheduler, counters, plan } = this.world;
    const ports = {
      scheduler,
      random: this.#random.fork(),
      count: (what: string) => counters.count(what),
      writeFault: () => this.#writeFault(),
      crash: () => this.crash(),
      ...plan.disk,
    };
    const disk = new SimulatedDisk(ports, first);
    this.#disks.push(disk);
    return disk;
  }

  /** Runs production code on this machine until the process dies. */
  protected abstract run(process: Process): Promise<void>;
  /** Ends the production code in good order. */
  protected abstract close(): Promise<void>;

  get up(): boolean {
    return this.#process !== undefined;
  }

  get process(): Process | undefined {
    return this.#process;
  }

  start(): void {
    if (this.#process !== undefined || this.#over) return;
    const process = new Process(this.clock);
    this.#process = process;
    this.#opening = true;
    this.world.log(() => `${this.id} starts`);
    this.run(process).then(
      () => {
        this.#opening = false;
      },
      (error: unknown) => this.fatal(error, process),
    );
  }

  /** The process ends at once: by a signal, or as the machine loses power. */
  crash(): void {
    const process = this.#process;
    if (process === undefined) return;
    const power = this.#random.chance(0.5);
    this.world.counters.count(power ? "power failure" : "process killed");
    if (this.#opening) this.world.counters.count("crash while opening");
    this.world.log(() => `${this.id} ${power ? "loses power" : "is killed"}`);
    this.#end(process, power);
    this.#restartLater();
  }

  /** The process is asked to stop. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined || this.#opening) return;
    this.world.counters.count("stopped in good order");
    try {
      await this.close();
    } catch (error) {
      this.fatal(error, process);
      return;
    }
    if (this.#process !== process) return;
    this.#end(process, false);
    this.#restartLater();
  }

  /** No space is left on its disks, or there is again. */
  fill(full: boolean): void {
    for (const disk of this.#disks) disk.full = full;
  }

  /** What production code cannot go on after. */
  fatal(error: unknown, process: Process): void {
    if (!process.alive) return;
    if (error instanceof StoreError && error.code === "DISK_FULL") {
      this.world.counters.count("ended by a full disk");
      this.#end(process, false);
      this.#restartLater();
      return;
    }
    this.world.log(() => `${this.id} ends: ${String(error)}`);
    this.onFatal(error);
    this.#end(process, false);
  }

  /** Puts an old image in place of what is on the main disk; others keep what they hold. */
  protected restore(image: DiskImage): void {
    const process = this.#process;
    if (process !== undefined) this.#end(process, true);
    this.disk.restore(image);
    this.world.counters.count("old disk image restored");
    this.#restartLater();
  }

  /** It never comes back, and nobody waits for it. */
  leave(): void {
    this.leftForGood = true;
    this.retire();
  }

  /** The run is over. */
  retire(): void {
    const process = this.#process;
    this.#over = true;
    if (process !== undefined) this.#end(process, false);
  }

  protected onFatal(error: unknown): void {
    this.world.fail(error);
  }

  #end(process: Process, power: boolean): void {
    process.die();
    this.#process = undefined;
    for (const disk of this.#disks) {
      if (power) disk.powerFailed();
      else disk.processDied();
    }
    this.world.network.died(this.id, power);
    this.world.notify((checker) => checker.died(this.id));
  }

  #restartLater(): void {
    const { scheduler, plan, faulty } = this.world;
    const downMs = faulty ? this.#random.between(1, plan.faults.downMaxMs) : 0;
    scheduler.after(restartMs + downMs, () => this.start());
  }

  #writeFault(): WriteFault {
    const { faulty, plan, counters } = this.world;
    if (!faulty || !this.#random.chance(plan.faults.diskCrashChance)) return "none";
    const fault = this.#random.pick(writeFaults);
    counters.count(`crash ${fault === "while-sending" ? fault : `${fault} a write`}`);
    return fault;
  }
}
