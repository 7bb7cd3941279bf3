/**
 * The storage nodes' attestations of one height.
 *
 * They may come before this manager knows the block that they speak of, so membership of the
 * committee and equality with the block's root are looked at when they are counted, not when they
 * arrive. A node that attests two things of one block in one round stands under both: the
 * certificates of others may hold either. Bounded: a few per node.
 */
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { type Attestation, AttestationVerdict } from "../../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import { matchesNeeded } from "../../ledger/certificates/committee.js";
import type { BlockKey } from "../ring/events.js";

/** Attestations kept per node and height: mostly one per round and block; the oldest is dropped. */
export const attestationsPerNodeMax = 32;

/** Who attests what: "node/verdict/tree size/root". */
type StatementKey = string;
type Place = { readonly key: string; readonly statement: StatementKey };

export class AttestationTally {
  /** "round/block" → what is attested there. */
  readonly #byPlace = new Map<string, Map<StatementKey, Attestation>>();
  readonly #placesOf = new Map<string, Place[]>();

  /** Keeps an attestation whose signature and shape are right; false when it is known. */
  add(attestation: Attestation): boolean {
    const { round, blockId, nodeId, hash2, treeSize, verdict } = attestation;
    const key = placeKey(round, toHex(blockId));
    const statement = statementKey(nodeId, verdict, treeSize, hash2);
    const known = this.#byPlace.get(key) ?? new Map<StatementKey, Attestation>();
    if (known.has(statement)) return false;
    this.#byPlace.set(key, known.set(statement, attestation));
    this.#dropOldest(nodeId, { key, statement });
    return true;
  }

  /** All that was attested of a block in a round. */
  of(round: number, block: BlockKey): readonly Attestation[] {
    return [...(this.#byPlace.get(placeKey(round, block))?.values() ?? [])];
  }

  /** The matches that make an IC of (facts' block, round), or undefined while there are too few. */
  integrity(
    { blockId, hash1, treeSize }: BlockFacts,
    round: number,
    committee: readonly string[],
  ): readonly Attestation[] | undefined {
    const kept = this.#byPlace.get(placeKey(round, toHex(blockId)));
    if (kept === undefined) return undefined;
    const matches: Attestation[] = [];
    for (const nodeId of committee) {
      const size = BigInt(treeSize);
      const match = kept.get(statementKey(nodeId, AttestationVerdict.MATCH, size, hash1));
      if (match !== undefined) matches.push(match);
    }
    return matches.length >= matchesNeeded(committee.length) ? matches : undefined;
  }

  /** Whether anything was attested of a block in a round. */
  hasAny(round: number, block: BlockKey): boolean {
    return this.#byPlace.has(placeKey(round, block));
  }

  #dropOldest(nodeId: string, place: Place): void {
    const places = this.#placesOf.get(nodeId) ?? [];
    places.push(place);
    this.#placesOf.set(nodeId, places);
    if (places.length <= attestationsPerNodeMax) return;
    const oldest = defined(places.shift(), "there are more than none");
    const attestations = this.#byPlace.get(oldest.key);
    attestations?.delete(oldest.statement);
    if (attestations?.size === 0) this.#byPlace.delete(oldest.key);
  }
}

function placeKey(round: number, block: BlockKey): string {
  return `${round}/${block}`;
}

function statementKey(
  nodeId: string,
  verdict: AttestationVerdict,
  treeSize: bigint,
  root: Uint8Array,
): StatementKey {
  return `${nodeId}/${verdict}/${treeSize}/${toHex(root)}`;
}
