/**
 * The genesis file: what everybody starts from.
 *
 * It is a Genesis message as protobuf JSON, and consortium_id is SHA-256 of the file's bytes, so a
 * node with another file belongs to another consortium. Every signature names that id, so the file
 * needs no signature. It is checked in full here, because a mistake in it could never be mended.
 */
import { fromJsonString } from "@bufbuild/protobuf";
import { toHex, utf8Decode } from "../base/bytes.js";
import { err, ok, type Result } from "../base/result.js";
import { isValidEd25519PublicKey } from "../crypto/ed25519.js";
import { hashBytes, sha256 } from "../crypto/hash.js";
import { isValidHpkePublicKey } from "../crypto/hpke-public-key.js";
import { vrfOutputBytes, vrfValidateKey } from "../crypto/vrf.js";
import {
  type ControlOperation,
  type Genesis,
  GenesisSchema,
  type ManagerMember,
  OfficerRole,
  type Policy,
  type RegisterOfficer,
  type RegisterParticipant,
} from "../gen/bss/v1/genesis_pb.js";
import { foldedId, isId } from "./ids.js";
import { initialStanding, managersMax } from "./members/member-lists.js";
import { Members } from "./members/members.js";
import { carriesAuthority } from "./members/operations.js";
import { checkPolicy } from "./policy.js";
import { refuse, type Violation, violation } from "./violation.js";
import { safeInteger } from "./wire.js";

export const genesisBytesMax = 64 * 2 ** 20;
/** Characters of one certificate authority's PEM text. */
const certificatePemMax = 16_384;

export type GenesisState = {
  /** 32 bytes: SHA-256 of the file. */
  readonly consortiumId: Uint8Array;
  /** Name in every certificate's URI. */
  readonly name: string;
  readonly genesis: Genesis;
  readonly policy: Policy;
  /** Managers, first storage nodes and officers. */
  readonly members: Members;
  /** First participants and meters, in order, for the state. */
  readonly operations: readonly ControlOperation[];
  /** 64 bytes: the beacon of block 0. */
  readonly beacon: Uint8Array;
  /** 32 bytes: commitment to the key of epoch 0. */
  readonly epochCommitment: Uint8Array;
  /** Unix ms. */
  readonly timestampMs: number;
};

/**
 * Reads a genesis file's exact bytes. GENESIS_INVALID, OPERATION_INVALID or MEMBER_ID_TAKEN, with
 * the path of the field at fault.
 */
export function parseGenesis(fileBytes: Uint8Array): Result<GenesisState, Violation> {
  const decoded = decodeGenesis(fileBytes);
  if (!decoded.ok) return decoded;
  const genesis = decoded.value;
  const { consortiumName: name, beacon, epochCommitment, policy } = genesis;
  if (!isId(name))
    return invalid("The name is not 1 to 63 of the characters a-z, 0-9 and -.", "consortium_name");
  const timestampMs = safeInteger(genesis.timeUnixMs, 1);
  if (timestampMs === undefined) return invalid("The value is not a time.", "time_unix_ms");
  if (policy === undefined) return invalid("The policy is missing.", "policy");
  const problem =
    checkPolicy(policy) ?? checkManagers(genesis.managers) ?? checkAuthorities(genesis);
  if (problem !== undefined) return err(problem);
  if (beacon.length !== vrfOutputBytes)
    return invalid("The value does not have 64 bytes.", "beacon");
  if (epochCommitment.length !== hashBytes)
    return invalid("The value does not have 32 bytes.", "epoch_commitment");

  const early = genesis.operations.findIndex(carriesAuthority);
  if (early >= 0)
    return misfit(
      "Genesis cannot hold an operation that rests on consent or on what happened before.",
      `operations[${early}]`,
    );
  const managers = genesis.managers.map((member) => ({ ...fieldsOf(member), ...initialStanding }));
  const ring = new Members({ managers, storageNodes: [], officers: [] });
  const place = { policy, height: 0, timestampMs };
  const members = ring.applyOperations(genesis.operations, place, "operations");
  if (!members.ok) return members;
  const unbound = checkOfficers(genesis.operations, ring);
  if (unbound !== undefined) return err(unbound);
  const operations = checkStateOperations(genesis.operations, members.value);
  if (!operations.ok) return operations;
  return ok({
    consortiumId: sha256(fileBytes),
    name,
    genesis,
    policy,
    beacon,
    epochCommitment,
    timestampMs,
    members: members.value,
    operations: operations.value,
  });
}

function decodeGenesis(fileBytes: Uint8Array): Result<Genesis, Violation> {
  if (fileBytes.length > genesisBytesMax) {
    return invalid(`The file has more than ${genesisBytesMax} bytes.`);
  }
  const text = utf8Decode(fileBytes);
  if (text === undefined) return invalid("The file is not UTF-8 text.");
  try {
    return ok(fromJsonString(GenesisSchema, text));
  } catch (error) {
    const cause = error instanceof Error ? error.message : "unknown cause";
    return invalid(`The file is not a genesis message in JSON: ${cause.slice(0, 200)}`);
  }
}

function fieldsOf(member: ManagerMember) {
  const { managerId, signingKey, vrfKey, hpkeKey, tlsSpkiSha256, address } = member;
  return { managerId, signingKey, vrfKey, hpkeKey, tlsSpkiSha256, address };
}

