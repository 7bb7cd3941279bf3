/**
 * Members as bytes: the entries that members_digest covers, in the order that members.proto states.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import { OfficerRole } from "../../gen/bss/v1/genesis_pb.js";
import {
  type ManagerEntry,
  ManagerEntrySchema,
  type MemberEntry,
  MemberEntrySchema,
  MemberListSchema,
  type OfficerEntry,
  OfficerEntrySchema,
  type OpenCommittee as OpenCommitteeEntry,
  OpenCommitteeSchema,
  type StorageNodeEntry,
  StorageNodeEntrySchema,
  StorageSuspension,
  type StorageTotals as StorageTotalsEntry,
  StorageTotalsSchema,
  SuspensionReason,
} from "../../gen/bss/v1/members_pb.js";
import { rootOfLeafHashes } from "../merkle/frontier.js";
import { leafHash } from "../merkle/nodes.js";
import { decodeCanonical, encode, safeInteger } from "../wire.js";
import {
  type Manager,
  type MemberLists,
  noTotals,
  type Officer,
  type OpenCommittee,
  type StorageNode,
  type StorageSuspensionCause,
  type StorageTotals,
  type SuspensionCause,
} from "./member-lists.js";

/** members_digest, 32 bytes. */
export function entriesDigest(lists: MemberLists): Uint8Array {
  return rootOfLeafHashes(entriesOf(lists).map(({ hash }) => hash));
}

/** Canonical bytes of a MemberList. */
export function encodeEntries(lists: MemberLists): Uint8Array {
  return encode(
    MemberListSchema,
    create(MemberListSchema, { entries: entriesOf(lists).map(({ bytes }) => bytes) }),
  );
}

/** Reads what `encodeEntries` wrote; undefined for bytes that it cannot have written. */
export function decodeEntries(bytes: Uint8Array): MemberLists | undefined {
  const entries = decodeCanonical(MemberListSchema, bytes)?.entries;
  if (entries === undefined) return undefined;
  const read: MutableLists = {
    managers: [],
    storageNodes: [],
    officers: [],
    openCommittees: [],
    totals: noTotals,
  };
  let last = 0;
  for (const entryBytes of entries) {
    const entry = decodeCanonical(MemberEntrySchema, entryBytes)?.entry;
    if (entry?.case === undefined) return undefined;
    const kind = kindsInOrder.indexOf(entry.case);
    if (kind < last || !takeEntry(read, entry)) return undefined;
    last = kind;
  }
  const ascending =
    isAscending(read.storageNodes.map((each) => each.nodeId)) &&
    isAscending(read.officers.map((each) => each.officerId)) &&
    read.openCommittees.every(
      ({ height }, i, all) => i === 0 || (all[i - 1]?.height ?? 0) < height,
    );
  const distinct = new Set(read.managers.map((each) => each.managerId)).size;
  if (!ascending || distinct !== read.managers.length) return undefined;
  if (!read.managers.some((each) => each.active)) return undefined;
  // What `encodeEntries` leaves out, and repeated totals, would not come out as they went in.
  return equalBytes(encodeEntries(read), bytes) ? read : undefined;
}

type MutableLists = {
  managers: Manager[];
  storageNodes: StorageNode[];
  officers: Officer[];
  openCommittees: OpenCommittee[];
  totals: StorageTotals;
};

const kindsInOrder: readonly NonNullable<Entry["case"]>[] = [
  ...(["manager", "storageNode", "officer", "openCommittee", "totals"] as const),
];

/** False for an entry that cannot have been written. */
function takeEntry(lists: MutableLists, entry: Entry): boolean {
  switch (entry.case) {
    case "manager":
      return push(lists.managers, managerOf(entry.value));
    case "storageNode":
      return push(lists.storageNodes, storageNodeOf(entry.value));
    case "officer":
      return push(lists.officers, officerOf(entry.value));
    case "openCommittee":
      return push(lists.openCommittees, openCommitteeOf(entry.value));
    case "totals": {
      const totals = totalsOf(entry.value);
      lists.totals = totals ?? lists.totals;
      return totals !== undefined;
    }
    default:
      return false;
  }
}

function push<T>(list: T[], value: T | undefined): boolean {
  if (value !== undefined) list.push(value);
  return value !== undefined;
}

