/**
 * What goes into the ring core and what comes out of it.
 *
 * The core is a state machine without I/O: `step(event)` and `tick(clock)` change it, `ready()`
 * hands out what it wants done. Two rules hold for whoever drives it:
 *
 *   1. Statements are signed and on stable storage, a COMMIT together with its lock and the block's
 *      body, BEFORE they are sent or stepped back into the core. A crash then cannot make a manager
 *      contradict itself.
 *   2. Everything that came over the wire has valid signatures by the time it is stepped in.
 *
 * The core counts its own statements only when they are stepped back, signed, like anybody's.
 */
import { unreachable } from "../../base/assert.js";
import type { BlockCertificates, LockCertificate } from "../../gen/bss/v1/block_pb.js";
import type { Evidence } from "../../gen/bss/v1/genesis_pb.js";
import type { Attestation, Proposal, Vote } from "../../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import type { Members } from "../../ledger/members/members.js";
import type { Violation } from "../../ledger/violation.js";

/** Block id as lower-case hex; the empty string is nil. */
export type BlockKey = string;

export const nilBlock: BlockKey = "";

/** Three clocks, read by the driver. */
export type Clock = {
  /** Never goes back; timeouts are measured on it. */
  readonly monotonicMs: number;
  /** As `monotonicMs`, but slower while this manager is busy; absences are measured on it. */
  readonly attentiveMs: number;
  /** Unix time; only a fresh block's timestamp is held against it. */
  readonly wallMs: number;
};

/** The rules' judgement on a candidate block; the same on every manager. */
export type Judgement =
  | { readonly accurate: true; readonly facts: BlockFacts }
  | { readonly accurate: false; readonly violation: Violation };

/** What concerns one height. */
export type HeightEvent =
  /** There is something to order, or a heartbeat is due. */
  | { readonly kind: "wake" }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "vote"; readonly vote: Vote }
  | { readonly kind: "attestation"; readonly attestation: Attestation }
  | { readonly kind: "lock-certificate"; readonly certificate: LockCertificate }
  /** Answers a `validate` task. */
  | {
      readonly kind: "judged";
      readonly height: number;
      readonly blockId: Uint8Array;
      readonly judgement: Judgement;
    }
  /** Answers a `build` task: the new block keeps the rules, and the driver holds its body. */
  | {
      readonly kind: "built";
      readonly height: number;
      readonly round: number;
      readonly facts: BlockFacts;
    };

export type RingEvent =
  | HeightEvent
  /**
   * Votes of any height that are not counted any more, such as those of a certificate that a block
   * carries. They may show that a manager has contradicted itself.
   */
  | { readonly kind: "seen"; readonly votes: readonly Vote[] };

/**
 * The height that an event is about; undefined for an event about the ring's own height, whichever
 * that is, and for one about several heights.
 */
export function heightOf(event: RingEvent): number | undefined {
  switch (event.kind) {
    case "wake":
    case "seen":
      return undefined;
    case "proposal":
      return Number(event.proposal.height);
    case "vote":
      return Number(event.vote.height);
    case "attestation":
      return Number(event.attestation.height);
    case "lock-certificate":
      return Number(event.certificate.polka?.height ?? -1n);
    case "judged":
    case "built":
      return event.height;
    default:
      return unreachable(event);
  }
}

/** Something this manager says, to be signed. See canonical.proto. */
export type Statement =
  | {
      readonly kind: "propose";
      readonly height: number;
      readonly round: number;
      /** −1 for a fresh block. */
      readonly validRound: number;
      readonly blockId: Uint8Array;
      /** Goes with the proposal when validRound ≥ 0. */
      readonly lockCertificate?: LockCertificate;
    }
  | { readonly kind: "accept"; readonly height: number; readonly blockId: Uint8Array }
  | {
      readonly kind: "approve";
      readonly height: number;
      readonly round: number;
      readonly validRound: number;
      /** Empty for nil. */
      readonly blockId: Uint8Array;
    }
  | {
      readonly kind: "commit";
      readonly height: number;
      readonly round: number;
      /** Empty for nil. */
      readonly blockId: Uint8Array;
      /** With a block: on stable storage before the COMMIT is. */
      readonly lock?: Lock;
    };

