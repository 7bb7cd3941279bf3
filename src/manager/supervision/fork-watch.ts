/**
 * Finds out whether the chain forks. A manager whose head names another block than the one that is
 * final here is asked for its block of that height: if that has a valid commit certificate too, the
 * two certificates prove that more than f managers broke the rules. The proof is kept for ever,
 * goes to every manager, and whoever verifies one halts.
 */

import { create } from "@bufbuild/protobuf";
import { equalBytes, toHex } from "../../base/bytes.js";
import type { CommitCertificate } from "../../gen/bss/v1/block_pb.js";
import { type ForkProof, ForkProofSchema, type ManagerBlocks } from "../../gen/bss/v1/vote_pb.js";
import { checkForkProof, signersOfBoth } from "../../ledger/certificates/fork-proofs.js";
import type { ManagerStore } from "../../store/manager-store.js";
import type { OffenceLog } from "../../store/offences.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { PeerSender } from "../peers/peer-sender.js";

type Context = Pick<ManagerContext, "consortiumId" | "members" | "signatures" | "monotonicMs"> & {
  readonly store: Pick<ManagerStore, "certificatesAt"> & {
    readonly offences: Pick<OffenceLog, "saveForkProof">;
  };
  readonly observer: Pick<ManagerObserver, "dropped">;
};

export type ForkWatchParts = {
  readonly peers: Pick<PeerSender, "fetchBlocks">;
  /** The proof is on disk. */
  readonly onProven: (proof: ForkProof) => void;
};

/** A peer is asked again when it has not answered for so long. */
const askAgainMs = 10_000;

type Question = { readonly height: number; readonly askedAtMs: number };

export class ForkWatch {
  readonly #context: Context;
  readonly #parts: ForkWatchParts;
  readonly #asked = new Map<string, Question>();
  #proven = false;

  constructor(context: Context, parts: ForkWatchParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** `peer` has shown another block than this manager's at this height. */
  ask(peer: string, height: number): void {
    const nowMs = this.#context.monotonicMs();
    const asked = this.#asked.get(peer);
    if (height < 1 || (asked !== undefined && nowMs - asked.askedAtMs < askAgainMs)) return;
    if (this.#parts.peers.fetchBlocks(peer, height, 1))
      this.#asked.set(peer, { height, askedAtMs: nowMs });
  }

  /** Takes a peer's blocks if they answer a question of this; false when they do not. */
  async takeAnswer(peer: string, { blocks }: ManagerBlocks): Promise<boolean> {
    const asked = this.#asked.get(peer);
    const commit = blocks[0]?.certificates?.commit;
    if (asked === undefined || commit?.height !== BigInt(asked.height)) return false;
    // What was asked a while ago stays asked, so that one head makes one question.
    const own = await this.#ownCommit(asked.height);
    if (own === undefined || equalBytes(own.blockId, commit.blockId)) return true;
    await this.take(peer, create(ForkProofSchema, { first: own, second: commit }));
    return true;
  }

  /** A proof, from anybody: verified before it is believed. */
  async take(from: string, proof: ForkProof): Promise<void> {
    if (this.#proven) return;
    const { store, observer } = this.#context;
    if (!(await this.#holds(proof))) return observer.dropped(from, "FORK_NOT_PROVEN");
    if (this.#proven) return;
    this.#proven = true;
    await store.offences.saveForkProof(proof);
    this.#parts.onProven(proof);
  }

  /** The certificate by which the block of a height is final here. */
  async #ownCommit(height: number): Promise<CommitCertificate | undefined> {
    return (await this.#context.store.certificatesAt(height))?.commit;
  }

  async #holds(proof: ForkProof): Promise<boolean> {
    const { consortiumId, members, signatures } = this.#context;
    const checks = checkForkProof(proof, members(), consortiumId);
    return checks.ok && (await signatures.firstInvalid(checks.value)) === undefined;
  }
}

/** What a proof says, for people. */
export function forkMessage({ first, second }: ForkProof): string {
  return first === undefined || second === undefined ? "the chain forks" : messageOf(first, second);
}

function messageOf(first: CommitCertificate, second: CommitCertificate): string {
  return (
    `two blocks are final at height ${first.height}, ${toHex(first.blockId)} (round ` +
    `${first.round}) and ${toHex(second.blockId)} (round ${second.round}); ` +
    `committed to both: ${signersOfBoth(first, second).join(", ")}`
  );
}
