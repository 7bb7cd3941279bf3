/** Checks a whole receipts file, as `bss submit` and `bss import` keep it. */
import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { toHex } from "../../base/bytes.js";
import { verifyBlockReceipt } from "../../client/verify/block-receipt.js";
import type { ReceiptAnchor } from "../../client/verify/receipt-check.js";
import { recordHash } from "../../ledger/records/record-hash.js";
import {
  type BlockLine,
  blockOfLine,
  positionsOf,
  receiptBeginnings,
  receiptsLineOf,
} from "../sending/receipts/receipt-lines.js";
import { CliError } from "../text/cli-error.js";
import { tinted } from "../text/colours.js";
import { fields, formatTime, type Output } from "../text/output.js";

/** What the lines of records say of one block. */
type Said = {
  /** Hashes in hex, by position. */
  readonly hashes: Map<number, string>;
  /** In files of earlier versions. */
  readonly blockIds: Set<string>;
  readonly timesMs: Set<number>;
};

/** By height. */
type Places = Map<number, Said>;

type Proven = {
  /** By the hash in hex. */
  readonly records: Map<string, { readonly height: number; readonly position: number }>;
  readonly heights: Set<number>;
  readonly signers: Set<string>;
  fromMs: number;
  toMs: number;
};

const distrust =
  "do not rely on the file; check --genesis, and fetch receipts with 'bss receipt <record_hash>'";

/** A pipe is not looked into, as it can be read once only. */
export function isReceiptList(file: string): boolean {
  if (!statSync(file).isFile()) return false;
  const beginning = Buffer.alloc(16);
  const descriptor = openSync(file, "r");
  try {
    const text = beginning.toString("utf8", 0, readSync(descriptor, beginning, 0, 16, 0));
    return receiptBeginnings.some((each) => text.startsWith(each));
  } finally {
    closeSync(descriptor);
  }
}

/** Prints what was found. Throws `CliError` unless every receipt of the file is proven. */
export async function verifyList(
  file: string,
  anchor: ReceiptAnchor,
  record: Uint8Array | undefined,
  output: Output,
): Promise<void> {
  const { places, blocks } = await readList(file);
  const total = [...places.values()].reduce((sum, { hashes }) => sum + hashes.size, 0);
  const proven = provenBy(blocks, places, anchor, output);
  const missing = total - proven.records.size;
  if (missing > 0) {
    const message = `nothing in it proves ${missing} of its ${total} receipts`;
    if (output.json) output.result({ valid: false, step: "proof", message }, String);
    throw new CliError(
      `${file} is incomplete: ${message}`,
      "the command that wrote it fetches the proofs when it is run again; or fetch receipts with " +
        "'bss receipt <record_hash>'",
    );
  }
  const checked = record === undefined ? undefined : toHex(recordHash(anchor.consortiumId, record));
  const place = checked === undefined ? undefined : proven.records.get(checked);
  if (checked !== undefined && place === undefined) {
    const message = `${file} has no receipt for the record, whose hash is ${checked}`;
    if (output.json) output.result({ valid: false, step: "record", message }, String);
    throw new CliError(message, "check --record: 'bss get --bytes' writes the right file");
  }
  report(proven, checked === undefined ? undefined : { hash: checked, ...place }, output);
}

async function readList(file: string) {
  const places: Places = new Map();
  const blocks: BlockLine[] = [];
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file) })) {
    number += 1;
    const line = lineOf(text);
    if (line === undefined) {
      const what = `${file}:${number} is no line of a receipts file`;
      throw new CliError(
        what,
        "if it is the last one, wait until the command that writes has ended",
      );
    }
    if ("block" in line) {
      blocks.push(line);
      continue;
    }
    const { height, position, record_hash: hash, block_id, time_unix_ms } = line;
    const said = places.get(height) ?? {
      hashes: new Map(),
      blockIds: new Set(),
      timesMs: new Set(),
    };
    places.set(height, said);
    const before = said.hashes.get(position) ?? hash;
    if (before !== hash) {
      const what = `${file}:${number} says that ${hash} is at position ${position}, as ${before} is`;
      throw new CliError(`the receipts are NOT valid: ${what}`, distrust);
    }
    said.hashes.set(position, hash);
    if (block_id !== undefined) said.blockIds.add(block_id);
    if (time_unix_ms !== undefined) said.timesMs.add(time_unix_ms);
  }
  return { places, blocks };
}

