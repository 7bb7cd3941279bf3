/**
 * Opens the store of the mark of what a storage node's key has attested. It is a store of its own,
 * so that the mark outlives the ledger's.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { keepPublicFile } from "../config/durable-file.js";
import { damageOf } from "../store/damage/store-comparison.js";
import { AttestationMark } from "../store/double-sign-protection/attestation-mark.js";
import type { KeyValueStore } from "../store/key-value-store.js";
import { describeLogDamage, findLogDamage } from "../store/rocksdb/rocksdb-log.js";
import { openRocksDb, repairRocksDb } from "../store/rocksdb/rocksdb-store.js";
import { isReparable, lostNoteName, putAside } from "./damaged-files.js";

export type OpenedMark = {
  readonly mark: AttestationMark;
  readonly kv: KeyValueStore;
  /** Why the mark is lost, for people. */
  readonly lost?: string;
};

/**
 * Opens the mark of what the node's key has attested. It is lost if its store had to be mended or
 * put aside, or if the log has lost its end, as the mark may then be an older one.
 *
 * @throws StoreError MISMATCH for another key's, LOCKED when another process runs with this key
 */
export async function openMark(directory: string, signingKey: Uint8Array): Promise<OpenedMark> {
  const note = join(directory, lostNoteName);
  const reasons: string[] = [];
  const noteLoss = (reason: string) => {
    reasons.push(reason);
    keepPublicFile(note, reasons.join("; "));
  };
  const open = async (): Promise<OpenedMark> => {
    const kv = await openRocksDb(directory, { values: "few" });
    try {
      const mark = await AttestationMark.open(kv, signingKey);
      if (!existsSync(note)) return { kv, mark };
      const lost = readFileSync(note, "utf8");
      await mark.forget();
      rmSync(note);
      return { kv, mark, lost };
    } catch (error) {
      await kv.close();
      throw error;
    }
  };
  const damage = await findLogDamage(directory);
  if (damage !== undefined) noteLoss(describeLogDamage(damage));
  try {
    return await open();
  } catch (error) {
    if (!isReparable(error)) throw error;
    noteLoss(`what can be read of the files is kept: ${damageOf(error)}`);
  }
  try {
    await repairRocksDb(directory);
    return await open();
  } catch (error) {
    if (!isReparable(error)) throw error;
    noteLoss(`the damaged store is put aside: ${damageOf(error)}`);
  }
  putAside(directory);
  return open();
}
