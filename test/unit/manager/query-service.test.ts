import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { equalBytes, toHex } from "../../../src/base/bytes.js";
import {
  GetRecordHistoryRequestSchema,
  GetRecordRequestSchema,
  ListRecordsRequestSchema,
} from "../../../src/gen/bss/v1/query_pb.js";
import { managerQueries } from "../../../src/manager/query-service.js";
import { HeadSignal } from "../../../src/query/head-signal.js";
import type { CallContext } from "../../../src/rpc/handlers.js";
import type { Identity, Role } from "../../../src/rpc/identity.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { openMemoryStore } from "../../../src/store/memory-store.js";
import { rpcErrorFrom } from "../../support/rpc-consortium.js";
import { consortiumId, epochKey, genesis, policy, startS } from "../ledger/support/consortium.js";
import { hashOf } from "../ledger/support/records.js";
import { blocks, records, updates, versions } from "../store/support/chain.js";

type Queries = Required<
  Pick<ReturnType<typeof managerQueries>, "getRecord" | "getRecordHistory" | "listRecords">
>;
type Entry = { recordHash?: Uint8Array; record?: Uint8Array; decoded?: unknown };

const quarterMs = 900_000;

describe("a manager's answers about records", () => {
  let store: ManagerStore;
  const serviceWith = (key: Uint8Array) => {
    const [status, fork] = [() => ({}), () => ({})];
    return managerQueries({
      ...{ store, consortiumId, epochKey: key, status, fork, reader: store.reader },
      heads: new HeadSignal(),
      consortium: { consortiumName: genesis.name, consortiumId, policy },
      isConnected: () => false,
    }) as Queries;
  };
  let service: Queries;

  before(async () => {
    store = await ManagerStore.open(await openMemoryStore(), genesis);
    for (const block of blocks) await store.append(block);
    service = serviceWith(epochKey);
  });

  const as = (role: Role, id: string): CallContext => ({
    identity: { role, id } as Identity,
    ...{ peerAddress: "127.0.0.1:1", method: "", deadlineUnixMs: undefined },
    signal: new AbortController().signal,
  });
  const owner = as("participant", "participant-1");

  const getRecord = async (recordHash: Uint8Array, caller: CallContext) => {
    const request = create(GetRecordRequestSchema, { recordHash });
    return (await service.getRecord(request, caller)).entry as Entry;
  };
  const history = async (recordHash: Uint8Array, caller: CallContext) => {
    const request = create(GetRecordHistoryRequestSchema, { recordHash });
    return (await service.getRecordHistory(request, caller)).entries as Entry[];
  };
  type ListRequest = Parameters<typeof create<typeof ListRecordsRequestSchema>>[1];
  const list = async (request: ListRequest, caller = owner) => {
    const page = await service.listRecords(create(ListRecordsRequestSchema, request), caller);
    return { entries: page.entries as Entry[], next: page.nextPageToken ?? "" };
  };

  test("name an id that nobody has, instead of an empty list", async () => {
    const nobody = await rpcErrorFrom(list({ participantId: "nobody" }));
    assert.deepEqual([nobody.reason, nobody.field], ["PARTICIPANT_UNKNOWN", "participant_id"]);
    const nothing = await rpcErrorFrom(list({ meterId: "meter-99" }));
    assert.deepEqual([nothing.reason, nothing.field], ["METER_UNKNOWN", "meter_id"]);
    assert.deepEqual((await list({ participantId: "participant-4" })).entries, []);
  });

  const readers: readonly (readonly [Role, string, { reading: boolean; trade: boolean }])[] = [
    ["participant", "participant-1", { reading: true, trade: true }],
    ["participant", "participant-2", { reading: false, trade: true }],
    ["participant", "participant-3", { reading: false, trade: false }],
    ["participant", "head-end", { reading: false, trade: false }],
    ["manager", "manager-4", { reading: true, trade: true }],
    ["storage", "storage-1", { reading: false, trade: false }],
    ["auditor", "auditor-1", { reading: false, trade: false }],
    ["operator", "operator-1", { reading: false, trade: false }],
    // An id alone opens nothing: ids of different roles may be the same.
    ["storage", "participant-1", { reading: false, trade: false }],
    ["auditor", "participant-1", { reading: false, trade: false }],
    ["operator", "participant-2", { reading: false, trade: false }],
  ];
  for (const [role, id, may] of readers) {
    const what = ["nothing", "trades that it buys", "readings", "what it owns"];
    const title = what[Number(may.trade) + 2 * Number(may.reading)];
    test(`show ${role} ${id} the content of ${title}, and of everything the place`, async () => {
      const caller = as(role, id);
      for (const kind of ["reading", "trade"] as const) {
        const record = records[kind];
        const entry = await getRecord(hashOf(record), caller);
        const listed = await list({ participantId: "participant-1" }, caller);
        const same = (each: Entry) => equalBytes(each.recordHash ?? consortiumId, hashOf(record));
        const told = [entry, ...listed.entries.filter(same)];
        if (kind === "reading") told.push(...(await history(hashOf(record), caller)).slice(0, 1));
        assert.ok(told.length > 1);
        for (const { record: bytes, decoded, ...place } of told) {
          assert.deepEqual(bytes, may[kind] ? record : undefined);
          assert.equal(decoded !== undefined, may[kind]);
          assert.equal("successor" in place, may[kind]);
          assert.deepEqual(place.recordHash, hashOf(record));
        }
      }
    });
  }

  test("give every version of a record, oldest first, by the hash of any of them", async () => {
    for (const version of versions) {
      const entries = await history(hashOf(version), owner);
      assert.deepEqual(
        entries.map(({ record }) => record),
        versions,
      );
    }
    const lone = await history(hashOf(records.document), owner);
    assert.deepEqual(
      lone.map(({ record }) => record),
      [records.document],
    );
  });

  test("name the version that updates another", async () => {
    const entry = (await getRecord(hashOf(records.reading), owner)) as { successor?: Uint8Array };
    assert.deepEqual(entry.successor, hashOf(updates.second));
  });

  test("list by time in pages that neither repeat nor leave out", async () => {
    const all = await list({ participantId: "participant-1" });
    assert.equal(all.next, "");
    assert.equal(all.entries.length, 7);
    for (const pageSize of [1, 2, 3, 7]) {
      const found: Entry[] = [];
      let pageToken = "";
      let pages = 0;
      do {
        const page = await list({ participantId: "participant-1", pageSize, pageToken });
        assert.ok(page.entries.length <= pageSize);
        found.push(...page.entries);
        pageToken = page.next;
        pages += 1;
      } while (pageToken !== "");
      assert.deepEqual(found, all.entries);
      assert.equal(pages, Math.ceil(7 / pageSize));
    }
  });

  test("list a trade for its buyer too, and a meter's readings by the meter", async () => {
    const bought = await list({ participantId: "participant-2" }, as("manager", "manager-1"));
    assert.ok(
      bought.entries.some(({ record }) => toHex(record ?? consortiumId) === toHex(records.trade)),
    );
    const { entries } = await list({ meterId: "meter-1" });
    const inCapitals = await list({ meterId: "METER-1" });
    assert.deepEqual(inCapitals.entries, entries);
    assert.equal(entries.length, 4);
  });

  test("list the records of a time range, its end left out", async () => {
    const endMs = startS * 1000 + quarterMs;
    const range = (from: number, to: number) =>
      list({ meterId: "meter-1", fromUnixMs: BigInt(from), toUnixMs: BigInt(to) });
    assert.equal((await range(endMs, endMs + 1)).entries.length, 3, "three versions of one");
    assert.equal((await range(0, endMs)).entries.length, 0);
    assert.equal((await range(endMs + 1, 0)).entries.length, 1);
    assert.equal((await range(endMs, endMs)).entries.length, 0);
    const backwards = await rpcErrorFrom(range(endMs, endMs - 1));
    assert.deepEqual([backwards.reason, backwards.field], ["RANGE_INVALID", "to_unix_ms"]);
    assert.equal(backwards.status, "INVALID_ARGUMENT");
  });

  const stolen = async () => (await list({ participantId: "participant-1", pageSize: 1 })).next;
  const wrong: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ["a hash of another length", () => getRecord(new Uint8Array(31), owner), "FIELD_INVALID"],
    ["an unknown hash", () => getRecord(new Uint8Array(32), owner), "RECORD_UNKNOWN"],
    ["the history of an unknown hash", () => history(new Uint8Array(32), owner), "RECORD_UNKNOWN"],
    ["a listing of nobody", () => list({}), "FIELD_INVALID"],
    [
      "a listing of two things at once",
      () => list({ participantId: "participant-1", meterId: "meter-1" }),
      "FIELD_INVALID",
    ],
    ["a listing of what is no id", () => list({ participantId: "A/../B" }), "FIELD_INVALID"],
    ["a listing of a meter that is a path", () => list({ meterId: "A/../B" }), "FIELD_INVALID"],
    ["a listing of a meter as participant", () => list({ participantId: "D*1" }), "FIELD_INVALID"],
    [
      "a page token of another listing",
      async () => list({ meterId: "meter-1", pageToken: await stolen() }),
      "PAGE_TOKEN_INVALID",
    ],
    [
      "a page token of nowhere",
      () => list({ meterId: "meter-1", pageToken: "bm93aGVyZQ" }),
      "PAGE_TOKEN_INVALID",
    ],
    [
      "a time beyond what numbers hold",
      () => list({ meterId: "meter-1", fromUnixMs: 2n ** 62n }),
      "FIELD_INVALID",
    ],
  ];
  for (const [what, call, reason] of wrong) {
    test(`refuse ${what}: ${reason}`, async () => {
      assert.equal((await rpcErrorFrom(call())).reason, reason);
    });
  }

  test("do not hand out what does not open with this manager's key", async () => {
    const other = serviceWith(new Uint8Array(32));
    const request = create(GetRecordRequestSchema, { recordHash: hashOf(records.reading) });
    await assert.rejects(async () => other.getRecord(request, owner), /does not open/);
  });
});
