/**
 * What a storage node that keeps the rules signs: one attestation per height and round, for ever,
 * whatever crashes it has been through, and only of a block that extends what it holds.
 */
import { toHex } from "../../../src/base/bytes.js";
import type { Attestation } from "../../../src/gen/bss/v1/vote_pb.js";
import { Checker, type StorageBlock } from "../events.js";

export class AttestationsChecker extends Checker {
  readonly name = "attestations";
  /** "node/height/round" → signature in hex. */
  readonly #signed = new Map<string, string>();
  readonly #heights = new Map<string, number>();

  override attested(nodeId: string, { height, round, signature }: Attestation): void {
    const held = this.#heights.get(nodeId) ?? 0;
    if (height !== BigInt(held + 1)) {
      this.fail(`${nodeId} holds ${held} blocks and attests height ${height}`);
    }
    const place = `${nodeId}/${height}/${round}`;
    const before = this.#signed.get(place);
    if (before !== undefined && before !== toHex(signature)) {
      this.fail(`two attestations: ${place}`);
    }
    this.#signed.set(place, toHex(signature));
  }

  override storageAppended(nodeId: string, { parsed }: StorageBlock): void {
    this.#heights.set(nodeId, parsed.height);
  }
}
