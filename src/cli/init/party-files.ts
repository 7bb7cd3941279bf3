/**
 * The files of each party: keys, certificates, config.yaml or profile.yaml. Paths are relative to
 * the consortium's directory.
 */
import { stringify } from "yaml";
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import type { TlsPaths } from "../../config/node-config.js";
import type { NewTree } from "./new-tree.js";
import type { ManagerParty, Parties, Party } from "./party-keys.js";
import type { ClientPlan, NodePlan } from "./plan.js";

/** The path from the directory of a party up to that of the consortium. */
const up = "../..";

export const genesisFileName = "genesis.json";
export const caBundleFileName = "ca-bundle.pem";
export const signingKeyFileName = "signing.key";

const tls = { certificate: "tls.crt", key: "tls.key", ca: `${up}/${caBundleFileName}` };

/** Writes every party's directory. `wraps` are the wrapped epoch keys by manager id. */
export function writeParties(
  tree: NewTree,
  parties: Parties,
  wraps: ReadonlyMap<string, Uint8Array>,
): void {
  for (const manager of parties.managers) writeManager(tree, manager, wraps);
  for (const node of parties.storage) writeStorageNode(tree, node);
  for (const party of parties.participants) writeClient(tree, "participants", party);
  for (const party of parties.operators) writeClient(tree, "operators", party);
  for (const party of parties.auditors) writeClient(tree, "auditors", party);
}

function writeManager(
  tree: NewTree,
  party: ManagerParty,
  wraps: ReadonlyMap<string, Uint8Array>,
): void {
  const { plan, authority, vrf, hpke } = party;
  const directory = `managers/${plan.id}`;
  writeKeys(tree, directory, party);
  tree.publicFile(`${directory}/ca.crt`, authority.certificatePem);
  tree.secretFile(`${directory}/ca.key`, authority.keyPem);
  tree.secretFile(`${directory}/vrf.key`, hexLine(vrf.secretKey));
  tree.secretFile(`${directory}/hpke.key`, hexLine(hpke.secretKey));
  const wrap = defined(wraps.get(plan.id), "the epoch key is wrapped for every manager");
  tree.secretFile(`${directory}/epoch-0.wrap`, hexLine(wrap));
  tree.directory(`${directory}/data`);
  const config = {
    ...commonConfig(plan),
    advertise: plan.address,
    vrf_key: "vrf.key",
    hpke_key: "hpke.key",
    epoch_wraps: ["epoch-0.wrap"],
    issuer: { certificate: "ca.crt", key: "ca.key" },
  };
  tree.publicFile(`${directory}/config.yaml`, configText(plan, config));
}

function writeStorageNode(tree: NewTree, party: Party<NodePlan>): void {
  const directory = `storage/${party.plan.id}`;
  writeKeys(tree, directory, party);
  tree.directory(`${directory}/data`);
  tree.publicFile(`${directory}/config.yaml`, configText(party.plan, commonConfig(party.plan)));
}

function commonConfig(plan: NodePlan) {
  return {
    role: plan.role,
    id: plan.id,
    consortium: `${up}/${genesisFileName}`,
    listen: plan.listen,
    metrics: plan.metrics,
    tls,
    signing_key: signingKeyFileName,
    data_directory: "data",
    log: { level: "info" },
  };
}

function configText(plan: NodePlan, config: object): string {
  const kind = plan.role === "manager" ? "Manager" : "Storage node";
  return `# ${kind} ${plan.id}. Start it with: bss start --config config.yaml
# Paths are relative to this file; ${genesisFileName} and ${caBundleFileName} have to move along.
${stringify(config)}`;
}

function writeClient(tree: NewTree, parent: string, party: Party<ClientPlan>): void {
  const { id, role, addresses } = party.plan;
  const directory = `${parent}/${id}`;
  writeKeys(tree, directory, party);
  const files = { genesis: `${up}/${genesisFileName}`, tls };
  tree.publicFile(`${directory}/profile.yaml`, profileText({ id, role, addresses, files }));
}

/** A profile.yaml, as loadProfile reads it; the paths of `files` are relative to it. */
export function profileText({
  id,
  role,
  addresses,
  files,
}: {
  readonly id: string;
  readonly role: string;
  readonly addresses: readonly string[];
  readonly files: { readonly genesis: string; readonly tls: TlsPaths };
}): string {
  const profile = {
    id,
    role,
    consortium: files.genesis,
    addresses: [...addresses],
    tls: files.tls,
    signing_key: signingKeyFileName,
  };
  return `# Give this file to 'bss' with --profile to act as ${role} ${id}.
# Paths are relative to it.
${stringify(profile)}`;
}

function writeKeys(tree: NewTree, directory: string, party: Party<unknown>): void {
  tree.directory(directory);
  tree.publicFile(`${directory}/tls.crt`, party.tls.certificatePem);
  tree.secretFile(`${directory}/tls.key`, party.tls.keyPem);
  tree.secretFile(`${directory}/${signingKeyFileName}`, hexLine(party.signing.secretKey));
}

function hexLine(bytes: Uint8Array): string {
  return `${toHex(bytes)}\n`;
}
