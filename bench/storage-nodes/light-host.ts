/**
 * `light-host.js DIRECTORY FROM TO`: a process with the light storage nodes of these numbers of a
 * consortium. Its parent asks for what it counts over the channel that it inherits, and it ends
 * with its parent.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readSeedFile, readTlsFiles } from "../../src/config/key-files.js";
import { loadGenesis } from "../../src/node/genesis-file.js";
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

/** Handshakes that are begun together. */
const dialedTogether = 10;

const [directory = "", from = "1", to = "0"] = process.argv.slice(2);
const genesis = loadGenesis(join(directory, "genesis.json"));
const replica = new Replica(genesis);
const traffic = new Traffic();
const nodes: LightNode[] = [];

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  if (message === "report") process.send?.(report());
});

for (let number = Number(from); number <= Number(to); number++) {
  const nodeId = `storage-${number}`;
  const at = (name: string) => join(directory, "storage", nodeId, name);
  const ca = join(directory, "ca-bundle.pem");
  const tls = readTlsFiles({ certificate: at("tls.crt"), key: at("tls.key"), ca });
  const signingSeed = readSeedFile(at("signing.key"));
  nodes.push(new LightNode({ nodeId, genesis, tls, signingSeed, replica, traffic }));
  if (nodes.length % dialedTogether === 0) await sleep(100);
}

function report(): HostReport {
  const { head, refused, lastIntegrity: integrity } = replica;
  return {
    links: nodes.reduce((sum, { linkCount }) => sum + linkCount, 0),
    ...{ height: head.height, counts: traffic.counts, refused, integrity },
    membersBytes: head.members.encode().length,
  };
}
