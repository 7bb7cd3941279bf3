import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import type { Trade } from "../../../examples/energy-community/community/clearing.js";
import {
  communityYaml,
  headEndId,
} from "../../../examples/energy-community/community/community.js";
import type { CommunityDay } from "../../../examples/energy-community/community/community-days.js";
import type { CommunityHour } from "../../../examples/energy-community/community/community-hours.js";
import { communityKeys } from "../../../examples/energy-community/demo-session.js";
import { DayRecords } from "../../../examples/energy-community/records.js";
import { TariffPrices } from "../../../examples/energy-community/settlement/tariff.js";
import { equalBytes, toHex } from "../../../src/base/bytes.js";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { ed25519Verify } from "../../../src/crypto/ed25519.js";
import { RecordSchema, ValueQuality } from "../../../src/gen/bss/v1/record_pb.js";
import { BlockExecution } from "../../../src/ledger/blocks/execution.js";
import type { SignatureCheck } from "../../../src/ledger/certificates/signature-check.js";
import { type GenesisState, parseGenesis } from "../../../src/ledger/genesis.js";
import { type ParsedRecord, parseRecord } from "../../../src/ledger/records/records.js";
import {
  recordSignatureChecks,
  submissionSignatureCheck,
} from "../../../src/ledger/records/signatures.js";
import { type ParsedSubmission, parseSubmission } from "../../../src/ledger/records/submissions.js";
import { genesisHead } from "../../../src/ledger/state/head.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { readAll, shippedData } from "./support.js";

const startS = 1_470_034_800;
const readings = [
  { homeId: "building-1", importedWh: 0, exportedWh: 700 },
  { homeId: "building-2", importedWh: 500, exportedWh: 0 },
  { homeId: "building-3", importedWh: 100, exportedWh: 0 },
];
const hour: CommunityHour = {
  startS,
  priceMicroPerKwh: 220_000n,
  readings,
  trades: [
    { sellerId: "building-1", buyerId: "building-2", energyWh: 500 },
    { sellerId: "building-1", buyerId: "building-3", energyWh: 100 },
  ],
};

/** The hour, and another one after it of which the data say nothing about building-1. */
const day: CommunityDay = {
  hours: [hour],
  profiles: readings.map(({ homeId, ...value }) => ({
    homeId,
    startS,
    values: [value, homeId === "building-1" ? undefined : { importedWh: 1, exportedWh: 0 }],
  })),
};

