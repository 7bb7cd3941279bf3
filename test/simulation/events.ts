/** What a simulation tells those who watch it. */

import type { StorageAppend } from "../../src/consensus/attestor.js";
import type { RingEvent, RingStatus } from "../../src/consensus/events.js";
import type { BlockCertificates, ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import type { Attestation, Proposal, Vote } from "../../src/gen/bss/v1/vote_pb.js";
import type { ExecutedBlock } from "../../src/ledger/executed-block.js";

/** A final block on a manager's disk. */
export type StoredBlock = {
  readonly block: ManagerBlock;
  readonly executed: ExecutedBlock;
  readonly certificates: BlockCertificates;
};

export type Said =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "vote"; readonly vote: Vote };

/** Thrown by whoever finds that something holds no longer; it ends the run. */
export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
  readonly checker: string;

  constructor(checker: string, message: string) {
    super(message);
    this.checker = checker;
  }
}

/** Who watches overrides what it wants to see. */
export abstract class Checker {
  abstract readonly name: string;

  /** A block is on a manager's disk. */
  appended(_managerId: string, _stored: StoredBlock): void {}
  /** A block is on a storage node's disk. */
  storageAppended(_nodeId: string, _append: StorageAppend): void {}
  /** A manager that keeps the rules has signed something. */
  signed(_managerId: string, _said: Said): void {}
  /** It is on the manager's disk. */
  saved(_managerId: string, _said: Said): void {}
  /** A manager that keeps the rules sends something of its own. */
  sent(_managerId: string, _said: Said): void {}
  attested(_nodeId: string, _attestation: Attestation): void {}
  /** The ring of a manager takes something in. */
  stepped(_managerId: string, _height: number, _event: RingEvent): void {}
  /** The ring of a manager has changed its height, round or step. */
  moved(_managerId: string, _status: RingStatus, _monotonicMs: number): void {}
  /** A step of a manager's ring has timed out. */
  expired(_managerId: string, _step: string): void {}
  /** A manager's process starts from its disk. */
  started(_managerId: string): void {}
  /** Faults are over, everybody is up. */
  healed(_nowMs: number): void {}
  /** The end of the run. */
  finish(): void {}

  /** Ends the run. */
  protected fail(message: string): never {
    throw new InvariantBroken(this.name, message);
  }
}
