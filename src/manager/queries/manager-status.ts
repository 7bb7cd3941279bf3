/** What a manager says about itself: GetStatus, and the gauges that say what it waits for. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { version } from "../../base/version.js";
import { type RingWaiting, waitingText } from "../../consensus/ring/waiting.js";
import {
  type GetForkResponseSchema,
  type GetStatusResponseSchema,
  NodeRole,
  type WaitingSchema,
} from "../../gen/bss/v1/query_pb.js";
import { signersOfBoth } from "../../ledger/certificates/fork-proofs.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { Members } from "../../ledger/members/members.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import { storageStates } from "../../metrics/label-values.js";
import type { Metrics } from "../../metrics/metrics.js";
import { progressMessage } from "../../node/sync-observer.js";
import type { ManagerStore } from "../../store/manager-store.js";
import type { Manager } from "../manager.js";
import type { PeerLinks } from "../peers/peer-links.js";
import type { StorageSupervision } from "../storage-nodes/storage-supervision.js";

export type StatusParts = {
  readonly id: string;
  readonly genesis: GenesisState;
  readonly store: ManagerStore;
  readonly manager: Manager;
  readonly links: PeerLinks;
};

/** Storage nodes that the metrics name at most, as each name is a series. */
const attestationsInMetricsMax = 20;

/** What all reasons to halt may have in one status; ListStorageNodes has them whole. */
const haltBytesMax = 2 ** 21;
const utf8BytesPerChar = 3;

export function statusOf(parts: StatusParts): MessageInitShape<typeof GetStatusResponseSchema> {
  const { id, genesis, store, manager, links } = parts;
  const { height, blockId, frontier, stateDigest } = store.head;
  const { round, step, syncing, pooled } = manager.status();
  const waiting = manager.waiting();
  const abstaining = manager.abstaining() ?? "";
  const managers = links.peerIds.map((peerId) => ({
    peerId,
    role: NodeRole.MANAGER,
    connected: links.isConnected(peerId),
    height: BigInt(manager.heightOfPeer(peerId)),
    falseObjections: BigInt(store.falseObjections.countOf(peerId)),
  }));
  const { connectedIds } = manager.storageLinks;
  const haltCharsMax = Math.floor(haltBytesMax / (utf8BytesPerChar * (connectedIds.length + 1)));
  const storage = connectedIds.map((peerId) => ({
    peerId,
    role: NodeRole.STORAGE,
    connected: true,
    height: BigInt(manager.storageLinks.heightOf(peerId)),
    halted: (manager.storageLinks.haltOf(peerId) ?? "").slice(0, haltCharsMax),
  }));
  return {
    nodeId: id,
    consortiumName: genesis.name,
    consortiumId: genesis.consortiumId,
    height: BigInt(height),
    blockId,
    treeSize: BigInt(frontier.size),
    root: rootOf(frontier),
    peers: [...managers, ...storage],
    syncing,
    round,
    step,
    poolSubmissions: pooled,
    version,
    stateDigest,
    abstaining,
    halted: manager.halt?.message ?? "",
    ...progressMessage(manager.progress()),
    ...(waiting === undefined ? {} : { waiting: waitingMessage(waiting) }),
  };
}

/** Why this manager has halted, with the evidence: GetFork. */
export function forkAnswerOf({
  halt,
  forkProof: fork,
}: Pick<Manager, "halt" | "forkProof">): MessageInitShape<typeof GetForkResponseSchema> {
  if (halt === undefined) return {};
  const { message: halted, contradicting } = halt;
  if (fork?.first !== undefined && fork.second !== undefined) {
    return { halted, fork, accusedIds: signersOfBoth(fork.first, fork.second) };
  }
  return contradicting === undefined ? { halted } : { halted, contradicting };
}

/** Sets the gauges of what is being waited for; called before each scrape. */
export function sampleWaiting(metrics: Metrics, waiting: RingWaiting | undefined): void {
  metrics.heightOpenSeconds.set((waiting?.heightMs ?? 0) / 1_000);
  metrics.waitingFor.reset();
  if (waiting === undefined) return;
  const { missingProposer, missingAccepts, missingApprovals, missingCommits } = waiting;
  const attestations = waiting.missingAttestations.slice(0, attestationsInMetricsMax);
  for (const [what, ids] of [
    ["proposal", missingProposer === undefined ? [] : [missingProposer]],
    ["accept", missingAccepts],
    ["approve", missingApprovals],
    ["commit", missingCommits],
    ["attestation", attestations],
  ] as const) {
    for (const id of ids) metrics.waitingFor.set({ what, id }, 1);
  }
}

/** Sets the gauges of storage nodes and of operations; called before each scrape. */
export function sampleStorage(
  metrics: Metrics,
  { storageNodes }: Members,
  { operations, claims }: StorageSupervision["waiting"],
): void {
  const counts = new Map<string, number>(storageStates.map((state) => [state, 0]));
  for (const { suspension = "active" } of storageNodes) {
    counts.set(suspension, (counts.get(suspension) ?? 0) + 1);
  }
  for (const state of storageStates) metrics.storageNodes.set({ state }, counts.get(state) ?? 0);
  const credits = storageNodes
    .filter(({ suspension }) => suspension === undefined)
    .map(({ credit }) => credit)
    .sort((a, b) => a - b);
  metrics.storageCreditMin.set(credits[0] ?? 0);
  metrics.storageCreditMedian.set(credits[Math.floor(credits.length / 2)] ?? 0);
  metrics.operationsWaiting.set(operations);
  metrics.unreachableClaims.set(claims);
}

function waitingMessage(waiting: RingWaiting): MessageInitShape<typeof WaitingSchema> {
  const { stepMs, heightMs, missingProposer = "" } = waiting;
  const { missingAccepts, missingApprovals, missingCommits, missingAttestations } = waiting;
  return {
    text: waitingText(waiting),
    stepMs: BigInt(Math.round(stepMs)),
    heightMs: BigInt(Math.round(heightMs)),
    missingProposer,
    missingAccepts: [...missingAccepts],
    missingApprovals: [...missingApprovals],
    missingCommits: [...missingCommits],
    missingAttestations: [...missingAttestations],
  };
}
