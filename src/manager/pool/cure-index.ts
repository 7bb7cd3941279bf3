/**
 * Which pending records may take away the reason for which another one breaks a rule: its parent,
 * readings of the energy that it trades, versions of trades that free some. It is asked of the
 * pool, of blocks that are being voted on, and of the other records of a submission.
 */
import { toHex } from "../../base/bytes.js";
import { type EnergyUse, namesOf, usesThatLack } from "../../ledger/kinds/energy.js";
import { kindOf } from "../../ledger/kinds/kinds.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import type { RuleReason } from "../../ledger/violation.js";

export class CureIndex {
  /** Hashes in hex. */
  readonly #records = new Set<string>();
  /** How many there are, by the names under which they are filed (`namesOf`). */
  readonly #readings = new Map<string, number>();
  readonly #tradeUpdates = new Map<string, number>();

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
      (use) => use.as !== "measured" && hasAny(this.#readings, namesOf(use).met),
    );
  }

  /**
   * Whether the record should be tried in a block: besides what `cures` sees, a version of a trade
   * may sell or buy less, and another reading add what this one takes away.
   */
  mightCure(record: ParsedRecord, reason: RuleReason): boolean {
    if (this.cures(record, reason)) return true;
    return usesThatLack(usesOf(record), reason)
      .map((use) => namesOf(use).met)
      .some((names) => hasAny(this.#tradeUpdates, names) || hasAny(this.#readings, names));
  }

  #count(record: ParsedRecord, change: 1 | -1): void {
    for (const use of usesOf(record)) {
      const counts = use.as === "measured" ? this.#readings : this.#tradeUpdates;
      if (use.as !== "measured" && record.parent === undefined) continue;
      for (const name of namesOf(use).filed) addTo(counts, name, change);
    }
  }
}

function usesOf(record: ParsedRecord): readonly EnergyUse[] {
  return kindOf(record).energy(record);
}

function hasAny(counts: ReadonlyMap<string, number>, names: readonly string[]): boolean {
  return names.some((name) => counts.has(name));
}

function addTo(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
