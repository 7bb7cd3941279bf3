import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { toHex } from "../../../src/base/bytes.js";
import { signTrade, tradeTerms } from "../../../src/client/index.js";
import {
  receiptFromBinary,
  receiptFromJson,
  receiptToJson,
} from "../../../src/client/verify/receipt-check.js";
import { ManagerBlockHeaderSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { RecordSchema } from "../../../src/gen/bss/v1/record_pb.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import { BssProcess, mainFile } from "../../support/bss.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";

describe("the commands that talk to a consortium", () => {
  const directory = temporaryDirectory();
  const path = (name: string) => join(directory, name);
  let toy: ToyConsortium;
  let profile: string;

  before(async () => {
    toy = await ToyConsortium.create(path("toy"));
    profile = toy.profileFile("participant-1");
  });
  afterEach(() => {
    for (const { misbehaviour } of toy.managers) {
      for (const key of Object.keys(misbehaviour)) delete misbehaviour[key as "tamper"];
    }
    toy.objectTo = () => undefined;
  });
  after(() => toy.close());

  const commands = new BssProcess(directory);
  after(() => commands.close());
  const bss = (...args: readonly string[]) => commands.run(...args);

  const ok = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await bss(...args);
    assert.equal(code, 0, err);
    return out;
  };

  const receiptsOf = (name: string) =>
    readFileSync(path(name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { line: number; record_hash: string; height: number })
      .filter(({ line }) => line !== undefined);

  /** Hours are counted from the beginning of July 2024. */
  const hourS = (hour: number) => Date.UTC(2024, 6, 1) / 1000 + hour * 3600;

  const readings = (name: string, hours: number, from = 0) => {
    const rows = Array.from({ length: hours }, (_, i) => `meter-1,${hourS(from + i)},${i},0`);
    writeFileSync(path(name), `meter,start,imported_wh,exported_wh\n${rows.join("\n")}\n`);
  };

  test("a record goes in, and comes back with a receipt that holds offline", async () => {
    readings("first.csv", 3);
    await ok("submit", "first.csv", "--profile", profile, "--out", "first.jsonl");
    const [, second] = receiptsOf("first.jsonl");
    const hash = second?.record_hash ?? "";
    const got = JSON.parse(await ok("--json", "get", hash, "-p", profile, "--bytes", "second.bin"));
    assert.deepEqual(
      [got.record_hash, got.kind, got.meter_id, got.interval_start_unix_s, got.imported_wh],
      [hash, "meter-reading", "meter-1", hourS(1), 1],
    );
    writeFileSync(path("second.json"), await ok("receipt", hash, "-p", profile));
    const offline = ["--genesis", toy.genesisFile, "--record", "second.bin"];
    const verified = JSON.parse(await ok("verify", "second.json", ...offline, "--json"));
    assert.equal(verified.valid, true);
    assert.equal(verified.record_checked, true);
    assert.match(await ok("verify", "second.json", ...offline), /ok {2}The inclusion proof/);

    const text = readFileSync(path("second.json"), "utf8");
    writeFileSync(path("forged.json"), text.replace('"position": "1"', '"position": "2"'));
    const forged = await bss("verify", "forged.json", "--genesis", toy.genesisFile);
    assert.equal(forged.code, 1);
    assert.match(forged.err, /NOT valid \(inclusion\).*position 2.*; .*from another manager/);

    writeFileSync(path("other.bin"), "another content");
    const other = await bss("verify", "second.json", ...offline.slice(0, 3), "other.bin");
    assert.equal(other.code, 1);
    assert.match(other.err, /NOT valid \(record\).*; check --record: 'bss get --bytes' writes/);

    const foreign = receiptFromJson(text);
    assert.ok(foreign.ok);
    const header = fromBinary(ManagerBlockHeaderSchema, foreign.value.header);
    header.consortiumId = new Uint8Array(32).fill(7);
    foreign.value.header = toBinary(ManagerBlockHeaderSchema, header);
    writeFileSync(path("foreign.json"), receiptToJson(foreign.value));
    const elsewhere = await bss("verify", "foreign.json", "--genesis", toy.genesisFile);
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.err, /NOT valid \(header\).*; check --genesis/);
  });

  test("the receipts of a file hold offline, all of them and each", async () => {
    const offline = ["--genesis", toy.genesisFile];
    const text = readFileSync(path("first.jsonl"), "utf8");
    const said = await ok("verify", "first.jsonl", ...offline, "--record", "second.bin");
    assert.match(said, /^all 3 receipts are valid, of 1 block\n/);
    assert.match(said, /is what was recorded, at position \d+ in block \d+/);
    const facts = JSON.parse(await ok("--json", "verify", "first.jsonl", ...offline));
    assert.deepEqual([facts.valid, facts.records, facts.blocks], [true, 3, 1]);

    const [first = "", second = "", third = "", block = ""] = text.split("\n");
    const other = first.replace(/"record_hash":"../, '"record_hash":"00');
    for (const [name, lines, why] of [
      ["changed", [other, second, third, block], /NOT valid: block \d+: /],
      ["moved", [first, second.replace('"position":', '"position":9'), third, block], /NOT valid/],
      [
        "unproven",
        [first, second, third],
        /is incomplete: nothing in it proves 3 of its 3 receipts/,
      ],
      ["twice", [first, other, second, third, block], /NOT valid: twice\.jsonl:2 says that 00/],
      [
        "another-time",
        [first, second.replace("}", ',"time_unix_ms":1}'), third, block],
        /NOT valid: block \d+: its time is \d+ ms, not 1/,
      ],
      [
        "another-id",
        [first, second.replace("}", ',"block_id":"00"}'), third, block],
        /NOT valid: block \d+: its id is [0-9a-f]{64}, not 00/,
      ],
      [
        "cut",
        [first, second, third, block.slice(0, -9)],
        /cut\.jsonl:4 is no line of a receipts file/,
      ],
    ] as const) {
      writeFileSync(path(`${name}.jsonl`), `${lines.join("\n")}\n`);
      const { code, err } = await bss("verify", `${name}.jsonl`, ...offline);
      assert.equal(code, 1, name);
      assert.match(err, why);
    }
    const without = await bss("verify", "first.jsonl", ...offline, "--record", "other.bin");
    assert.match(without.err, /first\.jsonl has no receipt for the record, .*; check --record/);

    // A file of an earlier version: a rerun adds the proofs.
    writeFileSync(path("first.jsonl"), `${[first, second, third].join("\n")}\n`);
    await ok("submit", "first.csv", "--profile", profile, "--out", "first.jsonl");
    assert.match(await ok("verify", "first.jsonl", ...offline), /^all 3 receipts are valid/);
  });

  test("a hash may be given in hex, in base64, and by its first digits", async () => {
    const hashes = receiptsOf("first.jsonl").map((each) => each.record_hash);
    const [, hash = ""] = hashes;
    const bytes = Buffer.from(hash, "hex");
    const auditor = toy.profileFile("auditor-1", "auditors");
    const forms = [hash.toUpperCase(), bytes.toString("base64"), bytes.toString("base64url")];
    for (const form of [...forms, hash.slice(0, 8), hash.slice(0, 13).toUpperCase()]) {
      // A beginning with a minus would be an option.
      const args = ["-p", profile, "--json", "--", form];
      assert.equal(JSON.parse(await ok("get", ...args)).record_hash, hash, form);
    }
    const short = hash.slice(0, 12);
    assert.equal(JSON.parse(await ok("receipt", short, "-p", auditor)).recordHash, forms[1]);
    assert.equal(JSON.parse(await ok("history", short, "-p", profile, "--json")).record_hash, hash);

    const unknown = await bss("get", "0123456789ab", "-p", profile);
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.err,
      /no record of participant-1 has a hash that begins with 0123456789ab/,
    );
    const nowhere = await bss("get", "0123456789ab", "-p", auditor);
    assert.match(nowhere.err, /no record has a hash that begins .*; give the whole hash/);
    for (const wrong of [hash.slice(0, 7), `${hash}00`, `${forms[1]}=`, "not a hash"]) {
      const { code, err } = await bss("get", wrong, "-p", profile);
      assert.equal(code, 2, wrong);
      assert.match(err, /A hash has 64 hex digits, or 44 characters of base64/);
    }
  });

  test("a receipt as encoded bytes holds as well", async () => {
    const hash = receiptsOf("first.jsonl")[1]?.record_hash ?? "";
    const args = [mainFile, "receipt", hash, "-p", profile, "--format", "binary"];
    const child = spawn(process.execPath, args, { cwd: directory });
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk);
    const bytes = new Uint8Array(Buffer.concat(chunks));
    const fromText = receiptFromJson(readFileSync(path("second.json"), "utf8"));
    assert.ok(fromText.ok);
    assert.deepEqual(receiptFromBinary(bytes)?.inclusionProof, fromText.value.inclusionProof);
    writeFileSync(path("second.binpb"), bytes);
    assert.match(
      await ok("verify", "second.binpb", "--genesis", toy.genesisFile),
      /the receipt is valid/,
    );
    const cut = bytes.slice(0, -1);
    const extended = new Uint8Array([...bytes, 0xf8, 0x07, 0x01]);
    for (const wrong of [cut, extended, new Uint8Array(), new TextEncoder().encode("{}")]) {
      assert.equal(receiptFromBinary(wrong), undefined);
    }
  });

  test("verify needs no server and no profile", async () => {
    const env = { ...process.env, BSS_PROFILE: "" };
    const args = [mainFile, "verify", "second.json", "--genesis", toy.genesisFile];
    const child = spawn(process.execPath, args, { cwd: directory, env, stdio: "ignore" });
    assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 0);
  });

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
    toy.objectTo = (bytes) => {
      const { payload } = fromBinary(RecordSchema, bytes);
      if (payload.case !== "meterReading" || payload.value.importedWh !== 66n) return undefined;
      return { reason: "ENERGY_ABOVE_RATING", message: "66 Wh is too much" };
    };
    const run = ["submit", "mixed.csv", "-p", profile, "--out", "mixed.jsonl"];
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
    toy.objectTo = () => undefined;
    const before = toy.ledger.entries.length;
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
    assert.equal(toy.ledger.entries.length, before + 1);
  });

  test("a run that was broken off is taken up again, and nothing stands twice", async () => {
    readings("long.csv", 300, 1000);
    const before = toy.ledger.entries.length;
    let ordered = 0;
    let reached = () => {};
    const half = new Promise<void>((resolve) => {
      reached = resolve;
    });
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.beforeAnswer = async () => {
        ordered += 1;
        if (ordered === 15) reached();
        // Ordered, but the answer never comes.
        if (ordered >= 12) await new Promise(() => {});
      };
    }
    const args = [
      "submit",
      "long.csv",
      "-p",
      profile,
      "--out",
      "long.jsonl",
      "--batch",
      "10",
      "--in-flight",
      "4",
    ];
    const child = spawn(process.execPath, [mainFile, ...args], { cwd: directory });
    let err = "";
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    await half;
    child.kill("SIGINT");
    assert.equal(await new Promise((resolve) => child.once("close", resolve)), 130);
    assert.match(err, /stopped after 110 receipts; run the same command again/);
    assert.equal(receiptsOf("long.jsonl").length, 110);
    for (const { misbehaviour } of toy.managers) delete misbehaviour.beforeAnswer;

    const summary = JSON.parse(await ok(...args, "--json"));
    assert.deepEqual([summary.received, summary.done_before], [190, 110]);
    assert.equal(toy.ledger.entries.length, before + 300);
    const hashes = receiptsOf("long.jsonl").map(({ record_hash }) => record_hash);
    assert.equal(new Set(hashes).size, 300);
    const third = JSON.parse(await ok(...args, "--json"));
    assert.deepEqual([third.received, third.done_before], [0, 300]);
  });

  test("kill -9 between sending and the receipt costs nothing either", async () => {
    readings("killed.csv", 20, 2000);
    const before = toy.ledger.entries.length;
    let reached = () => {};
    const sent = new Promise<void>((resolve) => {
      reached = resolve;
    });
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.beforeAnswer = async () => {
        reached();
        await new Promise(() => {});
      };
    }
    const args = ["submit", "killed.csv", "-p", profile, "--out", "killed.jsonl"];
    const child = spawn(process.execPath, [mainFile, ...args], { cwd: directory, stdio: "ignore" });
    await sent;
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    for (const { misbehaviour } of toy.managers) delete misbehaviour.beforeAnswer;
    assert.equal(JSON.parse(await ok(...args, "--json")).received, 20);
    assert.equal(toy.ledger.entries.length, before + 20);
  });

  test("one record that spoils its submission costs its neighbours nothing", async () => {
    readings("spoiled.csv", 5, 3000);
    for (const { misbehaviour } of toy.managers) {
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
    const { code, out, err } = await bss("submit", "spoiled.csv", "-p", profile, "--json");
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
    const args = ["submit", "trades.csv", "--kind", "trades", "-p", profile];
    const buyer = toy.profileFile("participant-2");
    const { code, err } = await bss(...args, "--counterparty-profile", buyer);
    assert.equal(code, 1);
    assert.match(err, /trades\.csv:3: column buyer: the buyer participant-3 has not signed/);
    const [first] = receiptsOf("trades.csv.receipts.jsonl");
    const got = JSON.parse(await ok("get", first?.record_hash ?? "", "-p", profile, "--json"));
    assert.deepEqual(
      [got.seller_id, got.buyer_id, got.energy_wh, got.price_micro_per_kwh],
      ["participant-1", "participant-2", 100, 310_000],
    );

    const { consortiumId } = toy.genesis;
    const terms = tradeTerms({
      sellerId: "participant-3",
      buyerId: "participant-1",
      deliveryStartS: 3600,
      energyWh: 5,
      priceMicroPerKwh: 1,
    });
    const seller = toy.profile("participant-3");
    const signature = toHex(signTrade(consortiumId, terms, seller.signingSeed));
    const signed = `terms,seller_signature\n${toHex(terms)},${signature}\n`;
    writeFileSync(path("signed.csv"), signed);
    await ok("submit", "signed.csv", "--kind", "trades", "-p", profile);
  });

  test("charging sessions and documents go in too, and a document is updated", async () => {
    writeFileSync(
      path("ev.csv"),
      "station,start,end,energy_wh\nstation-1,1719795600,1719795700,7\n",
    );
    await ok("submit", "ev.csv", "--kind", "charging", "-p", profile);
    writeFileSync(path("report.pdf"), "version 1");
    const document = ["submit", "report.pdf", "--kind", "document", "-p", profile];
    assert.match(await ok(...document, "--out", "v1.jsonl"), /^1 document in block \d+,/);
    const hash = receiptsOf("v1.jsonl")[0]?.record_hash ?? "";
    writeFileSync(path("report.pdf"), "version 2");
    await ok(...document, "--out", "v2.jsonl", "--updates", hash);
    const history = (await ok("history", hash, "-p", profile, "--json")).trim().split("\n");
    const versions = history.map((line) => JSON.parse(line));
    assert.equal(versions.length, 2);
    assert.equal(versions[0].successor, versions[1].record_hash);
    assert.equal(versions[1].media_type, "application/pdf");
    await ok("get", versions[1].record_hash, "-p", profile, "--content", "back.pdf");
    assert.equal(readFileSync(path("back.pdf"), "utf8"), "version 2");
    const twice = await bss("get", hash, "-p", profile, "--content", "back.pdf");
    assert.match(twice.err, /back\.pdf exists already; give the name of a new file/);
    writeFileSync(path("large.bin"), Buffer.alloc(70_000));
    const large = await bss("submit", "large.bin", "--kind", "document", "-p", profile);
    assert.equal(large.code, 1);
    assert.match(large.err, /large\.bin has 68\.4 KiB, and a record of this consortium holds 63/);
  });

  test("a file becomes a document only when that is said, and never an empty one", async () => {
    const before = toy.ledger.entries.length;
    readings("readings.txt", 2, 8000);
    const unsaid = await bss("submit", "readings.txt", "-p", profile);
    assert.equal(unsaid.code, 2);
    assert.match(
      unsaid.err,
      /readings\.txt does not say .*; give --kind meter-readings, .*document/,
    );
    writeFileSync(path("empty.pdf"), "");
    const empty = await bss("submit", "empty.pdf", "--kind", "document", "-p", profile);
    assert.equal(empty.code, 1);
    assert.match(empty.err, /empty\.pdf is empty; check the path/);
    assert.equal(toy.ledger.entries.length, before);
    const said = await ok("submit", "readings.txt", "--kind", "meter-readings", "-p", profile);
    assert.match(said, /^2 meter readings in block \d+,/);
  });

  test("others see a record's place and not its content", async () => {
    const hash = receiptsOf("first.jsonl")[0]?.record_hash ?? "";
    const other = toy.profileFile("participant-2");
    const seen = JSON.parse(await ok("get", hash, "-p", other, "--json"));
    assert.deepEqual(Object.keys(seen), ["record_hash", "height", "position", "seal_digest"]);
    assert.match(await ok("get", hash, "-p", other), /content +not visible to this profile/);
    const bytes = await bss("get", hash, "-p", other, "--bytes", "stolen.bin");
    assert.match(bytes.err, /may not see the content of the record; use the profile of its owner/);
    assert.ok(!existsSync(path("stolen.bin")));
  });

  test("list goes over pages and stops at its limit", async () => {
    const args = ["list", "--meter", "meter-1", "-p", profile];
    const limited = await bss(...args, "--limit", "4", "--json");
    assert.equal(limited.out.trim().split("\n").length, 4);
    assert.match(limited.err, /more records than 4; --limit shows more/);
    const all = await ok(...args, "--limit", "1000");
    assert.ok(all.trim().split("\n").length > 300);
    assert.match(all, /meter-1: 5 Wh imported, 0 Wh exported/);
    const both = await bss(...args, "--participant", "participant-1");
    assert.equal(both.code, 2);
  });

  test("status sets the nodes side by side, and fails when one is silent", async () => {
    const rows = (await ok("status", "-p", profile, "--json")).trim().split("\n");
    const answers = rows.map((row) => JSON.parse(row));
    assert.deepEqual(
      answers.map(({ node_id }) => node_id),
      ["manager-1", "manager-2", "manager-3", "manager-4"],
    );
    assert.equal(new Set(answers.map(({ root }) => root)).size, 1);
    await toy.manager(2).stop();
    const { code, out, err } = await bss("status", "-p", profile);
    await toy.manager(2).start();
    assert.equal(code, 1);
    assert.match(out, /manager-2 .* idle/);
    assert.match(out, /no answer/);
    assert.match(err, /1 of 4 nodes do not answer/);
  });

  test("blocks shows the last ones, or follows", async () => {
    const last = await ok("blocks", "-p", profile, "--limit", "2", "--json");
    const heights = last
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).height);
    assert.deepEqual(heights, [toy.ledger.height - 1, toy.ledger.height]);
    const child = spawn(
      process.execPath,
      [
        mainFile,
        "blocks",
        "--follow",
        "--from",
        String(toy.ledger.height),
        "-p",
        profile,
        "--json",
      ],
      { cwd: directory },
    );
    const seen: number[] = [];
    let buffered = "";
    for await (const chunk of child.stdout) {
      buffered += chunk;
      const lines = buffered.split("\n");
      buffered = lines.pop() ?? "";
      for (const line of lines) {
        seen.push(JSON.parse(line).height);
        if (seen.length < 3) toy.ledger.append([Uint8Array.of(250, seen.length)]);
      }
      if (seen.length === 3) child.kill("SIGTERM");
    }
    const first = toy.ledger.height - 2;
    assert.deepEqual(seen, [first, first + 1, first + 2]);
  });

  test("storage list and consortium show who takes part", async () => {
    const nodes = await ok("storage", "list", "-p", profile);
    assert.match(nodes, /storage-2 +active +yes +100/);
    const consortium = JSON.parse(await ok("consortium", "-p", profile, "--json"));
    assert.equal(consortium.managers.length, 4);
    assert.equal(consortium.policy.delivery_interval_s, 3600);
    assert.match(await ok("consortium", "-p", profile), /records in a submission +1000/);
  });

  const mistakes: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ["no profile", ["get", "00".repeat(32)], 1, /needs a profile.*; give --profile/],
    ["a hash that is none", ["get", "xyz"], 2, /64 hex digits/],
    ["a file that is not there", ["submit", "absent.csv"], 1, /absent\.csv.*; check the path/],
    ["a kind that is none", ["submit", "a.csv", "--kind", "meters"], 2, /Allowed choices/],
    ["an unknown record", ["get", "00".repeat(32)], 1, /\[RECORD_UNKNOWN\]; check the hash/],
    ["a pair that is none", ["submit", "a.csv", "--set", "owner"], 2, /field=value/],
    ["its own output", ["submit", "ev.csv", "--out", "ev.csv"], 1, /--out names the file/],
    [
      "no receipt",
      ["verify", "ev.csv", "--genesis", "toy/genesis.json"],
      1,
      /ev\.csv: This text is no receipt/,
    ],
    ["an empty range", ["list", "--from", "2024-07-02", "--to", "2024-07-01"], 2, /is not after/],
    ["a date as digits", ["list", "--from", "20240701"], 2, /8 digits look like a date/],
    ["a column twice", ["submit", "a.csv", "--column", "a=start", "--column", "a=end"], 2, /once/],
    ["a field set twice", ["submit", "a.csv", "--set", "a=1", "--set", "a=2"], 2, /Give a once/],
    ["a zone that is none", ["submit", "a.csv", "--zone", "Berlin"], 2, /such as Europe\/Berlin/],
    ["no delimiter", ["submit", "a.csv", "--delimiter", ""], 2, /one character/],
    ["no genesis", ["verify", "second.json", "--genesis", "ev.csv"], 1, /not a valid genesis file/],
  ];
  for (const [title, args, code, message] of mistakes) {
    test(`${title} is told in one line that says what to do next`, async () => {
      const withProfile = ["no profile"].includes(title) || args[0] === "verify";
      const result = await bss(...args, ...(withProfile ? [] : ["-p", profile]));
      assert.equal(result.code, code, result.err);
      assert.match(result.err, message);
      assert.match(result.err, /^bss: [^\n]+; [^\n]+\n$/);
      assert.equal(result.out, "");
    });
  }

  test("a role that may not submit is told so, and nothing is written", async () => {
    readings("auditor.csv", 1, 9000);
    const auditor = toy.profileFile("auditor-1", "auditors");
    const { code, err } = await bss("submit", "auditor.csv", "-p", auditor);
    assert.equal(code, 1);
    assert.match(err, /only participants can submit, and auditor-1 has the role auditor; use /);
    assert.ok(!existsSync(path("auditor.csv.receipts.jsonl.journal")));
    rmSync(path("auditor.csv"));
  });

  test("managers that are all gone are named, each with its reason", async () => {
    for (const manager of toy.managers) await manager.stop();
    const { code, err } = await bss("submit", "ev.csv", "-p", profile, "--out", "gone.jsonl");
    for (const manager of toy.managers) await manager.start();
    assert.equal(code, 1);
    for (const { address } of toy.managers) assert.match(err, new RegExp(address));
    assert.match(err, /check that the managers run/);
    assert.ok(!existsSync(path("gone.jsonl")));
  });
});
