/**
 * The candidates of the height after the head: those that this node has attested, which are on its
 * disk, and a few that came before the blocks that they extend.
 *
 * What the node has signed in a round stands: it sends the same attestation again as often as a
 * manager asks, also after a restart, and never another one for that round.
 */
import { equalBytes, toHex } from "../../base/bytes.js";
import type { JudgedBlock, ParsedCandidate } from "../../consensus/attestation/attestor.js";
import type { Attestation } from "../../gen/bss/v1/vote_pb.js";
import type { ParsedBlock } from "../../ledger/blocks/block-parsing.js";
import type { ShippedBlock } from "./inbound-messages.js";

/**
 * Blocks that are kept in memory. If a height has more candidates, the node may have to fetch the
 * one that becomes final.
 */
export const blocksMax = 8;
/** Early candidates that are kept; each manager has one at most. */
export const earlyCandidatesMax = 4;
/** Attestations that a manager is told on a new link; older rounds are long over. */
const attestationsToldMax = 16;

/** A candidate that was attested; `judged` if it was a match, and this node has not restarted. */
export type HeldBlock = ShippedBlock & { readonly judged: JudgedBlock | undefined };

export type EarlyCandidate = { readonly from: string; readonly candidate: ParsedCandidate };

export class Candidates {
  readonly #blocks = new Map<string, HeldBlock>();
  readonly #attestations = new Map<number, Attestation>();
  readonly #early = new Map<string, ParsedCandidate>();

  /** A candidate that has been attested, durably. */
  add(
    block: ParsedBlock,
    sealedRecords: readonly Uint8Array[],
    attestation: Attestation,
    judged?: JudgedBlock,
  ): void {
    this.#attestations.set(attestation.round, attestation);
    const key = toHex(block.blockId);
    this.#blocks.delete(key);
    this.#blocks.set(key, { block, sealedRecords, judged });
    if (this.#blocks.size > blocksMax) deleteOldest(this.#blocks);
  }

  block(blockId: Uint8Array): HeldBlock | undefined {
    return this.#blocks.get(toHex(blockId));
  }

  /** What this node has signed in a round: about this block, or about another one. */
  signed(
    round: number,
    blockId: Uint8Array,
  ): { readonly attestation: Attestation; readonly same: boolean } | undefined {
    const attestation = this.#attestations.get(round);
    if (attestation === undefined) return undefined;
    return { attestation, same: equalBytes(attestation.blockId, blockId) };
  }

  /** Whether this node has signed anything about this height. */
  get anySigned(): boolean {
    return this.#attestations.size > 0;
  }

  /** The latest attestations, by rounds, for a manager that may not have seen them. */
  get attestations(): readonly Attestation[] {
    return [...this.#attestations.values()]
      .sort((a, b) => a.round - b.round)
      .slice(-attestationsToldMax);
  }

  /** Keeps a candidate for which this node still lacks blocks, the newest of each manager. */
  keepEarly(from: string, candidate: ParsedCandidate): void {
    this.#early.delete(from);
    this.#early.set(from, candidate);
    if (this.#early.size > earlyCandidatesMax) deleteOldest(this.#early);
  }

  /**
   * Forgets what was decided with the head at `height`; returns the early candidates that are due
   * now.
   */
  onAppended(height: number): readonly EarlyCandidate[] {
    this.#blocks.clear();
    this.#attestations.clear();
    const due: EarlyCandidate[] = [];
    for (const [from, candidate] of this.#early) {
      if (candidate.block.height > height + 1) continue;
      this.#early.delete(from);
      if (candidate.block.height === height + 1) due.push({ from, candidate });
    }
    return due;
  }
}

/** A map keeps the order in which its keys were set. */
function deleteOldest(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
