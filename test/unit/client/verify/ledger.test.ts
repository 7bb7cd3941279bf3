import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { toHex, utf8 } from "../../../../src/base/bytes.js";
import {
  meterReading,
  receiptFromBinary,
  receiptToJson,
  recordHash,
} from "../../../../src/client/index.js";
import { Ledger, type Refusal } from "../../../../src/client/verify/index.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import { bytesOf, type GenesisItem } from "../../../forged/corpus.js";
import { originalBlocks, originalReceipts } from "../../../forged/originals.js";
import { readCorpus } from "../../../forged/read-corpus.js";
import { accepted, refusal } from "../../ledger/support/outcome.js";

const corpus = readCorpus();
const genesis = defined(
  corpus.find((item): item is GenesisItem => item.kind === "genesis" && item.name === "own"),
  "the corpus has a genesis",
);
const file = bytesOf(genesis.file);
const consortiumId = sha256(file);
const [receipt = utf8("")] = originalReceipts(corpus);
const [block = utf8(""), next = utf8("")] = originalBlocks(corpus);

const open = () => accepted(Ledger.fromGenesis(file, consortiumId));
const stepOf = ({ step }: Refusal) => step;

describe("a ledger", () => {
  test("is opened with the id of its genesis file alone, as bytes or hex of either case", () => {
    for (const id of [consortiumId, toHex(consortiumId), toHex(consortiumId).toUpperCase()]) {
      const ledger = accepted(Ledger.fromGenesis(file, id));
      assert.deepEqual(ledger.genesis.consortiumId, consortiumId);
      assert.deepEqual([ledger.height, ledger.treeSize], [0, 0]);
    }
    const other = utf8("{}");
    const another = refusal(Ledger.fromGenesis(file, sha256(other)));
    assert.equal(another.step, "genesis");
    assert.match(
      another.message,
      new RegExp(`that of consortium ${toHex(consortiumId)}, not of ${toHex(sha256(other))}`),
    );
    for (const id of ["", "no hex", toHex(consortiumId).slice(2), consortiumId.slice(1)]) {
      const { step, message } = refusal(Ledger.fromGenesis(file, id));
      assert.equal(step, "genesis");
      assert.match(message, /^The consortium id has 32 bytes/);
    }
    assert.match(refusal(Ledger.fromGenesis(other, sha256(other))).message, /^consortium_name: /);
  });

  test("verifies a receipt as an encoded message and as text, and says what is none", () => {
    const ledger = open();
    const text = receiptToJson(defined(receiptFromBinary(receipt), "it is a receipt"));
    const facts = accepted(ledger.verifyReceipt(receipt));
    assert.equal(facts.record, undefined);
    assert.deepEqual(accepted(ledger.verifyReceipt(text)), facts);
    for (const none of ["", "{", '{"height": "x"}', utf8(""), utf8("{}"), receipt.subarray(1)]) {
      assert.equal(stepOf(refusal(ledger.verifyReceipt(none))), "encoding");
    }
    const otherHash = text.replace(/("sealDigest":\s*")./, "$1_");
    assert.notEqual(otherHash, text);
    assert.equal(stepOf(refusal(ledger.verifyReceipt(otherHash))), "inclusion");
  });

  test("gives no content of a record with another hash", () => {
    const record = meterReading({
      ownerId: "home-1",
      meterId: "meter-1",
      intervalStartS: 1_793_505_600,
      intervalS: 3_600,
      importedWh: 1,
      exportedWh: 0,
    });
    const { step, message } = refusal(open().verifyReceipt(receipt, { record }));
    assert.equal(step, "record");
    assert.match(message, new RegExp(toHex(recordHash(consortiumId, record))));
  });

  test("follows blocks one after the other, and stays where it was for any other", async () => {
    const ledger = open();
    for (const none of [utf8("{}"), block.subarray(1), block.subarray(0, -1)]) {
      assert.equal(stepOf(refusal(await ledger.follow(none))), "encoding");
    }
    assert.equal(stepOf(refusal(await ledger.follow(utf8("")))), "block");
    assert.equal(stepOf(refusal(await ledger.follow(next))), "block");
    assert.equal(ledger.height, 0);
    assert.equal(accepted(await ledger.follow(block)).height, 1);
    assert.equal(stepOf(refusal(await ledger.follow(block))), "block");
    assert.equal(accepted(await ledger.follow(next)).height, 2);
    assert.equal(ledger.height, 2);
  });

  test("takes in one of two blocks that come at once for the same height", async () => {
    const ledger = open();
    const both = await Promise.all([ledger.follow(block), ledger.follow(block)]);
    assert.deepEqual(both.map(({ ok }) => ok).sort(), [false, true]);
    assert.equal(ledger.height, 1);
  });
});
