/**
 * QueryService on a manager. Everybody may ask where a record stands; what it says is for managers,
 * its owner and its parties, and is unsealed for them here. After unsealing the record hash is
 * checked again, as the seal does not commit to its key.
 */
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../base/assert.js";
import { emptyBytes, equalBytes, toHex } from "../base/bytes.js";
import { unsealRecord } from "../crypto/seal.js";
import {
  type GetForkResponseSchema,
  type GetRecordHistoryRequest,
  type GetRecordHistoryResponseSchema,
  type GetRecordRequest,
  type GetRecordResponseSchema,
  type GetStatusResponseSchema,
  type ListRecordsRequest,
  type ListRecordsResponseSchema,
  NodeRole,
  type QueryService,
  type RecordEntrySchema,
} from "../gen/bss/v1/query_pb.js";
import { RecordSchema, TradeTermsSchema } from "../gen/bss/v1/record_pb.js";
import { isId } from "../ledger/ids.js";
import { recordHash } from "../ledger/records.js";
import { type SharedQueriesPorts, sharedQueries } from "../query/shared-queries.js";
import type { ServiceHandlers } from "../rpc/handlers.js";
import type { Identity } from "../rpc/identity.js";
import { RpcError } from "../rpc/rpc-error.js";
import {
  fieldError,
  pagePosition,
  pageSize,
  pageToken,
  requireBytes,
  requireSafeInteger,
} from "../rpc/validation.js";
import type { ManagerStore } from "../store/manager-store.js";
import type { ListPlace } from "../store/record-index.js";

export type ManagerQueryPorts = SharedQueriesPorts & {
  readonly store: ManagerStore;
  readonly consortiumId: Uint8Array;
  /** 32 bytes: the key of epoch 0. */
  readonly epochKey: Uint8Array;
  readonly status: () => MessageInitShape<typeof GetStatusResponseSchema>;
  readonly fork: () => MessageInitShape<typeof GetForkResponseSchema>;
};

type Entry = MessageInitShape<typeof RecordEntrySchema>;

const recordsPerPage = { defaultSize: 100, sizeMax: 1_000 };
const historyMax = 1_000;
const hashBytes = 32;

export function managerQueries(ports: ManagerQueryPorts): ServiceHandlers<typeof QueryService> {
  const queries = new ManagerQueries(ports);
  return {
    ...sharedQueries(ports),
    getStatus: () => ({ ...ports.status(), role: NodeRole.MANAGER }),
    getFork: () => ports.fork(),
    getRecord: (request, { identity }) => queries.getRecord(request, identity),
    getRecordHistory: (request, { identity }) => queries.getRecordHistory(request, identity),
    listRecords: (request, { identity }) => queries.listRecords(request, identity),
  };
}

class ManagerQueries {
  readonly #ports: ManagerQueryPorts;

  constructor(ports: ManagerQueryPorts) {
    this.#ports = ports;
  }

