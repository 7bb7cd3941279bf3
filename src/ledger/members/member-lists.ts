/** What is known of each member, and how many there may be. */
import { toHex } from "../../base/bytes.js";

export const managersMax = 100;
/** With those that have left, because their ids and keys stay taken. */
export const storageNodesMax = 10_000;
export const officersMax = 1_000;

/** How a manager stands with the ring; see manager-suspensions.ts. */
export type Standing = {
  /**
   * False while suspended: it neither proposes nor accepts, but approves, commits and counts in Q.
   */
  readonly active: boolean;
  /** Why it is suspended; undefined while it is active. */
  readonly reason: SuspensionCause | undefined;
  /** The block that last suspended or resumed it; 0 for none. */
  readonly changedHeight: number;
  /** That block's timestamp, Unix ms; 0 for none. */
  readonly changedAtMs: number;
  /** How often it has been suspended as absent in close succession. */
  readonly absences: number;
  /** The block that recorded evidence against it; 0 for none. */
  readonly offenceHeight: number;
};

export type SuspensionCause = "absent" | "equivocated";

/** How every manager of genesis starts. */
export const initialStanding: Standing = {
  active: true,
  reason: undefined,
  changedHeight: 0,
  changedAtMs: 0,
  absences: 0,
  offenceHeight: 0,
};

export type Manager = Standing & {
  readonly managerId: string;
  /** 32 bytes, Ed25519. */
  readonly signingKey: Uint8Array;
  /** 32 bytes, ECVRF-EDWARDS25519. */
  readonly vrfKey: Uint8Array;
  /** 32 bytes, X25519. */
  readonly hpkeKey: Uint8Array;
  readonly tlsSpkiSha256: Uint8Array;
  /** host:port of its gRPC server. */
  readonly address: string;
};

export type StorageSuspensionCause = "unreachable" | "boycotted" | "retired";

/** How a storage node stands: what changes while it belongs. */
export type StorageStanding = {
  /** Why no committee is drawn with it; undefined while it is active. */
  readonly suspension: StorageSuspensionCause | undefined;
  /** 0 to 1000; see credit.ts. */
  readonly credit: number;
  /** Reward units earned. */
  readonly reward: bigint;
  /** Of these, paid outside the ledger. */
  readonly paid: bigint;
  /** The block that last admitted it; 0 for genesis. */
  readonly admittedHeight: number;
  /** The block that last admitted, suspended or took it back; 0 for genesis. */
  readonly changedHeight: number;
  /** That block's timestamp, Unix ms; 0 for genesis. */
  readonly changedAtMs: number;
  /** How often it has been suspended as unreachable in close succession. */
  readonly absences: number;
  /** Height of its last MATCH that a block carries; 0 for none. */
  readonly lastAttestedHeight: number;
  /** Its last audit failed: it earns nothing for storing until one passes. */
  readonly auditFailed: boolean;
  /** `StorageTotals.kibSeconds` up to which storing is rewarded. */
  readonly rewardedKibSeconds: bigint;
};

export type StorageNode = StorageStanding & {
  readonly nodeId: string;
  /** 32 bytes, Ed25519. */
  readonly signingKey: Uint8Array;
  readonly tlsSpkiSha256: Uint8Array;
  /** Manager that vouches for it. */
  readonly sponsorId: string;
};

export type Officer = {
  readonly officerId: string;
  readonly role: "operator" | "auditor";
  /** 32 bytes, Ed25519. */
  readonly signingKey: Uint8Array;
  readonly tlsSpkiSha256: Uint8Array;
  /** Operators: the manager for which they act. Auditors: empty. */
  readonly managerId: string;
};

/** A block's committee for as long as attestations of it may still be carried. */
export type OpenCommittee = {
  readonly height: number;
  /** 32 bytes. */
  readonly blockId: Uint8Array;
  /** Of its integrity certificate. */
  readonly round: number;
  /** 32 bytes; the block's. */
  readonly hash1: Uint8Array;
  readonly treeSize: number;
  /** Members whose attestation no block has carried yet, sorted. */
  readonly missing: readonly string[];
  /** Whose audit digest is recomputed and that no block has found false, sorted. */
  readonly audited: readonly AuditedAttestation[];
};

export type AuditedAttestation = {
  readonly nodeId: string;
  /** 32 bytes; what the node signed. */
  readonly audit: Uint8Array;
};

/** What storing is rewarded by; see members.proto. */
export type StorageTotals = {
  readonly sealedBytes: number;
  readonly kibSeconds: bigint;
  /** Byte milliseconds, less than 1,024,000. */
  readonly remainder: number;
};

export const noTotals: StorageTotals = { sealedBytes: 0, kibSeconds: 0n, remainder: 0 };

/** Each list in the order of the digest. */
export type MemberLists = {
  /** In ring order. */
  readonly managers: readonly Manager[];
  /** Ascending by id. */
  readonly storageNodes: readonly StorageNode[];
  /** Ascending by id. */
  readonly officers: readonly Officer[];
  /** Ascending by height. */
  readonly openCommittees: readonly OpenCommittee[];
  readonly totals: StorageTotals;
};

/** Lists of which those that start empty may be left out. */
export type MemberListsInit = Omit<MemberLists, "openCommittees" | "totals"> &
  Partial<Pick<MemberLists, "openCommittees" | "totals">>;

/** f: how many of N managers may be faulty. */
export function faultsMaxOf(managerCount: number): number {
  return Math.floor((managerCount - 1) / 3);
}

/** Q: how many of N managers make a quorum. */
export function quorumOf(managerCount: number): number {
  return managerCount - faultsMaxOf(managerCount);
}

/** Every key and SPKI digest of the members, in hex. */
export function keysOf(lists: MemberLists): Set<string> {
  const keys = new Set<string>();
  for (const { signingKey, vrfKey, hpkeKey, tlsSpkiSha256 } of lists.managers) {
    for (const key of [signingKey, vrfKey, hpkeKey, tlsSpkiSha256]) keys.add(toHex(key));
  }
  for (const { signingKey, tlsSpkiSha256 } of [...lists.storageNodes, ...lists.officers]) {
    keys.add(toHex(signingKey)).add(toHex(tlsSpkiSha256));
  }
  return keys;
}
