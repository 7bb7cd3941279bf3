/**
 * Invariant 5: a record with a receipt is on every node in the end, at the place that the receipt
 * names, whatever crashes there were. A receipt is given for something that is on a disk already.
 */
import { defined } from "../../../src/base/assert.js";
import { equalBytes, fromHex, toHex } from "../../../src/base/bytes.js";
import { unsealRecord } from "../../../src/crypto/seal.js";
import type { Consortium } from "../consortium.js";
import { Checker, type FinalBlock, type Receipt } from "../events.js";
import type { FinalDisks } from "./final-disks.js";

export class DurabilityChecker extends Checker {
  readonly name = "durability";
  readonly #consortium: Consortium;
  readonly #disks: () => Promise<FinalDisks>;
  readonly #receipts: Receipt[] = [];
  /** Record hash in hex → where it stands. */
  readonly #places = new Map<string, { readonly height: number; readonly position: number }>();

  constructor(consortium: Consortium, disks: () => Promise<FinalDisks>) {
    super();
    this.#consortium = consortium;
    this.#disks = disks;
  }

  override appended(_managerId: string, { parsed }: FinalBlock): void {
    const first = parsed.treeSize - parsed.leaves.length;
    for (const [i, { recordHash }] of parsed.leaves.entries()) {
      const hex = toHex(recordHash);
      const place = { height: parsed.height, position: first + i };
      if (!this.#places.has(hex)) this.#places.set(hex, place);
    }
  }

  override receipt(receipt: Receipt): void {
    const place = this.#places.get(receipt.recordHex);
    if (place?.height !== receipt.height || place.position !== receipt.position) {
      this.fail(
        `${receipt.managerId} gives a receipt for ${receipt.recordHex}, which is not there`,
      );
    }
    this.#receipts.push(receipt);
  }

  override async finish(): Promise<void> {
    const { managers, storageNodes } = await this.#disks();
    const { epochKey } = this.#consortium;
    for (const { recordHex, height, position } of this.#receipts) {
      const hash = defined(fromHex(recordHex), "a hash is hex");
      for (const [id, store] of managers) {
        const location = await store.location(hash);
        if (location?.height !== height || location.position !== position) {
          this.fail(`${id} has lost ${recordHex} of height ${height}`);
        }
      }
      for (const [id, store] of [...managers, ...storageNodes]) {
        const [stored] = await store.sealedRecordsAt([position]);
        const opens =
          stored !== undefined &&
          equalBytes(stored.recordHash, hash) &&
          unsealRecord(epochKey, hash, stored.sealed) !== undefined;
        if (!opens) this.fail(`${id} does not hold the record ${recordHex} at ${position}`);
      }
    }
  }
}
