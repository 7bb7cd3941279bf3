/** What a storage node says about its disk, in words. */
import type { GetStatusResponse } from "../../gen/bss/v1/query_pb.js";

/** Damage that was found since the node started; nothing when all was as it had been written. */
export function storeTroubles({ nodeId, scrub }: GetStatusResponse): readonly string[] {
  if (scrub === undefined) return [];
  const { damaged, repaired, lastDamage, repairing } = scrub;
  const last = lastDamage === "" ? "" : `; the last: ${lastDamage}`;
  const found = `${damaged} found damaged since its start, ${repaired} repaired${last}`;
  if (repairing) {
    return [`${nodeId} checks its whole store and attests nothing meanwhile: ${found}`];
  }
  return damaged === 0n ? [] : [`look at the disk of ${nodeId}: ${found}`];
}
