/**
 * Tells the other managers what this one holds, signed: after a block, on a new link, at intervals,
 * and to a peer that still votes on what is decided here. So a peer notices that it is behind.
 *
 * Of blocks that follow each other fast only some are announced: each head covers all before it,
 * and who votes on a height has shown that it holds the one before. Among them are the same ones of
 * every manager, so that Q heads of one height come together ([R4.9.3]).
 */
import { create } from "@bufbuild/protobuf";
import { SignedHeadSchema } from "../../gen/bss/v1/vote_pb.js";
import { headDigest } from "../../ledger/certificates/vote-digests.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { ManagerContext } from "../manager-context.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { StatementLog } from "../signing/statement-log.js";

const intervalMs = 1_000;
/** From one head that is told to all to the next one, at least, but for those of these heights. */
export const headsApartMs = 250;
export const alwaysToldEvery = 8;
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
  /** When the head moved on. */
  #movedAtMs = 0;
  /** The head has moved on since it was told to all. */
  #isNew = false;

  constructor(context: Context, parts: HeadAnnouncerParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** A block has been appended; `more`: another one follows at once. */
  onAppended(_: unknown, more: boolean): void {
    if (more) return;
    this.#isNew = true;
    this.#movedAtMs = this.#context.monotonicMs();
    if (this.#context.head().height % alwaysToldEvery === 0) this.announce();
    else this.#announceIfDue();
  }

  announce(to?: string): void {
    if (to === undefined) {
      this.#announcedAtMs = this.#context.monotonicMs();
      this.#isNew = false;
    }
    void this.#send(to);
  }

  tick(): void {
    this.#announceIfDue();
  }

  /** It speaks of a decided height: it is behind, unless it has said so before it could know. */
  remind(peer: string): void {
    const nowMs = this.#context.monotonicMs();
    if (nowMs - this.#movedAtMs < reminderMs) return;
    if (nowMs - (this.#remindedAtMs.get(peer) ?? 0) < reminderMs) return;
    this.#remindedAtMs.set(peer, nowMs);
    this.announce(peer);
  }

  #announceIfDue(): void {
    const apartMs = this.#isNew ? headsApartMs : intervalMs;
    if (this.#context.monotonicMs() - this.#announcedAtMs >= apartMs) this.announce();
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
