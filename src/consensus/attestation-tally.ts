/**
 * The storage nodes' attestations of one height.
 *
 * They may come before this manager knows the block that they speak of, so membership of the
 * committee and equality with the block's root are looked at when they are counted, not when they
 * arrive. Bounded: a few per node.
 */
import { equalBytes, toHex } from "../base/bytes.js";
import { type Attestation, AttestationVerdict } from "../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../ledger/block-facts.js";
import { matchesNeeded } from "../ledger/committee.js";
import type { BlockKey } from "./events.js";

/** Attestations kept per node and height: one per round and block, oldest dropped. */
export const attestationsPerNodeMax = 32;

export class AttestationTally {
  readonly #byPlace = new Map<string, Map<string, Attestation>>();
  readonly #placesOf = new Map<string, string[]>();

  /** Keeps an attestation whose signature and shape are right; false when it is known. */
  add(attestation: Attestation): boolean {
    const place = placeKey(attestation.round, toHex(attestation.blockId));
    const known = this.#byPlace.get(place) ?? new Map<string, Attestation>();
    if (known.has(attestation.nodeId)) return false;
    known.set(attestation.nodeId, attestation);
    this.#byPlace.set(place, known);
    this.#dropOldest(attestation.nodeId, place);
    return true;
  }

  of(round: number, block: BlockKey): ReadonlyMap<string, Attestation> {
    return this.#byPlace.get(placeKey(round, block)) ?? noAttestations;
  }

  /** The matches that make an IC of (facts' block, round), or undefined while there are too few. */
  integrity(
    facts: BlockFacts,
    round: number,
    committee: readonly string[],
  ): readonly Attestation[] | undefined {
    const kept = this.of(round, toHex(facts.blockId));
    const matches: Attestation[] = [];
    for (const nodeId of committee) {
      const attestation = kept.get(nodeId);
      if (attestation !== undefined && isMatch(attestation, facts)) matches.push(attestation);
    }
    return matches.length >= matchesNeeded(committee.length) ? matches : undefined;
  }

  #dropOldest(nodeId: string, place: string): void {
    const places = this.#placesOf.get(nodeId) ?? [];
    places.push(place);
    this.#placesOf.set(nodeId, places);
    if (places.length <= attestationsPerNodeMax) return;
    const oldest = places.shift() as string;
    const attestations = this.#byPlace.get(oldest);
    attestations?.delete(nodeId);
    if (attestations?.size === 0) this.#byPlace.delete(oldest);
  }
}

const noAttestations: ReadonlyMap<string, Attestation> = new Map();

function placeKey(round: number, block: BlockKey): string {
  return `${round}/${block}`;
}

function isMatch(attestation: Attestation, facts: BlockFacts): boolean {
  return (
    attestation.verdict === AttestationVerdict.MATCH &&
    equalBytes(attestation.hash2, facts.hash1) &&
    Number(attestation.treeSize) === facts.treeSize
  );
}
