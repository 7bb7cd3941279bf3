/**
 * Records as a caller may see them (record-rights.ts). What a record says is unsealed for those who
 * may read it here. After unsealing the record hash is checked again, as the seal does
 * not commit to its key.
 */
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { emptyBytes, equalBytes, toHex } from "../../base/bytes.js";
import { unsealRecord } from "../../crypto/seal.js";
import type { RecordEntrySchema } from "../../gen/bss/v1/query_pb.js";
import { type Record as LedgerRecord, RecordSchema } from "../../gen/bss/v1/record_pb.js";
import { recordHash } from "../../ledger/records/record-hash.js";
import { answerBytesMax } from "../../query/answer-page.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";
import type { PlacedRecord, PlacedSealedRecord } from "../../store/chain/chain-reads.js";
import type { ManagerStore } from "../../store/manager-store.js";
import { mayRead, readsRecords } from "./record-rights.js";

export type RecordEntriesPorts = {
  readonly store: ManagerStore;
  readonly consortiumId: Uint8Array;
  /** 32 bytes: the key of epoch 0. */
  readonly epochKey: Uint8Array;
};

export type Entry = MessageInitShape<typeof RecordEntrySchema>;

/** An entry, and about how many bytes it has in an answer. */
export type EntryOfSize = readonly [Entry, number];

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
  async entry(hash: Uint8Array, reader: Identity): Promise<EntryOfSize> {
    if (readsRecords(reader)) return this.#entry(await this.#record(hash), reader);
    const location = await this.#ports.store.location(hash);
    if (location === undefined) throw unknownRecord();
    return [placeOf({ recordHash: hash, ...location }), placeBytes];
  }

  /**
   * The same of records by their positions in the log, in that order. Who reads no records gets
   * their places from the hashes that are kept beside them: none that is long is read.
   */
  async *entriesAt(
    positions: readonly number[],
    reader: Identity,
  ): AsyncGenerator<EntryOfSize, void, undefined> {
    const { store } = this.#ports;
    if (readsRecords(reader)) {
      for await (const record of store.recordsAt(positions)) {
        yield await this.#entry(record, reader);
      }
    } else {
      for await (const place of store.placesAt(positions)) yield [placeOf(place), placeBytes];
    }
  }

  /** Those records among them, decoded, that the caller may read; their successors are not read. */
  async *recordsAt(
    positions: readonly number[],
    reader: Identity,
  ): AsyncGenerator<PlacedRecord & { readonly record: LedgerRecord }, void, undefined> {
    for await (const placed of this.#ports.store.recordsAt(positions)) {
      const record = fromBinary(RecordSchema, this.#unseal(placed));
      if (mayRead(record, reader)) yield { ...placed, record };
    }
  }

  async #entry(placed: PlacedSealedRecord, reader: Identity): Promise<EntryOfSize> {
    const entry = placeOf(placed);
    const bytes = this.#unseal(placed);
    const record = fromBinary(RecordSchema, bytes);
    if (!mayRead(record, reader)) return [entry, placeBytes];
    const successor = (await this.#ports.store.successor(placed.recordHash)) ?? emptyBytes;
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
    throw unknownRecord();
  }
}

function placeOf({ recordHash: hash, height, position, sealDigest }: PlacedRecord): Entry {
  return { recordHash: hash, height: BigInt(height), position: BigInt(position), sealDigest };
}

function unknownRecord(): RpcError {
  return new RpcError("RECORD_UNKNOWN", "no record with this hash is on the ledger", {
    field: "record_hash",
  });
}
