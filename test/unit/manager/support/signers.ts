/** Local signers of the tests' managers over stores in memory. */
import { defined } from "../../../../src/base/assert.js";
import { LocalSigner, type WhenMissing } from "../../../../src/manager/signing/local-signer.js";
import { createMemoryDisk, type MemoryDisk } from "../../../support/memory-store.js";
import { consortiumId } from "../../ledger/support/consortium.js";
import { publicKeyOf, sign } from "../../ledger/support/records.js";

/** The key of a manager, as the signer takes it. */
export function keyOf(id: string) {
  return {
    consortiumId,
    publicKey: publicKeyOf(id),
    sign: (digest: Uint8Array) => sign(id, digest),
  };
}

/** A signer whose marks are on `disk`; whoever had it open has died. */
export async function memorySigner(
  id: string,
  disk: MemoryDisk = createMemoryDisk(),
  whenMissing: WhenMissing = "create",
): Promise<LocalSigner> {
  disk.crash();
  const signer = await LocalSigner.open(await disk.open(), keyOf(id), whenMissing);
  return defined(signer, "the marks are there, or made");
}