type EncodedEntry = {
  readonly bytes: Uint8Array;
  /** RFC 9162 leaf hash of the bytes. */
  readonly hash: Uint8Array;
};

/** A block leaves most members as they are, so each is encoded and hashed once. */
const encodedEntries = new WeakMap<object, EncodedEntry>();

function entriesOf(lists: MemberLists): EncodedEntry[] {
  return [
    ...lists.managers.map((each) => encoded(each, managerEntry)),
    ...lists.storageNodes.map((each) => encoded(each, storageNodeEntry)),
    ...lists.officers.map((each) => encoded(each, officerEntry)),
    ...lists.openCommittees.map((each) => encoded(each, openCommitteeEntry)),
    ...(isNothing(lists.totals) ? [] : [encoded(lists.totals, totalsEntry)]),
  ];
}

function encoded<T extends object>(member: T, entryOf: (member: T) => Entry): EncodedEntry {
  const known = encodedEntries.get(member);
  if (known !== undefined) return known;
  const entry = entryOf(member);
  const bytes = encode(MemberEntrySchema, { entry });
  const made = { bytes, hash: leafHash(bytes) };
  encodedEntries.set(member, made);
  return made;
}

type Entry = MemberEntry["entry"];

function managerEntry(manager: Manager): Entry {
  const { active, reason, changedHeight, changedAtMs, absences, offenceHeight, ...member } =
    manager;
  const value = create(ManagerEntrySchema, {
    member,
    suspended: !active,
    absences,
    reason: suspensionReason(reason),
    changedHeight: BigInt(changedHeight),
    changedAtUnixMs: BigInt(changedAtMs),
    offenceHeight: BigInt(offenceHeight),
  });
  return { case: "manager", value };
}

/** A manager's `reason` as the schemas name it. */
export function suspensionReason(cause: SuspensionCause | undefined): SuspensionReason {
  if (cause === undefined) return SuspensionReason.UNSPECIFIED;
  return cause === "absent" ? SuspensionReason.ABSENT : SuspensionReason.EQUIVOCATED;
}

function storageNodeEntry(node: StorageNode): Entry {
  const { nodeId, signingKey, tlsSpkiSha256, sponsorId, credit, reward, paid } = node;
  const { absences, auditFailed, rewardedKibSeconds } = node;
  const value = create(StorageNodeEntrySchema, {
    admission: { nodeId, signingKey, tlsSpkiSha256, sponsorId },
    suspension: storageSuspension(node.suspension),
    credit,
    reward,
    paid,
    absences,
    auditFailed,
    rewardedKibSeconds,
    admittedHeight: BigInt(node.admittedHeight),
    changedHeight: BigInt(node.changedHeight),
    changedAtUnixMs: BigInt(node.changedAtMs),
    lastAttestedHeight: BigInt(node.lastAttestedHeight),
  });
  return { case: "storageNode", value };
}

/** A storage node's `suspension` as the schemas name it. */
export function storageSuspension(cause: StorageSuspensionCause | undefined): StorageSuspension {
  return cause === undefined ? StorageSuspension.UNSPECIFIED : storageCauses[cause];
}

const storageCauses = {
  unreachable: StorageSuspension.UNREACHABLE,
  boycotted: StorageSuspension.BOYCOTTED,
  retired: StorageSuspension.RETIRED,
} as const satisfies Record<StorageSuspensionCause, StorageSuspension>;

function storageCauseOf(code: StorageSuspension): StorageSuspensionCause | undefined {
  const found = Object.entries(storageCauses).find(([, each]) => each === code);
  return found?.[0] as StorageSuspensionCause | undefined;
}

function openCommitteeEntry(open: OpenCommittee): Entry {
  const { blockId, round, hash1 } = open;
  const value = create(OpenCommitteeSchema, {
    blockId,
    round,
    hash1,
    height: BigInt(open.height),
    treeSize: BigInt(open.treeSize),
    missing: [...open.missing],
    audited: open.audited.map(({ nodeId, audit }) => ({ nodeId, audit })),
  });
  return { case: "openCommittee", value };
}

function totalsEntry({ sealedBytes, kibSeconds, remainder }: StorageTotals): Entry {
  const value = create(StorageTotalsSchema, {
    sealedBytes: BigInt(sealedBytes),
    kibSeconds,
    remainder: BigInt(remainder),
  });
  return { case: "totals", value };
}

