import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type BssClient,
  computeSettlement,
  statedDocument,
  tariffOf,
} from "../../../src/client/index.js";
import { SettlementSchema } from "../../../src/gen/bss/v1/query_pb.js";
import type { Tariff } from "../../../src/settlement/tariff.js";
import { consortiumId, policy, startS } from "../ledger/support/consortium.js";

/** Whoever asks a manager through it fails. */
const client = { genesis: { policy }, consortiumId } as unknown as BssClient;

test("no period is settled that none has, whoever names it", async () => {
  for (const toS of [startS, startS + 1, 2 ** 42]) {
    const query = { participantId: "a", fromS: startS, toS, tariffHash: consortiumId, height: 1 };
    await assert.rejects(computeSettlement(client, query, {} as Tariff), {
      reason: "RANGE_INVALID",
    });
  }
});

test("a manager's answer has no more digits than amounts can have", () => {
  const stated = (minorUnitDigits: number) =>
    statedDocument(client, create(SettlementSchema, { minorUnitDigits, total: {} }), "b");
  assert.equal(stated(6).minor_unit_digits, 6);
  assert.throws(() => stated(2 ** 31), { name: "UntrueAnswer" });
});

test("a tariff whose content may not be read is not said to be none", async () => {
  const operator = {
    profile: { id: "operator-1", role: "operator" },
    getRecord: async () => ({ hash: consortiumId, content: undefined }),
  } as unknown as BssClient;
  await assert.rejects(tariffOf(operator, consortiumId), {
    reason: "LISTING_NOT_ALLOWED",
    message: /^operator-1 \(operator\) may not read the content of record [0-9a-f]{64}$/,
  });
});
