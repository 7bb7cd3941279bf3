/**
 * Invariant 8: after the faults, and with at most f faulty managers, every submission is answered,
 * and every node that is there comes to where the others are and is drawn again, in bounded time
 * and without an operator.
 */
import { Checker, type FinalBlock } from "../events.js";
import type { ManagerHost } from "../nodes/manager-host.js";
import type { StorageHost } from "../nodes/storage-host.js";
import type { Participants } from "../participants.js";
import { tailMs } from "../workload.js";

export type LivenessParts = {
  readonly managers: readonly ManagerHost[];
  readonly storageNodes: readonly StorageHost[];
  readonly participants: Participants;
  readonly nowMs: () => number;
};

/** Everything must be settled in this time after the faults. */
const settleMaxMs = 120_000;

export class LivenessChecker extends Checker {
  readonly name = "liveness";
  readonly #parts: LivenessParts;
  #healedMs: number | undefined;
  /** At which all submissions were settled. */
  #goal: number | undefined;
  height = 0;
  records = 0;
  /** What else is still to come. */
  alsoDue: () => readonly string[] = () => [];

  constructor(parts: LivenessParts) {
    super();
    this.#parts = parts;
  }

  override appended(_managerId: string, { parsed }: FinalBlock): void {
    if (parsed.height <= this.height) return;
    this.height = parsed.height;
    this.records = parsed.treeSize;
  }

  override healed(nowMs: number): void {
    this.#healedMs = nowMs;
  }

  /** Whether a node has to come to where the others are. */
  isAwaited({ honest, leftForGood }: ManagerHost | StorageHost): boolean {
    return honest && !leftForGood;
  }

  /** Fails the run when it takes too long. */
  settled(): boolean {
    const nowMs = this.#parts.nowMs();
    const waits = this.#waits();
    if (waits === undefined) return true;
    if (nowMs - (this.#healedMs ?? nowMs) < settleMaxMs) return false;
    this.fail(`not settled ${settleMaxMs} ms after the faults: ${waits()}`);
  }

  get #workloadIsOver(): boolean {
    return this.#parts.nowMs() > (this.#healedMs ?? Number.POSITIVE_INFINITY) + tailMs;
  }

  #waits(): (() => string) | undefined {
    const { managers, storageNodes, participants } = this.#parts;
    if (participants.openCount > 0 || !this.#workloadIsOver) {
      this.#goal = undefined;
      return () => `${participants.openCount} submissions are open; ${this.#status()}`;
    }
    if (this.alsoDue().length > 0) {
      return () => `nobody has named ${this.alsoDue().join(", ")}; ${this.#status()}`;
    }
    this.#goal ??= this.height;
    const goal = this.#goal;
    const late = [...managers, ...storageNodes].find(
      (each) => this.isAwaited(each) && each.height < goal,
    );
    if (late !== undefined) {
      return () => `${late.id} is at ${late.height}, not at ${goal}; ${this.#status()}`;
    }
    const away = storageNodes.find((each) => this.isAwaited(each) && each.suspended);
    return away && (() => `${away.id} is there, but still suspended; ${this.#status()}`);
  }

  #status(): string {
    return this.#parts.managers
      .map(({ id, height, status, manager }) => {
        const { round, step } = status ?? {};
        const waiting = JSON.stringify(manager?.waiting() ?? {}, (_, value) =>
          typeof value === "bigint" ? Number(value) : value,
        );
        return `${id} after ${height} in round ${round} ${step} ${waiting}`;
      })
      .join(" | ");
  }
}
