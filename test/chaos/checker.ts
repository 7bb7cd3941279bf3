/**
 * Reads everything back when all faults are healed, and holds it against what participants know.
 */
import { join } from "node:path";
import { defined } from "../../src/base/assert.js";
import { toHex } from "../../src/base/bytes.js";
import { dialWith } from "../../src/client/manager-connections.js";
import { Random } from "../simulation/random.js";
import { checkLedger, checkSameChain, checkWatch } from "./checks/chain.js";
import { checkHistory, checkNobodyAccused, checkUnanimity } from "./checks/managers.js";
import { findPlaintext } from "./checks/plaintext.js";
import {
  checkAcknowledged,
  checkIntervals,
  checkListing,
  checkOrigin,
  checkSales,
  checkVersions,
  countLost,
} from "./checks/records.js";
import type { Listing, NodeLedger } from "./findings.js";
import { exportedWh } from "./load/energy.js";
import { type Load, participants } from "./load/load.js";
import { readLedger } from "./read-ledger.js";
import { checkProofs, checkReceipts, listRecords, type Reader } from "./read-records.js";
import type { Watchers } from "./watchers.js";
import type { World } from "./world.js";

/** Of each node: receipts beyond the one that every record has, and proofs. */
const receiptsPerNode = 100;
const proofsPerNode = 20;
/** Every acknowledged record's receipt is fetched from one node, up to so many. */
const receiptsMax = 20_000;

const readAttemptsMax = 3;
const watchPatienceMs = 120_000;

export type Verdict = {
  readonly violations: readonly string[];
  /** What was looked at, by name: a checker that saw nothing finds nothing. */
  readonly seen: Readonly<Record<string, number>>;
  /** Of the node that is furthest. */
  readonly ledger: NodeLedger;
  /** Acknowledged records that no node has. */
  readonly lost: number;
};

export async function checkEverything(parts: {
  readonly world: World;
  readonly load: Load;
  readonly watchers: Watchers;
  readonly seed: number;
}): Promise<Verdict> {
  const { world, load, watchers, seed } = parts;
  const { consortium, journal } = world;
  const { book } = load;
  const random = new Random(seed);
  const violations: string[] = [...book.violations];

  journal.log("reading every node's ledger");
  const profile = consortium.profile("auditor-1");
  const nodes = consortium.nodes.map(({ id, role }) => {
    const connection = dialWith(profile, role)(consortium.addressOf(id));
    return { id, role, connection };
  });
  const { ledgers, readers, unread } = await readAll(nodes);
  violations.push(...unread);
  const genesisId = toHex(consortium.genesis.consortiumId);
  violations.push(...checkSameChain(ledgers));
  for (const ledger of ledgers) {
    violations.push(
      ...checkLedger(ledger, genesisId),
      ...checkAcknowledged(book.acknowledged, ledger),
      ...checkOrigin(book.made, ledger),
      ...checkUnanimity(ledger, world.managers),
      ...checkHistory(ledger),
      ...checkNobodyAccused(ledger),
    );
  }
  const byHeight = ledgers.toSorted((a, b) => b.blocks.length - a.blocks.length);
  const ledger = defined(byHeight[0], "a node can be read");
  await watchers.until(ledger.blocks.length, watchPatienceMs);
  await watchers.stop();
  const { watches } = watchers;
  violations.push(...watches.flatMap((watch) => checkWatch(watch, ledger)));

  journal.log("listing every participant's records at every manager");
  for (const id of world.managers) {
    const listing = await listAll(world, load, id).catch((error: unknown) => {
      violations.push(`${id}: its records cannot be listed: ${error}`);
    });
    if (!listing) continue;
    violations.push(
      ...checkListing(listing, ledger),
      ...checkSales(listing, exportedWh),
      ...checkVersions(listing),
      ...checkIntervals(listing),
    );
  }

  const asked = receiptsToAsk(readers, [...book.acknowledged.keys()], random);
  journal.log(`fetching and verifying ${asked.length} receipts`);
  violations.push(...(await checkReceipts(asked, book, consortium.genesis)));
  for (const [index, reader] of readers.entries()) {
    const own = defined(ledgers[index], "each reader has read a ledger");
    violations.push(...(await checkProofs(reader, own, proofsPerNode, random)));
  }
  for (const { connection } of nodes) connection.close();

  return {
    violations,
    ledger,
    lost: countLost(book.acknowledged, ledgers),
    seen: {
      nodes: ledgers.length,
      heights: ledger.blocks.length,
      records: ledger.head.treeSize,
      receipts: asked.length,
      "consistency proofs": readers.length * proofsPerNode,
      "blocks watched": watches.reduce((sum, { seen }) => sum + seen.length, 0),
    },
  };
}

/** After the nodes have stopped: nothing of what storage nodes wrote may be plaintext. */
export function checkPrivacy({ consortium, storage }: World, { canary }: Load) {
  const own = storage.map((id) => join(consortium.directory, "storage", id));
  const logs = storage.map((id) => consortium.node(id).logFile);
  const { files, bytesRead } = findPlaintext([...own, ...logs], [canary]);
  return { violations: files.map((file) => `plaintext in ${file}`), bytesRead };
}

/** Everything that nodes hold. A ring that makes one more block meanwhile is read again. */
async function readAll(nodes: readonly (Reader & Pick<NodeLedger, "id" | "role">)[]) {
  for (let attempt = 1; ; attempt++) {
    const ledgers: NodeLedger[] = [];
    const readers: Reader[] = [];
    const unread: string[] = [];
    for (const node of nodes) {
      try {
        ledgers.push(await readLedger(node, node.connection));
        readers.push(node);
      } catch (error) {
        unread.push(`${node.id}: its ledger cannot be read: ${error}`);
      }
    }
    const heights = new Set(ledgers.map(({ blocks }) => blocks.length));
    if (heights.size === 1 || attempt === readAttemptsMax) return { ledgers, readers, unread };
  }
}

async function listAll(world: World, { book }: Load, managerId: string): Promise<Listing> {
  const records = [];
  for (let number = 1; number <= participants; number++) {
    const client = await world.consortium.client(`participant-${number}`, [managerId]);
    records.push(...(await listRecords(client, book)));
  }
  return { nodeId: managerId, records };
}

function receiptsToAsk(readers: readonly Reader[], hashes: readonly string[], random: Random) {
  const all = random
    .shuffled(hashes)
    .slice(0, receiptsMax)
    .map((hash, index) => {
      return { hash, reader: defined(readers[index % readers.length], "readers go round") };
    });
  const extra = readers.flatMap((reader) => {
    const some = random.shuffled(hashes).slice(0, receiptsPerNode);
    return some.map((hash) => ({ reader, hash }));
  });
  return [...all, ...extra];
}
