/**
 * A suspended manager's own way back: once its wait is over and it holds the chain, it says so
 * after every block that it appends and at intervals, until a block makes it active again.
 */
import { create } from "@bufbuild/protobuf";
import { ResumeManagerSchema } from "../../gen/bss/v1/genesis_pb.js";
import { resumeDigest } from "../../ledger/certificates/vote-digests.js";
import { resumePossibleAtMs } from "../../ledger/members/manager-suspensions.js";
import type { Members } from "../../ledger/members/members.js";
import type { ManagerContext } from "../manager-context.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { Abstention } from "../ring/abstention.js";
import type { StatementLog } from "../signing/statement-log.js";

type Context = Pick<
  ManagerContext,
  "selfId" | "consortiumId" | "policy" | "head" | "wallMs" | "monotonicMs"
>;

export type ResumptionParts = {
  readonly sync: { heightOf(peer: string): number };
  /** While it listens, this manager accepts no blocks: one that resumes it would wait in vain. */
  readonly abstention: Pick<Abstention, "listening">;
  /** Signs nothing while the signer is unavailable. */
  readonly statements: Pick<StatementLog, "sign">;
  readonly peers: Pick<PeerSender, "tell">;
};

/** Blocks that a manager may lack and still say that it is back: they are on their way. */
const blocksBehindMax = 2;
const intervalMs = 1_000;

export class Resumption {
  readonly #context: Context;
  readonly #parts: ResumptionParts;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(context: Context, parts: ResumptionParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** A block has been appended: the next `tick` says what is held now. */
  onAppended(): void {
    this.#saidAtMs = Number.NEGATIVE_INFINITY;
  }

  async tick(): Promise<void> {
    if (this.#context.monotonicMs() - this.#saidAtMs >= intervalMs) await this.#say();
  }

  async #say(): Promise<void> {
    const { selfId: managerId, consortiumId, head, policy } = this.#context;
    const { abstention, statements, peers } = this.#parts;
    const { height: heldHeight, members } = head();
    const manager = members.manager(managerId);
    if (manager?.reason !== "absent" || manager.offenceHeight > 0) return;
    if (this.#tipHeight(members) - heldHeight > blocksBehindMax || abstention.listening) return;
    if (this.#context.wallMs() < resumePossibleAtMs(manager, policy)) return;
    this.#saidAtMs = this.#context.monotonicMs();
    const suspendedHeight = manager.changedHeight;
    const digest = resumeDigest({ consortiumId, suspendedHeight, heldHeight });
    const signature = await statements.sign("resume", heldHeight, digest);
    if (signature === undefined) return;
    const heights = {
      suspendedHeight: BigInt(suspendedHeight),
      heldHeight: BigInt(heldHeight),
    };
    const value = create(ResumeManagerSchema, { managerId, ...heights, signature });
    peers.tell({ case: "resume", value });
  }

  /** A height that more than f others have shown: f of them may lie. */
  #tipHeight({ managers, faultsMax }: Members): number {
    const others = managers.filter(({ managerId }) => managerId !== this.#context.selfId);
    const heights = others.map(({ managerId }) => this.#parts.sync.heightOf(managerId));
    return heights.sort((a, b) => b - a)[faultsMax] ?? 0;
  }
}
