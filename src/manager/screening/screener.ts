/**
 * Screening in turns, and the second look at what is open (screening.ts): a record that lacks what
 * nothing here would bring. It may be on its way from another manager, so it is looked at again a
 * moment later, and refused if it still lacks it. But only while this manager surely knows all that
 * is final: otherwise what is lacking here may stand on the others' ledgers, and the block decides.
 */
import { equalBytes } from "../../base/bytes.js";
import { FairLane } from "../../base/fair-lane.js";
import type { Result } from "../../base/result.js";
import type { Time } from "../../base/time.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import { curableReasons } from "../../ledger/records/rules.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import type { Violation } from "../../ledger/violation.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { Pause } from "./giving-way.js";
import {
  type RecordRefusal,
  type Screened,
  type ScreeningPorts,
  screenSubmission,
  violationsNow,
} from "./screening.js";
import { type Causer, ScreeningBudget } from "./screening-budget.js";

export type ScreenerPorts = ScreeningPorts & {
  /** Whether this manager surely holds, or votes on, whatever is final anywhere. */
  readonly knowsAllFinal: () => boolean;
  readonly after: Time["after"];
  readonly monotonicMs: () => number;
};

/** What the second look at open records says: nothing is open any more. */
export type SecondLook = Omit<Screened, "open">;

/** Large submissions are worked on one at a time; of small ones some may wait for the disk. */
const largeRecordsMin = 50;
const atOnceMax = { large: 1, small: 2 } as const;
/** Longer than a submission takes from one manager to another. */
const graceMs = 250;
/**
 * Submissions with open records that wait for their second look: of one causer, who beyond gets it
 * at once, and of all; beyond, the block decides.
 */
const waitingOfCauserMax = 100;
const waitingMax = 1_000;
/** Of work that has to be done whoever waits. */
const never = new AbortController().signal;

export class Screener {
  readonly #ports: ScreenerPorts;
  readonly #large = new FairLane(atOnceMax.large);
  readonly #small = new FairLane(atOnceMax.small);
  readonly budget: ScreeningBudget;
  /** Submissions that wait for their second look, by who causes them. */
  readonly #waiting = new Map<string, number>();
  #waitingCount = 0;

  constructor(ports: ScreenerPorts) {
    this.#ports = ports;
    this.budget = new ScreeningBudget(ports.monotonicMs);
  }

  /**
   * Runs `work` on so many records when it is the turn of `causer`, if anybody still waits for it
   * then. Callers are one group, and what each manager relays is another.
   *
   * @throws RpcError DEADLINE when nobody does
   */
  inTurn<T>(
    causer: Causer,
    recordCount: number,
    work: () => Promise<T>,
    signal: AbortSignal = never,
  ): Promise<T> {
    const isLarge = recordCount >= largeRecordsMin;
    const piece = async () => {
      if (signal.aborted) throw unheard();
      if (!isLarge) return work();
      const pause = this.#ports.pauses();
      const result = await work();
      await pause();
      return result;
    };
    const lane = isLarge ? this.#large : this.#small;
    if (causer.kind === "caller") return lane.run(causer.id, piece, "callers");
    if (causer.kind === "own") return lane.run(causer.participantId, piece, "own");
    return lane.run(causer.participantId, piece, `manager ${causer.id}`);
  }

  /** The same within the causer's budget; what does not come to a result was in vain. */
  parsed<T>(
    causer: Causer,
    recordCount: number,
    parse: () => T,
    signal: AbortSignal = never,
  ): Promise<T> {
    const work = async () => parse();
    const found = () => ({ refused: [], onLedger: [] });
    const paid = () => this.budget.spend(causer, recordCount, work, found);
    return this.inTurn(causer, recordCount, paid, signal);
  }

  screen(
    causer: Causer,
    submission: ParsedSubmission,
    signal: AbortSignal = never,
  ): Promise<Result<Screened, Violation>> {
    const { length } = submission.records;
    const ports = { ...this.#ports, pauses: () => this.#pausesWhileHeard(signal) };
    const work = () => screenSubmission(submission, ports);
    const paid = () =>
      this.budget.spend(causer, length, work, (found) => (found.ok ? found.value : undefined));
    return this.inTurn(causer, length, paid, signal);
  }

  /** Work that nobody waits for any more ends at its next pause. */
  #pausesWhileHeard(signal: AbortSignal): Pause {
    const pause = this.#ports.pauses();
    return async () => {
      await pause();
      if (signal.aborted) throw unheard();
    };
  }

  async lookAgain(
    causer: Causer,
    submission: ParsedSubmission,
    { height, open }: Pick<Screened, "height" | "open">,
    signal: AbortSignal = never,
  ): Promise<SecondLook> {
    const isBusy = this.#waitingCount >= waitingMax;
    if (open.length === 0 || isBusy || !this.#ports.knowsAllFinal()) {
      return { height, accurate: open, onLedger: [], refused: [] };
    }
    await this.#grace(causer.kind === "own" ? "" : causer.id);
    const work = () => this.#lookAgain(submission, open);
    const paid = () => this.budget.spend(causer, open.length, work, (found) => found);
    return this.inTurn(causer, open.length, paid, signal);
  }

  async #lookAgain(
    submission: ParsedSubmission,
    open: readonly ParsedRecord[],
  ): Promise<SecondLook> {
    const { head, knowsAllFinal, mightCure } = this.#ports;
    const { height, broken } = await violationsNow(submission, open, this.#ports);
    // Nothing has left the pool for a block that is not in this state.
    const isSure = knowsAllFinal() && head().height === height;
    const accurate: ParsedRecord[] = [];
    const onLedger: ParsedRecord[] = [];
    const refused: RecordRefusal[] = [];
    const hasParent = ({ parent }: ParsedRecord) =>
      parent !== undefined && accurate.some(({ hash }) => equalBytes(hash, parent));
    for (const record of open) {
      const violation = broken.get(record);
      if (violation === undefined) accurate.push(record);
      else if (violation.reason === "PARENT_UNKNOWN" && hasParent(record)) accurate.push(record);
      else if (violation.reason === "RECORD_ON_LEDGER") onLedger.push(record);
      else if (!curableReasons.has(violation.reason)) refused.push({ record, violation });
      else if (isSure && !mightCure(record, violation.reason)) refused.push({ record, violation });
      else accurate.push(record);
    }
    return { height, accurate, onLedger, refused };
  }

  async #grace(causerId: string): Promise<void> {
    const waiting = this.#waiting.get(causerId) ?? 0;
    if (waiting >= waitingOfCauserMax) return;
    this.#waiting.set(causerId, waiting + 1);
    this.#waitingCount += 1;
    await new Promise<void>((resolve) => this.#ports.after(graceMs, resolve));
    this.#waitingCount -= 1;
    const left = (this.#waiting.get(causerId) ?? 1) - 1;
    if (left > 0) this.#waiting.set(causerId, left);
    else this.#waiting.delete(causerId);
  }
}

function unheard(): RpcError {
  return new RpcError("DEADLINE", "nobody waits for the answer any more; nothing was taken in");
}
