import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import { utf8 } from "../../../../src/base/bytes.js";
import {
  GetRecordRequestSchema,
  GetSettlementRequestSchema,
} from "../../../../src/gen/bss/v1/query_pb.js";
import { RecordSchema, ValueQuality } from "../../../../src/gen/bss/v1/record_pb.js";
import { deliverySlotOf } from "../../../../src/ledger/kinds/market-grid.js";
import { emptyFrontier } from "../../../../src/ledger/merkle/frontier.js";
import { stateKeys } from "../../../../src/ledger/state/state-keys.js";
import { decodeSums } from "../../../../src/ledger/state/windows.js";
import { managerQueries } from "../../../../src/manager/queries/query-service.js";
import { getSettlement, intervalsMax } from "../../../../src/manager/queries/settlement.js";
import { HeadSignal } from "../../../../src/query/head-signal.js";
import type { CallContext } from "../../../../src/rpc/server/handlers.js";
import type { Identity, Role } from "../../../../src/rpc/tls/tls-identity.js";
import {
  canonicalJson,
  confirmationMediaType,
} from "../../../../src/settlement/settlement-documents.js";
import { tariffMediaType } from "../../../../src/settlement/tariff.js";
import { ManagerStore } from "../../../../src/store/manager-store.js";
import { openMemoryStore } from "../../../support/memory-store.js";
import { rpcErrorFrom } from "../../../support/rpc-consortium.js";
import { Chain, certify } from "../../ledger/support/chain.js";
import {
  consortiumId,
  epochKey,
  genesis,
  hourS,
  policy,
  startS,
} from "../../ledger/support/consortium.js";
import {
  documentBytes,
  hashOf,
  profileBytes,
  readingBytes,
  sixteen,
  submitted,
  tradeBytes,
} from "../../ledger/support/records.js";

const flat = (price: string) => ({ kind: "flat", price });
const tariff = {
  currency: "EUR",
  minor_unit_digits: 2,
  from_grid: flat("0.30"),
  to_grid: flat("0.10"),
};
const tariffBytes = (value: object = tariff) =>
  documentBytes({ mediaType: tariffMediaType, content: utf8(JSON.stringify(value)) });

const records = {
  tariff: tariffBytes(),
  dollars: tariffBytes({ ...tariff, currency: "USD" }),
  broken: tariffBytes({ currency: "EUR" }),
  note: documentBytes(),
  first: readingBytes({ imported: 0, exported: 200 }),
  buyers: readingBytes({ owner: "participant-2", meter: "meter-2", imported: 200, exported: 0 }),
};
const trade = tradeBytes({ energy: 50, price: 200_000 });
const update = readingBytes({ imported: 0, exported: 250, parent: hashOf(records.first) });
const confirmation = documentBytes({
  mediaType: confirmationMediaType,
  content: canonicalJson({
    version: 1,
    statement: "11".repeat(32),
    participant: "participant-2",
    counterparty: "participant-1",
    confirmed_by: "participant-1",
  }),
});

const as = (role: Role, id: string): CallContext => ({
  identity: { role, id } as Identity,
  peerAddress: "127.0.0.1:1",
  method: "",
  deadlineUnixMs: undefined,
  signal: new AbortController().signal,
});

