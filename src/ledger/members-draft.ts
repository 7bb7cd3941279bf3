/**
 * Members while operations are applied to them, one by one, in the order of a block's control part.
 * What an operation may assume is what the ones before it left.
 */
import { toHex } from "../base/bytes.js";
import {
  type AdmitStorageNode,
  type ControlOperation,
  OfficerRole,
  type RegisterOfficer,
  type RegisterParticipant,
} from "../gen/bss/v1/genesis_pb.js";
import { consentProblem } from "./consent.js";
import { compareIds } from "./ids.js";
import {
  initialStorageStanding,
  keysOf,
  type Manager,
  type MemberLists,
  type Officer,
  officersMax,
  type StorageNode,
  storageNodesMax,
} from "./member-lists.js";
import { checkOperation, type OperationPlace } from "./operations.js";
import { StandingsDraft } from "./standings-draft.js";
import { type Violation, violation } from "./violation.js";

export class MembersDraft {
  readonly #place: OperationPlace;
  readonly #standings: StandingsDraft;
  #admitted = false;
  readonly #storageNodes: Map<string, StorageNode>;
  readonly #officers: Map<string, Officer>;
  readonly #ids: Set<string>;
  readonly #managers: readonly Manager[];
  readonly #base: MemberLists;
  readonly #managerIds: ReadonlySet<string>;
  readonly #keys: Set<string>;

  constructor(base: MemberLists, place: OperationPlace) {
    this.#place = place;
    this.#base = base;
    this.#standings = new StandingsDraft(base.managers, place);
    this.#storageNodes = new Map(base.storageNodes.map((each) => [each.nodeId, each]));
    this.#officers = new Map(base.officers.map((each) => [each.officerId, each]));
    this.#managers = base.managers;
    this.#managerIds = new Set(base.managers.map((each) => each.managerId));
    this.#ids = new Set([
      ...this.#managerIds,
      ...this.#storageNodes.keys(),
      ...this.#officers.keys(),
    ]);
    this.#keys = keysOf(base);
  }

  /**
   * Applies one operation, or says why it does not fit (OPERATION_INVALID) and leaves the draft as
   * it was.
   */
  apply(operation: ControlOperation): Violation | undefined {
    const { policy, timestampMs } = this.#place;
    const officers = { officer: (id: string) => this.#officers.get(id) };
    const refused =
      checkOperation(operation, policy) ?? consentProblem(operation, officers, timestampMs);
    if (refused !== undefined) return refused;
    switch (operation.operation.case) {
      case "registerParticipant":
        return this.#participantProblem(operation.operation.value);
      case "admitStorageNode":
        return this.#admitStorageNode(operation.operation.value);
      case "registerOfficer":
        return this.#registerOfficer(operation.operation.value);
      case "suspendManager":
        return this.#standings.suspend(operation.operation.value);
      case "resumeManager":
        return this.#standings.resume(operation.operation.value);
      case "evidence":
        return this.#standings.accuse(operation.operation.value);
      default:
        return undefined;
    }
  }

  /** Managers that the operations so far suspend as absent; sorted. */
  absences(): readonly string[] {
    return this.#standings.absences();
  }

  /** The lists after the operations so far, as if they were all; undefined if nothing changed. */
  lists(): MemberLists | undefined {
    const managers = this.#standings.conclude();
    if (managers === undefined && !this.#admitted) return undefined;
    const storageNodes = [...this.#storageNodes.values()];
    const officers = [...this.#officers.values()];
    return {
      managers: managers ?? this.#managers,
      storageNodes: storageNodes.sort((a, b) => compareIds(a.nodeId, b.nodeId)),
      officers: officers.sort((a, b) => compareIds(a.officerId, b.officerId)),
      openCommittees: this.#base.openCommittees,
      totals: this.#base.totals,
    };
  }

  #admitStorageNode(admission: AdmitStorageNode): Violation | undefined {
    const path = "admit_storage_node";
    const { nodeId, signingKey, tlsSpkiSha256, sponsorId } = admission;
    if (this.#storageNodes.size >= storageNodesMax) {
      return invalid(`There are ${storageNodesMax} storage nodes already.`, path);
    }
    if (!this.#managerIds.has(sponsorId)) {
      return invalid("No manager has the sponsor's id.", `${path}.sponsor_id`);
    }
    if (this.#ids.has(nodeId)) return invalid("A member has this id already.", `${path}.node_id`);
    const problem = this.#takeKeys(admission, path);
    if (problem !== undefined) return problem;
    this.#ids.add(nodeId);
    this.#storageNodes.set(nodeId, {
      ...{ nodeId, signingKey, tlsSpkiSha256, sponsorId },
      ...initialStorageStanding,
    });
    this.#admitted = true;
    return undefined;
  }

  #registerOfficer(registration: RegisterOfficer): Violation | undefined {
    const path = "register_officer";
    const { officerId, signingKey, tlsSpkiSha256, managerId } = registration;
    if (this.#officers.size >= officersMax) {
      return invalid(`There are ${officersMax} officers already.`, path);
    }
    if (this.#ids.has(officerId)) {
      return invalid("A member has this id already.", `${path}.officer_id`);
    }
    const problem = this.#takeKeys(registration, path);
    if (problem !== undefined) return problem;
    this.#ids.add(officerId);
    const role = registration.role === OfficerRole.OPERATOR ? "operator" : "auditor";
    this.#officers.set(officerId, { officerId, role, signingKey, tlsSpkiSha256, managerId });
    this.#admitted = true;
    return undefined;
  }

  /** A participant is no member, and takes neither a member's id nor a member's key. */
  #participantProblem(registration: RegisterParticipant): Violation | undefined {
    const path = "register_participant";
    if (this.#ids.has(registration.participantId)) {
      const message = "A member has this id already.";
      return violation("MEMBER_ID_TAKEN", message, `${path}.participant_id`);
    }
    return this.#keysProblem(registration, path);
  }

  /** Takes both keys for the new member, or neither. */
  #takeKeys(keys: MemberKeys, path: string): Violation | undefined {
    const problem = this.#keysProblem(keys, path);
    if (problem !== undefined) return problem;
    this.#keys.add(toHex(keys.signingKey)).add(toHex(keys.tlsSpkiSha256));
    return undefined;
  }

  #keysProblem(keys: MemberKeys, path: string): Violation | undefined {
    const signingKey = toHex(keys.signingKey);
    const spki = toHex(keys.tlsSpkiSha256);
    if (this.#keys.has(signingKey)) {
      return invalid("A member uses this key already.", `${path}.signing_key`);
    }
    if (this.#keys.has(spki) || spki === signingKey) {
      return invalid("A member uses this key already.", `${path}.tls_spki_sha256`);
    }
    return undefined;
  }
}

type MemberKeys = { readonly signingKey: Uint8Array; readonly tlsSpkiSha256: Uint8Array };

function invalid(message: string, field: string): Violation {
  return violation("OPERATION_INVALID", message, field);
}
