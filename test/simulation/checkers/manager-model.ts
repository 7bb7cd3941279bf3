/**
 * Who is active at which height, from the public operations alone: a few lines beside the ledger's
 * own, to hold that against.
 */
import { defined } from "../../../src/base/assert.js";
import type { ControlOperation } from "../../../src/gen/bss/v1/genesis_pb.js";

type Status = { readonly active: ReadonlySet<string>; readonly offenders: ReadonlySet<string> };

export class ManagerModel {
  readonly #ids: readonly string[];
  readonly #quorum: number;
  /** By height of the block after which it holds. */
  readonly #after: Status[];

  /** `ids` in ring order. */
  constructor(ids: readonly string[]) {
    this.#ids = ids;
    this.#quorum = ids.length - Math.floor((ids.length - 1) / 3);
    this.#after = [{ active: new Set(ids), offenders: new Set() }];
  }

  /** Managers named as offenders on the chain so far. */
  get offenders(): ReadonlySet<string> {
    return this.#after.at(-1)?.offenders ?? new Set();
  }

  /** Active before the block of this height. */
  activeBefore(height: number): ReadonlySet<string> {
    return defined(this.#after[height - 1], "blocks come in order").active;
  }

  /** After the operations of the block of this height: those whose ACCEPT it needs. */
  activeAfter(height: number, control: readonly ControlOperation[]): readonly string[] {
    this.#after[height] ??= this.#apply(
      defined(this.#after[height - 1], "blocks come in order"),
      control,
    );
    return [...defined(this.#after[height], "it was just derived").active];
  }

  #apply(before: Status, control: readonly ControlOperation[]): Status {
    const active = new Set(before.active);
    const offenders = new Set(before.offenders);
    for (const { operation } of control) {
      if (operation.case === "suspendManager") active.delete(operation.value.managerId);
      if (operation.case === "resumeManager") active.add(operation.value.managerId);
      if (operation.case === "evidence") offenders.add(operation.value.managerId);
    }
    for (const id of this.#ids) {
      if (offenders.has(id) && active.has(id) && active.size > this.#quorum) active.delete(id);
    }
    return { active, offenders };
  }
}
