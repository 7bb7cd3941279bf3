/**
 * Tells the other managers what this one holds, signed: after every block, on a new link, at
 * intervals, and to a peer that still votes on what is decided here. So a peer notices that it is
 * behind.
 */
import { create } from "@bufbuild/protobuf";
import { SignedHeadSchema } from "../../gen/bss/v1/vote_pb.js";
import { headDigest } from "../../ledger/certificates/vote-digests.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { ManagerContext } from "../manager-context.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { StatementLog } from "../signing/statement-log.js";

const intervalMs = 1_000;
/** A peer that is behind sends many messages; it is told the head once in this time. */
const reminderMs = 200;

type Context = Pick<ManagerContext, "selfId" | "consortiumId" | "head" | "monotonicMs">;

export type HeadAnnouncerParts = {
  /** While the signer is unavailable no head is said; the next one is signed by itself. */
  readonly statements: Pick<StatementLog, "sign">;
  readonly peers: Pick<PeerSender, "tell">;
};

export class HeadAnnouncer {
  readonly #context: Context;
  readonly #parts: HeadAnnouncerParts;
  readonly #remindedAtMs = new Map<string, number>();
  #announcedAtMs = 0;

  constructor(context: Context, parts: HeadAnnouncerParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** A block has been appended; `more`: another one follows at once. */
  onAppended(_: unknown, more: boolean): void {
    if (!more) this.announce();
  }

  announce(to?: string): void {
    if (to === undefined) this.#announcedAtMs = this.#context.monotonicMs();
    void this.#send(to);
  }

  tick(): void {
    if (this.#context.monotonicMs() - this.#announcedAtMs >= intervalMs) this.announce();
  }

  remind(peer: string): void {
    const nowMs = this.#context.monotonicMs();
    if (nowMs - (this.#remindedAtMs.get(peer) ?? 0) < reminderMs) return;
    this.#remindedAtMs.set(peer, nowMs);
    this.announce(peer);
  }

  async #send(to: string | undefined): Promise<void> {
    const { consortiumId, selfId: managerId } = this.#context;
    const { statements, peers } = this.#parts;
    const { height, blockId, frontier, stateDigest } = this.#context.head();
    const claim = { consortiumId, height, blockId, hash1: rootOf(frontier), stateDigest };
    const signature = await statements.sign("head", height, headDigest(claim));
    if (signature === undefined) return;
    const { hash1 } = claim;
    const said = { height: BigInt(height), blockId, hash1, stateDigest, managerId, signature };
    peers.tell({ case: "head", value: create(SignedHeadSchema, said) }, to);
  }
}
