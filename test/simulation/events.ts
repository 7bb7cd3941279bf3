/** What a simulation tells those who watch it. */
import type { RingStatus } from "../../src/consensus/ring/events.js";
import type { BlockCertificates, ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import type { Attestation, Proposal, Vote, VoteRequest } from "../../src/gen/bss/v1/vote_pb.js";
import type { ParsedBlock } from "../../src/ledger/blocks/block-parsing.js";

/** A final block on a manager's disk, with its records. */
export type FinalBlock = {
  readonly parsed: ParsedBlock;
  readonly block: ManagerBlock;
  /** In the order of the leaves. */
  readonly sealed: readonly Uint8Array[];
  readonly certificates: BlockCertificates;
};

/** A final block on a storage node's disk. */
export type StorageBlock = Omit<FinalBlock, "block">;

export type Said =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "vote"; readonly vote: Vote };

/** A record that a participant was told is final. */
export type Receipt = {
  readonly participantId: string;
  readonly managerId: string;
  readonly recordHex: string;
  readonly height: number;
  readonly position: number;
};

/** Thrown by whoever finds that something holds no longer; it ends the run. */
export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
  readonly checker: string;

  constructor(checker: string, message: string) {
    super(message);
    this.checker = checker;
  }
}

/**
 * Who watches overrides what it wants to see. What managers say and hear is told of those that keep
 * the rules; what they hold of all.
 */
export abstract class Checker {
  abstract readonly name: string;

  /** A block is on a manager's disk. */
  appended(_managerId: string, _block: FinalBlock): void {}
  /** A block is on a storage node's disk. */
  storageAppended(_nodeId: string, _block: StorageBlock): void {}
  /** A statement is on a manager's disk. */
  saved(_managerId: string, _said: Said): void {}
  /** A manager sends something of its own for the first time since it started. */
  sent(_managerId: string, _said: Said): void {}
  /** A manager has read a message from a stream. Nothing is verified yet. */
  heard(_managerId: string, _from: string, _message: VoteRequest["message"]): void {}
  /** A storage node signs, and what it signed is on its disk. */
  attested(_nodeId: string, _attestation: Attestation): void {}
  /** The ring of a manager is where it was not before. */
  moved(_managerId: string, _status: RingStatus): void {}
  /** A step of a manager's ring has timed out. */
  expired(_managerId: string, _step: string): void {}
  /** A node's process has started, from a disk that holds this height. */
  started(_id: string, _height: number): void {}
  /** A node's process is gone. */
  died(_id: string): void {}
  /** A disk was put back to what it held some time ago. */
  rolledBack(_id: string, _height: number): void {}
  receipt(_receipt: Receipt): void {}
  /** Faults are over, everybody is up. */
  healed(_nowMs: number): void {}
  /** The end of the run; disks can be read. */
  async finish(): Promise<void> {}

  /** Ends the run. */
  protected fail(message: string): never {
    throw new InvariantBroken(this.name, message);
  }
}
