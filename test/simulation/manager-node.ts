/** A manager: a disk and a clock that stay, and a process that comes and goes. */
import type { Outgoing } from "../../src/consensus/events.js";
import type { ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import type { ParsedSubmission } from "../../src/ledger/submissions.js";
import type { NodeClock } from "./clock.js";
import { FakeDisk } from "./disk.js";
import { ManagerDisk } from "./manager-disk.js";
import { ManagerServices } from "./manager-services.js";
import type { Message } from "./messages.js";
import { throughTheWire } from "./wire.js";
import { notify, type World } from "./world.js";

/** What a manager that breaks the rules does besides. */
export type Twist = {
  /** Returns to whom the message goes; may send others. */
  readonly say: (message: Outgoing, body?: ManagerBlock) => readonly string[];
  readonly heard: (message: Outgoing, body?: ManagerBlock) => void;
};

export class ManagerNode {
  readonly id: string;
  readonly disk: ManagerDisk;
  readonly clock: NodeClock;
  readonly #world: World;
  readonly #device: FakeDisk;
  #services: ManagerServices | undefined;
  #sendsLeft = Number.POSITIVE_INFINITY;
  twist: Twist | undefined;
  /** Called when the process ends by a fault of its disk. */
  onCrashed: () => void = () => {};

  constructor(world: World, id: string, clock: NodeClock) {
    this.#world = world;
    this.id = id;
    this.clock = clock;
    this.disk = new ManagerDisk(world.consortium.genesis);
    this.#device = new FakeDisk({
      ...{ scheduler: world.scheduler, counters: world.counters },
      random: world.random.fork(),
      crashChance: () => (world.faulty ? world.plan.faults.diskCrashChance : 0),
      crash: (afterSends) => {
        if (afterSends !== undefined && afterSends > 0) this.#sendsLeft = afterSends;
        else this.#crashByDisk();
      },
    });
  }

  get up(): boolean {
    return this.#services !== undefined;
  }

  /** Whether it has ever broken the rules; nothing is expected of what it signed. */
  get honest(): boolean {
    return this.twist === undefined;
  }

  status() {
    return this.#services?.process.status();
  }

  get services(): ManagerServices | undefined {
    return this.#services;
  }

  start(): void {
    if (this.up) return;
    this.#sendsLeft = Number.POSITIVE_INFINITY;
    const services = new ManagerServices({
      world: this.#world,
      id: this.id,
      disk: this.disk,
      device: this.#device,
      clock: this.clock,
      honest: this.honest,
      broadcast: (message, body) => this.#broadcast(message, body),
      send: (to, message) => this.#send(to, message),
    });
    this.#services = services;
    this.#world.network.connect(this.id, (from, message) => {
      if (message.kind === "ring") this.twist?.heard(message.message, message.body);
      services.receive(from, message);
    });
    this.#world.log(() => `${this.id} starts at height ${this.disk.head.height}`);
    notify(this.#world, (checker) => checker.started(this.id));
    services.greet();
  }

  crash(): void {
    if (this.#services === undefined) return;
    this.#world.log(() => `${this.id} crashes`);
    this.#services.process.stop();
    this.#services = undefined;
    this.#world.network.disconnect(this.id);
    this.#device.interrupt();
  }

  submit(submission: ParsedSubmission): void {
    this.#services?.submit(submission);
  }

  /** What this manager signs goes to every other one, unless it breaks the rules. */
  #broadcast(message: Outgoing, body?: ManagerBlock): void {
    const everybody = this.#world.consortium.managerIds.filter((id) => id !== this.id);
    const to = this.twist === undefined ? everybody : this.twist.say(message, body);
    const { encodes } = this.#world.plan;
    for (const id of to) {
      const ring: Message =
        body === undefined ? { kind: "ring", message } : { kind: "ring", message, body };
      this.#send(id, encodes ? throughTheWire(message, body) : ring);
    }
  }

  #send(to: string, message: Message): void {
    if (!this.up) return;
    if (this.#sendsLeft === 0) {
      this.#crashByDisk();
      return;
    }
    this.#sendsLeft -= 1;
    this.#world.counters.count("message sent");
    this.#world.network.send(this.id, to, message);
  }

  #crashByDisk(): void {
    this.crash();
    this.onCrashed();
  }
}
