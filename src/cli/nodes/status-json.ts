/** What a node says about itself, as `bss status --json` prints it. */
import { toJson } from "@bufbuild/protobuf";
import {
  type GetStatusResponse,
  type ManagerStatus,
  type ScrubStatus,
  SyncProgressSchema,
  WaitingSchema,
} from "../../gen/bss/v1/query_pb.js";
import { reasonOf } from "../text/ring-words.js";

const names = { useProtoFieldName: true, alwaysEmitImplicit: true } as const;

/** `managers` as the ledger has them. */
export function statusJson(status: GetStatusResponse, managers: readonly ManagerStatus[]): object {
  const { waiting, sync } = status;
  const own = managers.find(({ member }) => member?.managerId === status.nodeId);
  return {
    node_id: status.nodeId,
    consortium_name: status.consortiumName,
    consortium_id: status.consortiumId,
    height: Number(status.height),
    block_id: status.blockId,
    tree_size: Number(status.treeSize),
    root: status.root,
    state_digest: status.stateDigest,
    syncing: status.syncing,
    sync: sync === undefined ? null : toJson(SyncProgressSchema, sync, names),
    round: status.round,
    step: status.step,
    waiting: waiting === undefined ? null : toJson(WaitingSchema, waiting, names),
    abstaining: status.abstaining,
    halted: status.halted,
    scrub: status.scrub === undefined ? null : scrubJson(status.scrub),
    suspended: own === undefined || own.active ? null : suspendedJson(own),
    pool_submissions: status.poolSubmissions,
    version: status.version,
    peers: status.peers.map(({ peerId, connected, height, falseObjections, halted }) => ({
      peer_id: peerId,
      connected,
      height: Number(height),
      halted,
      false_objections: Number(falseObjections),
    })),
  };
}

function scrubJson(scrub: ScrubStatus): object {
  const { checkedHeight, lastPassUnixMs, damaged, repaired, lastDamage, repairing } = scrub;
  return {
    checked_height: Number(checkedHeight),
    last_pass_unix_ms: Number(lastPassUnixMs),
    damaged: Number(damaged),
    repaired: Number(repaired),
    last_damage: lastDamage,
    repairing,
  };
}

function suspendedJson(manager: ManagerStatus): object {
  const { changedHeight, changedAtUnixMs, absences } = manager;
  return {
    reason: reasonOf(manager),
    since_height: Number(changedHeight),
    since_unix_ms: Number(changedAtUnixMs),
    absences,
  };
}
