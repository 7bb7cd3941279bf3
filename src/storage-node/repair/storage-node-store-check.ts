/**
 * Checks the whole store of a stopped storage node: makes its chain anew from genesis in a second
 * store, with every rule, signature and certificate, and compares both stores.
 */

import { readGenesis } from "../../config/genesis-file.js";
import type { StorageNodeConfig } from "../../config/node-config.js";
import { checkFinal, type StorageAppend } from "../../consensus/attestation/attestor.js";
import { SignatureCache } from "../../crypto/signature-cache.js";
import type { CertifiedStorageBlock } from "../../gen/bss/v1/block_pb.js";
import { parseBlock } from "../../ledger/blocks/block-parsing.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import type { Violation } from "../../ledger/violation.js";
import { checkAnew, damageOf, type StoreCheckPorts } from "../../store/damage/store-comparison.js";
import { appendedOf, LeftBlocks, StorageNodeStore } from "../../store/storage-node-store.js";
import { isDamage } from "../../store/store-error.js";

/** Resolves with the height up to which the chain holds. */
export async function checkStorageStore(
  config: StorageNodeConfig,
  ports: StoreCheckPorts,
): Promise<number> {
  const { stored, scratch } = ports;
  const genesis = readGenesis(config.genesisFile);
  const made = await StorageNodeStore.open(scratch, genesis);
  const source = new LeftBlocks(stored, genesis);
  const signatures = new SignatureCache();
  return checkAnew(ports, made, await source.top(), (height) =>
    appendFrom(source, made, { height, genesis, signatures }),
  );
}

async function appendFrom(
  source: LeftBlocks,
  made: StorageNodeStore,
  at: {
    readonly height: number;
    readonly genesis: GenesisState;
    readonly signatures: SignatureCache;
  },
): Promise<string | undefined> {
  let certified: CertifiedStorageBlock | undefined;
  try {
    certified = await source.storageBlockAt(at.height);
  } catch (error) {
    if (isDamage(error)) return damageOf(error);
    throw error;
  }
  const checked = await check(certified, made.head, at);
  if ("reason" in checked) return `${checked.reason}: ${checked.message}`;
  await made.append(appendedOf(checked), "buffered");
  return undefined;
}

async function check(
  certified: CertifiedStorageBlock | undefined,
  head: StorageHead,
  { genesis, signatures }: { readonly genesis: GenesisState; readonly signatures: SignatureCache },
): Promise<StorageAppend | Pick<Violation, "reason" | "message">> {
  const { block, certificates, sealedRecords = [] } = certified ?? {};
  if (block === undefined || certificates === undefined) {
    return { reason: "BLOCK_MALFORMED", message: "The block is missing." };
  }
  const parsed = parseBlock(block);
  if (!parsed.ok) return parsed.error;
  const { consortiumId, policy } = genesis;
  const parts = { block: parsed.value, sealedRecords, certificates };
  const final = checkFinal(parts, { consortiumId, policy, head });
  if (!final.ok) return final.error;
  if ("contradiction" in final.value) return final.value.contradiction;
  const all = [...final.value.signatures, ...final.value.operations];
  const invalid = await signatures.firstInvalid(all);
  return invalid?.violation ?? final.value.append;
}
