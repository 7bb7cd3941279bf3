/**
 * Records as a caller may see them (record-rights.ts). What a record says is unsealed for those who
 * may read it here. After unsealing the record hash is checked again, as the seal does
 * not commit to its key.
 */
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { emptyBytes, equalBytes, toHex } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import { unsealRecord } from "../../crypto/seal.js";
import type { RecordEntrySchema } from "../../gen/bss/v1/query_pb.js";
import { RecordSchema } from "../../gen/bss/v1/record_pb.js";
import { recordHash } from "../../ledger/records/records.js";
import { answerBytesMax } from "../../query/answer-page.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";
import type { PlacedSealedRecord } from "../../store/chain/chain-reads.js";
import type { ManagerStore } from "../../store/manager-store.js";
import { mayRead, readsRecords } from "./record-rights.js";

export type RecordEntriesPorts = {
  readonly store: ManagerStore;
  readonly consortiumId: Uint8Array;
  /** 32 bytes: the key of epoch 0. */
  readonly epochKey: Uint8Array;
};

export type Entry = MessageInitShape<typeof RecordEntrySchema>;

/** Bytes of an entry besides the record. */
const placeBytes = 192;

export class RecordEntries {
  readonly #ports: RecordEntriesPorts;

  constructor(ports: RecordEntriesPorts) {
    this.#ports = ports;
  }

  /**
   * A record as `reader` may see it, and about how many bytes that has in an answer.
   *
   * @throws RpcError RECORD_UNKNOWN
   */
  async entry(hash: Uint8Array, reader: Identity): Promise<readonly [Entry, number]> {
    return this.#entry(await this.#record(hash), reader);
  }

  /** The same of a record by its position in the log. */
  async entryAt(position: number, reader: Identity): Promise<readonly [Entry, number]> {
    return this.#entry(await this.#ports.store.recordAt(position), reader);
  }

  async #entry(placed: PlacedSealedRecord, reader: Identity): Promise<readonly [Entry, number]> {
    const { recordHash: hash, height, position, sealed } = placed;
    const entry = {
      recordHash: hash,
      height: BigInt(height),
      position: BigInt(position),
      sealDigest: sha256(sealed),
    };
    if (!readsRecords(reader)) return [entry, placeBytes];
    const bytes = this.#unseal(placed);
    const record = fromBinary(RecordSchema, bytes);
    if (!mayRead(record, reader)) return [entry, placeBytes];
    const successor = (await this.#ports.store.successor(hash)) ?? emptyBytes;
    const whole = { ...entry, record: bytes, successor };
    // It is no longer decoded than it is as its submitter wrote it.
    const bothBytes = placeBytes + 2 * bytes.length;
    if (bothBytes > answerBytesMax) return [whole, placeBytes + bytes.length];
    return [{ ...whole, decoded: record }, bothBytes];
  }

  /** The version that a record updates, and the record's length. @throws RpcError RECORD_UNKNOWN */
  async parentOf(
    hash: Uint8Array,
  ): Promise<{ readonly parent: Uint8Array | undefined; readonly byteCount: number }> {
    const bytes = this.#unseal(await this.#record(hash));
    const { parent } = fromBinary(RecordSchema, bytes);
    return { parent: parent.length === 0 ? undefined : parent, byteCount: bytes.length };
  }

  #unseal({ recordHash: hash, sealed }: PlacedSealedRecord): Uint8Array {
    const bytes = unsealRecord(this.#ports.epochKey, hash, sealed);
    if (bytes !== undefined && equalBytes(recordHash(this.#ports.consortiumId, bytes), hash)) {
      return bytes;
    }
    throw new Error(`the sealed record ${toHex(hash)} does not open`);
  }

  async #record(hash: Uint8Array): Promise<PlacedSealedRecord> {
    const record = await this.#ports.store.recordOf(hash);
    if (record !== undefined) return record;
    throw new RpcError("RECORD_UNKNOWN", "no record with this hash is on the ledger", {
      field: "record_hash",
    });
  }
}
