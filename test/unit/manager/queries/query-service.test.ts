import assert from "node:assert/strict";
import { before, beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import { randomBytes } from "../../../../src/crypto/random.js";
import {
  GetRecordHistoryRequestSchema,
  GetRecordRequestSchema,
  ListRecordsRequestSchema,
  QueryService,
} from "../../../../src/gen/bss/v1/query_pb.js";
import { managerQueries } from "../../../../src/manager/queries/query-service.js";
import { HeadSignal } from "../../../../src/query/head-signal.js";
import type { CallContext } from "../../../../src/rpc/server/handlers.js";
import type { Identity, Role } from "../../../../src/rpc/tls/tls-identity.js";
import { pageToken } from "../../../../src/rpc/validation.js";
import { buckets } from "../../../../src/store/buckets.js";
import { ManagerStore } from "../../../../src/store/manager-store.js";
import { openMemoryStore } from "../../../support/memory-store.js";
import { rpcErrorFrom } from "../../../support/rpc-consortium.js";
import { Chain, certify } from "../../ledger/support/chain.js";
import {
  consortiumId,
  epochKey,
  genesis,
  policy,
  startS,
} from "../../ledger/support/consortium.js";
import { documentBytes, hashOf, submitted } from "../../ledger/support/records.js";
import { blocks, records, updates, versions } from "../../store/support/chain.js";

type Queries = Required<ReturnType<typeof managerQueries>>;
type Entry = { recordHash?: Uint8Array; record?: Uint8Array; decoded?: unknown };

const quarterMs = 900_000;

const hexOrSame = (value: unknown) => (value instanceof Uint8Array ? toHex(value) : value);

function serviceOf(store: ManagerStore, key = epochKey): Queries {
  const [status, fork] = [() => ({}), () => ({})];
  return managerQueries({
    store,
    consortiumId,
    epochKey: key,
    status,
    fork,
    heads: new HeadSignal(),
    consortium: { consortiumName: genesis.name, consortiumId, policy },
    isConnected: () => false,
  }) as Queries;
}

function as(role: Role, id: string): CallContext {
  return {
    identity: { role, id } as Identity,
    peerAddress: "127.0.0.1:1",
    method: "",
    deadlineUnixMs: undefined,
    signal: new AbortController().signal,
  };
}

/**
 * What an answer of a method holds of records. "nothing": not even a hash. "places": hashes,
 * positions and seal digests, for everybody. "content": the record too, for those who may read it.
 * "links": besides, which record updates which; others get the record that they named alone.
 * "lists": records by participant or meter; refused to others. "sums": what the content of
 * all records of a participant comes to; refused to all who may not read them.
 */
const answerContent: Readonly<
  Record<
    keyof typeof QueryService.method,
    "nothing" | "places" | "content" | "links" | "lists" | "sums"
  >
> = {
  getStatus: "nothing",
  getRecord: "content",
  getReceipt: "places",
  getRecordHistory: "links",
  listRecords: "lists",
  getSettlement: "sums",
  getBlock: "places",
  listBlocks: "places",
  getConsistencyProof: "nothing",
  watchBlocks: "places",
  getConsortium: "nothing",
  listStorageNodes: "nothing",
  getFork: "nothing",
};

describe("a manager's answers about records", () => {
  let store: ManagerStore;
  let service: Queries;

  before(async () => {
    store = await ManagerStore.open(await openMemoryStore(), genesis);
    for (const block of blocks) await store.append(block);
    service = serviceOf(store);
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
    const fourth = as("participant", "participant-4");
    assert.deepEqual((await list({ participantId: "participant-4" }, fourth)).entries, []);
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
        const told = [entry, ...(await history(hashOf(record), caller)).slice(0, 1)];
        assert.equal(told.length, 2);
        for (const { record: bytes, decoded, ...place } of told) {
          assert.deepEqual(bytes, may[kind] ? record : undefined);
          assert.equal(decoded !== undefined, may[kind]);
          assert.equal("successor" in place, may[kind]);
          assert.deepEqual(place.recordHash, hashOf(record));
          const places = ["height", "position", "recordHash", "sealDigest"];
          if (!may[kind]) assert.deepEqual(Object.keys(place).toSorted(), places);
        }
      }
    });

    const isOfficer = role === "operator" || role === "auditor";

    test(`tell ${role} ${id} which record updates which only if it may know`, async () => {
      for (const version of versions) {
        const told = await history(hashOf(version), as(role, id));
        const all = may.reading || isOfficer;
        const expected = all ? versions.map(hashOf) : [hashOf(version)];
        assert.deepEqual(
          told.map(({ recordHash }) => recordHash),
          expected,
        );
      }
    });

    test(`list for ${role} ${id} what is its own, and say of nothing else whose it is`, async () => {
      const own = (participantId: string) =>
        isOfficer || role === "manager" || (role === "participant" && participantId === id);
      const lists = [
        [{ participantId: "participant-1" }, own("participant-1"), "participant_id"],
        [{ participantId: "participant-2" }, own("participant-2"), "participant_id"],
        [{ meterId: "meter-1" }, own("participant-1"), "meter_id"],
        [{ meterId: "METER-1" }, own("participant-1"), "meter_id"],
      ] as const;
      for (const [request, isOwn, field] of lists) {
        if (isOwn) {
          const { entries } = await list(request, as(role, id));
          assert.ok(entries.length > 0);
          for (const { record } of entries) assert.equal(record === undefined, isOfficer);
          continue;
        }
        const error = await rpcErrorFrom(list(request, as(role, id)));
        assert.deepEqual(
          [error.reason, error.status, error.field],
          ["LISTING_NOT_ALLOWED", "PERMISSION_DENIED", field],
        );
      }
    });

    // Fields are checked one by one, so that one that is added later has to be thought about.
    test(`show ${role} ${id} nothing of a record but its place in all that is public`, async () => {
      const caller = as(role, id);
      const names = Object.keys(QueryService.method) as (keyof typeof answerContent)[];
      const places = names.filter((name) => answerContent[name] === "places");
      assert.deepEqual(places, ["getReceipt", "getBlock", "listBlocks", "watchBlocks"]);
      const nothing = names.filter((name) => answerContent[name] === "nothing");
      for (const name of [...places, ...nothing]) {
        const told = JSON.stringify(await answerOf(name, caller), (_key, value) =>
          typeof value === "bigint" ? Number(value) : hexOrSame(value),
        );
        const secrets = [records.reading, records.trade, ...versions].map(toHex);
        for (const secret of secrets) assert.ok(!told.includes(secret), name);
        const hashes = [records.reading, records.trade].map((each) => toHex(hashOf(each)));
        const known = hashes.some((each) => told.includes(each));
        assert.equal(known, places.includes(name), name);
        for (const field of ["ownerId", "buyerId", "successor", "decoded", "privateEntries"]) {
          assert.ok(!told.includes(`"${field}"`), `${name} says ${field}`);
        }
      }
    });
  }

  /** What a method that takes no record's content answers, as the bytes of its fields. */
  const answerOf = async (name: keyof typeof answerContent, caller: CallContext) => {
    const requests = {
      getReceipt: { recordHash: hashOf(records.reading) },
      getBlock: { selector: { case: "height" as const, value: 1n } },
      watchBlocks: { fromHeight: 1n },
      getConsistencyProof: { fromTreeSize: 1n },
    };
    const request = name in requests ? requests[name as keyof typeof requests] : {};
    const method = QueryService.method[name];
    const handler = service[name] as (request: object, caller: CallContext) => unknown;
    const answer = handler(create(method.input, request as never), caller);
    if (method.methodKind !== "server_streaming") return await answer;
    const blocks = [];
    for await (const block of answer as AsyncIterable<unknown>) {
      blocks.push(block);
      if (blocks.length === Number(store.readerHead.height)) return blocks;
    }
    return blocks;
  };

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

  test("refuse page tokens that are made up, without a fault of their own", async () => {
    for (const position of [
      "5,-2",
      "-5,2",
      "5,",
      ",",
      "5,2,1",
      "0x5,2",
      "5.5,2",
      " 5,2",
      "1e3,2",
    ]) {
      const made = pageToken("records//meter-1", position);
      const error = await rpcErrorFrom(list({ meterId: "meter-1", pageToken: made }));
      assert.equal(error.reason, "PAGE_TOKEN_INVALID", position);
    }
    const beyond = pageToken("records//meter-1", `5,${2 ** 53 - 1}`);
    const refused = await rpcErrorFrom(list({ meterId: "meter-1", pageToken: beyond }));
    assert.equal(refused.reason, "PAGE_TOKEN_INVALID");
    const last = pageToken("records//meter-1", `${2 ** 53 - 2},${2 ** 53 - 2}`);
    assert.deepEqual((await list({ meterId: "meter-1", pageToken: last })).entries, []);
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
    const other = serviceOf(store, new Uint8Array(32));
    const request = create(GetRecordRequestSchema, { recordHash: hashOf(records.reading) });
    await assert.rejects(async () => other.getRecord(request, owner), /does not open/);
  });
});

