/**
 * Which pending records may take away the reason for which another one breaks a rule: its parent,
 * readings of the energy that it trades, versions of trades that free some. It is asked of the
 * pool, of blocks that are being voted on, and of the other records of a submission.
 */
import { toHex } from "../../base/bytes.js";
import { deliveryDaysOf, type EnergyUse, usesThatLack } from "../../ledger/kinds/energy.js";
import { kindOf } from "../../ledger/kinds/kinds.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import type { RuleReason } from "../../ledger/violation.js";

export class CureIndex {
  /** Hashes in hex. */
  readonly #records = new Set<string>();
  readonly #readings = new UsesOfEnergy();
  readonly #tradeUpdates = new UsesOfEnergy();

  /** Each record is added once. */
  add(record: ParsedRecord): void {
    this.#records.add(record.hashHex);
    this.#count(record, 1);
  }

  /** Another version of it may come; the energy that it would bring does not count. */
  addParent({ hashHex }: ParsedRecord): void {
    this.#records.add(hashHex);
  }

  remove(record: ParsedRecord): void {
    this.#records.delete(record.hashHex);
    this.#count(record, -1);
  }

  /**
   * Whether the record may keep the rule once what is pending is there. What cures in this sense
   * does not wait for the record in turn, so none is kept for ever.
   */
  cures(record: ParsedRecord, reason: RuleReason): boolean {
    if (reason === "PARENT_UNKNOWN") {
      return record.parent !== undefined && this.#records.has(toHex(record.parent));
    }
    return usesThatLack(usesOf(record), reason).some(
      (use) => use.as !== "measured" && this.#readings.meet(use),
    );
  }

  /**
   * Whether the record should be tried in a block: besides what `cures` sees, a version of a trade
   * may sell or buy less, and another reading add what this one takes away.
   */
  mightCure(record: ParsedRecord, reason: RuleReason): boolean {
    if (this.cures(record, reason)) return true;
    return usesThatLack(usesOf(record), reason).some(
      (use) => this.#tradeUpdates.meet(use) || this.#readings.meet(use),
    );
  }

  #count(record: ParsedRecord, change: 1 | -1): void {
    for (const use of usesOf(record)) {
      if (use.as === "measured") this.#readings.count(use, change);
      else if (record.parent !== undefined) this.#tradeUpdates.count(use, change);
    }
  }
}

function usesOf(record: ParsedRecord): readonly EnergyUse[] {
  return kindOf(record).energy(record);
}

/** Of one participant: how many uses there are, by what they are of. */
type Counts = {
  /** Of single delivery intervals, by the start in Unix s. */
  readonly single: Map<number, number>;
  /** The same by the day, counted from 1970. */
  readonly singleOfDay: Map<number, number>;
  /** Of several intervals, on each of their days. */
  readonly severalOfDay: Map<number, number>;
};

/**
 * Which sums of energy pending records use. It finds what `namesOf` lets meet, without making the
 * names, as every record that comes and goes is counted and few are looked for.
 */
class UsesOfEnergy {
  readonly #byParticipant = new Map<string, Counts>();

  count(use: EnergyUse, change: 1 | -1): void {
    const { participantId } = use;
    const counts = this.#byParticipant.get(participantId) ?? noCounts();
    if (isSingle(use)) {
      addTo(counts.single, use.first.deliveryStartS, change);
      addTo(counts.singleOfDay, deliveryDaysOf(use).first, change);
    } else {
      const { first, last } = deliveryDaysOf(use);
      for (let day = first; day <= last; day++) addTo(counts.severalOfDay, day, change);
    }
    const { single, severalOfDay } = counts;
    if (single.size + severalOfDay.size > 0) this.#byParticipant.set(participantId, counts);
    else this.#byParticipant.delete(participantId);
  }

  meet(use: EnergyUse): boolean {
    const counts = this.#byParticipant.get(use.participantId);
    if (counts === undefined) return false;
    const { single, singleOfDay, severalOfDay } = counts;
    const { first, last } = deliveryDaysOf(use);
    if (isSingle(use)) return single.has(use.first.deliveryStartS) || severalOfDay.has(first);
    for (let day = first; day <= last; day++) {
      if (singleOfDay.has(day) || severalOfDay.has(day)) return true;
    }
    return false;
  }
}

function noCounts(): Counts {
  return { single: new Map(), singleOfDay: new Map(), severalOfDay: new Map() };
}

function isSingle({ first, last }: EnergyUse): boolean {
  return first.deliveryStartS === last.deliveryStartS;
}

function addTo(counts: Map<number, number>, key: number, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
