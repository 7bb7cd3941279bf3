/**
 * Checks the whole store of a manager that is stopped: its chain is made anew from genesis, in a
 * store beside, under every rule, signature and certificate; then both stores, the state included,
 * are compared.
 */

import { readGenesis } from "../config/genesis-file.js";
import { readManagerKeys } from "../config/key-files.js";
import type { ManagerConfig } from "../config/node-config.js";
import { ecvrf } from "../crypto/ecvrf.js";
import { unsealRecord } from "../crypto/seal.js";
import { SignatureCache } from "../crypto/signature-cache.js";
import { blockId } from "../ledger/blocks/block-hashes.js";
import { checkAnew, damageOf, type StoreCheckPorts } from "../store/damage/store-comparison.js";
import { ManagerStore } from "../store/manager-store.js";
import { isDamage } from "../store/store-error.js";
import { BlockValidator } from "./ring/block-validator.js";
import { openEpochKey } from "./signing/manager-keys.js";

/** Resolves with the height up to which the chain holds. @throws ConfigError, StartError */
export async function checkManagerStore(
  config: ManagerConfig,
  ports: StoreCheckPorts,
): Promise<number> {
  const { stored, scratch, found } = ports;
  const genesis = readGenesis(config.genesisFile);
  const { consortiumId, policy } = genesis;
  const epochKey = await openEpochKey(config.id, readManagerKeys(config), genesis);
  const made = await ManagerStore.open(scratch, genesis);
  let source: ManagerStore;
  try {
    source = await ManagerStore.open(stored, genesis);
  } catch (error) {
    if (!isDamage(error)) throw error;
    found({ where: "the store's head", what: damageOf(error) });
    return 0;
  }
  const validator = new BlockValidator({
    consortiumId,
    policy,
    epochKey,
    signatures: new SignatureCache(),
    vrf: ecvrf,
    head: () => made.head,
    readState: (keys) => made.state(keys),
  });
  return checkAnew(ports, made, source.head.height, (height) =>
    appendFrom(source, made, { height, validator, epochKey }),
  );
}

async function appendFrom(
  source: ManagerStore,
  made: ManagerStore,
  at: {
    readonly height: number;
    readonly validator: BlockValidator;
    readonly epochKey: Uint8Array;
  },
): Promise<string | undefined> {
  const { height, validator, epochKey } = at;
  try {
    const unseal = (hash: Uint8Array, sealed: Uint8Array) => unsealRecord(epochKey, hash, sealed);
    const { block, certificates } = (await source.managerBlockAt(height, unseal)) ?? {};
    if (block?.block === undefined || certificates === undefined) return "the block is missing";
    const judged = await validator.judge(blockId(block.block.header), block);
    if (judged === undefined) return "the block does not hang together";
    if (!judged.ok) return `${judged.error.reason}: ${judged.error.message}`;
    const problem = await validator.checkFinal(judged.value, certificates);
    if (problem !== undefined) return `${problem.reason}: ${problem.message}`;
    await made.append({ block, executed: judged.value, certificates }, "buffered");
    return undefined;
  } catch (error) {
    if (isDamage(error)) return damageOf(error);
    throw error;
  }
}
