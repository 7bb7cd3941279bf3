/**
 * GetSettlement: reads a participant's records and hands them to the settlement (src/settlement),
 * which the client library runs as well. One answer looks at a bounded number of records and
 * intervals, with pauses, so that other work goes on in between; only one such answer is made at a
 * time (query-service.ts).
 */
import { setImmediate } from "node:timers/promises";
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { assert, defined } from "../../base/assert.js";
import type {
  GetSettlementRequest,
  GetSettlementResponseSchema,
  SettlementAmountsSchema,
} from "../../gen/bss/v1/query_pb.js";
import { RecordSchema } from "../../gen/bss/v1/record_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { isId } from "../../ledger/ids.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import { recordHashBytes } from "../../ledger/records/record-hash.js";
import { storedBlock, storedHeader } from "../../query/block-views.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";
import { fieldError, rangeError, requireBytes, requireSafeInteger } from "../../rpc/validation.js";
import {
  earliestTimeMs,
  type Period,
  type StandingRecord,
  StandingRecords,
} from "../../settlement/standing-records.js";
import {
  type Amounts,
  type Market,
  periodProblem,
  recordsDigest,
  statementInSteps,
} from "../../settlement/statement.js";
import { parseTariff, type Tariff, tariffMediaType } from "../../settlement/tariff.js";
import type { ListPlace } from "../../store/chain/record-index.js";
import type { ManagerStore } from "../../store/manager-store.js";
import { maySettle } from "./record-rights.js";
import type { RecordEntries } from "./unsealed-records.js";

type Ports = {
  readonly store: ManagerStore;
  readonly records: RecordEntries;
  readonly market: Market;
};

/** Records that one answer looks at; unsealing them takes about two seconds. */
export const recordsMax = 50_000;
/** Intervals of meters that they are about: 57 years of quarters of one meter. */
export const intervalsMax = 2_000_000;
/** What one answer holds while it is made: at most 16 bytes of an interval, 600 of a record. */
export const settlementBytesMax = 96 * 2 ** 20;
/** Records that are read at a time. */
const sliceRecords = 500;
/** Work without a pause, ms: the ring has its turn in between. */
const workMsMax = 5;

