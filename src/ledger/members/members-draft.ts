/**
 * Members while operations are applied to them, one by one, in the order of a block's control part.
 * Each operation sees the effects of those before it.
 */
import { equalBytes, toHex } from "../../base/bytes.js";
import {
  type AdmitStorageNode,
  type ControlOperation,
  OfficerRole,
  type RegisterOfficer,
  type RegisterParticipant,
} from "../../gen/bss/v1/genesis_pb.js";
import { compareIds } from "../ids.js";
import { type BlockStart, StorageNodesDraft } from "../storage-nodes/storage-nodes-draft.js";
import { invalidOperation, type Violation, violation } from "../violation.js";
import { consentProblem, parseInvitation } from "./consent.js";
import {
  keysOf,
  type Manager,
  type MemberLists,
  type Officer,
  officersMax,
} from "./member-lists.js";
import { checkOperation, type OperationPlace } from "./operations.js";
import { StandingsDraft } from "./standings-draft.js";

export class MembersDraft {
  readonly #place: OperationPlace;
  readonly #standings: StandingsDraft;
  #registered = false;
  readonly #storageNodes: StorageNodesDraft;
  readonly #officers: Map<string, Officer>;
  readonly #ids: Set<string>;
  readonly #managers: readonly Manager[];
  readonly #base: MemberLists;
  readonly #managerIds: ReadonlySet<string>;
  #keysTaken: Set<string> | undefined;

  /** With `start` the block before is settled first; see storage-nodes-draft.ts. */
  constructor(base: MemberLists, place: OperationPlace, start?: BlockStart) {
    this.#place = place;
    this.#base = base;
    this.#standings = new StandingsDraft(base.managers, place);
    this.#storageNodes = new StorageNodesDraft(base, place, start);
    this.#officers = new Map(base.officers.map((each) => [each.officerId, each]));
    this.#managers = base.managers;
    this.#managerIds = new Set(base.managers.map((each) => each.managerId));
    this.#ids = new Set([
      ...this.#managerIds,
      ...base.storageNodes.map((each) => each.nodeId),
      ...this.#officers.keys(),
    ]);
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
      case "retireStorageNode":
        return this.#storageNodes.retire(operation.operation.value);
      case "suspendStorageNode":
        return this.#storageNodes.suspend(operation.operation.value);
      case "returnStorageNode":
        return this.#storageNodes.takeBack(operation.operation.value);
      case "carryAttestations":
        return this.#storageNodes.carry(operation.operation.value);
      case "failAudit":
        return this.#storageNodes.failAudit(operation.operation.value);
      case "recordPayout":
        return this.#storageNodes.pay(operation.operation.value);
      default:
        return undefined;
    }
  }

  /** Managers that the operations so far suspend as absent; sorted. */
  absences(): readonly string[] {
    return this.#standings.absences();
  }

  /**
   * The lists after the operations so far, as if they were all; undefined if nothing changed.
   * `sealedBytes` is the sum of all sealed records after the block.
   */
  lists(sealedBytes = this.#base.totals.sealedBytes): MemberLists | undefined {
    const managers = this.#standings.conclude();
    const storage = this.#storageNodes.conclude(sealedBytes);
    if (managers === undefined && storage === undefined && !this.#registered) return undefined;
    const officers = [...this.#officers.values()];
    const { storageNodes, openCommittees, totals } = storage ?? this.#base;
    return {
      managers: managers ?? this.#managers,
      storageNodes,
      openCommittees,
      totals,
      officers: officers.sort((a, b) => compareIds(a.officerId, b.officerId)),
    };
  }

  #admitStorageNode(admission: AdmitStorageNode): Violation | undefined {
    const path = "admit_storage_node";
    const { nodeId, sponsorId } = admission;
    if (!this.#managerIds.has(sponsorId)) {
      return invalidOperation("No manager has the sponsor's id.", `${path}.sponsor_id`);
    }
    if (this.#storageNodes.mayReturn(admission)) {
      return this.#storageNodes.fullProblem(admission) ?? this.#admitAgain(admission, path);
    }
    if (this.#ids.has(nodeId)) {
      const reason = admission.consent === undefined ? "OPERATION_INVALID" : "MEMBER_ID_TAKEN";
      return violation(reason, "A member has this id already.", `${path}.node_id`);
    }
    const problem = this.#storageNodes.fullProblem(admission) ?? this.#takeKeys(admission, path);
    if (problem !== undefined) return problem;
    this.#ids.add(nodeId);
    this.#storageNodes.admit(admission);
    return undefined;
  }

  /**
   * Admits a node that has left: with the signing key that it had, and perhaps a new certificate
   * key. The invitation has to be newer than its leaving, or else anybody could bring the node back
   * with the old one, which is on the chain.
   */
  #admitAgain(admission: AdmitStorageNode, path: string): Violation | undefined {
    const { nodeId, tlsSpkiSha256, consent } = admission;
    const known = this.#storageNodes.node(nodeId);
    const checkpoint = consent && parseInvitation(consent.invitation)?.checkpoint;
    if (checkpoint === undefined || checkpoint.height < BigInt(known?.changedHeight ?? 0)) {
      const message = "The invitation is from before the node left.";
      return violation("INVITATION_INVALID", message, `${path}.consent.invitation`);
    }
    if (known === undefined || !equalBytes(known.tlsSpkiSha256, tlsSpkiSha256)) {
      const spki = toHex(tlsSpkiSha256);
      if (this.#keys.has(spki)) {
        return invalidOperation("A member uses this key already.", `${path}.tls_spki_sha256`);
      }
      this.#keys.add(spki);
    }
    this.#storageNodes.admit(admission);
    return undefined;
  }

  /** Collected only when somebody joins, as most blocks admit nobody. */
  get #keys(): Set<string> {
    this.#keysTaken ??= keysOf(this.#base);
    return this.#keysTaken;
  }

  #registerOfficer(registration: RegisterOfficer): Violation | undefined {
    const path = "register_officer";
    const { officerId, signingKey, tlsSpkiSha256, managerId } = registration;
    if (this.#officers.size >= officersMax) {
      return invalidOperation(`There are ${officersMax} officers already.`, path);
    }
    if (this.#ids.has(officerId)) {
      return invalidOperation("A member has this id already.", `${path}.officer_id`);
    }
    const problem = this.#takeKeys(registration, path);
    if (problem !== undefined) return problem;
    this.#ids.add(officerId);
    const role = registration.role === OfficerRole.OPERATOR ? "operator" : "auditor";
    this.#officers.set(officerId, { officerId, role, signingKey, tlsSpkiSha256, managerId });
    this.#registered = true;
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
      return invalidOperation("A member uses this key already.", `${path}.signing_key`);
    }
    if (this.#keys.has(spki) || spki === signingKey) {
      return invalidOperation("A member uses this key already.", `${path}.tls_spki_sha256`);
    }
    return undefined;
  }
}

type MemberKeys = { readonly signingKey: Uint8Array; readonly tlsSpkiSha256: Uint8Array };
