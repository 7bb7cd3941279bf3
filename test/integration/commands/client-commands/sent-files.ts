import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import { signTrade, tradeTerms } from "../../../../src/client/index.js";
import { RecordSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { type CommandWorld, hourS } from "./command-world.js";

export function testSentFiles(world: CommandWorld): void {
  const { bss, ok, path, readings, receiptsOf } = world;

  describe("what becomes of the rows and files that are sent", () => {
    test("malformed and refused rows are told by line and column, the rest goes on", async () => {
      writeFileSync(
        path("mixed.csv"),
        [
          "meter,start,imported_wh,exported_wh",
          "meter-1,1000-01,5,0",
          `meter-1,${hourS(100)},5,0`,
          `meter-1,${hourS(101)},much,0`,
          `meter-1,${hourS(102)},66,0`,
          `meter-1,${hourS(103)},7,0`,
        ].join("\n"),
      );
      world.toy.objectTo = (bytes) => {
        const { payload } = fromBinary(RecordSchema, bytes);
        if (payload.case !== "meterReading" || payload.value.importedWh !== 66n) return undefined;
        return { reason: "ENERGY_ABOVE_RATING", message: "66 Wh is too much" };
      };
      const run = ["submit", "mixed.csv", "-p", world.profile, "--out", "mixed.jsonl"];
      const { code, out, err } = await bss(...run);
      assert.equal(code, 1);
      assert.match(err, /mixed\.csv:2: column start: "1000-01" is not a time/);
      assert.match(err, /mixed\.csv:4: column imported_wh: "much" is not a whole number of Wh/);
      assert.match(err, /mixed\.csv:5: refused: 66 Wh is too much \[ENERGY_ABOVE_RATING\]/);
      assert.match(
        err,
        /3 rows got no receipt \(2 malformed, 1 refused, all listed in mixed\.jsonl\.refused/,
      );
      assert.match(out, /^2 meter readings in block \d+,/);
      assert.deepEqual(
        receiptsOf("mixed.jsonl").map(({ line }) => line),
        [3, 6],
      );

      // What was refused for the state of the ledger is sent again, and only that.
      world.toy.objectTo = () => undefined;
      const before = world.toy.ledger.entries.length;
      const again = await bss(...run, "--json");
      assert.equal(again.code, 1);
      const { received, done_before, malformed, refused, refused_rows } = JSON.parse(again.out);
      assert.deepEqual([received, done_before, malformed, refused], [1, 2, 2, 0]);
      const listed = readFileSync(path(refused_rows), "utf8").trimEnd().split("\n");
      assert.deepEqual(
        listed.map((line) => line.split(",", 2)),
        [
          ["line", "column"],
          ["2", "start"],
          ["4", "imported_wh"],
        ],
      );
      assert.equal(world.toy.ledger.entries.length, before + 1);
    });

    test("one record that spoils its submission costs its neighbours nothing", async () => {
      readings("spoiled.csv", 5, 3000);
      for (const { misbehaviour } of world.toy.managers) {
        misbehaviour.refuse = ({ records }) => {
          const bad = records.findIndex((bytes) => {
            const { payload } = fromBinary(RecordSchema, bytes);
            return payload.case === "meterReading" && payload.value.importedWh === 2n;
          });
          if (bad < 0) return undefined;
          const field = `submission.records[${bad}].meter_reading.interval_s`;
          return new RpcError("INTERVAL_INVALID", "the interval has another length", { field });
        };
      }
      const { code, out, err } = await bss("submit", "spoiled.csv", "-p", world.profile, "--json");
      assert.equal(code, 1);
      assert.match(err, /spoiled\.csv:4: refused: the interval has another length \[INTERVAL_INV/);
      assert.equal(JSON.parse(out).received, 4);
    });

    test("trades are signed by the profiles at hand, or bring their signatures along", async () => {
      writeFileSync(
        path("trades.csv"),
        "buyer,start,energy_kwh,price_per_kwh\n" +
          "participant-2,2024-07-01T00:00:00Z,0.1,0.31\nparticipant-3,1719792000,0.2,0.3\n",
      );
      const args = ["submit", "trades.csv", "--kind", "trades", "-p", world.profile];
      const buyer = world.toy.profileFile("participant-2");
      const { code, err } = await bss(...args, "--counterparty-profile", buyer);
      assert.equal(code, 1);
      assert.match(err, /trades\.csv:3: column buyer: the buyer participant-3 has not signed/);
      const [first] = receiptsOf("trades.csv.receipts.jsonl");
      const got = JSON.parse(
        await ok("get", first?.record_hash ?? "", "-p", world.profile, "--json"),
      );
      assert.deepEqual(
        [got.seller_id, got.buyer_id, got.energy_wh, got.price_micro_per_kwh],
        ["participant-1", "participant-2", 100, 310_000],
      );

      const { consortiumId } = world.toy.genesis;
      const terms = tradeTerms({
        sellerId: "participant-3",
        buyerId: "participant-1",
        deliveryStartS: 3600,
        energyWh: 5,
        priceMicroPerKwh: 1,
      });
      const seller = world.toy.profile("participant-3");
      const signature = toHex(signTrade(consortiumId, terms, seller.signingSeed));
      const signed = `terms,seller_signature\n${toHex(terms)},${signature}\n`;
      writeFileSync(path("signed.csv"), signed);
      await ok("submit", "signed.csv", "--kind", "trades", "-p", world.profile);
    });

    test("charging sessions and documents go in too, and a document is updated", async () => {
      writeFileSync(
        path("ev.csv"),
        "station,start,end,energy_wh\nstation-1,1719795600,1719795700,7\n",
      );
      await ok("submit", "ev.csv", "--kind", "charging", "-p", world.profile);
      writeFileSync(path("report.pdf"), "version 1");
      const document = ["submit", "report.pdf", "--kind", "document", "-p", world.profile];
      assert.match(await ok(...document, "--out", "v1.jsonl"), /^1 document in block \d+,/);
      const hash = receiptsOf("v1.jsonl")[0]?.record_hash ?? "";
      writeFileSync(path("report.pdf"), "version 2");
      await ok(...document, "--out", "v2.jsonl", "--updates", hash);
      const history = (await ok("history", hash, "-p", world.profile, "--json")).trim().split("\n");
      const versions = history.map((line) => JSON.parse(line));
      assert.equal(versions.length, 2);
      assert.equal(versions[0].successor, versions[1].record_hash);
      assert.equal(versions[1].media_type, "application/pdf");
      await ok("get", versions[1].record_hash, "-p", world.profile, "--content", "back.pdf");
      assert.equal(readFileSync(path("back.pdf"), "utf8"), "version 2");
      const twice = await bss("get", hash, "-p", world.profile, "--content", "back.pdf");
      assert.match(twice.err, /back\.pdf exists already; give the name of a new file/);
      writeFileSync(path("large.bin"), Buffer.alloc(70_000));
      const large = await bss("submit", "large.bin", "--kind", "document", "-p", world.profile);
      assert.equal(large.code, 1);
      assert.match(large.err, /large\.bin has 68\.4 KiB, and a record of this consortium holds 63/);
    });

    test("a file becomes a document only when that is said, and never an empty one", async () => {
      const before = world.toy.ledger.entries.length;
      readings("readings.txt", 2, 8000);
      const unsaid = await bss("submit", "readings.txt", "-p", world.profile);
      assert.equal(unsaid.code, 2);
      assert.match(
        unsaid.err,
        /readings\.txt does not say .*; give --kind meter-readings, .*document/,
      );
      writeFileSync(path("empty.pdf"), "");
      const empty = await bss("submit", "empty.pdf", "--kind", "document", "-p", world.profile);
      assert.equal(empty.code, 1);
      assert.match(empty.err, /empty\.pdf is empty; check the path/);
      assert.equal(world.toy.ledger.entries.length, before);
      const said = await ok(
        "submit",
        "readings.txt",
        "--kind",
        "meter-readings",
        "-p",
        world.profile,
      );
      assert.match(said, /^2 meter readings in block \d+,/);
    });
  });
}
