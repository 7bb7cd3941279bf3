/**
 * `light-host.js DIRECTORY FROM TO`: a process with the light storage nodes of these numbers of a
 * consortium. Its parent asks for what it counts over the channel that it inherits, and it ends
 * with its parent.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readGenesis } from "../../src/config/genesis-file.js";
import { readSeedFile, readTlsFiles } from "../../src/config/key-files.js";
import { SharedDecoder } from "./light-dial.js";
import { LightNode } from "./light-node.js";
import { Replica } from "./replica.js";
import { type Counts, type Direction, Traffic } from "./traffic.js";

export type HostReport = {
  /** Links that are up, over all nodes. */
  readonly links: number;
  readonly height: number;
  readonly counts: Readonly<Record<Direction, Counts>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly integrity: { readonly bytes: number; readonly signatures: number };
  /** Of all members, as a node keeps them. */
  readonly membersBytes: number;
};

/** How often the process asks for what it missed. */
const askMs = 1_000;
/** Nodes that dial together; the next ones follow when these are linked, or after a while. */
const dialedTogether = 5;
const dialPatienceMs = 5_000;

const [directory = "", from = "1", to = "0"] = process.argv.slice(2);
const genesis = readGenesis(join(directory, "genesis.json"));
const replica = new Replica(genesis);
const traffic = new Traffic();
const decoder = new SharedDecoder();
const nodes: LightNode[] = [];

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  if (message === "report") process.send?.(report());
});

setInterval(() => {
  const { head, finalHeight } = replica;
  if (finalHeight > head.height) nodes.some((node) => node.fetch(head.height + 1));
}, askMs);

for (let number = Number(from); number <= Number(to); number++) {
  const nodeId = `storage-${number}`;
  const at = (name: string) => join(directory, "storage", nodeId, name);
  const ca = join(directory, "ca-bundle.pem");
  const tls = readTlsFiles({ certificate: at("tls.crt"), key: at("tls.key"), ca });
  const signingSeed = readSeedFile(at("signing.key"));
  nodes.push(new LightNode({ nodeId, genesis, tls, signingSeed, replica, traffic, decoder }));
  if (nodes.length % dialedTogether === 0) await untilLinked(nodes.slice(-dialedTogether));
}

async function untilLinked(dialing: readonly LightNode[]): Promise<void> {
  const endMs = performance.now() + dialPatienceMs;
  const isMissing = () =>
    dialing.some(({ linkCount }) => linkCount < genesis.members.managers.length);
  while (isMissing() && performance.now() < endMs) await sleep(50);
}

function report(): HostReport {
  const { head, refused, lastIntegrity: integrity } = replica;
  return {
    links: nodes.reduce((sum, { linkCount }) => sum + linkCount, 0),
    height: head.height,
    counts: traffic.counts,
    refused,
    integrity,
    membersBytes: head.members.encode().length,
  };
}
