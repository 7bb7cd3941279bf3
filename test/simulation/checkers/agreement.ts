/** Invariant 1: no two nodes ever hold different blocks at one height, and no chain has a hole. */
import { toHex } from "../../../src/base/bytes.js";
import type { StorageAppend } from "../../../src/consensus/attestor.js";
import { Checker, type StoredBlock } from "../events.js";

export class AgreementChecker extends Checker {
  readonly name = "agreement";
  readonly #blocks = new Map<number, { readonly id: string; readonly holder: string }>();
  readonly #heights = new Map<string, number>();

  override appended(managerId: string, { executed }: StoredBlock): void {
    this.#hold(managerId, executed.facts.height, toHex(executed.facts.blockId));
  }

  override storageAppended(nodeId: string, { block }: StorageAppend): void {
    this.#hold(nodeId, block.height, toHex(block.blockId));
  }

  #hold(holder: string, height: number, id: string): void {
    const before = this.#heights.get(holder) ?? 0;
    if (height !== before + 1) this.fail(`${holder} appends ${height} on top of ${before}`);
    this.#heights.set(holder, height);
    const known = this.#blocks.get(height);
    if (known === undefined) this.#blocks.set(height, { id, holder });
    else if (known.id !== id) {
      this.fail(`at height ${height} ${known.holder} holds ${known.id} and ${holder} ${id}`);
    }
  }
}
