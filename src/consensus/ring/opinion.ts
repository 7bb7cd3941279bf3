/**
 * What this manager alone can say of a block that the rules find accurate: whether its time has
 * come by this manager's clock, and whether the managers that it suspends are missing here too.
 */
import { toHex } from "../../base/bytes.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import type { HeightState } from "../height/height-state.js";
import { Absences } from "./absences.js";
import type { Pace } from "./pace.js";

export type OwnViewOptions = {
  readonly selfId: string;
  /** How far a fresh block's timestamp may lie ahead of this manager's clock. */
  readonly futureBoundMs: number;
  /** A manager that holds the height up for this time may be suspended; never without it. */
  readonly suspendAfterMs?: number;
};

/** "later": it becomes "fine" with time, unless one of the absent managers comes. */
export type Opinion = "fine" | "later" | "refused";

export class OwnView {
  readonly #options: OwnViewOptions;
  readonly #state: HeightState;
  readonly #pace: Pace;
  readonly #absences: Absences;

  constructor(options: OwnViewOptions, state: HeightState, pace: Pace) {
    this.#options = options;
    this.#state = state;
    this.#pace = pace;
    this.#absences = new Absences(options.suspendAfterMs);
  }

  /** This manager's opinion of a block; a block that has a lock certificate is always fine. */
  of(facts: BlockFacts): Opinion {
    const { attentiveMs, wallMs } = this.#pace;
    const isTooEarly = facts.timestampMs > wallMs + this.#options.futureBoundMs;
    const opinion = this.#absences.opinion(facts.absences, attentiveMs);
    if (!isTooEarly && opinion === "agrees") return "fine";
    if (this.#state.isCertified(toHex(facts.blockId))) return "fine";
    return isTooEarly || opinion === "disagrees" ? "refused" : "later";
  }

  /** Whether this manager would agree that another one is absent. */
  isMissing(managerId: string): boolean {
    return this.#absences.opinion([managerId], this.#pace.attentiveMs) === "agrees";
  }

  /** Managers that a block made now may suspend; sorted. */
  claimedAbsences(): readonly string[] {
    return this.#absences.claimed(this.#pace.attentiveMs);
  }

  /** Monotonic time at which an opinion changes by itself, or close to that. */
  get nextMs(): number {
    const { attentiveMs, monotonicMs, wallMs } = this.#pace;
    let waitMs = this.#absences.nextMs(attentiveMs) - attentiveMs;
    for (const { timestampMs } of this.#state.judgements.accurate()) {
      const aheadMs = timestampMs - this.#options.futureBoundMs - wallMs;
      // One more, as this clock has whole milliseconds and was not read at the very same moment.
      if (aheadMs > 0) waitMs = Math.min(waitMs, aheadMs + 1);
    }
    return monotonicMs + waitMs;
  }

  /**
   * Notes which managers have accepted what Q managers approve in the current round, and which have
   * not. To be called until this manager commits in that round.
   */
  watchAbsences(): void {
    const { votes, quorum } = this.#state;
    for (const { round, block } of votes.blocksApprovedBy(quorum)) {
      const facts = round === this.#pace.round ? this.#state.factsOf(block) : undefined;
      if (facts === undefined || this.of(facts) !== "fine") continue;
      const accepts = votes.accepts(block);
      for (const id of facts.requiredAccepts) {
        if (accepts.has(id)) this.#absences.came(id);
        else if (this.#canBeSuspended(id)) this.#absences.missed(id, this.#pace.attentiveMs);
      }
    }
  }

  /** Only other managers that are active: not one that this very block resumes. */
  #canBeSuspended(managerId: string): boolean {
    const { activeManagerIds } = this.#state.context.members;
    return managerId !== this.#options.selfId && activeManagerIds.includes(managerId);
  }
}
