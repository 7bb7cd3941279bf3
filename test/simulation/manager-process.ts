/**
 * A manager's process around the production ring: the serial loop, as `RingDriver` runs it, on
 * virtual time. Whatever is here is gone after a crash; what it says is on the disk before.
 */
import { assert, defined } from "../../src/base/assert.js";
import { toHex } from "../../src/base/bytes.js";
import { heightOf } from "../../src/consensus/event-height.js";
import type {
  Decision,
  Lock,
  Outgoing,
  Ready,
  RingEvent,
  Statement,
  Task,
} from "../../src/consensus/events.js";
import { Ring } from "../../src/consensus/ring.js";
import type { ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import { CandidateBlocks } from "../../src/manager/candidate-blocks.js";
import type { NodeClock } from "./clock.js";
import { futureBoundMs } from "./consortium.js";
import type { FakeDisk } from "./disk.js";
import { InvariantBroken, type Said, type StoredBlock } from "./events.js";
import type { ManagerDisk } from "./manager-disk.js";
import { type Signer, signProposal, signVote } from "./statements.js";
import { notify, type World } from "./world.js";

/** A turn that is no event: `run` calls `done` when it is through. */
type Job = { readonly kind: "job"; readonly run: (done: () => void) => void };

export type ProcessPorts = {
  readonly world: World;
  readonly id: string;
  readonly disk: ManagerDisk;
  readonly device: FakeDisk;
  readonly clock: NodeClock;
  /** False for one that breaks the rules: it is not watched. */
  readonly honest: boolean;
  /** To all other managers. */
  readonly say: (message: Outgoing, body?: ManagerBlock) => void;
  readonly start: (task: Task) => void;
  readonly onAppended: (stored: StoredBlock) => void;
};

const thinkMaxMs = 0.2;
const nothingSaid = { restored: { votes: [], proposals: [] }, bodies: [] };

export class ManagerProcess {
  readonly candidates = new CandidateBlocks((id) => this.#ring.isBoundTo(id));
  readonly #ports: ProcessPorts;
  readonly #ring: Ring;
  readonly #signer: Signer;
  readonly #queue: (RingEvent | Job)[] = [];
  #busy = false;
  #turnDue = false;
  #timer = 0;
  #stopped = false;

  constructor(ports: ProcessPorts) {
    this.#ports = ports;
    const { world, id, disk, clock } = ports;
    const { genesis, scheme } = world.consortium;
    const sign = (digest: Uint8Array) => scheme.sign(id, digest);
    this.#signer = { managerId: id, consortiumId: genesis.consortiumId, sign };
    const { height, members } = disk.head;
    const forgets = world.plan.sabotage === "forgets its votes in a crash";
    const { restored, bodies } = forgets ? nothingSaid : disk.loadHeight();
    for (const body of bodies) this.candidates.add(height + 1, body);
    this.#ring = new Ring({
      selfId: id,
      timeouts: defined(genesis.policy.timeouts, "a policy has timeouts"),
      futureBoundMs,
      resendMs: world.plan.resendMs,
      context: { height: height + 1, members },
      restored,
      clock: clock.read(),
    });
    this.#next();
  }

  get height(): number {
    return this.#ring.height;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  status() {
    return this.#ring.status();
  }

  /** The process ends: nothing of it happens any more. */
  stop(): void {
    this.#stopped = true;
  }

  post(turn: RingEvent | Job): void {
    this.#queue.push(turn);
    this.#next();
  }

  /** Writes a final block, and goes on to the next height. */
  append(stored: StoredBlock, done: () => void): void {
    const { disk, device, world, id, onAppended } = this.#ports;
    const { height } = stored.executed.facts;
    assert(height === disk.head.height + 1, "blocks are appended one after the other");
    const apply = () => {
      disk.append(stored);
      notify(world, (checker) => checker.appended(id, stored));
    };
    device.write(apply, () => {
      this.#ring.advance({ height: height + 1, members: disk.head.members });
      this.candidates.dropThrough(height);
      onAppended(stored);
      done();
    });
  }

  #next(): void {
    if (this.#stopped || this.#busy || this.#turnDue) return;
    this.#turnDue = true;
    const { scheduler, random } = this.#ports.world;
    scheduler.after(random.between(0, thinkMaxMs), () => {
      this.#turnDue = false;
      if (!this.#stopped && !this.#busy) this.#turn();
    });
  }

  #turn(): void {
    const { world, id, clock, honest } = this.#ports;
    this.#ring.tick(clock.read());
    const done = () => {
      this.#busy = false;
      this.#next();
    };
    for (let turn = this.#queue.shift(); turn !== undefined; turn = this.#queue.shift()) {
      if (turn.kind === "job") {
        this.#busy = true;
        turn.run(done);
        return;
      }
      this.#step(turn);
    }
    const { monotonicMs } = clock.read();
    if (honest) notify(world, (checker) => checker.moved(id, this.#ring.status(), monotonicMs));
    const ready = this.#ring.ready();
    if (ready === undefined) {
      this.#rest();
      return;
    }
    this.#busy = true;
    this.#carryOut(ready, done);
  }

  #step(event: RingEvent): void {
    const { world, id, honest } = this.#ports;
    const height = heightOf(event) ?? this.#ring.height;
    if (honest) notify(world, (checker) => checker.stepped(id, height, event));
    this.#ring.step(event);
  }

  #carryOut(ready: Ready, done: () => void): void {
    const { world, id, honest, say, start } = this.#ports;
    for (const step of ready.expired) {
      world.counters.count(`timeout ${step}`);
      if (honest) notify(world, (checker) => checker.expired(id, step));
    }
    this.#speak(ready.statements, () => {
      for (const message of ready.messages) say(message);
      for (const task of ready.tasks) start(task);
      if (ready.halt !== undefined)
        throw new InvariantBroken("halt", `${id}: ${ready.halt.message}`);
      if (ready.decision === undefined) done();
      else this.#decide(ready.decision, done);
    });
  }

  /** Durable before visible. */
  #speak(statements: readonly Statement[], done: () => void): void {
    if (statements.length === 0) {
      done();
      return;
    }
    const { disk, device, world, id, honest } = this.#ports;
    // One object goes to many: nobody may change it.
    const said = statements.map((statement) => this.#sign(statement));
    for (const each of said) Object.freeze(each.kind === "vote" ? each.vote : each.proposal);
    const tell = honest ? (watch: Parameters<typeof notify>[1]) => notify(world, watch) : () => {};
    for (const each of said) tell((checker) => checker.signed(id, each));
    const save = () => {
      disk.saveStatements(this.#toSave(statements, said));
      for (const each of said) tell((checker) => checker.saved(id, each));
    };
    const send = () => {
      for (const each of said) {
        tell((checker) => checker.sent(id, each));
        const body = each.kind === "proposal" ? this.#bodyOf(each.proposal.blockId) : undefined;
        this.#ports.say(each, body);
      }
    };
    const hastes = world.plan.sabotage === "sends before it saves";
    if (hastes) send();
    device.write(save, () => {
      if (!hastes) send();
      for (const each of said) this.#step(each);
      done();
    });
  }

  #sign(statement: Statement): Said {
    if (statement.kind === "propose") {
      return { kind: "proposal", proposal: signProposal(statement, this.#signer) };
    }
    return { kind: "vote", vote: signVote(statement, this.#signer) };
  }

  #toSave(statements: readonly Statement[], said: readonly Said[]) {
    const bodies = new Map<string, ManagerBlock>();
    let lock: Lock | undefined;
    for (const statement of statements) {
      if (statement.kind === "commit" && statement.lock !== undefined) lock = statement.lock;
      const mustKeep = statement.kind === "propose" || statement.kind === "commit";
      if (!mustKeep || statement.blockId.length === 0) continue;
      const body = this.#bodyOf(statement.blockId);
      bodies.set(toHex(statement.blockId), defined(body, "what is proposed or committed is held"));
    }
    return {
      votes: said.flatMap((each) => (each.kind === "vote" ? [each.vote] : [])),
      proposals: said.flatMap((each) => (each.kind === "proposal" ? [each.proposal] : [])),
      bodies: [...bodies.values()],
      ...(lock === undefined ? {} : { lock }),
    };
  }

  #bodyOf(blockId: Uint8Array): ManagerBlock | undefined {
    return this.candidates.get(blockId)?.block;
  }

  #decide({ blockId, certificates, round }: Decision, done: () => void): void {
    const held = defined(this.candidates.get(blockId), "a decided block is held");
    const executed = defined(held.executed, "a decided block was judged accurate");
    this.#ports.world.counters.count(round === 0 ? "decided in round 0" : "decided later");
    this.append({ block: held.block, executed, certificates }, done);
  }

  #rest(): void {
    const { world, clock } = this.#ports;
    const deadline = this.#ring.nextDeadlineMs;
    if (deadline === undefined) return;
    this.#timer += 1;
    const timer = this.#timer;
    world.scheduler.after(clock.delayUntil(deadline) + 0.001, () => {
      if (timer === this.#timer) this.#next();
    });
  }
}