describe("the records of the community's days", () => {
  const directory = join(temporaryDirectory(), "consortium");
  let genesis: GenesisState;
  let records: DayRecords;
  let week: readonly CommunityDay[];

  before(async () => {
    const { community, days } = await readAll(shippedData, 8);
    week = days;
    const communityFile = join(temporaryDirectory(), "community.yaml");
    writeFileSync(
      communityFile,
      communityYaml(community.homes, () => 0),
    );
    const counts = { managers: 1, storage: 1, participants: 0, basePort: 7400 };
    const made = await initConsortium(directory, { name: "demo", ...counts, communityFile });
    const parsed = parseGenesis(readFileSync(made.genesisFile));
    assert.ok(parsed.ok);
    genesis = parsed.value;
    records = new DayRecords(communityKeys(directory));
  });

  function parsed(of: CommunityDay): readonly ParsedSubmission[] {
    const all = [...records.profiles(of), ...records.trades(of)];
    return records.submissions(all, 1000).map((submission) => {
      const result = parseSubmission(genesis.consortiumId, submission, genesis.policy);
      assert.ok(result.ok, result.ok ? "" : result.error.message);
      return result.value;
    });
  }

  function execution(): BlockExecution {
    const { head, stateWrites } = genesisHead(genesis);
    const values = new Map(stateWrites.map(({ key, value }) => [toHex(key), value]));
    return new BlockExecution({
      state: { get: (key) => values.get(toHex(key)) },
      policy: genesis.policy,
      members: head.members,
      height: 1,
      firstPosition: 0,
      timestampMs: genesis.timestampMs,
    });
  }

  const verify = ({ publicKey, digest, signature, what }: SignatureCheck) =>
    assert.ok(ed25519Verify(publicKey, digest, signature), what);

  test("a week of them keeps every rule of the ledger, and every signature verifies", () => {
    const block = execution();
    for (const of of week) {
      for (const submission of parsed(of)) {
        const own = submissionSignatureCheck(submission, block.tables);
        assert.ok(own.ok);
        verify(own.value);
        for (const record of submission.records) {
          const { consortiumId } = submission.header;
          const inside = recordSignatureChecks(record, consortiumId, block.tables);
          assert.ok(inside.ok);
          inside.value.forEach(verify);
          assert.equal(block.tryRecord(record, submission), undefined);
        }
      }
    }
    assert.equal(block.recordCount, 989);
  });

  test("energy that is sold cannot be sold again", () => {
    const block = execution();
    const [submission] = parsed(day);
    for (const record of submission?.records ?? []) {
      assert.equal(block.tryRecord(record, { participantId: headEndId }), undefined);
    }
    const [trade] = hour.trades;
    const reasonOf = (energyWh: number, number: number) => {
      const bytes = records.trade({ ...(trade as Trade), energyWh }, hour, number);
      const record = parseRecord(genesis.consortiumId, bytes, genesis.policy);
      assert.ok(record.ok);
      return block.tryRecord(record.value, { participantId: headEndId })?.reason;
    };
    assert.equal(reasonOf(101, 1), "TRADE_REPEATED");
    assert.equal(reasonOf(101, 2), "DOUBLE_SPEND");
    // 100 Wh of the 700 are left, but the buyer needs no more.
    assert.equal(reasonOf(100, 3), "OVER_PURCHASE");
  });

  test("a profile is complete when its last hour ends, a trade with its own hour", () => {
    const [submission] = parsed(day);
    const kinds = submission?.records.map(({ payload }) => payload.kind);
    const [profile, trade] = ["loadProfile", "energyTrade"];
    assert.deepEqual(kinds, [profile, profile, profile, trade, trade]);
    const [hourEndMs, dayEndMs] = [(startS + 3600) * 1000, (startS + 7200) * 1000];
    const times = submission?.records.map(({ timeMs }) => timeMs);
    assert.deepEqual(times, [dayEndMs, dayEndMs, dayEndMs, hourEndMs, hourEndMs]);
    assert.equal(submission?.participantId, headEndId);
  });

  test("the tariff is a document that the ledger takes", () => {
    const prices = new TariffPrices();
    for (const of of week) prices.add(of);
    const [submission] = records.submissions([records.tariff(prices)], 1000);
    const parsedOne =
      submission && parseSubmission(genesis.consortiumId, submission, genesis.policy);
    assert.ok(parsedOne?.ok);
    const [record] = parsedOne.value.records;
    assert.ok(record);
    assert.equal(execution().tryRecord(record, parsedOne.value), undefined);
    assert.deepEqual(
      records.tariff(prices),
      new DayRecords(communityKeys(directory)).tariff(prices),
    );
  });

  test("an hour without a value is absent, and not 0", () => {
    const [bytes] = records.profiles(day);
    const record = fromBinary(RecordSchema, bytes ?? new Uint8Array());
    assert.ok(record.payload.case === "loadProfile");
    const { runs, importedWh, exportedWh } = record.payload.value;
    const { MEASURED, ABSENT } = ValueQuality;
    assert.deepEqual(
      runs.map(({ count, quality }) => [count, quality]),
      [
        [1, MEASURED],
        [1, ABSENT],
      ],
    );
    assert.deepEqual([importedWh, exportedWh], [[], [700]]);
  });

  test("the same day always gives the same bytes", () => {
    const again = new DayRecords(communityKeys(directory));
    const bytes = records.profiles(day);
    assert.deepEqual(again.profiles(day), bytes);
    assert.deepEqual(again.trades(day), records.trades(day));
    assert.deepEqual(again.submissions(bytes, 1000), records.submissions(bytes, 1000));
  });

  test("every salt and every trade id is another one, and other in another consortium", () => {
    const { consortiumId, seedOf } = communityKeys(directory);
    const other = new DayRecords({ consortiumId: consortiumId.toReversed(), seedOf });
    const all = week.flatMap((of) => parsed(of).flatMap((submission) => submission.records));
    const secrets = all.flatMap(secretsOf);
    assert.equal(secrets.length, 989 + 909);
    assert.equal(new Set(secrets.map(toHex)).size, secrets.length);
    assert.ok(secrets.every((secret) => secret.length === 16));
    const [profile] = day.profiles;
    assert.ok(profile && !equalBytes(other.profile(profile), records.profile(profile)));
  });

  test("more records than fit into one submission are split, in their order", () => {
    const trades = records.trades(day);
    const split = records.submissions([...trades, ...trades, ...trades], 4);
    assert.deepEqual(
      split.map((submission) => submission.records.length),
      [4, 2],
    );
    assert.deepEqual(
      split.flatMap((submission) => submission.records),
      [...trades, ...trades, ...trades],
    );
    assert.deepEqual(records.submissions([], 4), []);
  });
});

function secretsOf({ salt, payload }: ParsedRecord): readonly Uint8Array[] {
  return payload.kind === "energyTrade" ? [salt, payload.tradeId] : [salt];
}
