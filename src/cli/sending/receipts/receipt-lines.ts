/**
 * The lines of a receipts file. Each record has a line with its place on the ledger; lines of
 * blocks hold what proves these places, so that `bss verify` needs the file and the genesis only.
 *
 *     {"line":2,"record_hash":"…","height":12,"position":345}
 *     {"block":12,"positions":[[345,250]],"receipt":"…","leaves":{…}}
 *
 * What proves a block stands there once, however many of its records are in the file. Hashes of
 * records are hex, as commands take them; all else that only programs read is base64.
 */
import * as z from "zod";
import { fromHex } from "../../../base/bytes.js";
import type { BlockReceipt, ProvenRecord } from "../../../client/verify/block-receipt.js";
import { receiptFromBinary, receiptToBinary } from "../../../client/verify/receipt-check.js";
import { hashBytes } from "../../../crypto/hash.js";
import { blockRecordsBound } from "../../../ledger/blocks/block-parsing.js";

/** Where a record stands. */
export type ReceiptLine = {
  /** Line of the input file; 0 for a document. */
  readonly line: number;
  readonly record_hash: string;
  readonly height: number;
  readonly position: number;
};

const whole = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

const blockLine = z.object({
  block: whole,
  /** First position and number of records that stand one after the other. */
  positions: z
    .array(z.tuple([whole, whole.min(1)]))
    .min(1)
    .refine((ranges) => ranges.reduce((sum, [, count]) => sum + count, 0) <= blockRecordsBound),
  /** A bss.v1.Receipt, encoded. */
  receipt: base64,
  /** Absent when there is one position: that of the receipt. */
  leaves: z
    .object({
      /** Of each position, one after the other. */
      seal_digests: base64,
      control_root: base64,
      private_root: base64,
      proof: base64,
    })
    .optional(),
});

export type BlockLine = z.output<typeof blockLine>;

/** What a line begins with. */
export const receiptBeginnings = ['{"line":', '{"block":'] as const;

/** A line as it was parsed; undefined for what is no line of a receipts file. */
export function receiptsLineOf(value: unknown): ReceiptLine | BlockLine | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ("block" in value) return blockLine.safeParse(value).data;
  // By hand, as there are hundreds of thousands. Other fields are of earlier versions.
  const { line, record_hash, height, position } = value as {
    readonly [Name in keyof ReceiptLine]: unknown;
  };
  const isHash = typeof record_hash === "string" && /^[0-9a-f]{64}$/.test(record_hash);
  if (!isHash || !isWhole(line) || !isWhole(height) || !isWhole(position)) return undefined;
  return { line, record_hash, height, position };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export function positionsOf({ positions }: Pick<BlockLine, "positions">): readonly number[] {
  return positions.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i));
}

export function lineOfBlock({ receipt, others }: BlockReceipt): BlockLine {
  const positions = others?.records.map(({ position }) => position) ?? [Number(receipt.position)];
  return {
    block: Number(receipt.height),
    positions: rangesOf(positions),
    receipt: text(receiptToBinary(receipt)),
    ...(others !== undefined && {
      leaves: {
        seal_digests: text(...others.records.map(({ sealDigest }) => sealDigest)),
        control_root: text(others.controlRoot),
        private_root: text(others.privateRoot),
        proof: text(...others.proof),
      },
    }),
  };
}

/** What the line proves of the records with these hashes (hex, by position). */
export function blockOfLine(
  line: BlockLine,
  hashes: ReadonlyMap<number, string>,
): BlockReceipt | undefined {
  const receipt = receiptFromBinary(bytes(line.receipt));
  if (receipt === undefined) return undefined;
  if (line.leaves === undefined) return { receipt };
  const seals = hashesIn(line.leaves.seal_digests);
  const records = positionsOf(line).map((position, i): ProvenRecord => {
    const recordHash = fromHex(hashes.get(position) ?? "") ?? new Uint8Array();
    return { position, recordHash, sealDigest: seals[i] ?? new Uint8Array() };
  });
  const { control_root, private_root, proof } = line.leaves;
  const roots = { controlRoot: bytes(control_root), privateRoot: bytes(private_root) };
  return { receipt, others: { records, ...roots, proof: hashesIn(proof) } };
}

function rangesOf(positions: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const position of positions) {
    const last = ranges.at(-1);
    if (last !== undefined && last[0] + last[1] === position) last[1] += 1;
    else ranges.push([position, 1]);
  }
  return ranges;
}

function text(...parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString("base64");
}

function bytes(base64Text: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64Text, "base64"));
}

function hashesIn(base64Text: string): readonly Uint8Array[] {
  const all = bytes(base64Text);
  const count = Math.ceil(all.length / hashBytes);
  return Array.from({ length: count }, (_, i) => all.subarray(i * hashBytes, (i + 1) * hashBytes));
}
