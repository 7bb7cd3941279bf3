import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../../src/base/bytes.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { managerQueries } from "../../../src/manager/queries/query-service.js";
import { HeadSignal } from "../../../src/query/head-signal.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import type { CallContext } from "../../../src/rpc/server/handlers.js";
import { type Identity, roles } from "../../../src/rpc/tls/tls-identity.js";
import { pageToken } from "../../../src/rpc/validation.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { Random } from "../../simulation/random.js";
import { openMemoryStore } from "../../support/memory-store.js";
import { consortiumId, epochKey, genesis, policy } from "../ledger/support/consortium.js";
import { hashOf } from "../ledger/support/records.js";
import { blocks, records } from "../store/support/chain.js";

const rounds = 400;
const hash = hashOf(records.reading);

const integers = [0n, 1n, 2n, 3n, 7n, 2n ** 31n, 2n ** 53n - 2n, 2n ** 53n - 1n, 2n ** 53n];
const unsigned = [...integers, 2n ** 63n, 2n ** 64n - 1n];
const signed = [...integers, -1n, -(2n ** 63n), 2n ** 63n - 1n];
const counts = [0, 1, 100, 1_000, 1_001, 2 ** 32 - 1];
const texts = [
  ...["", "participant-1", "participant-4", "nobody", "meter-1", "METER-1", "A/../B", "\0", "x\n"],
  ...["\u{1F600}", "%s", "__proto__", "x".repeat(255), "x".repeat(70_000)],
];
const hashes = [hash, new Uint8Array(), new Uint8Array(31), new Uint8Array(32), new Uint8Array(64)];
const listings = [
  ...["blocks", "storage-nodes", "membership", "records/participant-1/", "records//meter-1"],
  ...[`history/${toHex(hash)}`, ""],
];
const places = [
  ...["", "0", "1", "-1", "1e3", "5,-2", "-5,2", "5,2", "5,2,1", ",", "NaN,1", "1,NaN", "0x1,1"],
  ...[
    `${2 ** 53 - 1}`,
    `0,${2 ** 53 - 1}`,
    `${2 ** 53 - 1},${2 ** 53 - 1}`,
    "1e99,1",
    "9".repeat(99),
  ],
  ...[`up,${toHex(hash)}`, `down,${toHex(hash)}`, "down,", `down,${"00".repeat(32)}`, "storage-1"],
];

describe("hostile queries", () => {
  const random = new Random(6);
  const one = <T>(choices: readonly T[]): T => choices[random.next() % choices.length] as T;
  const token = () => one(["", "@", "bm93aGVyZQ", pageToken(one(listings), one(places))]);
  let service: Required<ReturnType<typeof managerQueries>>;

  before(async () => {
    const store = await ManagerStore.open(await openMemoryStore(), genesis);
    for (const block of blocks) await store.append(block);
    const [status, fork] = [() => ({}), () => ({})];
    service = managerQueries({
      store,
      consortiumId,
      epochKey,
      status,
      fork,
      heads: new HeadSignal(),
      consortium: { consortiumName: genesis.name, consortiumId, policy },
      isConnected: () => false,
    }) as typeof service;
  });

  /** A value for a field, by its type: what a caller may send, at the edges of what it holds. */
  const fieldOf = (name: string): unknown => {
    if (/token/i.test(name)) return token();
    if (/Size$/.test(name) && !/Tree/.test(name)) return one(counts);
    if (/UnixMs$/.test(name)) return one(signed);
    if (/Hash$|^blockId$/.test(name)) return one(hashes);
    if (/Id$/.test(name)) return one(texts);
    return name === "headersOnly" ? one([true, false]) : one(unsigned);
  };

  for (const method of QueryService.methods) {
    test(`${method.name} is refused by a reason, and by no fault of the manager's`, async () => {
      for (let round = 0; round < rounds; round++) {
        const fields: Record<string, unknown> = {};
        for (const { localName, oneof } of method.input.fields) {
          if (oneof !== undefined || random.next() % 4 === 0) continue;
          fields[localName] = fieldOf(localName);
        }
        if (method.name === "GetBlock" && round % 8 > 0) {
          const height = { case: "height", value: one(unsigned) };
          fields.selector = one([height, { case: "blockId", value: one(hashes) }]);
        }
        if (method.name === "ListRecords" && round % 4 > 0) {
          const subject = one(["participant-1/", "/meter-1"]);
          const [participantId, meterId] = subject.split("/");
          Object.assign(fields, { participantId, meterId, pageSize: 1 });
          fields.pageToken = pageToken(`records/${subject}`, one(places));
        }
        const controller = new AbortController();
        const caller: CallContext = {
          identity: { role: one(roles), id: "participant-1" } as Identity,
          peerAddress: "127.0.0.1:1",
          method: method.name,
          deadlineUnixMs: undefined,
          signal: controller.signal,
        };
        const handler = service[method.localName as keyof typeof service] as (
          request: object,
          caller: CallContext,
        ) => unknown;
        const said = JSON.stringify(fields, (_, value) =>
          typeof value === "bigint" ? `${value}` : value,
        );
        try {
          const answer = handler(create(method.input, fields as never), caller);
          if (method.methodKind !== "server_streaming") await answer;
          else {
            setImmediate(() => controller.abort());
            for await (const _ of answer as AsyncIterable<unknown>);
          }
        } catch (error) {
          assert.ok(error instanceof RpcError, `${said.slice(0, 300)}: ${error}`);
          assert.notEqual(error.status, "INTERNAL", said.slice(0, 300));
        }
      }
    });
  }
});