function isNothing({ sealedBytes, kibSeconds, remainder }: StorageTotals): boolean {
  return sealedBytes === 0 && kibSeconds === 0n && remainder === 0;
}

function officerEntry({ role, ...rest }: Officer): Entry {
  const code = role === "operator" ? OfficerRole.OPERATOR : OfficerRole.AUDITOR;
  const value = create(OfficerEntrySchema, { registration: { ...rest, role: code } });
  return { case: "officer", value };
}

function managerOf(entry: ManagerEntry): Manager | undefined {
  const { member, suspended, absences } = entry;
  if (member === undefined) return undefined;
  const { managerId, signingKey, vrfKey, hpkeKey, tlsSpkiSha256, address } = member;
  const changedHeight = safeInteger(entry.changedHeight);
  const changedAtMs = safeInteger(entry.changedAtUnixMs);
  const offenceHeight = safeInteger(entry.offenceHeight);
  const reason = causes.find((each) => suspensionReason(each) === entry.reason);
  if (changedHeight === undefined || changedAtMs === undefined) return undefined;
  if (offenceHeight === undefined || suspended !== (reason !== undefined)) return undefined;
  if (suspensionReason(reason) !== entry.reason) return undefined;
  return {
    managerId,
    signingKey,
    vrfKey,
    hpkeKey,
    tlsSpkiSha256,
    address,
    active: !suspended,
    reason,
    changedHeight,
    changedAtMs,
    absences,
    offenceHeight,
  };
}

const causes: readonly SuspensionCause[] = ["absent", "equivocated"];

function storageNodeOf(entry: StorageNodeEntry): StorageNode | undefined {
  if (entry.admission === undefined) return undefined;
  const { nodeId, signingKey, tlsSpkiSha256, sponsorId } = entry.admission;
  const { credit, reward, paid, absences, auditFailed, rewardedKibSeconds } = entry;
  const suspension = storageCauseOf(entry.suspension);
  const admittedHeight = safeInteger(entry.admittedHeight);
  const changedHeight = safeInteger(entry.changedHeight);
  const changedAtMs = safeInteger(entry.changedAtUnixMs);
  const lastAttestedHeight = safeInteger(entry.lastAttestedHeight);
  if (storageSuspension(suspension) !== entry.suspension) return undefined;
  if (admittedHeight === undefined || changedHeight === undefined) return undefined;
  if (changedAtMs === undefined || lastAttestedHeight === undefined) return undefined;
  return {
    nodeId,
    signingKey,
    tlsSpkiSha256,
    sponsorId,
    suspension,
    credit,
    reward,
    paid,
    admittedHeight,
    changedHeight,
    changedAtMs,
    absences,
    lastAttestedHeight,
    auditFailed,
    rewardedKibSeconds,
  };
}

function openCommitteeOf(entry: OpenCommitteeEntry): OpenCommittee | undefined {
  const { blockId, round, hash1, missing } = entry;
  const audited = entry.audited.map(({ nodeId, audit }) => ({ nodeId, audit }));
  const height = safeInteger(entry.height);
  const treeSize = safeInteger(entry.treeSize);
  if (height === undefined || treeSize === undefined) return undefined;
  if (!isAscending(missing) || !isAscending(audited.map(({ nodeId }) => nodeId))) return undefined;
  return { height, blockId, round, hash1, treeSize, missing, audited };
}

function totalsOf(entry: StorageTotalsEntry): StorageTotals | undefined {
  const sealedBytes = safeInteger(entry.sealedBytes);
  const remainder = safeInteger(entry.remainder);
  if (sealedBytes === undefined || remainder === undefined) return undefined;
  return { sealedBytes, kibSeconds: entry.kibSeconds, remainder };
}

function officerOf({ registration }: OfficerEntry): Officer | undefined {
  if (registration === undefined) return undefined;
  const { officerId, signingKey, tlsSpkiSha256, managerId } = registration;
  switch (registration.role) {
    case OfficerRole.OPERATOR:
      return { officerId, role: "operator", signingKey, tlsSpkiSha256, managerId };
    case OfficerRole.AUDITOR:
      return { officerId, role: "auditor", signingKey, tlsSpkiSha256, managerId };
    default:
      return undefined;
  }
}

function isAscending(ids: readonly string[]): boolean {
  return ids.every((id, i) => i === 0 || (ids[i - 1] as string) < id);
}