describe("a manager's settlement", () => {
  let service: Required<ReturnType<typeof managerQueries>>;
  let store: ManagerStore;

  before(async () => {
    store = await ManagerStore.open(await openMemoryStore(), genesis);
    const chain = new Chain();
    const { buyers, ...ofFirst } = records;
    for (const candidates of [
      [submitted(Object.values(ofFirst)), submitted([buyers], "participant-2")],
      [submitted([trade, confirmation])],
      [submitted([update])],
    ]) {
      const { block, executed } = chain.extend({ candidates });
      await store.append({ block, executed, certificates: certify(executed.facts) });
    }
    service = managerQueries({
      store,
      consortiumId,
      epochKey,
      status: () => ({}),
      fork: () => ({}),
      heads: new HeadSignal(),
      consortium: { consortiumName: genesis.name, consortiumId, policy },
      isConnected: () => false,
    }) as typeof service;
  });

  type Request = Parameters<typeof create<typeof GetSettlementRequestSchema>>[1];
  const ask = async (changes: Request = {}, caller = as("participant", "participant-1")) => {
    const request = create(GetSettlementRequestSchema, {
      participantId: "participant-1",
      fromUnixS: BigInt(startS),
      toUnixS: BigInt(startS + 86_400),
      tariffHash: hashOf(records.tariff),
      ...changes,
    });
    return (await service.getSettlement(request, caller)).settlement ?? assert.fail();
  };

  test("is the same for a height whatever came later", async () => {
    const exported = [0, 1, 2, 3].map(async (height) => {
      const { total, treeSize } = await ask({ height: BigInt(height) });
      return [total?.exportedWh, total?.soldWh, total?.toGridCredit, total?.soldCredit, treeSize];
    });
    assert.deepEqual(await Promise.all(exported), [
      [250n, 50n, 2n, 1n, 9n],
      [200n, 0n, 2n, 0n, 6n],
      [200n, 50n, 2n, 1n, 8n],
      [250n, 50n, 2n, 1n, 9n],
    ]);
  });

  test("says on what it rests", async () => {
    const { height, days, currency, minorUnitDigits, root, blockId } = await ask();
    assert.deepEqual([height, currency, minorUnitDigits], [3n, "EUR", 2]);
    assert.deepEqual([root?.length, blockId?.length, days?.length], [32, 32, 1]);
    // The update and the trade; the version that was updated no longer counts.
    assert.equal(days?.[0]?.recordCount, 2);
  });

  test("equals the sums that the ledger's rules keep of delivery intervals", async () => {
    for (const participantId of ["participant-1", "participant-2"]) {
      const { window, slot } = deliverySlotOf(startS, policy);
      const key = stateKeys.energy(participantId, window);
      const kept = decodeSums((await store.state([key])).get(key) ?? assert.fail())?.[slot];
      const { total } = await ask({ participantId }, as("manager", "manager-1"));
      const settled = {
        importedWh: Number(total?.importedWh),
        exportedWh: Number(total?.exportedWh),
        soldWh: Number(total?.soldWh),
        boughtWh: Number(total?.boughtWh),
      };
      assert.deepEqual(settled, kept);
    }
  });

  const callers: readonly (readonly [Role, string, boolean])[] = [
    ["participant", "participant-1", true],
    ["manager", "manager-2", true],
    ["participant", "participant-2", false],
    ["participant", "head-end", false],
    ["auditor", "auditor-1", false],
    ["operator", "participant-1", false],
    ["storage", "storage-1", false],
  ];
  for (const [role, id, may] of callers) {
    test(`is ${may ? "" : "not "}for ${role} ${id}`, async () => {
      if (may) return void (await ask({}, as(role, id)));
      const { reason } = await rpcErrorFrom(ask({}, as(role, id)));
      assert.equal(reason, "SETTLEMENT_NOT_ALLOWED");
    });
  }

  test("is for the buyer of a trade at a tariff that another participant owns", async () => {
    const caller = as("participant", "participant-2");
    const { total } = await ask({ participantId: "participant-2" }, caller);
    assert.deepEqual([total?.boughtWh, total?.fromGridWh, total?.due], [50n, 150n, 5n]);
  });

  test("is refused with what is wrong", async () => {
    const wrong: readonly (readonly [Request, reason: string, field: string])[] = [
      [{ participantId: "No Id" }, "FIELD_INVALID", "participant_id"],
      [{ tariffHash: new Uint8Array(31) }, "FIELD_INVALID", "tariff_hash"],
      [{ tariffHash: new Uint8Array(32) }, "RECORD_UNKNOWN", "record_hash"],
      [{ tariffHash: hashOf(records.note) }, "TARIFF_INVALID", "tariff_hash"],
      [{ tariffHash: hashOf(records.broken) }, "TARIFF_INVALID", "tariff_hash"],
      [{ tariffHash: hashOf(records.dollars) }, "TARIFF_INVALID", ""],
      [{ fromUnixS: BigInt(startS + 1) }, "RANGE_INVALID", "from_unix_s"],
      [{ fromUnixS: -1n }, "FIELD_INVALID", "from_unix_s"],
      [{ toUnixS: BigInt(startS + hourS * 24 * 367) }, "RANGE_INVALID", "to_unix_s"],
      [{ height: 4n }, "BLOCK_UNKNOWN", "height"],
    ];
    for (const [request, reason, field] of wrong) {
      const refusal = await rpcErrorFrom(ask(request));
      assert.deepEqual([refusal.reason, refusal.field ?? ""], [reason, field]);
    }
    const unknown = await rpcErrorFrom(ask({ participantId: "nobody" }, as("manager", "m")));
    assert.equal(unknown.reason, "PARTICIPANT_UNKNOWN");
  });

  test("has tariffs that all participants read, and documents that both parties read", async () => {
    const reads = async (bytes: Uint8Array, role: Role, id: string) => {
      const request = create(GetRecordRequestSchema, { recordHash: hashOf(bytes) });
      return (await service.getRecord(request, as(role, id))).entry?.record !== undefined;
    };
    const readers: readonly (readonly [Role, string])[] = [
      ["participant", "participant-2"],
      ["participant", "participant-3"],
      ["auditor", "auditor-1"],
      ["storage", "participant-2"],
    ];
    const seen = async (bytes: Uint8Array) =>
      Promise.all(readers.map(([role, id]) => reads(bytes, role, id)));
    assert.deepEqual(await seen(records.tariff), [true, true, false, false]);
    assert.deepEqual(await seen(confirmation), [true, false, false, false]);
    assert.deepEqual(await seen(records.note), [false, false, false, false]);
  });
});

