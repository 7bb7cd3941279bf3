/**
 * What a storage node has attested about blocks that are not decided yet, each with its block.
 * Both are on disk before the attestation is sent: so the node holds the data of what it has
 * attested, and after a restart it attests the same again. What guards the key when this is lost
 * with the data is attestation-mark.ts.
 *
 *     height ‖ round    ──▶ attestation    one per round
 *     height ‖ block id ──▶ block and sealed records
 */
import { assert } from "../../base/assert.js";
import { equalBytes, toHex } from "../../base/bytes.js";
import type { Block } from "../../gen/bss/v1/block_pb.js";
import { type Attestation, AttestationSchema } from "../../gen/bss/v1/vote_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { encode } from "../../ledger/wire.js";
import { buckets } from "../buckets.js";
import {
  decodeCandidate,
  encodeCandidate,
  type StoredCandidate,
} from "../chain/stored-candidates.js";
import { storedMessage } from "../chain/stored-values.js";
import { bucketKey, bucketRange, u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";
import type { PendingChange } from "./candidate-bodies.js";

/** A candidate with what this node signed about it in one round. */
export type AttestedCandidate = {
  readonly block: Block;
  /** In the order of the leaves. */
  readonly sealedRecords: readonly Uint8Array[];
  readonly round: number;
  readonly attestation: Attestation;
};

/** Few, as each may be as long as a block. */
const candidatesPerPage = 2;

export class AttestationLog {
  readonly #kv: KeyValueStore;
  /** By key in hex. */
  readonly #attestations = new Map<string, { key: Uint8Array; signature: Uint8Array }>();
  readonly #candidates = new Map<string, Uint8Array>();

  private constructor(kv: KeyValueStore) {
    this.#kv = kv;
  }

  static async open(kv: KeyValueStore): Promise<AttestationLog> {
    const log = new AttestationLog(kv);
    for await (const [key, value] of kv.scan(bucketRange(buckets.attestationLog))) {
      const { signature } = decodeAttestation(value);
      log.#attestations.set(toHex(key), { key, signature });
    }
    const range = { ...bucketRange(buckets.candidate), pageEntries: candidatesPerPage };
    for await (const [key] of kv.scan(range)) log.#candidates.set(toHex(key), key);
    return log;
  }

  /**
   * One synchronous batch. The same attestation may be saved again; another one would be our bug.
   */
  async save(height: number, candidate: AttestedCandidate): Promise<void> {
    const { block, sealedRecords, round, attestation } = candidate;
    assert(attestation.height === BigInt(height), `an attestation about height ${height}`);
    assert(attestation.round === round, "the attestation is of the candidate's round");
    const id = blockId(block.header);
    assert(equalBytes(attestation.blockId, id), "the attestation is about the candidate");
    const key = attestationKey(height, round);
    const { signature } = attestation;
    const before = this.#attestations.get(toHex(key));
    const agrees = before === undefined || equalBytes(before.signature, signature);
    assert(agrees, "a storage node attests once per height and round");
    const writes: WriteOperation[] = [
      { type: "put", key, value: encode(AttestationSchema, attestation) },
    ];
    const blockKey = candidateKey(height, id);
    if (!this.#candidates.has(toHex(blockKey))) {
      const value = encodeCandidate({ block, sealedRecords });
      writes.push({ type: "put", key: blockKey, value });
    }
    await this.#kv.write(writes, "sync");
    this.#attestations.set(toHex(key), { key, signature });
    this.#candidates.set(toHex(blockKey), blockKey);
  }

  has(height: number, round: number): boolean {
    return this.#attestations.has(toHex(attestationKey(height, round)));
  }

  /** Ascending by round; those whose block is lost are left out. */
  async load(height: number): Promise<readonly AttestedCandidate[]> {
    const blocks = new Map<string, StoredCandidate>();
    const range = bucketRange(buckets.candidate, u64Part(height));
    for await (const [key, value] of this.#kv.scan({ ...range, pageEntries: candidatesPerPage })) {
      blocks.set(toHex(key), decodeCandidate(value));
    }
    const attested: AttestedCandidate[] = [];
    const log = bucketRange(buckets.attestationLog, u64Part(height));
    for await (const [, value] of this.#kv.scan(log)) {
      const attestation = decodeAttestation(value);
      const candidate = blocks.get(toHex(candidateKey(height, attestation.blockId)));
      if (candidate === undefined) continue;
      attested.push({ ...candidate, round: attestation.round, attestation });
    }
    return attested;
  }

  /** Drops everything, as the height is decided. */
  clear(): PendingChange {
    const keys = [...this.#candidates.values()];
    for (const { key } of this.#attestations.values()) keys.push(key);
    const onWritten = () => {
      this.#attestations.clear();
      this.#candidates.clear();
    };
    return { writes: keys.map((key) => ({ type: "delete", key })), onWritten };
  }
}

function attestationKey(height: number, round: number): Uint8Array {
  return bucketKey(buckets.attestationLog, u64Part(height), u64Part(round));
}

function candidateKey(height: number, id: Uint8Array): Uint8Array {
  return bucketKey(buckets.candidate, u64Part(height), id);
}

function decodeAttestation(bytes: Uint8Array): Attestation {
  return storedMessage(AttestationSchema, bytes, "an attestation");
}
