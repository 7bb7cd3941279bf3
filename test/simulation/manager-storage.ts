/** A manager's links to the storage nodes: candidates to committees, final blocks to all. */
import { defined } from "../../src/base/assert.js";
import { toHex } from "../../src/base/bytes.js";
import type { Task } from "../../src/consensus/events.js";
import { serviceRank } from "../../src/consensus/home-manager.js";
import type { Attestation } from "../../src/gen/bss/v1/vote_pb.js";
import { buildApproval } from "../../src/ledger/certificates.js";
import type { StoredBlock } from "./events.js";
import type { ManagerDisk } from "./manager-disk.js";
import type { ManagerProcess } from "./manager-process.js";
import type { Message, ShippedStorageBlock } from "./messages.js";
import type { World } from "./world.js";

export type ManagerStoragePorts = {
  readonly world: World;
  readonly id: string;
  readonly disk: ManagerDisk;
  readonly process: () => ManagerProcess;
  readonly send: (nodeId: string, message: Message) => void;
};

/** How long each manager in line waits for the ones before it. */
const standInMs = 25;
const blocksPerAnswer = 8;

export class ManagerStorage {
  readonly #ports: ManagerStoragePorts;
  readonly #heights = new Map<string, number>();
  #attested = new Map<string, Set<string>>();

  constructor(ports: ManagerStoragePorts) {
    this.#ports = ports;
  }

  verify({ height, round, blockId, committee, accepts }: Task & { kind: "verify-integrity" }) {
    const { disk, process, send } = this.#ports;
    const candidate = process().candidates.get(blockId);
    if (candidate?.executed === undefined) return;
    const { executed } = candidate;
    const block = defined(candidate.block.block, "a judged candidate has its public part");
    const attested = this.#attestedAt(round, blockId);
    const approval = buildApproval(accepts);
    for (const nodeId of committee) {
      this.#inLine(nodeId, height, () => {
        if (attested.has(nodeId) || disk.head.height >= height) return;
        const sealedRecords = executed.sealed;
        send(nodeId, { kind: "verify", round, block, sealedRecords, approval });
      });
    }
  }

  takeAttestation({ round, blockId, nodeId }: Attestation): void {
    this.#attestedAt(round, blockId).add(nodeId);
  }

  announce(stored: StoredBlock): void {
    const { disk, send } = this.#ports;
    const { height, blockId } = stored.executed.facts;
    const { certificates } = stored;
    const holders = new Set<string>();
    for (const nodeIds of this.#attested.values()) for (const id of nodeIds) holders.add(id);
    this.#attested = new Map();
    const shipped = shippedBlock(stored);
    for (const { nodeId } of disk.head.members.storageNodes) {
      this.#inLine(nodeId, height, (rank) => {
        if ((this.#heights.get(nodeId) ?? 0) >= height) return;
        const bulk = rank === 0 && !holders.has(nodeId);
        const commit = { kind: "commit", height, blockId, certificates } as const;
        send(nodeId, bulk ? { ...commit, shipped } : commit);
      });
    }
  }

  /** One that is behind learns of the head, and fetches what it lacks. */
  onHead(nodeId: string, height: number): void {
    this.#heights.set(nodeId, height);
    const { disk, send } = this.#ports;
    const last = disk.blocks.at(-1);
    if (last === undefined || height >= disk.head.height) return;
    const { blockId, facts } = { ...last.executed.facts, facts: last.executed.facts };
    const { certificates } = last;
    send(nodeId, { kind: "commit", height: facts.height, blockId, certificates });
  }

  onFetch(nodeId: string, fromHeight: number): void {
    const { disk, send } = this.#ports;
    const blocks = disk.blocks.slice(fromHeight - 1, fromHeight - 1 + blocksPerAnswer);
    send(nodeId, { kind: "storage-blocks", blocks: blocks.map(shippedBlock) });
  }

  #attestedAt(round: number, blockId: Uint8Array): Set<string> {
    const place = `${round}/${toHex(blockId)}`;
    const attested = this.#attested.get(place) ?? new Set();
    this.#attested.set(place, attested);
    return attested;
  }

  #inLine(nodeId: string, height: number, send: (rank: number) => void): void {
    const { world, id, process } = this.#ports;
    const rank = serviceRank(nodeId, height, world.consortium.managerIds, id);
    const own = process();
    world.scheduler.after(rank * standInMs, () => {
      if (!own.stopped) send(rank);
    });
  }
}

function shippedBlock({ block, executed, certificates }: StoredBlock): ShippedStorageBlock {
  const visible = defined(block.block, "a final block has its public part");
  return { block: visible, sealedRecords: executed.sealed, certificates };
}
