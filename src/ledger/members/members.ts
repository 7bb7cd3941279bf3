/**
 * Who belongs to the consortium at one height: the managers in ring order, the storage nodes and
 * the officers, with the keys under which they may speak. Participants and meters are state, not
 * members.
 *
 * A `Members` never changes; an operation makes a new one. Every node derives it from the public
 * control part of the blocks, and the header's members_digest proves that they derived the same.
 *
 *     N = all managers, suspended ones included     f = ⌊(N−1)/3⌋     Q = N − f
 *
 * Two quorums of Q share at least f+1 managers. A key is used by one member for one purpose: one
 * party must not be able to speak as two.
 */

import { assert, defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import type { ControlOperation, Policy } from "../../gen/bss/v1/genesis_pb.js";
import { compareIds } from "../ids.js";
import { eligibleAmong } from "../storage-nodes/credit.js";
import type { BlockStart } from "../storage-nodes/storage-nodes-draft.js";
import { type Violation, violation } from "../violation.js";
import {
  faultsMaxOf,
  keysOf,
  type Manager,
  type MemberLists,
  type MemberListsInit,
  noTotals,
  type Officer,
  type OpenCommittee,
  quorumOf,
  type StorageNode,
  type StorageTotals,
} from "./member-lists.js";
import { decodeEntries, encodeEntries, entriesDigest } from "./members-codec.js";
import { MembersDraft } from "./members-draft.js";
import type { OperationPlace } from "./operations.js";

/** A block as far as it bears on the members. */
export type BlockEffects = OperationPlace &
  BlockStart & {
    readonly operations: readonly ControlOperation[];
    /** Sum of the lengths of all sealed records after the block, as its header has it. */
    readonly sealedBytes: number;
  };

export class Members implements MemberLists {
  readonly managers: readonly Manager[];
  readonly storageNodes: readonly StorageNode[];
  readonly officers: readonly Officer[];
  readonly openCommittees: readonly OpenCommittee[];
  readonly totals: StorageTotals;
  /** Managers that propose and accept, in ring order. */
  readonly activeManagerIds: readonly string[];
  /** f: managers that may be crashed, Byzantine, or suspended and behind, together. */
  readonly faultsMax: number;
  /** Q: managers that make a quorum, out of all N. */
  readonly quorum: number;

  readonly #managers: ReadonlyMap<string, Manager>;
  readonly #storageNodes: ReadonlyMap<string, StorageNode>;
  readonly #officers: ReadonlyMap<string, Officer>;
  #digest: Uint8Array | undefined;
  #keys: ReadonlySet<string> | undefined;
  readonly #eligible = new Map<number, readonly string[]>();

  /**
   * Takes lists that are sorted, without repeated ids, with at least one active manager: its
   * callers see to that.
   */
  constructor(lists: MemberListsInit) {
    this.managers = lists.managers;
    this.storageNodes = lists.storageNodes;
    this.officers = lists.officers;
    this.openCommittees = lists.openCommittees ?? [];
    this.totals = lists.totals ?? noTotals;
    this.#managers = new Map(lists.managers.map((each) => [each.managerId, each]));
    this.#storageNodes = new Map(lists.storageNodes.map((each) => [each.nodeId, each]));
    this.#officers = new Map(lists.officers.map((each) => [each.officerId, each]));
    const active = lists.managers.filter((each) => each.active);
    this.activeManagerIds = active.map((each) => each.managerId);
    assert(this.activeManagerIds.length > 0, "a consortium has an active manager");
    this.faultsMax = faultsMaxOf(lists.managers.length);
    this.quorum = quorumOf(lists.managers.length);
  }

  /** Managers whose ACCEPT a block needs after which these are the members, ascending. */
  get requiredAccepts(): readonly string[] {
    return this.activeManagerIds.toSorted(compareIds);
  }

  manager(id: string): Manager | undefined {
    return this.#managers.get(id);
  }

  storageNode(id: string): StorageNode | undefined {
    return this.#storageNodes.get(id);
  }

  officer(id: string): Officer | undefined {
    return this.#officers.get(id);
  }

  /** Whose turn it is: active managers in ring order, index (height + round) mod |active|. */
  proposer(height: number, round: number): string {
    // In BigInt, because height + round may leave the safe integers.
    const turn = (BigInt(height) + BigInt(round)) % BigInt(this.activeManagerIds.length);
    return defined(this.activeManagerIds[Number(turn)], "the turn is an index of the ring");
  }

  /** Ids of the storage nodes from which committees are drawn, ascending: see `eligibleAmong`. */
  eligibleStorageNodes(policy: Policy): readonly string[] {
    const { boycottLine } = policy;
    let eligible = this.#eligible.get(boycottLine);
    if (eligible === undefined) {
      eligible = eligibleAmong(this.storageNodes, this.managers.length, policy);
      this.#eligible.set(boycottLine, eligible);
    }
    return eligible;
  }

  /**
   * The members after a block with only this operation, or OPERATION_INVALID; those about
   * participants and meters change nothing here.
   */
  applyOperation(operation: ControlOperation, place: OperationPlace): Result<Members, Violation> {
    const draft = new MembersDraft(this, place);
    const violation = draft.apply(operation);
    return violation === undefined ? ok(Members.after(this, draft)) : err(violation);
  }

  /**
   * The members after a block: the one before is settled, then come all operations in order, and
   * committees close. OPERATION_INVALID and its like name the first operation that fails in the
   * field: "control[2].…".
   */
  applyBlock(block: BlockEffects): Result<Members, Violation> {
    const { policy, height, timestampMs } = block;
    const draft = new MembersDraft(this, { policy, height, timestampMs }, block);
    const refused = applyAll(draft, block.operations, "control");
    if (refused !== undefined) return err(refused);
    return ok(Members.after(this, draft, block.sealedBytes));
  }

  /**
   * The members with all `operations` in order, and nothing else of a block; the first that fails
   * is named in the field.
   */
  applyOperations(
    operations: readonly ControlOperation[],
    place: OperationPlace,
    path = "control",
  ): Result<Members, Violation> {
    const draft = new MembersDraft(this, place);
    const refused = applyAll(draft, operations, path);
    return refused === undefined ? ok(Members.after(this, draft)) : err(refused);
  }

  /**
   * What a draft that started from `before` has come to; `before` itself if nothing changed.
   * `sealedBytes` is the sum of all sealed records after the block; as before when left out.
   */
  static after(before: Members, draft: MembersDraft, sealedBytes?: number): Members {
    const lists = draft.lists(sealedBytes);
    return lists === undefined ? before : new Members(lists);
  }

  /** Whether a manager, storage node or officer has this id. */
  hasId(id: string): boolean {
    return this.#managers.has(id) || this.#storageNodes.has(id) || this.#officers.has(id);
  }

  /** Whether a member uses these 32 bytes as a key or as its certificate's SPKI digest. */
  hasKey(key: Uint8Array): boolean {
    this.#keys ??= keysOf(this);
    return this.#keys.has(toHex(key));
  }

  /**
   * members_digest, 32 bytes: RFC 9162 root over the entries; members.proto says in which order.
   */
  digest(): Uint8Array {
    this.#digest ??= entriesDigest(this);
    return this.#digest;
  }

  /** All entries as one blob, a MemberList. */
  encode(): Uint8Array {
    return encodeEntries(this);
  }

  /** Reads what `encode` wrote; undefined for any other bytes. */
  static decode(bytes: Uint8Array): Members | undefined {
    const lists = decodeEntries(bytes);
    return lists === undefined ? undefined : new Members(lists);
  }
}

/** Applies operations in order; the violation of the first that does not fit, with its place. */
function applyAll(
  draft: MembersDraft,
  operations: readonly ControlOperation[],
  path: string,
): Violation | undefined {
  for (const [i, operation] of operations.entries()) {
    const found = draft.apply(operation);
    if (found === undefined) continue;
    const { reason, message, field } = found;
    const place = `${path}[${i}]`;
    return violation(reason, message, field === undefined ? place : `${place}.${field}`);
  }
  return undefined;
}