test("a settlement looks at a bounded number of intervals, and lets other work go on", async () => {
  const runs = [{ count: 8_928, quality: ValueQuality.MEASURED }];
  const message = { runs, importedWh: [], exportedWh: [] };
  const profile = fromBinary(RecordSchema, profileBytes({ intervalS: 300, message }));
  const market = { ...policy, deliveryIntervalS: 300, deliveryOffsetS: 0 };
  const settledOf = async (profiles: number) => {
    const positions = Array.from({ length: profiles }, (_, position) => ({ position }));
    const ports = {
      market,
      store: {
        participant: async () => ({}),
        head: { height: 1, blockId: new Uint8Array(32), frontier: emptyFrontier },
        listByParticipant: async (_: string, { after }: { after?: unknown }) =>
          after === undefined ? positions : [],
      },
      records: {
        entry: async () => [{ record: records.tariff }],
        recordsAt: async function* () {
          for (const { position } of positions) {
            const recordHash = sixteen(`${position}`);
            yield { record: profile, recordHash, position: -1 };
          }
        },
      },
    } as unknown as Parameters<typeof getSettlement>[0];
    const request = create(GetSettlementRequestSchema, {
      participantId: "participant-1",
      fromUnixS: BigInt(startS),
      toUnixS: BigInt(startS + 31 * 86_400),
      tariffHash: new Uint8Array(32),
    });
    const { identity, signal } = as("manager", "manager-1");
    return getSettlement(ports, request, identity, signal);
  };
  const fitting = Math.floor(intervalsMax / 8_928);
  let others = 0;
  let timer = setImmediate(function again() {
    others += 1;
    timer = setImmediate(again);
  });
  const { settlement } = await settledOf(fitting);
  clearImmediate(timer);
  assert.equal(settlement?.days?.length, 31);
  assert(others > 1, `${others}`);
  const refusal = await rpcErrorFrom(settledOf(fitting + 1));
  assert.deepEqual([refusal.reason, refusal.field], ["SETTLEMENT_TOO_LARGE", "participant_id"]);
});
