/** What mutants are made of, and the digests that show that all clients make the same ones. */
import { toHex, u64be } from "../../src/base/bytes.js";
import { sha256 } from "../../src/crypto/hash.js";
import {
  bytesOf,
  type ChainItem,
  type CorpusItem,
  type MutationsItem,
  type ReceiptItem,
} from "./corpus.js";
import { mutant } from "./mutations.js";

/** How many mutants the digests are over. */
const mutantsDigested = 1_000;

/** The receipts that hold, in their order: what mutants of receipts are made of. */
export function originalReceipts(items: readonly CorpusItem[]): readonly Uint8Array[] {
  return validReceipts(items).map(({ receipt }) => bytesOf(receipt));
}

export function validReceipts(items: readonly CorpusItem[]) {
  return items.filter(
    (item): item is Extract<ReceiptItem, { facts: unknown }> =>
      item.kind === "receipt" && "facts" in item,
  );
}

/** The blocks of the first chain that holds: what mutants of blocks are made of. */
export function originalBlocks(items: readonly CorpusItem[]): readonly Uint8Array[] {
  return validChain(items)?.blocks.map(bytesOf) ?? [];
}

export function validChain(items: readonly CorpusItem[]) {
  return items.find(
    (item): item is Extract<ChainItem, { facts: unknown }> =>
      item.kind === "chain" && "facts" in item,
  );
}

export function mutationsOf(
  of: MutationsItem["of"],
  originals: readonly Uint8Array[],
): MutationsItem {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < mutantsDigested; i++) {
    const { bytes } = mutant(originals, i);
    parts.push(u64be(bytes.length), bytes);
  }
  const name = `of every valid ${of === "receipt" ? "receipt" : "block"}`;
  const digest = toHex(sha256(...parts));
  return { kind: "mutations", name, of, count: mutantsDigested, sha256: digest };
}
