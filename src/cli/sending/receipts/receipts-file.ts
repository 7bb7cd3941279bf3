/**
 * The receipts of a run and of those before it: the file that `--out` names, whose lines
 * receipt-lines.ts describes. To lose the last ones in a crash costs a repeated submission, nothing
 * else.
 */
import { foreign, LineFile } from "./line-file.js";
import {
  type BlockLine,
  positionsOf,
  type ReceiptLine,
  receiptBeginnings,
  receiptsLineOf,
} from "./receipt-lines.js";

export class ReceiptsFile {
  readonly #lines: LineFile;
  /** Hashes that have a receipt, in hex. */
  readonly #done = new Set<string>();
  /** Records whose place nothing in the file proves: hash by position, by height. */
  readonly #unproven = new Map<number, Map<number, string>>();

  /** Throws `CliError` for a file of somebody else. */
  constructor(path: string) {
    this.#lines = new LineFile(path, receiptBeginnings, (value) => {
      const line = receiptsLineOf(value);
      if (line === undefined) throw foreign(path);
      if ("block" in line) this.#noteProven(line);
      else this.#noteReceipt(line);
    });
  }

  get path(): string {
    return this.#lines.path;
  }

  get isEmpty(): boolean {
    return this.#lines.isEmpty;
  }

  /** Whether a record has a receipt, by its hash in hex. */
  has(hashHex: string): boolean {
    return this.#done.has(hashHex);
  }

  append(receipts: readonly ReceiptLine[]): void {
    this.#lines.append(receipts, { durable: false });
    for (const receipt of receipts) this.#noteReceipt(receipt);
  }

  /** Heights of blocks with records whose places nothing in the file proves, ascending. */
  get unprovenHeights(): readonly number[] {
    return [...this.#unproven.keys()].sort((a, b) => a - b);
  }

  /** These records of a block: their hashes in hex, by position. */
  unprovenIn(height: number): ReadonlyMap<number, string> {
    return this.#unproven.get(height) ?? new Map();
  }

  /** Appends what proves places of records. */
  prove(line: BlockLine): void {
    this.#lines.append([line], { durable: false });
    this.#noteProven(line);
  }

  /** What was appended is on the disk when this returns. */
  sync(): void {
    this.#lines.sync();
  }

  close(): void {
    this.#lines.close();
  }

  #noteReceipt({ record_hash: hash, height, position }: ReceiptLine): void {
    this.#done.add(hash);
    const places = this.#unproven.get(height) ?? new Map<number, string>();
    this.#unproven.set(height, places.set(position, hash));
  }

  #noteProven(line: BlockLine): void {
    const places = this.#unproven.get(line.block);
    for (const position of positionsOf(line)) places?.delete(position);
    if (places?.size === 0) this.#unproven.delete(line.block);
  }
}
