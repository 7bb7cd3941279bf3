/**
 * A period is settled on a consortium of real processes: what managers say, what the records come
 * to, a statement on the ledger, and the other side that confirms it or finds what is wrong.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { toHex } from "../../../src/base/bytes.js";
import {
  type BssClient,
  document,
  energyTrade,
  loadProfile,
  meterReading,
  recordHash,
  signTrade,
  tradeTerms,
} from "../../../src/client/index.js";
import {
  canonicalJson,
  type StatementDocument,
  statementMediaType,
} from "../../../src/settlement/settlement-documents.js";
import { BssProcess } from "../../support/bss.js";
import { LiveConsortium } from "../../support/live-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const startS = Date.UTC(2024, 5, 1) / 1000;
const hourS = 3600;
const period = ["--from", "2024-06-01", "--to", "2024-06-04"];

describe("settlement", { timeout: 840_000 }, () => {
  let consortium: LiveConsortium;
  let clients: readonly BssClient[];
  const parent = temporaryDirectory();
  const path = (name: string) => join(parent, name);

  const commands = new BssProcess();
  after(() => commands.close());
  const run = (participant: string, ...args: readonly string[]) => {
    const profile = join(consortium.directory, "participants", participant, "profile.yaml");
    return commands.run(...args, "--profile", profile);
  };
  const json = async (participant: string, ...args: readonly string[]) => {
    const { code, out, err } = await run(participant, "--json", ...args);
    assert.equal(code, 0, `${err}${out}`);
    return JSON.parse(out);
  };

  const clientOf = (number: number) => clients[number - 1] ?? assert.fail();
  const put = async (number: number, ...records: readonly Uint8Array[]) => {
    const client = clientOf(number);
    await client.submit(client.sign(records));
  };
  const hashOf = (bytes: Uint8Array) => recordHash(clientOf(1).consortiumId, bytes);

  /** Of participant-1: 24 hours in which 1 kWh is used at night, and 2 kWh are given by day. */
  const dayProfile = (day: number, extraWh = 0, parentHash?: Uint8Array) =>
    loadProfile({
      ownerId: "participant-1",
      meterId: "meter-1",
      startS: startS + day * 24 * hourS,
      intervalS: hourS,
      values: Array.from({ length: 24 }, (_, hour) => ({
        importedWh: hour < 8 ? 1_000 : 0,
        exportedWh: hour >= 8 ? 2_000 + extraWh : 0,
        quality: "measured",
      })),
      ...(parentHash === undefined ? {} : { parent: parentHash }),
    });
  const reading = (hour: number) =>
    meterReading({
      ownerId: "participant-2",
      meterId: "meter-2",
      intervalStartS: startS + hour * hourS,
      intervalS: hourS,
      importedWh: 1_500,
      exportedWh: 0,
    });
  const sale = (hour: number, energyWh: number) => {
    const { consortiumId } = clientOf(1);
    const terms = tradeTerms({
      sellerId: "participant-1",
      buyerId: "participant-2",
      deliveryStartS: startS + hour * hourS,
      energyWh,
      priceMicroPerKwh: 150_000,
    });
    const signed = (number: number) =>
      signTrade(consortiumId, terms, clientOf(number).profile.signingSeed);
    return energyTrade({
      ownerId: "participant-1",
      terms,
      sellerSignature: signed(1),
      buyerSignature: signed(2),
      timeMs: (startS + (hour + 1) * hourS) * 1000,
    });
  };

  const profiles = [0, 1, 2].map((day) => dayProfile(day));
  let tariff: string;
  let reader: readonly string[];

  before(async () => {
    const sizes = { managers: 2, storage: 2, participants: 3 };
    consortium = await LiveConsortium.start(path("live"), sizes);
    const ids = [1, 2, 3].map((number) => `participant-${number}`);
    clients = await Promise.all(ids.map((id) => consortium.client(id)));
    const manager = join(consortium.directory, "managers/manager-1");
    const profile = readFileSync(
      join(manager, "../../participants/participant-1/profile.yaml"),
      "utf8",
    );
    const asManager = profile
      .replace("id: participant-1", "id: manager-1")
      .replace("role: participant", "role: manager");
    writeFileSync(join(manager, "profile.yaml"), asManager);
    reader = ["--reader", join(manager, "profile.yaml")];
    await put(1, ...profiles);
    await put(2, ...Array.from({ length: 48 }, (_, hour) => reading(hour)));
    await put(1, sale(10, 1_500), sale(11, 1_001), sale(34, 500));
  });
  after(async () => {
    await consortium?.close();
  });

  test("needs a tariff, which is checked before it is put on the ledger", async () => {
    const content = {
      currency: "USD",
      minor_unit_digits: 2,
      from_grid: { kind: "flat", price: "0.30" },
      to_grid: { kind: "flat", price: "0.08" },
    };
    writeFileSync(path("wrong.json"), JSON.stringify({ ...content, currency: "dollars" }));
    const wrong = await run("participant-3", "settle", "tariff", path("wrong.json"));
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /is no tariff: currency: three capitals/);
    writeFileSync(path("wrong.json"), JSON.stringify({ ...content, currency: "EUR" }));
    const foreign = await run("participant-3", "settle", "tariff", path("wrong.json"));
    assert.equal(foreign.code, 1);
    assert.match(foreign.err, /it is in EUR, and the market's currency is USD; .*nothing was rec/);
    writeFileSync(path("tariff.json"), JSON.stringify(content));
    ({ tariff } = await json("participant-3", "settle", "tariff", path("tariff.json")));
    const again = await json("participant-3", "settle", "tariff", path("tariff.json"));
    assert.deepEqual([again.tariff, again.recorded_before], [tariff, true]);
    const none = await run("participant-1", "settle", ...period);
    assert.deepEqual([none.code, /give --from, --to and --tariff/.test(none.err)], [2, true]);
  });

  test("is the same from a manager and from the records, as a table, CSV and JSON", async () => {
    const args = ["settle", ...period, "--tariff", tariff];
    const seller = await json("participant-1", ...args, "--check", "--csv", path("days.csv"));
    assert.equal(seller.checked, true);
    assert.deepEqual([seller.intervals, seller.intervals_without_value], [72, 0]);
    // 24 kWh at 0.30; 96 - 3.001 kWh at 0.08; 3.001 kWh at 0.15, by day 37.515 and 7.5 cents.
    assert.deepEqual(
      ["imported_wh", "exported_wh", "sold_wh", "to_grid_wh"].map((name) => seller.total[name]),
      [24_000, 96_000, 3_001, 92_999],
    );
    const due = seller.days.map((day: { due: number }) => day.due);
    assert.deepEqual(due, [240 - 236 - 38, 240 - 252 - 8, 240 - 256]);
    const [header, first] = readFileSync(path("days.csv"), "utf8").split("\n");
    assert.match(header ?? "", /^participant,day,start,imported_wh,.*,due_usd,records$/);
    assert.match(first ?? "", /^participant-1,2024-06-01,2024-06-01T00:00:00Z,8000,32000,0,2501,/);

    const table = await run("participant-2", ...args);
    assert.match(table.out, /as of +height \d+, block [0-9a-f]{64}/);
    assert.match(
      table.out,
      /total +72000 +0 +3001 +0 +68999 +0 +20\.70 +0\.46 +0\.00 +0\.00 +21\.16/,
    );
    assert.match(table.err, /1 of 3 days has no record and counts as 0/);
    const gaps = await run("participant-2", ...args, "--check");
    assert.match(gaps.err, /24 of 72 delivery intervals have no value of any meter/);
    const other = await run("participant-2", ...args, "--participant", "participant-1");
    assert.equal(other.code, 1);
    assert.match(other.err, /settlements are for managers, and for the participant/);
  });

  let statement: string;
  let height: number;

  test("is put on the ledger by one side, and confirmed by the other", async () => {
    const args = ["settle", ...period, "--tariff", tariff, "--record"];
    const nobody = await run("participant-1", ...args);
    assert.deepEqual([nobody.code, /--counterparty/.test(nobody.err)], [2, true]);
    const made = await json("participant-1", ...args, "--counterparty", "participant-3");
    ({ statement, height } = made);

    const maker = await run("participant-1", "settle", "confirm", statement);
    assert.match(maker.err, /made by participant-1, and participant-3 is to confirm it/);
    const stranger = await run("participant-2", "settle", "confirm", statement);
    assert.match(stranger.err, /is no statement: it holds no document that this profile may read/);
    const blind = await run("participant-3", "settle", "confirm", statement);
    assert.deepEqual([blind.code, /give the profile.yaml of a manager/.test(blind.err)], [1, true]);

    const at = (hash: string) => ["--tariff", hash, ...reader];
    const dear = await run("participant-3", "settle", "confirm", statement, ...at(statement));
    assert.deepEqual([dear.code, /is at the tariff [0-9a-f]{64}/.test(dear.err)], [1, true]);
    const confirmed = await json("participant-3", "settle", "confirm", statement, ...at(tariff));
    assert.deepEqual([confirmed.confirmed, confirmed.tariff_owner], [true, "participant-3"]);
    const again = await json("participant-3", "settle", "confirm", statement, ...at(tariff));
    assert.deepEqual([again.confirmation, again.confirmed_before], [confirmed.confirmation, true]);
    const read = await json("participant-1", "get", confirmed.confirmation);
    assert.equal(read.owner_id, "participant-3");
  });

  test("changes with a correction in that day alone, and stays the same at its height", async () => {
    await put(1, dayProfile(1, 10, hashOf(profiles[1] ?? assert.fail())));
    const args = ["settle", ...period, "--tariff", tariff, "--check"];
    const before = await json("participant-1", ...args, "--height", String(height));
    const now = await json("participant-1", ...args);
    const changed = [0, 1, 2].filter(
      (day) => JSON.stringify(before.days[day]) !== JSON.stringify(now.days[day]),
    );
    assert.deepEqual(changed, [1]);
    assert.equal(now.days[1].exported_wh - before.days[1].exported_wh, 160);
    const buyer = await Promise.all(
      [["--height", String(height)], []].map(
        async (at) => (await json("participant-2", ...args, ...at)).days,
      ),
    );
    assert.deepEqual(buyer[0], buyer[1]);
    const again = await json("participant-3", "settle", "confirm", statement, ...reader);
    assert.equal(again.confirmed, true);
  });

  test("that is wrong is not confirmed; it is said where, and from which records", async () => {
    const forged = async (change: (statement: StatementDocument) => void) => {
      const { content } = await clientOf(1).getRecord(Buffer.from(statement, "hex"));
      const payload = content?.record.payload;
      assert.ok(payload?.case === "document");
      const value = JSON.parse(new TextDecoder().decode(payload.value.content));
      change(value);
      const bytes = document({
        ownerId: "participant-1",
        mediaType: statementMediaType,
        name: "",
        content: canonicalJson(value),
        timeMs: Date.now(),
      });
      await put(1, bytes);
      return toHex(hashOf(bytes));
    };
    const wrongSum = await forged(({ days }) => {
      const [first] = days;
      if (first !== undefined) first.sold_credit += 5;
    });
    const refused = await run("participant-3", "settle", "confirm", wrongSum, ...reader);
    assert.equal(refused.code, 1);
    assert.match(refused.out, /2024-06-01\n {2}sold_credit: stated 0\.43 USD, computed 0\.38 USD/);
    const source = toHex(hashOf(profiles[0] ?? assert.fail())).slice(0, 16);
    assert.match(refused.out, new RegExp(`the day's records: .*${source}`));

    const left = await forged(({ days }) => {
      const day = days[2];
      if (day === undefined) return;
      day.records = [];
      day.record_count = 0;
      day.records_digest = "00".repeat(32);
    });
    const omitted = await run("participant-3", "--json", "settle", "confirm", left, ...reader);
    assert.equal(omitted.code, 1);
    const [day] = JSON.parse(omitted.out).differences;
    const missing = toHex(hashOf(profiles[2] ?? assert.fail())).slice(0, 16);
    assert.deepEqual([day.same_records, day.left_out], [false, [missing]]);

    const other = await forged((value) => {
      value.root = "00".repeat(32);
    });
    const elsewhere = await run("participant-3", "settle", "confirm", other, ...reader);
    assert.match(elsewhere.out, /^root: stated 0+, found /);

    const twice = await forged((value) => {
      value.days = value.days.flatMap((day) => [{ ...day, due: day.due + 100 }, day]);
    });
    const doubled = await run("participant-3", "settle", "confirm", twice, ...reader);
    assert.deepEqual([doubled.code, /not the bytes of a statement/.test(doubled.err)], [1, true]);
    const endless = await forged((value) => {
      value.to_unix_s = startS + 100_000_000 * hourS;
    });
    const long = await run("participant-3", "settle", "confirm", endless, ...reader);
    assert.deepEqual([long.code, /at most 366 days/.test(long.err)], [1, true]);
  });
});
