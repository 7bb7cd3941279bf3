/**
 * Makes a new consortium on disk. Each step needs the one before it: the plan, the keys, the
 * genesis file with the public keys, the consortium id, which is the hash of that file, and the
 * epoch key wraps, which are bound to the id.
 */
import { join, resolve } from "node:path";
import { toHex } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import { wrapEpochKey } from "../../crypto/hpke.js";
import { randomBytes } from "../../crypto/random.js";
import { epochCommitment, epochKeyBytes } from "../../crypto/seal.js";
import { parseGenesis } from "../../ledger/genesis.js";
import { CliError } from "../text/cli-error.js";
import { genesisFileBytes } from "./new-genesis.js";
import { createTree } from "./new-tree.js";
import { caBundleFileName, genesisFileName, writeParties } from "./party-files.js";
import { createParties, type Parties } from "./party-keys.js";
import { type ConsortiumOptions, type ConsortiumPlan, planConsortium } from "./plan.js";

const beaconBytes = 64;

export type NewConsortium = {
  /** Absolute path. */
  readonly directory: string;
  readonly genesisFile: string;
  /** 64 hex digits. */
  readonly consortiumId: string;
  readonly plan: ConsortiumPlan;
};

/**
 * Makes keys, certificates, genesis and config files in `directory`, which must not exist or be
 * empty: all of it appears or nothing. Throws `CliError` or `ConfigError`.
 */
export async function initConsortium(
  directory: string,
  options: ConsortiumOptions,
): Promise<NewConsortium> {
  const plan = planConsortium(options);
  let consortiumId = new Uint8Array();
  await createTree(directory, async (tree) => {
    const nowMs = Date.now();
    const parties = await createParties(plan, nowMs);
    const epochKey = randomBytes(epochKeyBytes);
    const commitment = epochCommitment(0, epochKey);
    const beacon = randomBytes(beaconBytes);
    const genesis = genesisFileBytes({ plan, parties, nowMs, epochCommitment: commitment, beacon });
    refuseInvalid(genesis);
    consortiumId = new Uint8Array(sha256(genesis));
    const wraps = await wrapForEach(parties, consortiumId, epochKey);
    epochKey.fill(0);
    tree.publicFile(genesisFileName, genesis);
    const authorities = parties.managers.map(({ authority }) => authority.certificatePem);
    tree.publicFile(caBundleFileName, authorities.join(""));
    writeParties(tree, parties, wraps);
  });
  const path = resolve(directory);
  const genesisFile = join(path, genesisFileName);
  return { directory: path, genesisFile, consortiumId: toHex(consortiumId), plan };
}

/** Finds what the nodes would refuse at their start before anything is written. */
function refuseInvalid(genesis: Uint8Array): void {
  const parsed = parseGenesis(genesis);
  if (parsed.ok) return;
  const { message, field } = parsed.error;
  const what = `the genesis file would not be valid: ${field ?? "file"}: ${message.replace(/\.$/, "")}`;
  throw new CliError(
    what,
    "correct the --community, --hosts or --policy file that this comes from",
  );
}

async function wrapForEach(
  parties: Parties,
  consortiumId: Uint8Array,
  epochKey: Uint8Array,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wraps = new Map<string, Uint8Array>();
  for (const { plan, hpke } of parties.managers) {
    const recipient = { managerId: plan.id, recipientPublicKey: hpke.publicKey };
    const wrap = await wrapEpochKey({ ...recipient, epochNumber: 0, consortiumId, epochKey });
    wraps.set(plan.id, wrap);
  }
  return wraps;
}