/** The block that a manager is locked on, or the latest that it knows to be lockable. */
export type Lock = {
  readonly round: number;
  readonly blockId: Uint8Array;
  readonly certificate: LockCertificate;
};

/** Something signed, by anybody, to be sent to every other manager. */
export type Outgoing =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "vote"; readonly vote: Vote }
  | { readonly kind: "attestation"; readonly attestation: Attestation }
  | { readonly kind: "lock-certificate"; readonly certificate: LockCertificate };

export type Task =
  /** Make a block on top of the head; answer with `built`. */
  | {
      readonly kind: "build";
      readonly height: number;
      readonly round: number;
      /** Managers that have been missing long enough to be suspended; sorted. */
      readonly absent: readonly string[];
      /** At this height a verify step ended without the attestations that a block needs. */
      readonly unattested: boolean;
    }
  /**
   * Run the rules on a candidate, fetching its body from `holders` if need be;
   * answer with `judged`.
   */
  | {
      readonly kind: "validate";
      readonly height: number;
      readonly blockId: Uint8Array;
      readonly holders: readonly string[];
    }
  /** Ask the committee to attest; the attestations come back as events. */
  | {
      readonly kind: "verify-integrity";
      readonly height: number;
      readonly round: number;
      readonly blockId: Uint8Array;
      readonly committee: readonly string[];
      readonly accepts: readonly Vote[];
    };

/** Final: the driver appends the block and then calls `advance`. */
export type Decision = {
  readonly height: number;
  readonly round: number;
  readonly blockId: Uint8Array;
  readonly facts: BlockFacts;
  readonly certificates: BlockCertificates;
};

/** More than f managers broke the rules, or this software did: nothing is signed from here on. */
type Halt = { readonly message: string };

/** A step's time ran out; counted by the driver. */
export type ExpiredStep = "propose" | "approve" | "verify" | "commit";

/** What is to be done, in this order: statements, then messages, tasks, and the decision. */
export type Ready = {
  readonly statements: readonly Statement[];
  readonly messages: readonly Outgoing[];
  readonly tasks: readonly Task[];
  readonly expired: readonly ExpiredStep[];
  /** Of managers that have contradicted themselves, each once in a ring's lifetime. */
  readonly evidence: readonly Evidence[];
  readonly decision?: Decision;
  readonly halt?: Halt;
};

/** Collects what is to be done until it is handed out; the statements stand with the speaker. */
export type Outbox = {
  readonly messages: Outgoing[];
  readonly tasks: Task[];
  readonly expired: ExpiredStep[];
  decision?: Decision;
  halt?: Halt;
};

export function emptyOutbox(): Outbox {
  return { messages: [], tasks: [], expired: [] };
}

/** All that is to be done as one `Ready`; undefined if there is nothing to do. */
export function readyOf(
  outbox: Outbox,
  statements: readonly Statement[],
  evidence: readonly Evidence[],
): Ready | undefined {
  const { messages, tasks, expired, decision, halt } = outbox;
  const lists = [statements, messages, tasks, expired, evidence];
  const idle = lists.every(({ length }) => length === 0);
  return idle && decision === undefined && halt === undefined
    ? undefined
    : { ...outbox, statements, evidence };
}

/** What the core needs to know of the height that it works on: the state after the block before. */
export type HeightContext = {
  readonly height: number;
  readonly members: Members;
};

/** What a manager finds on its disk for the height that it was voting on when it stopped. */
export type RestoredHeight = {
  readonly votes: readonly Vote[];
  readonly proposals: readonly Proposal[];
  readonly lock?: Lock;
};

export type RingStep = "idle" | "propose" | "approve" | "verify" | "commit";

export type RingStatus = {
  readonly height: number;
  readonly round: number;
  readonly step: RingStep;
  /** Monotonic time at which the step was entered. */
  readonly sinceMs: number;
};