function lineOf(text: string) {
  try {
    const value = JSON.parse(text) as Partial<Record<"block_id" | "time_unix_ms", unknown>>;
    const line = receiptsLineOf(value);
    if (line === undefined || "block" in line) return line;
    const { block_id: id, time_unix_ms: time } = value;
    return {
      ...line,
      block_id: id === undefined ? undefined : String(id),
      time_unix_ms: time === undefined ? undefined : Number(time),
    };
  } catch {
    return undefined;
  }
}

/** Throws `CliError` for the first block that proves nothing. */
function provenBy(
  blocks: readonly BlockLine[],
  places: Places,
  anchor: ReceiptAnchor,
  output: Output,
): Proven {
  const proven: Proven = {
    records: new Map(),
    heights: new Set(),
    signers: new Set(),
    fromMs: Number.POSITIVE_INFINITY,
    toMs: 0,
  };
  for (const line of blocks) {
    const { block: height } = line;
    const problem = addProven(proven, line, places.get(height), anchor);
    if (problem === undefined) continue;
    const message = `block ${height}: ${problem.replace(/\.$/, "")}`;
    if (output.json) output.result({ valid: false, step: "proof", message }, String);
    throw new CliError(`the receipts are NOT valid: ${message}`, distrust);
  }
  return proven;
}

/** What is wrong with the line; undefined when it proves all its positions. */
function addProven(
  proven: Proven,
  line: BlockLine,
  said: Said | undefined,
  anchor: ReceiptAnchor,
): string | undefined {
  const hashes = said?.hashes ?? new Map<number, string>();
  const block = blockOfLine(line, hashes);
  if (block === undefined) return "the line holds no receipt";
  const verified = verifyBlockReceipt(block, anchor);
  if (!verified.ok) return verified.error;
  const { height, timeMs, signers, position: own, recordHash: ownHash } = verified.value;
  if (height !== line.block) return `the receipt is of block ${height}`;
  const id = toHex(verified.value.blockId);
  const otherId = [...(said?.blockIds ?? [])].find((each) => each !== id);
  if (otherId !== undefined) return `its id is ${id}, not ${otherId}`;
  const otherMs = [...(said?.timesMs ?? [])].find((each) => each !== timeMs);
  if (otherMs !== undefined) return `its time is ${timeMs} ms, not ${otherMs}`;
  for (const position of positionsOf(line)) {
    const hash = hashes.get(position) ?? "";
    const isOwn = block.others === undefined;
    if (isOwn && (position !== own || hash !== toHex(ownHash))) {
      return `the receipt is not for the record at position ${position}`;
    }
    proven.records.set(hash, { height, position });
  }
  proven.heights.add(height);
  for (const signer of signers) proven.signers.add(signer);
  proven.fromMs = Math.min(proven.fromMs, timeMs);
  proven.toMs = Math.max(proven.toMs, timeMs);
  return undefined;
}

type Checked = { readonly hash: string; readonly height?: number; readonly position?: number };

function report(proven: Proven, record: Checked | undefined, output: Output): void {
  const { fromMs, toMs, records, heights } = proven;
  const signers = [...proven.signers].sort();
  const value = {
    valid: true,
    records: records.size,
    blocks: heights.size,
    first_time_unix_ms: fromMs,
    last_time_unix_ms: toMs,
    signers,
    record_checked: record !== undefined,
    record_hash: record?.hash ?? null,
    height: record?.height ?? null,
    position: record?.position ?? null,
  };
  output.result(value, () => {
    const content =
      record === undefined
        ? "not checked (--record FILE)"
        : `is what was recorded, at position ${record.position} in block ${record.height}`;
    const facts = fields([
      ["content", content],
      ["blocks' times", `${formatTime(fromMs)} to ${formatTime(toMs)}`],
      ["signed by", `${signers.join(", ")}; of each block as many as are needed`],
    ]);
    const blocks = heights.size === 1 ? "1 block" : `${heights.size} blocks`;
    const all = records.size === 1 ? "the receipt is" : `all ${records.size} receipts are`;
    return `${tinted("good", `${all} valid`)}, of ${blocks}\n${facts}`;
  });
}
