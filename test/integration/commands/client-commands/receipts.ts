import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  receiptFromBinary,
  receiptFromJson,
  receiptToJson,
} from "../../../../src/client/verify/receipt-check.js";
import { ManagerBlockHeaderSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { mainFile } from "../../../support/bss.js";
import { type CommandWorld, hourS } from "./command-world.js";

export function testReceipts(world: CommandWorld): void {
  const { bss, ok, path, readings, receiptsOf } = world;

  describe("receipts", () => {
    test("a record goes in, and comes back with a receipt that holds offline", async () => {
      readings("first.csv", 3);
      await ok("submit", "first.csv", "--profile", world.profile, "--out", "first.jsonl");
      const [, second] = receiptsOf("first.jsonl");
      const hash = second?.record_hash ?? "";
      const got = JSON.parse(
        await ok("--json", "get", hash, "-p", world.profile, "--bytes", "second.bin"),
      );
      assert.deepEqual(
        [got.record_hash, got.kind, got.meter_id, got.interval_start_unix_s, got.imported_wh],
        [hash, "meter-reading", "meter-1", hourS(1), 1],
      );
      writeFileSync(path("second.json"), await ok("receipt", hash, "-p", world.profile));
      const offline = ["--genesis", world.toy.genesisFile, "--record", "second.bin"];
      const verified = JSON.parse(await ok("verify", "second.json", ...offline, "--json"));
      assert.equal(verified.valid, true);
      assert.equal(verified.record_checked, true);
      assert.match(await ok("verify", "second.json", ...offline), /ok {2}The inclusion proof/);

      const text = readFileSync(path("second.json"), "utf8");
      writeFileSync(path("forged.json"), text.replace('"position": "1"', '"position": "2"'));
      const forged = await bss("verify", "forged.json", "--genesis", world.toy.genesisFile);
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
      const elsewhere = await bss("verify", "foreign.json", "--genesis", world.toy.genesisFile);
      assert.equal(elsewhere.code, 1);
      assert.match(elsewhere.err, /NOT valid \(header\).*; check --genesis/);
    });

    test("the receipts of a file hold offline, all of them and each", async () => {
      const offline = ["--genesis", world.toy.genesisFile];
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
        [
          "moved",
          [first, second.replace('"position":', '"position":9'), third, block],
          /NOT valid/,
        ],
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
      await ok("submit", "first.csv", "--profile", world.profile, "--out", "first.jsonl");
      assert.match(await ok("verify", "first.jsonl", ...offline), /^all 3 receipts are valid/);
    });

    test("a hash may be given in hex, in base64, and by its first digits", async () => {
      const hashes = receiptsOf("first.jsonl").map((each) => each.record_hash);
      const [, hash = ""] = hashes;
      const bytes = Buffer.from(hash, "hex");
      const auditor = world.toy.profileFile("auditor-1", "auditors");
      const forms = [hash.toUpperCase(), bytes.toString("base64"), bytes.toString("base64url")];
      for (const form of [...forms, hash.slice(0, 8), hash.slice(0, 13).toUpperCase()]) {
        // A beginning with a minus would be an option.
        const args = ["-p", world.profile, "--json", "--", form];
        assert.equal(JSON.parse(await ok("get", ...args)).record_hash, hash, form);
      }
      const short = hash.slice(0, 12);
      assert.equal(JSON.parse(await ok("receipt", short, "-p", auditor)).recordHash, forms[1]);
      assert.equal(
        JSON.parse(await ok("history", short, "-p", world.profile, "--json")).record_hash,
        hash,
      );

      const unknown = await bss("get", "0123456789ab", "-p", world.profile);
      assert.equal(unknown.code, 1);
      assert.match(
        unknown.err,
        /no record of participant-1 has a hash that begins with 0123456789ab/,
      );
      const nowhere = await bss("get", "0123456789ab", "-p", auditor);
      assert.match(nowhere.err, /no record has a hash that begins .*; give the whole hash/);
      for (const wrong of [hash.slice(0, 7), `${hash}00`, `${forms[1]}=`, "not a hash"]) {
        const { code, err } = await bss("get", wrong, "-p", world.profile);
        assert.equal(code, 2, wrong);
        assert.match(err, /A hash has 64 hex digits, or 44 characters of base64/);
      }
    });

    test("a receipt as encoded bytes holds as well", async () => {
      const hash = receiptsOf("first.jsonl")[1]?.record_hash ?? "";
      const args = [mainFile, "receipt", hash, "-p", world.profile, "--format", "binary"];
      const child = spawn(process.execPath, args, { cwd: world.directory });
      const chunks: Buffer[] = [];
      for await (const chunk of child.stdout) chunks.push(chunk);
      const bytes = new Uint8Array(Buffer.concat(chunks));
      const fromText = receiptFromJson(readFileSync(path("second.json"), "utf8"));
      assert.ok(fromText.ok);
      assert.deepEqual(receiptFromBinary(bytes)?.inclusionProof, fromText.value.inclusionProof);
      writeFileSync(path("second.binpb"), bytes);
      assert.match(
        await ok("verify", "second.binpb", "--genesis", world.toy.genesisFile),
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
      const args = [mainFile, "verify", "second.json", "--genesis", world.toy.genesisFile];
      const child = spawn(process.execPath, args, { cwd: world.directory, env, stdio: "ignore" });
      assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 0);
    });

    test("others see a record's place and not its content", async () => {
      const hash = receiptsOf("first.jsonl")[0]?.record_hash ?? "";
      const other = world.toy.profileFile("participant-2");
      const seen = JSON.parse(await ok("get", hash, "-p", other, "--json"));
      assert.deepEqual(Object.keys(seen), ["record_hash", "height", "position", "seal_digest"]);
      assert.match(await ok("get", hash, "-p", other), /content +not visible to this profile/);
      const bytes = await bss("get", hash, "-p", other, "--bytes", "stolen.bin");
      assert.match(
        bytes.err,
        /may not see the content of the record; use the profile of its owner/,
      );
      assert.ok(!existsSync(path("stolen.bin")));
    });
  });
}
