/**
 * Tells the other managers what this one holds, signed: after every block, on a new link, at
 * intervals, and to a peer that still votes on what is decided here. So whoever is behind notices.
 */
import { create } from "@bufbuild/protobuf";
import { type SignedHead, SignedHeadSchema } from "../../gen/bss/v1/vote_pb.js";
import { headDigest } from "../../ledger/certificates/vote-digests.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { LedgerHead } from "../../ledger/state/head.js";

const intervalMs = 1_000;
/** A peer that lags sends many messages; it is told once in this time. */
const reminderMs = 200;

export type HeadAnnouncerPorts = {
  readonly consortiumId: Uint8Array;
  readonly selfId: string;
  /** Undefined while the signer is unavailable: the next head is signed by itself. */
  readonly sign: (height: number, digest: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly head: () => LedgerHead;
  /** To one peer, or to all. */
  readonly send: (head: SignedHead, to?: string) => void;
  readonly monotonicMs: () => number;
};

export class HeadAnnouncer {
  readonly #ports: HeadAnnouncerPorts;
  readonly #remindedAtMs = new Map<string, number>();
  #announcedAtMs = 0;

  constructor(ports: HeadAnnouncerPorts) {
    this.#ports = ports;
  }

  announce(to?: string): void {
    if (to === undefined) this.#announcedAtMs = this.#ports.monotonicMs();
    void this.#send(to);
  }

  tick(): void {
    if (this.#ports.monotonicMs() - this.#announcedAtMs >= intervalMs) this.announce();
  }

  remind(peer: string): void {
    const nowMs = this.#ports.monotonicMs();
    if (nowMs - (this.#remindedAtMs.get(peer) ?? 0) < reminderMs) return;
    this.#remindedAtMs.set(peer, nowMs);
    this.announce(peer);
  }

  async #send(to: string | undefined): Promise<void> {
    const { consortiumId, selfId: managerId, sign, send } = this.#ports;
    const { height, blockId, frontier, stateDigest } = this.#ports.head();
    const claim = { consortiumId, height, blockId, hash1: rootOf(frontier), stateDigest };
    const signature = await sign(height, headDigest(claim));
    if (signature === undefined) return;
    const { hash1 } = claim;
    const said = { height: BigInt(height), blockId, hash1, stateDigest, managerId, signature };
    send(create(SignedHeadSchema, said), to);
  }
}
