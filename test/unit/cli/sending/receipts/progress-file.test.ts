import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { toHex, utf8 } from "../../../../../src/base/bytes.js";
import { ProgressFile } from "../../../../../src/cli/sending/receipts/progress-file.js";
import type { ReceiptLine } from "../../../../../src/cli/sending/receipts/receipt-lines.js";
import { CliError } from "../../../../../src/cli/text/cli-error.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

describe("the progress file", () => {
  const directory = temporaryDirectory();
  const out = join(directory, "receipts.jsonl");
  const journal = `${out}.journal`;
  const owner = { consortiumId: new Uint8Array(32).fill(3), participantId: "home-1" };
  let salt = 0;

  beforeEach(() => {
    for (const file of [out, journal]) rmSync(file, { force: true });
  });

  const withFile = <T>(use: (file: ProgressFile) => T, as = owner): T => {
    const file = new ProgressFile(out, as);
    try {
      return use(file);
    } finally {
      file.close();
    }
  };

  /** A record that is never the same twice. */
  const fresh = (row: string) => () => utf8(`${row} ${++salt}`);

  const receiptOf = (hashHex: string): ReceiptLine => ({
    line: 2,
    record_hash: hashHex,
    height: 1,
    position: 0,
  });

  const plan = (file: ProgressFile, row: string, line = 2) =>
    file.plan({ line, identity: [row], build: fresh(row) });

  const planAndSave = (file: ProgressFile, rows: readonly string[]) => {
    const planned = rows.map((row, index) => plan(file, row, index + 2));
    file.save();
    return planned;
  };

  test("a later run sends the same records, but for those with a receipt", () => {
    const first = withFile((file) => {
      const planned = planAndSave(file, ["a", "b", "c"]);
      file.receive([receiptOf(planned[1]?.hashHex ?? "")]);
      return planned;
    });
    const second = withFile((file) => planAndSave(file, ["c", "b", "new", "a"]));
    assert.deepEqual(second[0], { ...first[2], isOld: true });
    assert.equal(second[1], undefined);
    assert.deepEqual(second[3], { ...first[0], isOld: true });
    assert.ok(second[2] !== undefined);
    const third = withFile((file) => planAndSave(file, ["new"]));
    assert.deepEqual(third[0], { ...second[2], isOld: true });
  });

  test("leaves nothing behind when nothing was going to be sent", () => {
    withFile((file) => file.save());
    assert.deepEqual([existsSync(out), existsSync(journal)], [false, false]);
    withFile((file) => planAndSave(file, ["a"]));
    withFile((file) => file.save());
    assert.ok(existsSync(journal), "what another run planned stays");
  });

  test("a row that says what another one says is refused, with the line of the first", () => {
    withFile((file) => {
      planAndSave(file, ["a", "b"]);
      const repeats = { name: "RowProblem", message: /says the same as line 2/ };
      assert.throws(() => plan(file, "a", 4), repeats);
      assert.throws(() => plan(file, "a", 5), repeats);
    });
  });

  test("a row that was recorded twice before it could be refused keeps its receipt", () => {
    const [first] = withFile((file) => planAndSave(file, ["a"]));
    const key = `${first?.key}#2`;
    appendFileSync(journal, `${JSON.stringify({ key, hash: "00", record: "" })}\n`);
    const again = withFile((file) => planAndSave(file, ["a", "a"]));
    assert.deepEqual(
      again.map((planned) => planned?.hashHex),
      [first?.hashHex, "00"],
    );
  });

  test("the record that replaces another one is the one that later runs send", () => {
    const [first] = withFile((file) => planAndSave(file, ["a"]));
    const second = withFile((file) => {
      const [old] = planAndSave(file, ["a"]);
      assert.ok(old?.isOld);
      const anew = file.replace(old, utf8("made anew"));
      file.save();
      return anew;
    });
    assert.notEqual(second.hashHex, first?.hashHex);
    const third = withFile((file) => planAndSave(file, ["a"]));
    assert.deepEqual(third, [{ ...second, isOld: true }]);
    withFile((file) => file.receive([receiptOf(second.hashHex)]));
    assert.deepEqual(
      withFile((file) => planAndSave(file, ["a"])),
      [undefined],
    );
  });

  test("what was not saved was not sent, so it may be another record", () => {
    const first = withFile((file) => plan(file, "a"));
    const second = withFile((file) => plan(file, "a"));
    assert.notEqual(first?.hashHex, second?.hashHex);
  });

  test("lines that a crash cut off do not count", () => {
    const [first] = withFile((file) => planAndSave(file, ["a"]));
    appendFileSync(journal, '{"key":"cut of');
    appendFileSync(out, '{"line":2,"record_ha');
    const [second] = withFile((file) => planAndSave(file, ["a"]));
    assert.deepEqual(second, { ...first, isOld: true });
    assert.equal(readFileSync(out, "utf8"), "");
    withFile((file) => file.receive([receiptOf(first?.hashHex ?? "")]));
    assert.deepEqual(
      withFile((file) => planAndSave(file, ["a"])),
      [undefined],
    );
  });

  describe("keeps of what has a receipt", () => {
    const linesOf = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n");
    const sendTwo = () =>
      withFile((file) => {
        const planned = planAndSave(file, ["a", "b"]);
        file.receive([receiptOf(planned[0]?.hashHex ?? "")]);
        return planned;
      });

    test("the key and the hash, and of all else the exact bytes", () => {
      const [, second] = sendTwo();
      const [, a, b] = linesOf(journal).map((line) => JSON.parse(line));
      assert.deepEqual(Object.keys(a), ["key", "done"]);
      assert.deepEqual(Object.keys(b), ["key", "hash", "record"]);
      assert.equal(statSync(journal).mode & 0o777, 0o600);
      const again = withFile((file) => planAndSave(file, ["a", "b"]));
      assert.deepEqual(again, [undefined, { ...second, isOld: true }]);
      assert.equal(linesOf(journal).length, 3);
    });

    test("enough to ask for a receipt that the file has lost", () => {
      const [first] = sendTwo();
      rmSync(out);
      const row = { line: 2, identity: ["a"], build: fresh("a") };
      withFile((file) => {
        assert.deepEqual(file.unsettled(row), [first?.hashHex]);
        file.settle(row, receiptOf(first?.hashHex ?? ""));
        assert.deepEqual([file.unsettled(row), file.plan(row)], [[], undefined]);
      });
      withFile((file) => assert.deepEqual([file.unsettled(row), file.plan(row)], [[], undefined]));
    });

    test("all of it when the shorter journal cannot be written", () => {
      mkdirSync(`${journal}.new`);
      try {
        sendTwo();
        assert.equal(linesOf(journal).filter((line) => line.includes('"record":')).length, 2);
      } finally {
        rmdirSync(`${journal}.new`);
      }
      const again = withFile((file) => planAndSave(file, ["a"]));
      assert.deepEqual(again, [undefined]);
    });

    test("places without a proof, until there is one", () => {
      const [first, second] = withFile((file) => planAndSave(file, ["a", "b"]));
      const places = [first, second].map((each, position) => {
        return { ...receiptOf(each?.hashHex ?? ""), position };
      });
      const line = { block: 1, positions: [[1, 1]] as [number, number][], receipt: "" };
      withFile((file) => {
        file.receive(places);
        file.receipts.prove(line);
      });
      withFile((file) => {
        assert.deepEqual(file.receipts.unprovenHeights, [1]);
        assert.deepEqual([...file.receipts.unprovenIn(1)], [[0, first?.hashHex]]);
        file.receipts.prove({ ...line, positions: [[0, 1]] });
        assert.deepEqual(file.receipts.unprovenHeights, []);
      });
    });

    test("what earlier versions wrote", () => {
      const [first] = withFile((file) => planAndSave(file, ["a"]));
      const more = { seal_digest: "00", block_id: "00", time_unix_ms: 1, confirmations: 1 };
      const line = { ...receiptOf(first?.hashHex ?? ""), ...more };
      appendFileSync(out, `${JSON.stringify(line)}\n`);
      withFile((file) => {
        assert.equal(plan(file, "a"), undefined);
        assert.deepEqual(file.receipts.unprovenHeights, [1]);
      });
      assert.deepEqual(Object.keys(JSON.parse(linesOf(journal)[1] ?? "")), ["key", "done"]);
    });
  });

  test("only its owner can read the journal and the receipts", () => {
    withFile((file) => planAndSave(file, ["a"]));
    for (const file of [out, journal]) assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  describe("rows about one slot", () => {
    const planSlot = (file: ProgressFile, content: string, slot = "s", line = 2) =>
      file.plan({
        line,
        slot,
        identity: content,
        build: (parent) =>
          utf8(`${content} after ${parent === undefined ? "none" : toHex(parent)}`),
      });
    /** Plans in a file of its own, and gets a receipt unless told otherwise. */
    const run = (content: string, { receipt = true } = {}) =>
      withFile((file) => {
        const planned = planSlot(file, content);
        file.save();
        if (receipt && planned !== undefined) file.receive([receiptOf(planned.hashHex)]);
        return planned;
      });

    test("are done when they say the same, and updates when they do not", () => {
      const first = run("a");
      assert.equal(first?.parent, undefined);
      assert.equal(run("a"), undefined);
      const second = run("b");
      assert.equal(second?.parent, first?.hashHex);
      assert.equal(run("b"), undefined);
      const third = run("a");
      assert.equal(third?.parent, second?.hashHex, "what was corrected back is another update");
      assert.equal(run("a"), undefined);
    });

    test("are sent as they were when their receipt is missing", () => {
      const first = run("a", { receipt: false });
      assert.deepEqual(run("a"), { ...first, isOld: true });
      const update = run("b", { receipt: false });
      assert.deepEqual(run("b"), { ...update, isOld: true });
    });

    test("are made anew when another record has come between", () => {
      run("a");
      run("b", { receipt: false });
      const between = run("c");
      assert.equal(run("b")?.parent, between?.hashHex);
    });

    test("may take over what stands in the slot, and then are done when they say the same", () => {
      const row = (text: string) => ({
        line: 2,
        slot: "s",
        identity: text,
        build: fresh(text),
        inPlaceOf: (standing: Uint8Array) => {
          const [before = ""] = Buffer.from(standing).toString().split(" ");
          const all = before.includes(text) ? before : before + text;
          return { identity: all, build: fresh(all) };
        },
      });
      const sent = (text: string) =>
        withFile((file) => {
          const planned = file.plan(row(text));
          file.save();
          if (planned !== undefined) file.receive([receiptOf(planned.hashHex)]);
          return planned && Buffer.from(planned.bytes).toString().split(" ")[0];
        });
      assert.deepEqual(
        [sent("a"), sent("b"), sent("a"), sent("b")],
        ["a", "ab", undefined, undefined],
      );
    });

    test("wait for what became of the record that another run sent about the slot", () => {
      const first = run("a", { receipt: false });
      withFile((file) => {
        const row = (identity: string) => ({ line: 2, slot: "s", identity, build: () => utf8("") });
        assert.deepEqual(file.unsettled(row("a")), []);
        assert.deepEqual(file.unsettled(row("b")), [first?.hashHex]);
        assert.deepEqual(file.unsettled({ ...row("b"), slot: "other" }), []);
        file.settle(row("b"), receiptOf(first?.hashHex ?? ""));
        assert.deepEqual(file.unsettled(row("b")), []);
        assert.equal(planSlot(file, "b")?.parent, first?.hashHex);
      });
      assert.equal(run("a"), undefined);
    });

    test("are corrected also when the record that stands was not yet final when it was asked for", () => {
      const first = run("a", { receipt: false });
      // "a" was in no block yet; then it was, and "b", which does not name it, was refused.
      const second = run("b", { receipt: false });
      withFile((file) => {
        const row = { line: 2, slot: "s", identity: "b", build: () => utf8("") };
        assert.deepEqual(file.unsettled(row), [first?.hashHex]);
        assert.deepEqual(
          file.unsettled({ ...row, identity: "c" }),
          [first, second].map((each) => each?.hashHex),
        );
        file.settle(row, receiptOf(first?.hashHex ?? ""));
        assert.equal(planSlot(file, "b")?.parent, first?.hashHex);
      });
    });

    test("are refused when there are two in one file", () => {
      withFile((file) => {
        planSlot(file, "a");
        assert.throws(() => planSlot(file, "b", "s", 9), /is about the same as line 2/);
        assert.ok(planSlot(file, "a", "other") !== undefined);
      });
    });

    test("are read by a mapping, which the journal names", () => {
      const note = (digest: string) =>
        withFile((file) => {
          const before = file.noteMapping({ mapping: "m.yaml", digest });
          planSlot(file, digest);
          file.save();
          return before?.digest;
        });
      assert.deepEqual(["1", "1", "2", "2"].map(note), [undefined, "1", "1", "2"]);
      assert.equal(readFileSync(journal, "utf8").match(/"mapping":"m.yaml"/g)?.length, 2);
    });
  });

  const refusal = (use: () => unknown): string => {
    try {
      use();
    } catch (error) {
      assert.ok(error instanceof CliError, String(error));
      return error.message;
    }
    return assert.fail("it was taken");
  };

  test("a file that is something else is refused and left as it is", () => {
    for (const text of ["meter,start\nm,1\n", "no line break", '{"line":\n', "[]\n", '{"a":1}\n']) {
      writeFileSync(out, text);
      assert.match(
        refusal(() => withFile(() => {})),
        /was not written by 'bss submit'.*--out/,
      );
      assert.equal(readFileSync(out, "utf8"), text);
      assert.ok(!existsSync(journal));
    }
  });

  test("the journal of another consortium or profile is refused", () => {
    withFile((file) => planAndSave(file, ["a"]));
    for (const other of [
      { ...owner, participantId: "home-2" },
      { ...owner, consortiumId: new Uint8Array(32) },
    ]) {
      const message = refusal(() => withFile(() => {}, other));
      assert.match(message, /was made for another consortium or profile/);
    }
  });

  test("receipts without their journal are refused, because it is not known of which rows", () => {
    withFile((file) => {
      const [planned] = planAndSave(file, ["a"]);
      file.receive([receiptOf(planned?.hashHex ?? "")]);
    });
    rmSync(journal);
    assert.match(
      refusal(() => withFile(() => {})),
      /its journal .* is missing/,
    );
  });

  test("a long journal is read over the edges of its chunks", () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `row ${i} ${"x".repeat(i % 97)} ü`);
    const first = withFile((file) => planAndSave(file, rows));
    assert.ok(statSync(journal).size > 2 * 256 * 1024);
    assert.deepEqual(
      withFile((file) => planAndSave(file, rows)),
      first.map((planned) => ({ ...planned, isOld: true })),
    );
  });
});