describe("what answers about records read", () => {
  const count = 130;
  const contents = Array.from({ length: count }, (_, i) => randomBytes(i % 2 === 0 ? 1_500 : 40));
  const documents = contents.map((content) => documentBytes({ content }));
  let service: Queries;
  /** Reads of any kind, and keys of records that stand apart. */
  const counts = { reads: 0, apart: 0 };

  before(async () => {
    const inner = await openMemoryStore();
    const read = <T>(result: Promise<T>, keys: readonly Uint8Array[] = []): Promise<T> => {
      counts.reads += 1;
      counts.apart += keys.filter((key) => key[0] === buckets.sealedApart).length;
      return result;
    };
    const store = await ManagerStore.open(
      {
        get: (key) => read(inner.get(key), [key]),
        getMany: (keys) => read(inner.getMany(keys), keys),
        range: (options) => read(inner.range(options)),
        scan: (options) => inner.scan(options),
        write: (batch, durability) => inner.write(batch, durability),
        close: () => inner.close(),
      },
      genesis,
    );
    const chain = new Chain();
    for (let from = 0; from < count; from += 10) {
      const { block, executed } = chain.extend({
        candidates: [submitted(documents.slice(from, from + 10))],
      });
      await store.append({ block, executed, certificates: certify(executed.facts) });
    }
    service = serviceOf(store);
  });

  beforeEach(() => {
    counts.reads = 0;
    counts.apart = 0;
  });

  async function listed(caller: CallContext): Promise<Entry[]> {
    const request = { participantId: "participant-1", pageSize: count };
    const page = await service.listRecords(create(ListRecordsRequestSchema, request), caller);
    return page.entries as Entry[];
  }

  test("is no long record for those who see places only", async () => {
    const auditor = as("auditor", "auditor-1");
    assert.equal((await listed(auditor)).length, count);
    const recordHash = hashOf(documents[0] ?? assert.fail());
    const request = create(GetRecordRequestSchema, { recordHash });
    const { entry } = await service.getRecord(request, auditor);
    assert.equal(counts.apart, 0);
    const { record, decoded, successor, ...place } = (
      await service.getRecord(request, as("participant", "participant-1"))
    ).entry as Entry & { successor?: unknown };
    assert.equal(counts.apart, 1);
    assert.deepEqual(record, documents[0]);
    assert.deepEqual(entry, place);
  });

  test("is many records at a time", async () => {
    const entries = await listed(as("participant", "participant-1"));
    const shown = entries.map(({ record }) => toHex(record ?? assert.fail()));
    assert.deepEqual(shown.toSorted(), documents.map(toHex).toSorted());
    assert.equal(counts.apart, count / 2);
    // One for each successor, which may be another's.
    assert.ok(counts.reads < count + 30, `${counts.reads} reads`);
  });
});
