/**
 * A suspended manager's own way back: once its wait is over and it holds the chain, it says so
 * after every block that it appends and at intervals, until a block makes it active again.
 */
import { create } from "@bufbuild/protobuf";
import {
  type Policy,
  type ResumeManager,
  ResumeManagerSchema,
} from "../../gen/bss/v1/genesis_pb.js";
import { resumeDigest } from "../../ledger/certificates/vote-digests.js";
import { resumePossibleAtMs } from "../../ledger/members/suspensions.js";
import type { LedgerHead } from "../../ledger/state/head.js";

export type ResumptionPorts = {
  readonly selfId: string;
  readonly consortiumId: Uint8Array;
  readonly head: () => LedgerHead;
  readonly policy: Policy;
  /** How far the chain is, as far as this manager knows. */
  readonly tipHeight: () => number;
  /** False while this manager accepts no blocks: the one that resumes it would wait in vain. */
  readonly takesPart: () => boolean;
  /** Undefined while the signer is unavailable. */
  readonly sign: (digest: Uint8Array) => Promise<Uint8Array | undefined>;
  /** To every other manager. */
  readonly send: (resume: ResumeManager) => void;
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
};

/** Blocks that a manager may lack and still say that it is back: they are on their way. */
const blocksBehindMax = 2;
const intervalMs = 1_000;

export class Resumption {
  readonly #ports: ResumptionPorts;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: ResumptionPorts) {
    this.#ports = ports;
  }

  /** A block has been appended: the next `tick` says what is held now. */
  onAppended(): void {
    this.#saidAtMs = Number.NEGATIVE_INFINITY;
  }

  async tick(): Promise<void> {
    if (this.#ports.monotonicMs() - this.#saidAtMs >= intervalMs) await this.#say();
  }

  async #say(): Promise<void> {
    const { selfId: managerId, consortiumId, head, policy, sign, send } = this.#ports;
    const { height: heldHeight, members } = head();
    const manager = members.manager(managerId);
    if (manager?.reason !== "absent" || manager.offenceHeight > 0) return;
    if (this.#ports.tipHeight() - heldHeight > blocksBehindMax || !this.#ports.takesPart()) return;
    if (this.#ports.wallMs() < resumePossibleAtMs(manager, policy)) return;
    this.#saidAtMs = this.#ports.monotonicMs();
    const suspendedHeight = manager.changedHeight;
    const signature = await sign(resumeDigest({ consortiumId, suspendedHeight, heldHeight }));
    if (signature === undefined) return;
    const heights = {
      suspendedHeight: BigInt(suspendedHeight),
      heldHeight: BigInt(heldHeight),
    };
    send(create(ResumeManagerSchema, { managerId, ...heights, signature }));
  }
}
