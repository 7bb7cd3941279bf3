/**
 * The candidate blocks of the height that is being voted on: their bodies, and what the rules made
 * of them. A candidate that was judged accurate is ready to be appended without running it again.
 */
import { toHex } from "../../base/bytes.js";
import type { Ring } from "../../consensus/ring/ring.js";
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import type { ExecutedBlock } from "../../ledger/blocks/executed-block.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import type { RuleReason } from "../../ledger/violation.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import { CureIndex } from "../pool/cure-index.js";

/**
 * Bodies that are kept at a time. If there are more, the oldest that was never judged accurate is
 * dropped, or else the oldest. A body that the ring is bound to is never dropped: the ring may sign
 * or append it at any moment.
 * The ring is bound to fewer than these (see consensus/height/judgements.ts), so there is always
 * room.
 */
export const candidatesMax = 64;

export type Candidate = {
  readonly height: number;
  readonly block: ManagerBlock;
  readonly executed?: ExecutedBlock;
};

export class CandidateBlocks {
  readonly #byId = new Map<string, Candidate>();
  readonly #cures = new WeakMap<ExecutedBlock, CureIndex>();
  readonly #ring: Pick<Ring, "isBoundTo">;

  constructor(ring: Pick<Ring, "isBoundTo">) {
    this.#ring = ring;
  }

  /**
   * Keeps a body under its own id, whatever its sender says. Returns the id as hex. With `executed`
   * it is the one that was judged.
   */
  add(height: number, block: ManagerBlock, executed?: ExecutedBlock): string {
    const id = toHex(blockId(block.block?.header ?? new Uint8Array()));
    const known = this.#byId.get(id);
    if (known === undefined) {
      if (this.#byId.size >= candidatesMax) this.#dropOne();
      this.#byId.set(id, executed === undefined ? { height, block } : { height, block, executed });
    } else if (executed !== undefined) {
      // The body that was judged, as one that came before it may be wrong under the same id.
      this.#byId.set(id, { height: known.height, block, executed });
    }
    return id;
  }

  /**
   * Whether a block that this manager has found accurate holds what may take away the reason for
   * which a record breaks a rule.
   */
  mightCure(record: ParsedRecord, reason: RuleReason): boolean {
    for (const { executed } of this.#byId.values()) {
      if (executed === undefined) continue;
      let cures = this.#cures.get(executed);
      if (cures === undefined) {
        cures = new CureIndex();
        for (const placed of executed.placed) cures.add(placed.record);
        this.#cures.set(executed, cures);
      }
      if (cures.mightCure(record, reason)) return true;
    }
    return false;
  }

  get(id: Uint8Array): Candidate | undefined {
    return this.#byId.get(toHex(id));
  }

  /** A body that turned out not to be the block's. */
  discard(id: Uint8Array): void {
    this.#byId.delete(toHex(id));
  }

  /** Forgets the candidates of decided heights. */
  onAppended({ executed }: Pick<AppendedBlock, "executed">): void {
    const { height } = executed.facts;
    for (const [id, candidate] of this.#byId) if (candidate.height <= height) this.#byId.delete(id);
  }

  #dropOne(): void {
    const free = [...this.#byId].filter(([id]) => !this.#ring.isBoundTo(id));
    const [victim] = free.find(([, { executed }]) => executed === undefined) ?? free[0] ?? [];
    if (victim !== undefined) this.#byId.delete(victim);
  }
}
