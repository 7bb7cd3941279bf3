/**
 * What a manager keeps of others' offences: evidence that is not on the chain yet, and a proof that
 * the chain forks, which stands for ever.
 */
import { utf8 } from "../../base/bytes.js";
import { type Evidence, EvidenceSchema } from "../../gen/bss/v1/genesis_pb.js";
import { type ForkProof, ForkProofSchema } from "../../gen/bss/v1/vote_pb.js";
import { buckets } from "../buckets.js";
import { putMessage, storedMessage } from "../chain/stored-values.js";
import { bucketKey, bucketRange } from "../key-codec.js";
import type { KeyValueStore } from "../key-value-store.js";

const forkProofKey = bucketKey(buckets.meta, utf8("fork-proof"));

export class OffenceLog {
  readonly #kv: KeyValueStore;

  constructor(kv: KeyValueStore) {
    this.#kv = kv;
  }

  /** One piece for each manager: the chain takes no more. Durable when it resolves. */
  saveEvidence(evidence: Evidence): Promise<void> {
    const key = evidenceKey(evidence.managerId);
    return this.#kv.write([putMessage(key, EvidenceSchema, evidence)], "sync");
  }

  /** Once it is on the chain. If a crash undoes it, the chain still takes evidence only once. */
  deleteEvidence(managerId: string): Promise<void> {
    return this.#kv.write([{ type: "delete", key: evidenceKey(managerId) }], "buffered");
  }

  async loadEvidence(): Promise<readonly Evidence[]> {
    const found: Evidence[] = [];
    for await (const [, value] of this.#kv.scan(bucketRange(buckets.evidence))) {
      found.push(storedMessage(EvidenceSchema, value, "evidence"));
    }
    return found;
  }

  /** The first stands: the manager does not go on after it. Durable when it resolves. */
  async saveForkProof(proof: ForkProof): Promise<void> {
    if ((await this.forkProof()) !== undefined) return;
    await this.#kv.write([putMessage(forkProofKey, ForkProofSchema, proof)], "sync");
  }

  async forkProof(): Promise<ForkProof | undefined> {
    const bytes = await this.#kv.get(forkProofKey);
    return bytes && storedMessage(ForkProofSchema, bytes, "the proof of a fork");
  }
}

function evidenceKey(managerId: string): Uint8Array {
  return bucketKey(buckets.evidence, utf8(managerId));
}
