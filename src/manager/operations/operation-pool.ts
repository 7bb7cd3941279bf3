/**
 * Self-authorised control operations that wait for a block: admissions, registrations, retirements,
 * returns and payouts. Whoever they concern has signed them, so it does not matter who passes them
 * on.
 *
 * One thing waits once: an id that joins, a node that returns, leaves or is paid. What this manager
 * took in itself stays until a block carries it or it fits no more; of what others took in the
 * oldest goes when there is no room.
 */
import { toHex } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import { invitationOf } from "../../ledger/members/consent.js";
import { encode } from "../../ledger/wire.js";

/** Operations that wait at a time. */
export const waitingMax = 1_000;
/** Operations of this pool in one block: room is left for what managers find themselves. */
export const perBlockMax = 400;
/** Bytes of these operations in one block: half of what a block has room for. */
export const poolBytesPerBlock = 2 ** 19;

export type WaitingOperation = {
  readonly operation: ControlOperation;
  /** Hash of its bytes, in hex. */
  readonly key: string;
  /** This manager took it in: it says it until a block carries it. */
  readonly own: boolean;
  /** By which somebody joins. */
  readonly invitation: string | undefined;
};

/** What an operation is about; undefined for those that do not wait here. */
export function topicOf({ operation }: ControlOperation): string | undefined {
  switch (operation.case) {
    case "returnStorageNode":
    case "retireStorageNode":
    case "recordPayout":
    case "admitStorageNode":
      return `${operation.case}/${operation.value.nodeId}`;
    case "registerParticipant":
      return `${operation.case}/${operation.value.participantId}`;
    default:
      return undefined;
  }
}

/** Hash of an operation's bytes as they stand in a block, in hex. */
export function operationKey(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

/** The order in which a block carries them: a node is back before it is paid. */
const order = [
  "returnStorageNode",
  "admitStorageNode",
  "registerParticipant",
  "retireStorageNode",
  "recordPayout",
];

export class OperationPool {
  readonly #byTopic = new Map<string, WaitingOperation>();

  get size(): number {
    return this.#byTopic.size;
  }

  /** All that wait, in the order of their arrival. */
  get waiting(): readonly WaitingOperation[] {
    return [...this.#byTopic.values()];
  }

  /** What waits about the same thing; undefined when nothing does. */
  sameThing(operation: ControlOperation): WaitingOperation | undefined {
    const topic = topicOf(operation);
    return topic === undefined ? undefined : this.#byTopic.get(topic);
  }

  /**
   * Adds an operation that has been checked. False when there is no room, when another one about
   * the same thing waits (a later return takes the place of an earlier one), or when as many wait
   * by the same invitation as may join with it: whoever holds one cannot fill the pool with ids.
   */
  add(operation: ControlOperation, own: boolean): boolean {
    const topic = topicOf(operation);
    if (topic === undefined) return false;
    const key = operationKey(encode(ControlOperationSchema, operation));
    const known = this.#byTopic.get(topic);
    const invited = invitationOf(operation);
    const invitation = invited && `${invited.operatorId}/${toHex(invited.invitationId)}`;
    if (known !== undefined) {
      const isSame = known.key === key;
      if (!isSame && !isLater(operation, known.operation)) return false;
      const isOwn = own || (isSame && known.own);
      this.#byTopic.set(topic, { operation, key, own: isOwn, invitation });
      return true;
    }
    if (invited !== undefined && this.#joiningBy(invitation) >= invited.usesMax) return false;
    if (this.#byTopic.size >= waitingMax && !this.#dropForeign()) return false;
    this.#byTopic.set(topic, { operation, key, own, invitation });
    return true;
  }

  /** Drops one that is settled or does not fit any more. */
  delete({ operation, key }: WaitingOperation): void {
    const topic = topicOf(operation);
    if (topic !== undefined && this.#byTopic.get(topic)?.key === key) this.#byTopic.delete(topic);
  }

  /** What the next block should carry, in this order, as far as it fits. */
  operations(): readonly ControlOperation[] {
    const rank = ({ operation }: ControlOperation) => order.indexOf(operation.case ?? "");
    const next = this.waiting
      .map(({ operation }) => operation)
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, perBlockMax);
    return withinBytes(next, poolBytesPerBlock);
  }

  #joiningBy(invitation: string | undefined): number {
    return this.waiting.filter((each) => each.invitation === invitation).length;
  }

  #dropForeign(): boolean {
    for (const [topic, { own }] of this.#byTopic) {
      if (own) continue;
      this.#byTopic.delete(topic);
      return true;
    }
    return false;
  }
}

/** The first operations, as far as there is room. */
export function withinBytes(
  operations: readonly ControlOperation[],
  bytesMax: number,
): readonly ControlOperation[] {
  let bytes = 0;
  const beyond = operations.findIndex((operation) => {
    bytes += encode(ControlOperationSchema, operation).length;
    return bytes > bytesMax;
  });
  return beyond === -1 ? operations : operations.slice(0, beyond);
}

/** Whether `next` is a return of a node that holds more by now, or from another suspension. */
function isLater({ operation: next }: ControlOperation, { operation: known }: ControlOperation) {
  if (next.case !== "returnStorageNode" || known.case !== "returnStorageNode") return false;
  return next.value.heldHeight > known.value.heldHeight;
}
