/** Invariant 1: no two nodes ever hold different blocks at one height, and no chain has a hole. */
import { toHex } from "../../../src/base/bytes.js";
import { Checker, type FinalBlock, type StorageBlock } from "../events.js";

export class AgreementChecker extends Checker {
  readonly name = "agreement";
  readonly #blocks = new Map<number, { readonly id: string; readonly holder: string }>();
  readonly #heights = new Map<string, number>();

  override appended(managerId: string, { parsed }: FinalBlock): void {
    this.#hold(managerId, parsed.height, toHex(parsed.blockId));
  }

  override storageAppended(nodeId: string, { parsed }: StorageBlock): void {
    this.#hold(nodeId, parsed.height, toHex(parsed.blockId));
  }

  override rolledBack(id: string, height: number): void {
    this.#heights.set(id, height);
  }

  override started(id: string, height: number): void {
    const known = this.#heights.get(id) ?? 0;
    if (height !== known) this.fail(`${id} held ${known} blocks and starts with ${height}`);
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