  async getRecord(
    request: GetRecordRequest,
    reader: Identity,
  ): Promise<MessageInitShape<typeof GetRecordResponseSchema>> {
    const hash = requireBytes(request.recordHash, hashBytes, "record_hash");
    return { entry: await this.#entry(hash, reader) };
  }

  async getRecordHistory(
    request: GetRecordHistoryRequest,
    reader: Identity,
  ): Promise<MessageInitShape<typeof GetRecordHistoryResponseSchema>> {
    const asked = requireBytes(request.recordHash, hashBytes, "record_hash");
    const entries: Entry[] = [];
    let hash = await this.#firstVersion(asked);
    while (hash.length > 0 && entries.length < historyMax) {
      entries.push(await this.#entry(hash, reader));
      hash = (await this.#ports.store.successor(hash)) ?? emptyBytes;
    }
    return { entries };
  }

  async listRecords(
    request: ListRecordsRequest,
    reader: Identity,
  ): Promise<MessageInitShape<typeof ListRecordsResponseSchema>> {
    const { participantId, meterId } = request;
    if ((participantId === "") === (meterId === "")) {
      throw fieldError("participant_id", "expected exactly one of participant_id and meter_id");
    }
    const field = participantId === "" ? "meter_id" : "participant_id";
    if (!isId(participantId || meterId)) throw fieldError(field, "not an id");
    const listing = `records/${participantId}/${meterId}`;
    const limit = pageSize(request.pageSize, recordsPerPage);
    const toMs = requireSafeInteger(request.toUnixMs, "to_unix_ms");
    const after = placeOfToken(pagePosition(listing, request.pageToken));
    const options = {
      fromMs: requireSafeInteger(request.fromUnixMs, "from_unix_ms"),
      ...(toMs === 0 ? {} : { toMs }),
      ...(after === undefined ? {} : { after }),
      limit: limit + 1,
    };
    const { store } = this.#ports;
    const found =
      participantId === ""
        ? await store.listByMeter(meterId, options)
        : await store.listByParticipant(participantId, options);
    if (found.length === 0) await this.#requireRegistered(request);
    const page = found.slice(0, limit);
    const entries: Entry[] = [];
    for (const { recordHash: hash } of page) entries.push(await this.#entry(hash, reader));
    const last = page.at(-1);
    const more = found.length > limit && last !== undefined;
    return {
      entries,
      nextPageToken: more ? pageToken(listing, `${last.timeMs},${last.position}`) : "",
    };
  }

  /** An id that nobody has is a mistake of the caller's, and no empty list. */
  async #requireRegistered({ participantId, meterId }: ListRecordsRequest): Promise<void> {
    const { store } = this.#ports;
    if (participantId !== "" && (await store.participant(participantId)) === undefined) {
      const text = `no participant ${participantId} is registered`;
      throw new RpcError("PARTICIPANT_UNKNOWN", text, { field: "participant_id" });
    }
    if (meterId !== "" && (await store.meter(meterId)) === undefined) {
      const text = `no meter ${meterId} is registered`;
      throw new RpcError("METER_UNKNOWN", text, { field: "meter_id" });
    }
  }

  /** Walks up from any version to the oldest one. */
  async #firstVersion(hash: Uint8Array): Promise<Uint8Array> {
    let first = hash;
    for (let depth = 0; depth < historyMax; depth++) {
      const { parent } = fromBinary(RecordSchema, await this.#unseal(first));
      if (parent.length === 0) break;
      first = parent;
    }
    return first;
  }

  async #entry(hash: Uint8Array, reader: Identity): Promise<Entry> {
    const location = await this.#location(hash);
    const entry = {
      recordHash: hash,
      height: BigInt(location.height),
      position: BigInt(location.position),
      sealDigest: location.sealDigest,
    };
    const bytes = await this.#unseal(hash);
    if (!mayRead(bytes, reader)) return entry;
    const successor = (await this.#ports.store.successor(hash)) ?? emptyBytes;
    return { ...entry, record: bytes, decoded: fromBinary(RecordSchema, bytes), successor };
  }

  async #unseal(hash: Uint8Array): Promise<Uint8Array> {
    const { position } = await this.#location(hash);
    const sealed = defined(await this.#ports.store.sealed(position), "records are kept");
    const bytes = unsealRecord(this.#ports.epochKey, hash, sealed);
    if (bytes !== undefined && equalBytes(recordHash(this.#ports.consortiumId, bytes), hash)) {
      return bytes;
    }
    throw new Error(`the sealed record ${toHex(hash)} does not open`);
  }

  async #location(hash: Uint8Array) {
    const location = await this.#ports.store.location(hash);
    if (location !== undefined) return location;
    throw new RpcError("RECORD_UNKNOWN", "no record with this hash is on the ledger", {
      field: "record_hash",
    });
  }
}

/** Managers, the owner, and for a trade its buyer. */
function mayRead(recordBytes: Uint8Array, reader: Identity): boolean {
  if (reader.role === "manager") return true;
  if (reader.role !== "participant") return false;
  const { ownerId, payload } = fromBinary(RecordSchema, recordBytes);
  if (ownerId === reader.id) return true;
  if (payload.case !== "energyTrade") return false;
  return fromBinary(TradeTermsSchema, payload.value.terms).buyerId === reader.id;
}

function placeOfToken(position: string | undefined): ListPlace | undefined {
  if (position === undefined) return undefined;
  const [timeMs, place, ...rest] = position.split(",").map(Number);
  const valid = Number.isSafeInteger(timeMs) && Number.isSafeInteger(place) && rest.length === 0;
  if (valid) return { timeMs: timeMs as number, position: place as number };
  throw new RpcError("PAGE_TOKEN_INVALID", "the page token is not one of this listing", {
    field: "page_token",
  });
}
