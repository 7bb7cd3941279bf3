/**
 * Time on the ledger: a block's timestamp is after its parent's, and no more than the bound ahead
 * of the clock of any manager that has accepted it and keeps the rules.
 */
import { futureBoundMs } from "../consortium.js";
import { Checker, type FinalBlock } from "../events.js";

export type WallClock = { readonly id: string; readonly wallMs: number };

export class TimestampsChecker extends Checker {
  readonly name = "timestamps";
  /** Of the managers that keep the rules. */
  readonly #clocks: () => readonly WallClock[];
  readonly #times = new Map<number, number>();
  #healed = false;

  constructor(clocks: () => readonly WallClock[]) {
    super();
    this.#clocks = clocks;
  }

  override appended(_managerId: string, { parsed, certificates }: FinalBlock): void {
    const { height, timestampMs } = parsed;
    if (this.#times.has(height)) return;
    this.#times.set(height, timestampMs);
    const parentMs = this.#times.get(height - 1);
    if (parentMs !== undefined && timestampMs <= parentMs) {
      this.fail(`block ${height} is of ${timestampMs}, its parent of ${parentMs}`);
    }
    // A clock that was set right may have been set back.
    if (this.#healed) return;
    const accepted = certificates.approval?.signatures.map(({ managerId }) => managerId) ?? [];
    for (const { id, wallMs } of this.#clocks().filter((clock) => accepted.includes(clock.id))) {
      if (timestampMs <= wallMs + futureBoundMs) continue;
      this.fail(`block ${height} is ${timestampMs - wallMs} ms ahead of ${id}, which accepted it`);
    }
  }

  override healed(): void {
    this.#healed = true;
  }
}
