/**
 * QueryService on a manager. Everybody may ask where a record stands; what it says, and whose it
 * is, is for those who may read it (record-rights.ts).
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FairLane } from "../../base/fair-lane.js";
import {
  type GetForkResponseSchema,
  type GetRecordHistoryRequest,
  type GetRecordHistoryResponseSchema,
  type GetRecordRequest,
  type GetRecordResponseSchema,
  type GetSettlementRequest,
  type GetSettlementResponseSchema,
  type GetStatusResponseSchema,
  type ListRecordsRequest,
  type ListRecordsResponseSchema,
  NodeRole,
  type QueryService,
} from "../../gen/bss/v1/query_pb.js";
import { isDeviceId, isId } from "../../ledger/ids.js";
import { recordHashBytes } from "../../ledger/records/record-hash.js";
import { answerPage } from "../../query/answer-page.js";
import { type SharedQueriesPorts, sharedQueries } from "../../query/shared-queries.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { CallContext, ServiceHandlers } from "../../rpc/server/handlers.js";
import { causerOf, type Identity } from "../../rpc/tls/tls-identity.js";
import {
  fieldError,
  pagePosition,
  pageSize,
  pageToken,
  rangeError,
  requireBytes,
  requireSafeInteger,
  tokenIntegers,
} from "../../rpc/validation.js";
import type { ListPlace } from "../../store/chain/record-index.js";
import { recordHistory } from "./record-history.js";
import { mayList } from "./record-rights.js";
import { getSettlement } from "./settlement.js";
import { RecordEntries, type RecordEntriesPorts } from "./unsealed-records.js";

export type ManagerQueryPorts = Omit<SharedQueriesPorts, "reader"> &
  RecordEntriesPorts & {
    readonly status: () => MessageInitShape<typeof GetStatusResponseSchema>;
    readonly fork: () => MessageInitShape<typeof GetForkResponseSchema>;
  };

const recordsPerPage = { defaultSize: 100, sizeMax: 1_000 };

export function managerQueries(ports: ManagerQueryPorts): ServiceHandlers<typeof QueryService> {
  const queries = new ManagerQueries(ports);
  return {
    ...sharedQueries({ ...ports, reader: ports.store }),
    getStatus: () => ({ ...ports.status(), role: NodeRole.MANAGER }),
    getFork: () => ports.fork(),
    getRecord: (request, { identity }) => queries.getRecord(request, identity),
    getRecordHistory: (request, { identity }) => queries.getRecordHistory(request, identity),
    listRecords: (request, { identity }) => queries.listRecords(request, identity),
    getSettlement: (request, context) => queries.getSettlement(request, context),
  };
}

class ManagerQueries {
  readonly #ports: ManagerQueryPorts;
  readonly #records: RecordEntries;
  /** One at a time, as each holds much (`settlementBytesMax`); callers have turns. */
  readonly #settlements = new FairLane(1);

  constructor(ports: ManagerQueryPorts) {
    this.#ports = ports;
    this.#records = new RecordEntries(ports);
  }

  async getRecord(
    request: GetRecordRequest,
    reader: Identity,
  ): Promise<MessageInitShape<typeof GetRecordResponseSchema>> {
    const hash = requireBytes(request.recordHash, recordHashBytes, "record_hash");
    const [entry] = await this.#records.entry(hash, reader);
    return { entry };
  }

  getRecordHistory(
    request: GetRecordHistoryRequest,
    reader: Identity,
  ): Promise<MessageInitShape<typeof GetRecordHistoryResponseSchema>> {
    return recordHistory(this.#ports.store, this.#records, request, reader);
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
    const isWellFormed = participantId === "" ? isDeviceId(meterId) : isId(participantId);
    if (!isWellFormed) throw fieldError(field, "not an id");
    await this.#requireListable(request, reader);
    const listing = `records/${participantId}/${meterId}`;
    const limit = pageSize(request.pageSize, recordsPerPage);
    const fromMs = requireSafeInteger(request.fromUnixMs, "from_unix_ms");
    const toMs = requireSafeInteger(request.toUnixMs, "to_unix_ms");
    if (toMs !== 0 && toMs < fromMs) {
      throw rangeError("to_unix_ms", `lies before from_unix_ms, ${fromMs}`);
    }
    const after = placeOfToken(pagePosition(listing, request.pageToken));
    const options = {
      fromMs,
      ...(toMs === 0 ? {} : { toMs }),
      ...(after === undefined ? {} : { after }),
      limit: limit + 1,
    };
    const { store } = this.#ports;
    const found =
      participantId === ""
        ? await store.listByMeter(meterId, options)
        : await store.listByParticipant(participantId, options);
    const listed = found.slice(0, limit);
    const positions = listed.map(({ position }) => position);
    const entries = this.#records.entriesAt(positions, reader);
    const { items } = await answerPage(entries, limit, (entry) => entry);
    const last = listed[items.length - 1];
    const more = items.length < found.length;
    return {
      entries: items,
      nextPageToken: more && last ? pageToken(listing, `${last.timeMs},${last.position}`) : "",
    };
  }

  getSettlement(
    request: GetSettlementRequest,
    { identity, signal }: CallContext,
  ): Promise<MessageInitShape<typeof GetSettlementResponseSchema>> {
    const { store, consortium } = this.#ports;
    const ports = { store, records: this.#records, market: consortium.policy };
    const make = () => getSettlement(ports, request, identity, signal);
    return this.#settlements.run(causerOf(identity), make);
  }

  /**
   * An id that nobody has is a mistake of the caller's, and no empty list; who is registered, and
   * with which meters, the public chain says. The list is for those whom it is about.
   */
  async #requireListable(
    { participantId, meterId }: ListRecordsRequest,
    reader: Identity,
  ): Promise<void> {
    const owner = await this.#ownerOf(participantId, meterId);
    if (mayList(owner, reader)) return;
    const text =
      "records are listed for managers, the participant who owns them and, without content, officers";
    const field = participantId === "" ? "meter_id" : "participant_id";
    throw new RpcError("LISTING_NOT_ALLOWED", text, { field });
  }

  async #ownerOf(participantId: string, meterId: string): Promise<string> {
    const { store } = this.#ports;
    if (participantId !== "") {
      if ((await store.participant(participantId)) !== undefined) return participantId;
      const text = `no participant ${participantId} is registered`;
      throw new RpcError("PARTICIPANT_UNKNOWN", text, { field: "participant_id" });
    }
    const meter = await store.meter(meterId);
    if (meter !== undefined) return meter.ownerId;
    const text = `no meter ${meterId} is registered`;
    throw new RpcError("METER_UNKNOWN", text, { field: "meter_id" });
  }
}

function placeOfToken(position: string | undefined): ListPlace | undefined {
  if (position === undefined) return undefined;
  const [timeMs, place, ...rest] = tokenIntegers(position);
  if (timeMs !== undefined && place !== undefined && rest.length === 0) {
    return { timeMs, position: place };
  }
  throw new RpcError("PAGE_TOKEN_INVALID", "the page token is not one of this listing", {
    field: "page_token",
  });
}
