/** GetConsortium and ListStorageNodes. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { utf8 } from "../base/bytes.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import {
  type GetConsortiumRequest,
  type GetConsortiumResponseSchema,
  type ListStorageNodesRequest,
  type ListStorageNodesResponseSchema,
  type ManagerStatusSchema,
  MemberState,
  MembershipChangeSchema,
  type StorageNodeStatusSchema,
} from "../gen/bss/v1/query_pb.js";
import { compareIds, isId } from "../ledger/ids.js";
import type { Manager, StorageNode } from "../ledger/members/member-lists.js";
import { storageSuspension, suspensionReason } from "../ledger/members/members-codec.js";
import { rules } from "../ledger/records/rules.js";
import { encode } from "../ledger/wire.js";
import { RpcError } from "../rpc/rpc-error.js";
import { pagePosition, pageSize, pageToken, tokenIntegers } from "../rpc/validation.js";
import type { LedgerReader, MembershipPlace } from "../store/chain/chain-reads.js";
import { answerPage } from "./answer-page.js";

const listing = "storage-nodes";
const nodesPerPage = { defaultSize: 100, sizeMax: 1_000 };
const historyListing = "membership";
const changesPerPage = { defaultSize: 1_000, sizeMax: 1_000 };
/** Bytes of a storage node's status, besides its texts. */
const nodeBytes = 160;

/** What the consortium agreed on in its genesis file. */
export type ConsortiumFacts = {
  readonly consortiumName: string;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
};

/**
 * Managers, policy and rules, and a page of the changes of membership.
 *
 * @throws RpcError FIELD_INVALID, PAGE_TOKEN_INVALID
 */
export async function getConsortium(
  reader: LedgerReader,
  request: GetConsortiumRequest,
  { consortiumName, consortiumId, policy }: ConsortiumFacts,
): Promise<MessageInitShape<typeof GetConsortiumResponseSchema>> {
  const sizeMax = pageSize(request.historyPageSize, changesPerPage, "history_page_size");
  const from = tokenPlace(request.historyPageToken);
  const { managers } = reader.readerHead.members;
  const { items, next } = await answerPage(
    reader.membershipHistory(from),
    sizeMax,
    ({ height, operation }) => {
      const change = create(MembershipChangeSchema, { height: BigInt(height), operation });
      return [change, encode(MembershipChangeSchema, change).length];
    },
  );
  return {
    consortiumName,
    consortiumId,
    policy,
    managers: managers.map(managerStatus),
    rules: rules.map(({ id }) => id),
    history: items,
    nextHistoryPageToken: next ? pageToken(historyListing, `${next.height},${next.place}`) : "",
  };
}

function tokenPlace(token: string): MembershipPlace | undefined {
  const position = pagePosition(historyListing, token);
  if (position === undefined) return undefined;
  const [height, place, ...rest] = tokenIntegers(position);
  if (height !== undefined && place !== undefined && rest.length === 0) return { height, place };
  const text = "the page token names no change of membership";
  throw new RpcError("PAGE_TOKEN_INVALID", text, { field: "history_page_token" });
}

function managerStatus(manager: Manager): MessageInitShape<typeof ManagerStatusSchema> {
  const { active, reason, changedHeight, changedAtMs, absences, offenceHeight, ...member } =
    manager;
  return {
    member,
    active,
    absences,
    reason: suspensionReason(reason),
    changedHeight: BigInt(changedHeight),
    changedAtUnixMs: BigInt(changedAtMs),
    offenceHeight: BigInt(offenceHeight),
  };
}

type StorageNodesOptions = {
  readonly policy: Policy;
  /** Whether this node has a stream with a storage node; a storage node has one with none. */
  readonly isConnected: (nodeId: string) => boolean;
  /** What a manager has heard of a storage node; storage nodes hear nothing of each other. */
  readonly heardOf?: (nodeId: string) => HeardOfNode;
};

export type HeardOfNode = {
  /** Its head's height, as far as it is known; 0 if it is not. */
  readonly height: number;
  /** Why it has stopped for good; undefined unless it said so. */
  readonly halted: string | undefined;
};

/**
 * A page of storage nodes, ascending by id. A token names the last id of the page before, so a page
 * is right even if nodes have joined in between.
 *
 * @throws RpcError FIELD_INVALID, PAGE_TOKEN_INVALID
 */
export async function listStorageNodes(
  reader: LedgerReader,
  request: ListStorageNodesRequest,
  { policy, isConnected, heardOf }: StorageNodesOptions,
): Promise<MessageInitShape<typeof ListStorageNodesResponseSchema>> {
  const sizeMax = pageSize(request.pageSize, nodesPerPage);
  const after = tokenId(request.pageToken);
  const { members } = reader.readerHead;
  const { storageNodes } = members;
  const eligible = new Set(members.eligibleStorageNodes(policy));
  const rest =
    after === undefined
      ? storageNodes
      : storageNodes.filter(({ nodeId }) => compareIds(nodeId, after) > 0);
  const page = rest.slice(0, sizeMax + 1);
  const attested = await reader.lastAttestedHeights(page.map(({ nodeId }) => nodeId));
  const { items, last, next } = await answerPage(page, sizeMax, (node) => {
    const said = heard(heardOf?.(node.nodeId));
    const status = {
      ...standing(node),
      ...said,
      eligible: eligible.has(node.nodeId),
      lastAttestedHeight: BigInt(attested.get(node.nodeId) ?? 0),
      connected: isConnected(node.nodeId),
    };
    return [status, nodeBytes + node.nodeId.length + utf8(said.halted).length];
  });
  const more = next !== undefined && last !== undefined;
  return { nodes: items, nextPageToken: more ? pageToken(listing, last.nodeId) : "" };
}

function standing(node: StorageNode): MessageInitShape<typeof StorageNodeStatusSchema> {
  const { nodeId, suspension, credit, reward, paid, sponsorId, auditFailed } = node;
  return {
    nodeId,
    credit,
    reward,
    paid,
    sponsorId,
    auditFailed,
    state: suspension !== undefined ? MemberState.SUSPENDED : MemberState.ACTIVE,
    suspension: storageSuspension(suspension),
    admittedHeight: BigInt(node.admittedHeight),
    changedHeight: BigInt(node.changedHeight),
    changedAtUnixMs: BigInt(node.changedAtMs),
  };
}

function heard({ height, halted = "" }: HeardOfNode = { height: 0, halted: undefined }) {
  return { height: BigInt(height), halted };
}

function tokenId(token: string): string | undefined {
  const position = pagePosition(listing, token);
  if (position === undefined || isId(position)) return position;
  throw new RpcError("PAGE_TOKEN_INVALID", "the page token names no storage node", {
    field: "page_token",
  });
}