/** @throws RpcError, see test/support/method-reasons.ts */
export async function getSettlement(
  ports: Ports,
  request: GetSettlementRequest,
  caller: Identity,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof GetSettlementResponseSchema>> {
  const { participantId, tariffHash } = request;
  await requireParticipant(ports.store, participantId, caller);
  requireBytes(tariffHash, recordHashBytes, "tariff_hash");
  const period = requirePeriod(request, ports.market);
  const place = await placeOf(ports.store, requireSafeInteger(request.height, "height"));
  const tariff = await tariffOf(ports.records, tariffHash, caller);
  const options = { ...period, participantId, treeSize: place.treeSize, grid: ports.market };
  const pause = pauses(signal);
  const records = await standingRecords(ports, options, caller, pause);
  const made = await inSteps(statementInSteps(records, tariff, period, ports.market), pause);
  if (!made.ok) {
    const { of, message } = made.error;
    assert(of !== "records", "the ledger has no trade of energy that was not metered");
    throw new RpcError(of === "tariff" ? "TARIFF_INVALID" : "SETTLEMENT_TOO_LARGE", message);
  }
  const { currency, digits, days, total } = made.value;
  return {
    settlement: {
      participantId,
      fromUnixS: request.fromUnixS,
      toUnixS: request.toUnixS,
      tariffHash,
      height: BigInt(place.height),
      blockId: place.blockId,
      treeSize: BigInt(place.treeSize),
      root: place.root,
      currency,
      minorUnitDigits: digits,
      days: days.map((day) => ({
        startUnixS: BigInt(day.startS),
        amounts: amountsMessage(day),
        recordCount: day.records.length,
        recordsDigest: recordsDigest(day),
      })),
      total: amountsMessage(total),
    },
  };
}

async function requireParticipant(store: ManagerStore, id: string, caller: Identity) {
  if (!isId(id)) throw fieldError("participant_id", "not an id");
  if (!maySettle(id, caller)) {
    const text = "settlements are for managers, and for the participant whom they are about";
    throw new RpcError("SETTLEMENT_NOT_ALLOWED", text, { field: "participant_id" });
  }
  if ((await store.participant(id)) !== undefined) return;
  const text = `no participant ${id} is registered`;
  throw new RpcError("PARTICIPANT_UNKNOWN", text, { field: "participant_id" });
}

function requirePeriod({ fromUnixS, toUnixS }: GetSettlementRequest, market: Market): Period {
  const period = {
    fromS: requireSafeInteger(fromUnixS, "from_unix_s"),
    toS: requireSafeInteger(toUnixS, "to_unix_s"),
  };
  const problem = periodProblem(period, market);
  if (problem === undefined) return period;
  throw rangeError(problem.at === "from" ? "from_unix_s" : "to_unix_s", problem.why);
}

type Place = {
  readonly height: number;
  readonly blockId: Uint8Array;
  readonly root: Uint8Array;
  readonly treeSize: number;
};

/** The block after which the settlement holds; the head for height 0. */
async function placeOf(store: ManagerStore, wanted: number): Promise<Place> {
  const { head } = store;
  if (wanted > head.height) {
    throw new RpcError("BLOCK_UNKNOWN", `the head is at height ${head.height}`, {
      field: "height",
    });
  }
  if (wanted === 0 || wanted === head.height) {
    const { height, blockId, frontier } = head;
    return { height, blockId, root: rootOf(frontier), treeSize: frontier.size };
  }
  const { block } = await storedBlock(store, wanted, { leaves: false });
  const { treeSize, header } = storedHeader(block);
  return { height: wanted, blockId: blockId(block.header), root: header.hash1, treeSize };
}

async function tariffOf(
  records: RecordEntries,
  hash: Uint8Array,
  caller: Identity,
): Promise<Tariff> {
  const [{ record: bytes }] = await records.entry(hash, caller);
  const payload = bytes && fromBinary(RecordSchema, bytes).payload;
  const document = payload?.case === "document" ? payload.value : undefined;
  if (document?.mediaType !== tariffMediaType) {
    throw notTariff(`the record is no document of media type ${tariffMediaType}`);
  }
  const tariff = parseTariff(document.content);
  if (tariff.ok) return tariff.value;
  throw notTariff(tariff.error);
}

function notTariff(message: string): RpcError {
  return new RpcError("TARIFF_INVALID", message, { field: "tariff_hash" });
}

async function standingRecords(
  { store, records }: Ports,
  options: ConstructorParameters<typeof StandingRecords>[0],
  caller: Identity,
  pause: Pause,
): Promise<readonly StandingRecord[]> {
  const standing = new StandingRecords(options);
  const fromMs = earliestTimeMs(options);
  let after: ListPlace | undefined;
  for (let looked = 0; ; ) {
    const listed = await store.listByParticipant(options.participantId, {
      fromMs,
      ...(after === undefined ? {} : { after }),
      limit: sliceRecords,
    });
    looked += listed.length;
    if (looked > recordsMax) {
      throw tooMany(`${options.participantId} has more than ${recordsMax} records`);
    }
    const counted = listed.filter(({ position }) => position < options.treeSize);
    const positions = counted.map(({ position }) => position);
    for await (const { record, recordHash, position } of records.recordsAt(positions, caller)) {
      standing.add({ record, hash: recordHash, position });
      if (standing.intervals > intervalsMax) {
        const what = `the records of ${options.participantId} are of more than ${intervalsMax}`;
        throw tooMany(`${what} intervals of meters`);
      }
      await pause();
    }
    if (listed.length < sliceRecords) return standing.standing();
    after = defined(listed.at(-1), "a full page has a last record");
  }
}

function tooMany(what: string): RpcError {
  const text = `${what} since a year before the period`;
  return new RpcError("SETTLEMENT_TOO_LARGE", text, { field: "participant_id" });
}

type Pause = () => Promise<void>;

/** Between two pieces of work: lets other work go on when this has taken long enough. */
function pauses(signal: AbortSignal): Pause {
  let resumedMs = performance.now();
  return async () => {
    if (performance.now() - resumedMs < workMsMax) return;
    await setImmediate();
    if (signal.aborted) throw new RpcError("CANCELLED", "the caller has gone");
    resumedMs = performance.now();
  };
}

async function inSteps<T>(steps: Generator<void, T, undefined>, pause: Pause): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

function amountsMessage(amounts: Amounts): MessageInitShape<typeof SettlementAmountsSchema> {
  return {
    importedWh: BigInt(amounts.importedWh),
    exportedWh: BigInt(amounts.exportedWh),
    boughtWh: BigInt(amounts.boughtWh),
    soldWh: BigInt(amounts.soldWh),
    fromGridWh: BigInt(amounts.fromGridWh),
    toGridWh: BigInt(amounts.toGridWh),
    fromGridCost: BigInt(amounts.fromGridCost),
    boughtCost: BigInt(amounts.boughtCost),
    toGridCredit: BigInt(amounts.toGridCredit),
    soldCredit: BigInt(amounts.soldCredit),
    due: BigInt(amounts.due),
  };
}