function checkManagers(managers: readonly ManagerMember[]): Violation | undefined {
  if (managers.length < 1 || managers.length > managersMax) {
    return wrong(`There are not 1 to ${managersMax} managers.`, "managers");
  }
  const taken = new Set<string>();
  for (const [i, manager] of managers.entries()) {
    const problem = checkManager(manager);
    if (problem !== undefined) return wrong(problem.message, `managers[${i}].${problem.field}`);
    for (const [value, field] of identitiesOf(manager)) {
      if (taken.has(value))
        return wrong("Two managers have this value.", `managers[${i}].${field}`);
      taken.add(value);
    }
  }
  return undefined;
}

function checkManager(manager: ManagerMember): { message: string; field: string } | undefined {
  if (!isId(manager.managerId)) return { message: "The value is not an id.", field: "manager_id" };
  if (!isValidEd25519PublicKey(manager.signingKey)) {
    return { message: "The value is not an Ed25519 public key.", field: "signing_key" };
  }
  if (!vrfValidateKey(manager.vrfKey)) {
    return { message: "The value is not a VRF public key.", field: "vrf_key" };
  }
  if (!isValidHpkePublicKey(manager.hpkeKey)) {
    return { message: "The value is not an X25519 public key.", field: "hpke_key" };
  }
  if (manager.tlsSpkiSha256.length !== hashBytes) {
    return { message: "The value is not a SHA-256 digest.", field: "tls_spki_sha256" };
  }
  if (!isAddress(manager.address))
    return { message: "The value is not host:port.", field: "address" };
  return undefined;
}

/**
 * What no two managers may share. An id cannot be mistaken for a key: hex of 32 bytes is longer
 * than an id.
 */
function identitiesOf(manager: ManagerMember): readonly (readonly [string, string])[] {
  return [
    [manager.managerId, "manager_id"],
    [toHex(manager.signingKey), "signing_key"],
    [toHex(manager.vrfKey), "vrf_key"],
    [toHex(manager.hpkeKey), "hpke_key"],
    [toHex(manager.tlsSpkiSha256), "tls_spki_sha256"],
    [manager.address, "address"],
  ];
}

const addressPattern = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})$/;

function isAddress(address: string): boolean {
  const port = Number(addressPattern.exec(address)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

function checkAuthorities({ caCertificatesPem }: Genesis): Violation | undefined {
  if (caCertificatesPem.length > managersMax) {
    return wrong(`There are more than ${managersMax}.`, "ca_certificates_pem");
  }
  for (const [i, pem] of caCertificatesPem.entries()) {
    if (pem.length <= certificatePemMax && pem.startsWith("-----BEGIN CERTIFICATE-----")) continue;
    return wrong("The value is not a certificate in PEM form.", `ca_certificates_pem[${i}]`);
  }
  return undefined;
}

/** An operator vouches for storage nodes in the name of a manager, which has to exist. */
function checkOfficers(
  operations: readonly ControlOperation[],
  ring: Members,
): Violation | undefined {
  for (const [i, { operation }] of operations.entries()) {
    if (operation.case !== "registerOfficer" || isBound(operation.value, ring)) continue;
    const field = `operations[${i}].register_officer.manager_id`;
    return violation("OPERATION_INVALID", "No manager has this id.", field);
  }
  return undefined;
}

function isBound({ role, managerId }: RegisterOfficer, ring: Members): boolean {
  return role !== OfficerRole.OPERATOR || ring.manager(managerId) !== undefined;
}

/**
 * The operations about participants and meters, if each fits those before it and takes no member's
 * id or key. Applying them to the members has shown that they are well formed.
 */
function checkStateOperations(
  all: readonly ControlOperation[],
  members: Members,
): Result<readonly ControlOperation[], Violation> {
  const operations: ControlOperation[] = [];
  const participants = new Set<string>();
  const meters = new Set<string>();
  const keys = new Set<string>();
  for (const [i, operation] of all.entries()) {
    const { case: kind, value } = operation.operation;
    if (kind !== "registerParticipant" && kind !== "registerMeter") continue;
    const path = `operations[${i}]`;
    operations.push(operation);
    if (kind === "registerParticipant") {
      const id = value.participantId;
      if (participants.has(id) || members.hasId(id)) {
        const field = `${path}.register_participant.participant_id`;
        return refuse("MEMBER_ID_TAKEN", "The id is taken.", field);
      }
      participants.add(id);
      const field = takeKeys(value, keys, members);
      if (field !== undefined) {
        return misfit("The key is taken.", `${path}.register_participant.${field}`);
      }
    } else {
      if (!participants.has(value.ownerId)) {
        const message = "No participant before this has the owner's id.";
        return misfit(message, `${path}.register_meter.owner_id`);
      }
      if (meters.has(foldedId(value.meterId))) {
        return refuse("MEMBER_ID_TAKEN", "The id is taken.", `${path}.register_meter.meter_id`);
      }
      meters.add(foldedId(value.meterId));
    }
  }
  return ok(operations);
}

function takeKeys(
  { signingKey, tlsSpkiSha256 }: RegisterParticipant,
  keys: Set<string>,
  members: Members,
): string | undefined {
  if (keys.has(toHex(signingKey)) || members.hasKey(signingKey)) return "signing_key";
  keys.add(toHex(signingKey));
  if (keys.has(toHex(tlsSpkiSha256)) || members.hasKey(tlsSpkiSha256)) return "tls_spki_sha256";
  keys.add(toHex(tlsSpkiSha256));
  return undefined;
}

function invalid(message: string, field?: string): Result<never, Violation> {
  return refuse("GENESIS_INVALID", message, field);
}

function wrong(message: string, field: string): Violation {
  return violation("GENESIS_INVALID", message, field);
}

function misfit(message: string, field: string): Result<never, Violation> {
  return refuse("OPERATION_INVALID", message, field);
}
