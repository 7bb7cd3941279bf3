/**
 * Whether enough storage nodes take part for blocks that hold records, and what keeps the others.
 * Without them submissions wait, and no manager's step says why: a height does not even begin.
 */
import { StorageSuspension } from "../../gen/bss/v1/members_pb.js";
import {
  type GetStatusResponse,
  MemberState,
  NodeRole,
  type StorageNodeStatus,
} from "../../gen/bss/v1/query_pb.js";
import { attestersNeeded } from "../../ledger/certificates/committee.js";
import { namesOf } from "../text/status-words.js";

/** Why a node attests nothing now, in the order in which they are told; names for programs. */
const lacks = [
  ["halted", "have halted"],
  ["retired", "are retired"],
  ["boycotted", "are suspended with too little credit"],
  ["unreachable", "are suspended as unreachable"],
  ["suspended", "are suspended"],
  [
    "beyond_share",
    "are beyond their sponsors' shares: operators of other managers have to invite some",
  ],
  ["never_attested", "are not connected, and have attested nothing so far"],
  ["not_connected", "are not connected"],
  ["behind", "are behind"],
] as const;

type Lack = (typeof lacks)[number][0];

export type StorageSupply = {
  /** How many the ledger draws committees from. */
  readonly eligible: number;
  /** How many of these are connected and hold the chain. */
  readonly present: number;
  readonly needed: number;
  readonly lacking: ReadonlyMap<Lack, readonly string[]>;
};

/** A node that is more than this below the highest head is catching up, and attests nothing. */
const behindBlocks = 10n;

/**
 * How the managers in `statuses` see the storage nodes: one that any of them is connected to is
 * present. `nodes` are all that the ledger knows.
 */
export function storageSupply(
  nodes: readonly StorageNodeStatus[],
  statuses: readonly GetStatusResponse[],
  minStorage: number,
): StorageSupply {
  let head = 0n;
  for (const { height } of statuses) if (height > head) head = height;
  const heights = new Map<string, bigint>();
  const halted = new Set(nodes.flatMap((node) => (node.halted === "" ? [] : [node.nodeId])));
  for (const peer of statuses.flatMap(({ peers }) => peers)) {
    if (peer.role !== NodeRole.STORAGE) continue;
    if (peer.halted !== "") halted.add(peer.peerId);
    if (!peer.connected) continue;
    const known = heights.get(peer.peerId) ?? 0n;
    heights.set(peer.peerId, peer.height > known ? peer.height : known);
  }
  const lackOf = (node: StorageNodeStatus): Lack | undefined => {
    if (halted.has(node.nodeId)) return "halted";
    if (node.state !== MemberState.ACTIVE) return suspensions[node.suspension] ?? "suspended";
    if (!node.eligible) return "beyond_share";
    const height = heights.get(node.nodeId);
    if (height === undefined) {
      return node.lastAttestedHeight === 0n ? "never_attested" : "not_connected";
    }
    return height > 0n && height + behindBlocks < head ? "behind" : undefined;
  };
  const lacking = new Map<Lack, string[]>();
  let [eligible, present] = [0, 0];
  for (const node of nodes) {
    const lack = lackOf(node);
    if (node.eligible) eligible += 1;
    if (lack === undefined) present += 1;
    else lacking.set(lack, [...(lacking.get(lack) ?? []), node.nodeId]);
  }
  return { eligible, present, needed: attestersNeeded(eligible, minStorage), lacking };
}

const suspensions: Partial<Record<StorageSuspension, Lack>> = {
  [StorageSuspension.UNREACHABLE]: "unreachable",
  [StorageSuspension.BOYCOTTED]: "boycotted",
  [StorageSuspension.RETIRED]: "retired",
};

/** Sentences for people; none while enough take part. */
export function supplyTroubles({
  eligible,
  present,
  needed,
  lacking,
}: StorageSupply): readonly string[] {
  if (present >= needed) return [];
  const take = present === 1 ? "takes" : "take";
  const have = `of ${eligible} eligible ones ${present} ${take} part`;
  return [
    `the ledger waits for storage nodes: blocks with records need ${needed}, ${have}`,
    ...lacks.flatMap(([lack, words]) => {
      const ids = lacking.get(lack) ?? [];
      return ids.length === 0 ? [] : [`storage nodes that ${words}: ${namesOf(ids)}`];
    }),
  ];
}

/** The same for programs; every list is there, also an empty one. */
export function supplyJson({ eligible, present, needed, lacking }: StorageSupply): object {
  const lists = lacks.map(([lack]) => [lack, lacking.get(lack) ?? []] as const);
  return { eligible, present, needed, waits: present < needed, ...Object.fromEntries(lists) };
}
