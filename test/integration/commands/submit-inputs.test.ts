import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import {
  document,
  energyTrade,
  recordHash,
  signTrade,
  tradeTerms,
} from "../../../src/client/index.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { RecordSchema } from "../../../src/gen/bss/v1/record_pb.js";
import { BssProcess, mainFile, type Ran } from "../../support/bss.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";

const dayMs = 86_400_000;

describe("what bss submit does with its inputs", () => {
  const directory = temporaryDirectory();
  const path = (name: string) => join(directory, name);
  let toy: ToyConsortium;
  let profile: string;

  before(async () => {
    toy = await ToyConsortium.create(path("toy"));
    profile = toy.profileFile("participant-1");
  });
  afterEach(() => {
    for (const { misbehaviour } of toy.managers) delete misbehaviour.beforeAnswer;
    toy.objectTo = () => undefined;
  });
  after(() => toy.close());

  /** `bss submit` as a process; `input` goes to its stdin. */
  const start = (...args: string[]) => {
    const all = [mainFile, "submit", ...args, "--profile", profile];
    const child = spawn(process.execPath, all, { cwd: directory });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    const ended = once(child, "close").then(([code]): Ran => ({ code, out, err }));
    return { child, ended };
  };

  const commands = new BssProcess(directory);
  after(() => commands.close());
  /** `bss submit` with nothing on its stdin. */
  const submit = (...args: readonly string[]) =>
    commands.run("submit", ...args, "--profile", profile);

  const submitFromStdin = (text: string, ...args: string[]) => {
    const { child, ended } = start(...args);
    child.stdin.end(text);
    return ended;
  };

  const sessions = (count: number, from: number) => {
    const rows = Array.from({ length: count }, (_, i) => {
      const startS = 1_719_792_000 + (from + i) * 3600;
      return `station-1,${startS},${startS + 600},7`;
    });
    return `station,start,end,energy_wh\n${rows.join("\n")}\n`;
  };

  describe("two at once", () => {
    /** Resolves when managers have ordered something; they answer when `answer` is called. */
    const holdAnswers = () => {
      let answer = () => {};
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const ordered = new Promise<void>((resolve) => {
        for (const { misbehaviour } of toy.managers) {
          misbehaviour.beforeAnswer = () => {
            resolve();
            return answered;
          };
        }
      });
      return { ordered, answer };
    };

    test("of one file: the second is refused at once and names the first, nothing twice", async () => {
      writeFileSync(path("twice.csv"), sessions(20, 0));
      writeFileSync(path("other.csv"), sessions(20, 100));
      const records = toy.ledger.entries.length;
      const { ordered, answer } = holdAnswers();
      const first = start("twice.csv", "--kind", "charging");
      await ordered;
      const refusal = new RegExp(
        `another command works with .*twice\\.csv\\.receipts\\.jsonl and its journal ` +
          `\\(process ${first.child.pid}, since 20.* UTC\\); wait until it has ended`,
      );
      const second = await submit("twice.csv", "--kind", "charging");
      assert.equal(second.code, 1);
      assert.match(second.err, refusal);
      const elsewhere = join(directory, "twice.csv.receipts.jsonl");
      const third = await submit("other.csv", "--kind", "charging", "--out", elsewhere);
      assert.equal(third.code, 1);
      assert.match(third.err, refusal);
      answer();
      assert.equal((await first.ended).code, 0);
      assert.equal(toy.ledger.entries.length, records + 20);
      const again = await submit("twice.csv", "--kind", "charging", "--json");
      const { received, done_before } = JSON.parse(again.out);
      assert.deepEqual([received, done_before], [0, 20]);
      assert.deepEqual(
        readdirSync(directory).filter((name) => name.includes(".lock.")),
        [],
      );
    });

    test("the lock of a process that was killed is taken over", async () => {
      writeFileSync(path("killed.csv"), sessions(5, 200));
      const records = toy.ledger.entries.length;
      const { ordered } = holdAnswers();
      const first = start("killed.csv", "--kind", "charging");
      await ordered;
      first.child.kill("SIGKILL");
      await first.ended;
      for (const { misbehaviour } of toy.managers) delete misbehaviour.beforeAnswer;
      assert.equal((await submit("killed.csv", "--kind", "charging")).code, 0);
      assert.equal(toy.ledger.entries.length, records + 5);
    });
  });

  describe("streams", () => {
    const arguments_ = ["--kind", "charging", "--json", "--out"];

    test("stdin is read once, and sent again it is known again", async () => {
      const records = toy.ledger.entries.length;
      for (const name of ["-", "/dev/stdin"]) {
        const { code, out, err } = await submitFromStdin(
          sessions(30, 300),
          ...[name, ...arguments_, "stdin.jsonl"],
        );
        assert.equal(code, 0, err);
        const { received, done_before } = JSON.parse(out);
        assert.deepEqual([received, done_before], name === "-" ? [30, 0] : [0, 30]);
      }
      assert.equal(toy.ledger.entries.length, records + 30);
    });

    test("a pipe of the shell is read once", async () => {
      writeFileSync(path("piped.csv"), sessions(10, 400));
      const line =
        `exec "$0" "$1" submit <(cat piped.csv) --kind charging --json ` +
        `--out piped.jsonl --profile "$2"`;
      const ran = await new Promise<string>((resolve, reject) => {
        const args = ["-c", line, process.execPath, mainFile, profile];
        execFile("bash", args, { cwd: directory }, (error, out, err) => {
          if (error === null) resolve(out);
          else reject(new Error(err));
        });
      });
      assert.equal(JSON.parse(ran).received, 10);
    });

    test("a FIFO is read when somebody writes to it", async () => {
      execFileSync("mkfifo", [path("written")]);
      const reader = start("written", ...arguments_, "fifo.jsonl");
      const writer = spawn("sh", ["-c", "cat > written"], { cwd: directory });
      writer.stdin.end(sessions(10, 500));
      const { code, out, err } = await reader.ended;
      assert.equal(code, 0, err);
      assert.equal(JSON.parse(out).received, 10);
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      test(`${signal} ends the waiting for a FIFO that nobody writes to`, async () => {
        const name = `silent-${signal}`;
        execFileSync("mkfifo", [path(name)]);
        const { child, ended } = start(name, ...arguments_, `${name}.jsonl`);
        // Signals end it in this way from where its lock is laid down.
        while (!readdirSync(directory).some((each) => each.includes(`${name}.jsonl.lock.`))) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        child.kill(signal);
        const { code, err } = await ended;
        assert.equal(code, 130);
        assert.match(err, /stopped before anything was sent; run the same command again/);
        assert.ok(!existsSync(path(`${name}.jsonl`)));
      });
    }

    test("a stream says where its receipts go and what it is, and is not empty", async () => {
      const unsaid = await submitFromStdin(sessions(1, 600), "-", "--kind", "charging");
      assert.equal(unsaid.code, 2);
      assert.match(
        unsaid.err,
        /stdin is a stream, which has no name for its receipts; give a file with --out/,
      );
      const kindless = await submitFromStdin(sessions(1, 600), "-", "--out", "x.jsonl");
      assert.equal(kindless.code, 2);
      assert.match(kindless.err, /the name of stdin does not say what it holds; give --kind/);
      const empty = await submitFromStdin("", "-", ...arguments_, "x.jsonl");
      assert.equal(empty.code, 1);
      assert.match(empty.err, /stdin is empty; give a CSV file with a header/);
      const device = await submit("/dev/zero", ...arguments_, "x.jsonl");
      assert.match(device.err, /\/dev\/zero is neither a file nor a pipe; .*or - to read from/);
    });

    test("a document may come from stdin, with the name that it is given", async () => {
      const args = ["-", "--kind", "document", "--out", "document.jsonl", "--name", "a.pdf"];
      assert.equal((await submitFromStdin("content", ...args)).code, 0);
      const [, bytes] = toy.ledger.entries.at(-1) ?? [];
      const { payload } = fromBinary(RecordSchema, bytes ?? new Uint8Array());
      assert.ok(payload.case === "document");
      const { name, mediaType, content } = payload.value;
      assert.deepEqual(
        [name, mediaType, Buffer.from(content).toString()],
        ["a.pdf", "application/pdf", "content"],
      );
    });
  });

  describe("after a clock that was a day ahead", () => {
    /** As the ledger's rule does. */
    const refuseFuture = () => {
      toy.objectTo = (bytes) => {
        const ahead = Number(fromBinary(RecordSchema, bytes).timeUnixMs) > Date.now() + 60_000;
        return ahead ? { reason: "TIME_IN_FUTURE", message: "too far ahead" } : undefined;
      };
    };

    /** The journal of a run that was refused as a whole, as it has been left behind. */
    const leaveJournal = (out: string, identity: unknown, record: Uint8Array) => {
      const { consortiumId } = toy.genesis;
      const digest = sha256(utf8(JSON.stringify(identity))).subarray(0, 16);
      const lines = [
        {
          journal: 1,
          consortium_id: toHex(consortiumId),
          participant_id: "participant-1",
        },
        {
          key: Buffer.from(digest).toString("base64"),
          hash: toHex(recordHash(consortiumId, record)),
          record: Buffer.from(record).toString("base64"),
        },
      ];
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      writeFileSync(path(`${out}.journal`), text);
      writeFileSync(path(out), "");
    };

    const lastRecord = () => {
      const [hash = "", bytes = new Uint8Array()] = toy.ledger.entries.at(-1) ?? [];
      return { hash, record: fromBinary(RecordSchema, bytes) };
    };

    test("a document is made anew, and the journal has the new one", async () => {
      const content = utf8("a report");
      writeFileSync(path("report.txt"), content);
      const parts = { ownerId: "participant-1", mediaType: "text/plain", name: "report.txt" };
      const old = document({ ...parts, content, timeMs: Date.now() + dayMs });
      const identity = [
        ...["document", parts.ownerId, parts.mediaType, parts.name, ""],
        toHex(sha256(content)),
      ];
      leaveJournal("report.jsonl", identity, old);
      refuseFuture();
      const args = ["report.txt", "--kind", "document", "--out", "report.jsonl", "--json"];
      const ran = await submit(...args);
      assert.equal(ran.code, 0, ran.err);
      assert.equal(JSON.parse(ran.out).received, 1);
      const { hash, record } = lastRecord();
      assert.ok(Number(record.timeUnixMs) <= Date.now());
      assert.ok(readFileSync(path("report.jsonl"), "utf8").includes(hash));
      const records = toy.ledger.entries.length;
      assert.equal(JSON.parse((await submit(...args)).out).done_before, 1);
      assert.equal(toy.ledger.entries.length, records);
    });

    test("a trade is made anew with the terms that it had", async () => {
      writeFileSync(
        path("late.csv"),
        "buyer,start,energy_wh,price_per_kwh\nparticipant-2,1719792000,100,0.11\n",
      );
      const terms = tradeTerms({
        sellerId: "participant-1",
        buyerId: "participant-2",
        deliveryStartS: 1_719_792_000,
        energyWh: 100,
        priceMicroPerKwh: 110_000,
      });
      const sign = (id: string) =>
        signTrade(toy.genesis.consortiumId, terms, toy.profile(id).signingSeed);
      const old = energyTrade({
        ownerId: "participant-1",
        terms,
        timeMs: Date.now() + dayMs,
        sellerSignature: sign("participant-1"),
        buyerSignature: sign("participant-2"),
      });
      const row = [
        ["buyer", "participant-2"],
        ["energy_wh", "100"],
        ["price_per_kwh", "0.11"],
        ["start", "1719792000"],
      ];
      leaveJournal("late.jsonl", ["trades", "participant-1", row], old);
      refuseFuture();
      const buyer = toy.profileFile("participant-2");
      const args = ["late.csv", "--kind", "trades", "--counterparty-profile", buyer];
      const ran = await submit(...args, "--out", "late.jsonl");
      assert.equal(ran.code, 0, ran.err);
      const { payload } = lastRecord().record;
      assert.ok(payload.case === "energyTrade");
      assert.deepEqual(payload.value.terms, terms);
    });

    test("what a run has made itself is refused once, and told", async () => {
      toy.objectTo = () => ({ reason: "TIME_IN_FUTURE", message: "too far ahead" });
      writeFileSync(path("ahead.txt"), "ahead");
      const args = ["ahead.txt", "--kind", "document", "--out", "ahead.jsonl"];
      for (const journalLines of [2, 3]) {
        const { code, err } = await submit(...args);
        assert.equal(code, 1);
        assert.match(err, /ahead\.txt: refused: too far ahead \[TIME_IN_FUTURE\]/);
        const journal = readFileSync(path("ahead.jsonl.journal"), "utf8").trimEnd().split("\n");
        assert.equal(journal.length, journalLines);
      }
    });
  });
});
