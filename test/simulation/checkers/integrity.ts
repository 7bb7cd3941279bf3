/**
 * Invariant 2: at each height HASH1 of every manager = HASH2 of every storage node = the root over
 * the records themselves. The root is computed here from the records' own bytes by RFC 9162's
 * recursion; for a storage node from what it stores, which must open to the same records.
 */
import { defined } from "../../../src/base/assert.js";
import { equalBytes, toHex, utf8 } from "../../../src/base/bytes.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { unsealRecord } from "../../../src/crypto/seal.js";
import type { Consortium } from "../consortium.js";
import { Checker, type FinalBlock, type StorageBlock } from "../events.js";

export class IntegrityChecker extends Checker {
  readonly name = "integrity";
  readonly #consortium: Consortium;
  /** Of all records so far, by each node. */
  readonly #logs = new Map<string, Log>();
  /** Records in the log after each height. */
  readonly #sizes = new Map<number, number>();
  /** Sealed records that were opened, by record hash in hex. */
  readonly #opened = new Map<string, Uint8Array>();

  constructor(consortium: Consortium) {
    super();
    this.#consortium = consortium;
  }

  override appended(managerId: string, { parsed, block, sealed }: FinalBlock): void {
    this.#add(managerId, { parsed, sealed }, block.records);
  }

  override storageAppended(nodeId: string, block: StorageBlock): void {
    this.#add(nodeId, block);
  }

  override rolledBack(id: string, height: number): void {
    const log = this.#logOf(id);
    log.truncate(
      defined(this.#sizes.get(height) ?? (height === 0 ? 0 : undefined), "a known height"),
    );
  }

  #add(
    holder: string,
    { parsed, sealed }: Pick<StorageBlock, "parsed" | "sealed">,
    records?: readonly Uint8Array[],
  ): void {
    const log = this.#logOf(holder);
    for (const [i, leaf] of parsed.leaves.entries()) {
      const bytes = defined(sealed[i], "there is a sealed record for each leaf");
      const hash = this.#open(holder, leaf.recordHash, bytes, records?.[i]);
      log.add(sha256(zero, hash, sha256(bytes)));
    }
    const { height, treeSize } = parsed;
    this.#sizes.set(height, treeSize);
    this.#compare(holder, height, { root: parsed.header.hash1, size: treeSize }, log);
  }

  /** What is sealed opens under the epoch's key to a record with that hash. */
  #open(holder: string, hash: Uint8Array, sealed: Uint8Array, expected?: Uint8Array): Uint8Array {
    const { genesis, epochKey } = this.#consortium;
    const known = this.#opened.get(toHex(hash));
    // Unsealing is dear, and all nodes hold the same bytes.
    if (known !== undefined && equalBytes(known, sealed)) return hash;
    const record = unsealRecord(epochKey, hash, sealed);
    if (record === undefined) this.fail(`${holder} holds a record that does not open`);
    const opened = sha256(utf8("bss/v1/record"), genesis.consortiumId, record);
    const right =
      equalBytes(opened, hash) && (expected === undefined || equalBytes(record, expected));
    if (!right) this.fail(`${holder} holds another record under ${toHex(hash)}`);
    this.#opened.set(toHex(hash), sealed);
    return hash;
  }

  #compare(
    holder: string,
    height: number,
    claimed: { readonly root: Uint8Array; readonly size: number },
    log: Log,
  ): void {
    if (claimed.size !== log.size) {
      this.fail(`${holder} holds ${log.size} records at height ${height}, not ${claimed.size}`);
    }
    if (!equalBytes(claimed.root, log.root())) {
      this.fail(`the root of ${holder}'s records at height ${height} is not the block's`);
    }
  }

  #logOf(holder: string): Log {
    const log = this.#logs.get(holder) ?? new Log();
    this.#logs.set(holder, log);
    return log;
  }
}

const zero = Uint8Array.of(0);
const one = Uint8Array.of(1);

/** Leaf hashes, and the roots of the complete subtrees that were computed before. */
class Log {
  readonly #leaves: Uint8Array[] = [];
  readonly #complete = new Map<string, Uint8Array>();

  get size(): number {
    return this.#leaves.length;
  }

  add(leafHash: Uint8Array): void {
    this.#leaves.push(leafHash);
  }

  truncate(size: number): void {
    this.#leaves.length = size;
    this.#complete.clear();
  }

  /** MTH, RFC 9162 §2.1.1. */
  root(): Uint8Array {
    return this.size === 0 ? sha256() : this.#over(0, this.size);
  }

  #over(from: number, to: number): Uint8Array {
    const count = to - from;
    if (count === 1) return defined(this.#leaves[from], "the range is in the log");
    const isComplete = (count & (count - 1)) === 0;
    const key = `${from}-${to}`;
    const known = isComplete ? this.#complete.get(key) : undefined;
    if (known !== undefined) return known;
    const split = from + 2 ** Math.floor(Math.log2(count - 1));
    const root = sha256(one, this.#over(from, split), this.#over(split, to));
    if (isComplete) this.#complete.set(key, root);
    return root;
  }
}
