/** A receipts file that somebody has tampered with is not shown as proven. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { fromHex } from "../../../../src/base/bytes.js";
import { verifyList } from "../../../../src/cli/records/verify-list.js";
import { type BlockLine, lineOfBlock } from "../../../../src/cli/sending/receipts/receipt-lines.js";
import type { Output } from "../../../../src/cli/text/output.js";
import { blockReceipt } from "../../../../src/client/verify/block-receipt.js";
import { toyChain, toyGenesis } from "../../../support/toy-chain.js";

type RecordLine = { line: number; record_hash: string; height: number; position: number };

const positionsAt = new Map([
  [1, [1]],
  [2, [3, 4, 7]],
  [3, [8, 9]],
]);

describe("a receipts file", () => {
  const chain = toyChain([3, 5, 2]);
  const directory = mkdtempSync(join(tmpdir(), "bss-verify-"));
  const file = join(directory, "receipts.jsonl");
  let records: readonly RecordLine[];
  let blocks: readonly BlockLine[];

  before(async () => {
    records = [...positionsAt].flatMap(([height, positions]) =>
      positions.map((position) => {
        return { line: position, record_hash: chain.hashAt(position), height, position };
      }),
    );
    blocks = await Promise.all(
      [...positionsAt].map(async ([height, positions]) => {
        const hash = defined(fromHex(chain.hashAt(positions[0] ?? 0)), "hex");
        const receipt = await chain.receiptOf(hash);
        if (positions.length === 1) return lineOfBlock({ receipt });
        return lineOfBlock(blockReceipt(receipt, await chain.blockAt(height), positions));
      }),
    );
  });

  after(() => rmSync(directory, { recursive: true }));

  const textOf = (lines: readonly object[]) =>
    lines.map((line) => `${JSON.stringify(line)}\n`).join("");

  const verifyText = async (text: string): Promise<unknown> => {
    writeFileSync(file, text);
    const results: unknown[] = [];
    const ignore = () => {};
    const result: Output["result"] = (value) => results.push(value);
    const output = { json: false, result, line: ignore, lines: ignore, note: ignore };
    await verifyList(file, toyGenesis, undefined, output);
    return results[0];
  };
  const verify = (lines: readonly object[]) => verifyText(textOf(lines));

  /** The same with another record at the index. */
  const withRecord = (at: number, changes: object) =>
    records.map((record, i) => (i === at ? { ...record, ...changes } : record));

  test("is proven as it was written, and in any order", async () => {
    const facts = { valid: true, records: 6, blocks: 3 };
    for (const lines of [[...records, ...blocks], [...blocks, ...records].reverse()]) {
      const { valid, records: count, blocks: heights } = (await verify(lines)) as typeof facts;
      assert.deepEqual({ valid, records: count, blocks: heights }, facts);
    }
  });

  test("is not, with a record in the place of another or in another place", async () => {
    const other = chain.hashAt(2);
    for (const lines of [
      withRecord(0, { record_hash: other }),
      withRecord(1, { record_hash: chain.hashAt(4) }),
      withRecord(1, { position: 5 }),
      withRecord(1, { height: 3 }),
      [...records, { ...records[1], record_hash: other }],
    ]) {
      await assert.rejects(verify([...lines, ...blocks]), /NOT valid/);
    }
  });

  test("is not, with a record that nothing proves", async () => {
    for (const more of [
      { record_hash: chain.hashAt(2), height: 1, position: 2 },
      { record_hash: chain.hashAt(3), height: 9, position: 3 },
      { record_hash: chain.hashAt(3), height: 2, position: 5 },
    ]) {
      const lines = [...records, { line: 1, ...more }, ...blocks];
      await assert.rejects(verify(lines), /nothing in it proves 1 of its 7/);
    }
  });

  test("is not, if no record is left in it", async () => {
    await assert.rejects(verify(blocks), /NOT valid/);
    const empty = blocks.map(({ leaves: _, ...block }) => ({ ...block, positions: [] }));
    await assert.rejects(verify(empty), /no line of a receipts file/);
  });

  test("is not, if an earlier version wrote another id or time of a block", async () => {
    const known = { block_id: "00".repeat(32), time_unix_ms: 5 };
    await assert.rejects(verify([...withRecord(2, known), ...blocks]), /its id is/);
    const { time_unix_ms } = known;
    await assert.rejects(verify([...withRecord(2, { time_unix_ms }), ...blocks]), /its time is/);
  });

  test("is not, wherever it is cut", async () => {
    const text = textOf([...records, ...blocks]);
    for (let length = text.length - 2; length > 20; length -= 61) {
      await assert.rejects(verifyText(text.slice(0, length)), { name: "CliError" }, `${length}`);
    }
  });

  test("says the same about each record, or is not, whichever character is changed", async () => {
    const text = textOf([...records, ...blocks]);
    const places = (lines: string) => {
      const parsed = lines.trim().split("\n");
      return parsed.map((line) => JSON.parse(line) as Partial<RecordLine>);
    };
    const said = (lines: string) =>
      places(lines).flatMap(({ record_hash, height, position }) =>
        record_hash === undefined ? [] : [`${record_hash} ${height} ${position}`],
      );
    let held = 0;
    for (let at = 0; at < text.length; at += 37) {
      const changed = text[at] === "1" ? "2" : "1";
      const mutant = `${text.slice(0, at)}${changed}${text.slice(at + 1)}`;
      const result = await verifyText(mutant).catch(() => undefined);
      if (result === undefined) continue;
      held += 1;
      assert.deepEqual(said(mutant), said(text), `${at}`);
    }
    // The line of the input file is not proven, nor is how many have confirmed the block.
    assert.ok(held < 10, `${held}`);
  });
});
