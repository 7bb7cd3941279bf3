/**
 * Members as bytes: the entries that members_digest covers, in the order that members.proto states.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { OfficerRole } from "../gen/bss/v1/genesis_pb.js";
import {
  type ManagerEntry,
  ManagerEntrySchema,
  type MemberEntry,
  MemberEntrySchema,
  MemberListSchema,
  type OfficerEntry,
  OfficerEntrySchema,
  type StorageNodeEntry,
  StorageNodeEntrySchema,
  SuspensionReason,
} from "../gen/bss/v1/members_pb.js";
import type {
  Manager,
  MemberLists,
  Officer,
  StorageNode,
  SuspensionCause,
} from "./member-lists.js";
import { merkleRoot } from "./merkle/merkle-root.js";
import { decodeCanonical, safeInteger } from "./wire.js";

/** members_digest, 32 bytes. */
export function entriesDigest(lists: MemberLists): Uint8Array {
  return merkleRoot(entriesOf(lists));
}

/** Canonical bytes of a MemberList. */
export function encodeEntries(lists: MemberLists): Uint8Array {
  return toBinary(MemberListSchema, create(MemberListSchema, { entries: entriesOf(lists) }));
}

/** Reads what `encodeEntries` wrote; undefined for bytes that it cannot have written. */
export function decodeEntries(bytes: Uint8Array): MemberLists | undefined {
  const entries = decodeCanonical(MemberListSchema, bytes)?.entries;
  if (entries === undefined) return undefined;
  const managers: Manager[] = [];
  const storageNodes: StorageNode[] = [];
  const officers: Officer[] = [];
  for (const entryBytes of entries) {
    const entry = decodeCanonical(MemberEntrySchema, entryBytes)?.entry;
    if (entry?.case === "manager") {
      const manager = managerOf(entry.value);
      if (manager === undefined || storageNodes.length + officers.length > 0) return undefined;
      managers.push(manager);
    } else if (entry?.case === "storageNode") {
      const node = storageNodeOf(entry.value);
      if (node === undefined || officers.length > 0) return undefined;
      storageNodes.push(node);
    } else if (entry?.case === "officer") {
      const officer = officerOf(entry.value);
      if (officer === undefined) return undefined;
      officers.push(officer);
    } else {
      return undefined;
    }
  }
  const ascending =
    isAscending(storageNodes.map((each) => each.nodeId)) &&
    isAscending(officers.map((each) => each.officerId));
  const distinct = new Set(managers.map((each) => each.managerId)).size === managers.length;
  if (!ascending || !distinct || !managers.some((each) => each.active)) return undefined;
  return { managers, storageNodes, officers };
}

function entriesOf(lists: MemberLists): Uint8Array[] {
  return [
    ...lists.managers.map(managerEntry),
    ...lists.storageNodes.map(storageNodeEntry),
    ...lists.officers.map(officerEntry),
  ].map((entry) => toBinary(MemberEntrySchema, create(MemberEntrySchema, { entry })));
}

type Entry = MemberEntry["entry"];

function managerEntry(manager: Manager): Entry {
  const { active, reason, changedHeight, changedAtMs, absences, offenceHeight, ...member } =
    manager;
  const value = create(ManagerEntrySchema, {
    ...{ member, suspended: !active, absences },
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

function storageNodeEntry({ suspended, credit, reward, ...admission }: StorageNode): Entry {
  const value = create(StorageNodeEntrySchema, { admission, suspended, credit, reward });
  return { case: "storageNode", value };
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
    ...{ managerId, signingKey, vrfKey, hpkeKey, tlsSpkiSha256, address },
    ...{ active: !suspended, reason, changedHeight, changedAtMs, absences, offenceHeight },
  };
}

const causes: readonly SuspensionCause[] = ["absent", "equivocated"];

function storageNodeOf(entry: StorageNodeEntry): StorageNode | undefined {
  if (entry.admission === undefined) return undefined;
  const { nodeId, signingKey, tlsSpkiSha256, sponsorId } = entry.admission;
  const { suspended, credit, reward } = entry;
  return { nodeId, signingKey, tlsSpkiSha256, sponsorId, suspended, credit, reward };
}

function officerOf({ registration }: OfficerEntry): Officer | undefined {
  if (registration === undefined) return undefined;
  const { officerId, signingKey, tlsSpkiSha256 } = registration;
  switch (registration.role) {
    case OfficerRole.OPERATOR:
      return { officerId, role: "operator", signingKey, tlsSpkiSha256 };
    case OfficerRole.AUDITOR:
      return { officerId, role: "auditor", signingKey, tlsSpkiSha256 };
    default:
      return undefined;
  }
}

function isAscending(ids: readonly string[]): boolean {
  return ids.every((id, i) => i === 0 || (ids[i - 1] as string) < id);
}
