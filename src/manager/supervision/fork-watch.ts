/**
 * Finds out whether the chain forks. A manager whose head names another block than the one that is
 * final here is asked for its block of that height: if that has a valid commit certificate too, the
 * two certificates prove that more than f managers broke the rules. The proof is kept for ever,
 * goes to every manager, and whoever verifies one halts.
 */

import { create } from "@bufbuild/protobuf";
import { equalBytes, toHex } from "../../base/bytes.js";
import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { CommitCertificate } from "../../gen/bss/v1/block_pb.js";
import { type ForkProof, ForkProofSchema, type ManagerBlocks } from "../../gen/bss/v1/vote_pb.js";
import { checkForkProof, signersOfBoth } from "../../ledger/certificates/fork-proofs.js";
import type { Members } from "../../ledger/members/members.js";
import type { DropReason } from "../../metrics/label-values.js";

export type ForkWatchPorts = {
  readonly consortiumId: Uint8Array;
  /** At any height: managers and their keys are those of genesis. */
  readonly members: () => Members;
  readonly signatures: SignatureCache;
  /** By which the block of a height is final here. */
  readonly ownCommit: (height: number) => Promise<CommitCertificate | undefined>;
  /** Asks one peer for its block; false when there is no link to it. */
  readonly request: (peer: string, height: number) => boolean;
  readonly save: (proof: ForkProof) => Promise<void>;
  /** The proof is on disk. */
  readonly onProven: (proof: ForkProof) => void;
  readonly onDropped: (from: string, reason: DropReason) => void;
  readonly monotonicMs: () => number;
};

/** A peer is asked again when it has not answered for so long. */
const askAgainMs = 10_000;

type Question = { readonly height: number; readonly askedAtMs: number };

export class ForkWatch {
  readonly #ports: ForkWatchPorts;
  readonly #asked = new Map<string, Question>();
  #proven = false;

  constructor(ports: ForkWatchPorts) {
    this.#ports = ports;
  }

  /** `peer` has shown another block than this manager's at this height. */
  ask(peer: string, height: number): void {
    const nowMs = this.#ports.monotonicMs();
    const asked = this.#asked.get(peer);
    if (height < 1 || (asked !== undefined && nowMs - asked.askedAtMs < askAgainMs)) return;
    if (this.#ports.request(peer, height)) this.#asked.set(peer, { height, askedAtMs: nowMs });
  }

  /** Takes a peer's blocks if they answer a question of this; false when they do not. */
  async takeAnswer(peer: string, { blocks }: ManagerBlocks): Promise<boolean> {
    const asked = this.#asked.get(peer);
    const commit = blocks[0]?.certificates?.commit;
    if (asked === undefined || commit?.height !== BigInt(asked.height)) return false;
    // What was asked a while ago stays asked, so that one head makes one question.
    const own = await this.#ports.ownCommit(asked.height);
    if (own === undefined || equalBytes(own.blockId, commit.blockId)) return true;
    await this.take(peer, create(ForkProofSchema, { first: own, second: commit }));
    return true;
  }

  /** A proof, from anybody: verified before it is believed. */
  async take(from: string, proof: ForkProof): Promise<void> {
    if (this.#proven) return;
    if (!(await this.#holds(proof))) return this.#ports.onDropped(from, "FORK_NOT_PROVEN");
    if (this.#proven) return;
    this.#proven = true;
    await this.#ports.save(proof);
    this.#ports.onProven(proof);
  }

  async #holds(proof: ForkProof): Promise<boolean> {
    const { consortiumId, members, signatures } = this.#ports;
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
