import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { Trade } from "../../../examples/energy-community/community/clearing.js";
import {
  communityYaml,
  headEndId,
} from "../../../examples/energy-community/community/community.js";
import type { CommunityHour } from "../../../examples/energy-community/community/community-hours.js";
import { communityKeys } from "../../../examples/energy-community/demo-session.js";
import { HourRecords } from "../../../examples/energy-community/records.js";
import { equalBytes, toHex } from "../../../src/base/bytes.js";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { ed25519Verify } from "../../../src/crypto/ed25519.js";
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
const hour: CommunityHour = {
  startS,
  priceMicroPerKwh: 220_000n,
  readings: [
    { homeId: "building-1", importedWh: 0, exportedWh: 700 },
    { homeId: "building-2", importedWh: 500, exportedWh: 0 },
    { homeId: "building-3", importedWh: 100, exportedWh: 0 },
  ],
  trades: [
    { sellerId: "building-1", buyerId: "building-2", energyWh: 500 },
    { sellerId: "building-1", buyerId: "building-3", energyWh: 100 },
  ],
};

describe("the records of the community's hours", () => {
  const directory = join(temporaryDirectory(), "consortium");
  let genesis: GenesisState;
  let records: HourRecords;
  let week: readonly CommunityHour[];

  before(async () => {
    const { community, hours } = await readAll(shippedData, 168);
    week = hours;
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
    records = new HourRecords(communityKeys(directory));
  });

  function parsed(of: CommunityHour, recordsMax = 1000): readonly ParsedSubmission[] {
    return records.submissions(of, recordsMax).map(({ submission }) => {
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
    assert.equal(block.recordCount, 2499);
  });

  test("energy that is sold cannot be sold again", () => {
    const block = execution();
    const [submission] = parsed(hour);
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

  test("readings come first, complete when their hour ends; so are the trades", () => {
    const [submission] = parsed(hour);
    const kinds = submission?.records.map(({ payload }) => payload.kind);
    const [reading, trade] = ["meterReading", "energyTrade"];
    assert.deepEqual(kinds, [reading, reading, reading, trade, trade]);
    const endMs = (startS + 3600) * 1000;
    assert.ok(submission?.records.every(({ timeMs }) => timeMs === endMs));
    assert.equal(submission?.participantId, headEndId);
  });

  test("the same hour always gives the same bytes", () => {
    const again = new HourRecords(communityKeys(directory));
    assert.deepEqual(again.submissions(hour, 1000), records.submissions(hour, 1000));
  });

  test("every salt and every trade id is another one, and other in another consortium", () => {
    const { consortiumId, seedOf } = communityKeys(directory);
    const other = new HourRecords({ consortiumId: consortiumId.toReversed(), seedOf });
    const all = week.flatMap((of) => parsed(of).flatMap((submission) => submission.records));
    const secrets = all.flatMap(secretsOf);
    assert.equal(secrets.length, 2499 + 819);
    assert.equal(new Set(secrets.map(toHex)).size, secrets.length);
    assert.ok(secrets.every((secret) => secret.length === 16));
    const reading = hour.readings[0] as CommunityHour["readings"][number];
    assert.ok(!equalBytes(other.reading(reading, startS), records.reading(reading, startS)));
  });

  test("an hour with too many records is split, and trades wait for all readings", () => {
    const parts = records.submissions(hour, 2);
    assert.deepEqual(
      parts.map(({ submission, afterReadings }) => [submission.records.length, afterReadings]),
      [
        [2, false],
        [1, false],
        [2, true],
      ],
    );
    const whole = parsed(hour).flatMap((submission) => submission.records.map(({ hash }) => hash));
    const split = parsed(hour, 2).flatMap(({ records: some }) => some.map(({ hash }) => hash));
    assert.deepEqual(split, whole);
  });
});

function secretsOf({ salt, payload }: ParsedRecord): readonly Uint8Array[] {
  return payload.kind === "energyTrade" ? [salt, payload.tradeId] : [salt];
}
