/**
 * The corpus and its mutants, held against a verifier: that of the library, or the file for
 * browsers. It needs nothing of Node.js, so that it runs where the verifier does.
 */
import { assert, defined } from "../../src/base/assert.js";
import type * as verify from "../../src/client/verify/index.js";
import { ed25519Verify, ed25519VerifyAsync } from "../../src/crypto/ed25519.js";
import {
  base64,
  bytesOf,
  type ChainFacts,
  type ChainItem,
  type CorpusItem,
  type GenesisItem,
  nameOf,
  type ReceiptFacts,
} from "./corpus.js";
import { mutant } from "./mutations.js";
import { mutationsOf, originalBlocks, originalReceipts, validReceipts } from "./originals.js";

export type Verifier = Pick<
  typeof verify,
  "Ledger" | "parseGenesis" | "verifyConsistency" | "verifyInclusion"
>;

/** What came of many mutants. */
export type MutantsOutcome = {
  /** That many were not refused, and prove what they were made of. */
  readonly held: number;
  /** Those that prove something else, one sentence each. */
  readonly problems: readonly string[];
};

export class CorpusCheck {
  readonly #verifier: Verifier;
  readonly #corpus: readonly CorpusItem[];
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(verifier: Verifier, corpus: readonly CorpusItem[]) {
    this.#verifier = verifier;
    this.#corpus = corpus;
    const files = corpus.filter((item): item is GenesisItem => item.kind === "genesis");
    this.#files = new Map(files.map(({ name, file }) => [name, bytesOf(file)]));
  }

  /** What the verifier does not do as the item says; undefined if all is right. */
  async item(item: CorpusItem): Promise<string | undefined> {
    switch (item.kind) {
      case "genesis":
        this.#ledger(item.name);
        return undefined;
      case "signature": {
        const [key, digest, signature] = [item.key, item.digest, item.signature].map(bytesOf) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ];
        const verified = [
          ed25519Verify(key, digest, signature),
          await ed25519VerifyAsync(key, digest, signature),
        ];
        return difference(verified, [item.valid, item.valid]);
      }
      case "receipt": {
        const record = item.record === undefined ? undefined : bytesOf(item.record);
        const outcome = receiptOutcome(this.#ledger(item.genesis), bytesOf(item.receipt), record);
        if ("facts" in item) return difference(outcome, { facts: item.facts });
        const isRefused = "refused" in outcome && item.refused.includes(outcome.refused);
        return isRefused ? undefined : show(outcome);
      }
      case "inclusion": {
        const { leafHash, root, proof, leafIndex, treeSize } = item;
        const hashes = { leafHash: bytesOf(leafHash), root: bytesOf(root) };
        const claim = { ...hashes, leafIndex, treeSize, proof: proof.map(bytesOf) };
        return difference(this.#verifier.verifyInclusion(claim), item.valid);
      }
      case "consistency": {
        const { fromRoot, toRoot, proof, fromSize, toSize } = item;
        const roots = { fromRoot: bytesOf(fromRoot), toRoot: bytesOf(toRoot) };
        const claim = { ...roots, fromSize, toSize, proof: proof.map(bytesOf) };
        return difference(this.#verifier.verifyConsistency(claim), item.valid);
      }
      case "chain":
        return await this.#chain(item);
      case "mutations": {
        const { of } = item;
        const originals = of === "receipt" ? originalReceipts : originalBlocks;
        return difference(mutationsOf(of, originals(this.#corpus)), item);
      }
    }
  }

  /** Mutants `from` up to, not including, `to` of the receipts. */
  receiptMutants(from: number, to: number): MutantsOutcome {
    const proven = validReceipts(this.#corpus).map(({ facts: { signers, ...facts } }) => {
      return { signers, facts: show(facts) };
    });
    const bytes = originalReceipts(this.#corpus);
    const ledger = this.#ledger("own");
    const problems: string[] = [];
    let held = 0;
    for (let i = from; i < to; i++) {
      const outcome = receiptOutcome(ledger, mutant(bytes, i).bytes);
      if ("refused" in outcome) continue;
      held += 1;
      const { signers, ...facts } = outcome.facts;
      const same = proven.some((original) => {
        return original.facts === show(facts) && signers.every(isOneOf(original.signers));
      });
      if (!same) problems.push(`mutant ${i} of receipts proves ${show(outcome.facts)}`);
    }
    return { held, problems };
  }

  /** The first `count` mutants of the blocks. */
  async blockMutants(count: number): Promise<MutantsOutcome> {
    const originals = originalBlocks(this.#corpus);
    const reached = async (height: number) => {
      const chain = new Followed(this.#ledger("own"));
      for (const block of originals.slice(0, height)) await chain.add(block);
      return chain;
    };
    const chains: Followed[] = [];
    for (let height = 0; height <= originals.length; height++) chains.push(await reached(height));
    const problems: string[] = [];
    let held = 0;
    for (let i = 0; i < count; i++) {
      const { of, bytes } = mutant(originals, i);
      const chain = defined(chains[of], "there is one for each block");
      if (!(await chain.add(bytes))) continue;
      held += 1;
      const problem = difference(chain.facts(), chains[of + 1]?.facts());
      if (problem !== undefined) problems.push(`mutant ${i} of blocks: ${problem}`);
      chains[of] = await reached(of);
    }
    return { held, problems };
  }

  async #chain(item: ChainItem): Promise<string | undefined> {
    const originals = originalBlocks(this.#corpus);
    const blocks = [...originals.slice(0, item.after ?? 0), ...item.blocks.map(bytesOf)];
    const chain = new Followed(this.#ledger(item.genesis));
    const held = "facts" in item ? blocks : blocks.slice(0, -1);
    for (const block of held) if (!(await chain.add(block))) return "a valid block was refused";
    if ("facts" in item) return difference(chain.facts(), item.facts);
    const before = show(chain.facts());
    const refused = defined(blocks.at(-1), "a forged chain has a block");
    if (await chain.add(refused)) return "the forged block was taken";
    if (show(chain.facts()) !== before) return "the refused block has left something behind";
    const next = originals[held.length];
    const goesOn = next === undefined || (await chain.add(next));
    return goesOn ? undefined : "the valid block after the refused one was refused";
  }

  #ledger(genesis: string): verify.Ledger {
    const file = defined(this.#files.get(genesis), "the corpus has the genesis");
    const parsed = this.#verifier.parseGenesis(file);
    assert(parsed.ok, "the genesis is valid");
    const opened = this.#verifier.Ledger.fromGenesis(file, parsed.value.consortiumId);
    assert(opened.ok, "the genesis has its id");
    return opened.value;
  }
}

type ReceiptOutcome = { readonly facts: ReceiptFacts } | { readonly refused: string };

function receiptOutcome(
  ledger: verify.Ledger,
  bytes: Uint8Array,
  record?: Uint8Array,
): ReceiptOutcome {
  const verified = ledger.verifyReceipt(bytes, record === undefined ? {} : { record });
  if (!verified.ok) return { refused: verified.error.step };
  const { recordHash, height, blockId, timeMs, position, treeSize, previousTreeSize, signers } =
    verified.value;
  const ids = { recordHash: base64(recordHash), height, blockId: base64(blockId) };
  return { facts: { ...ids, timeMs, position, treeSize, previousTreeSize, signers } };
}

/** A chain, and what it has proven. */
class Followed {
  readonly #ledger: verify.Ledger;
  #blockId: Uint8Array;
  readonly #operations: string[] = [];
  readonly #changes = new Map<string, string[]>();

  constructor(ledger: verify.Ledger) {
    this.#ledger = ledger;
    this.#blockId = ledger.genesis.consortiumId;
  }

  /** Whether the block was taken in. */
  async add(block: Uint8Array): Promise<boolean> {
    const followed = await this.#ledger.follow(block);
    if (!followed.ok) return false;
    const { blockId, operations, changes } = followed.value;
    this.#blockId = blockId;
    this.#operations.push(...operations.map(nameOf));
    for (const { nodeId, kind } of changes) {
      this.#changes.set(nodeId, [...(this.#changes.get(nodeId) ?? []), kind]);
    }
    return true;
  }

  facts(): ChainFacts {
    const { height, treeSize, root, storageNodes } = this.#ledger;
    return {
      height,
      blockId: base64(this.#blockId),
      treeSize,
      root: base64(root),
      operations: this.#operations,
      nodes: storageNodes.map(({ nodeId: id, credit, reward, paid }) => ({
        id,
        credit,
        reward: String(reward),
        paid: String(paid),
        changes: this.#changes.get(id) ?? [],
      })),
    };
  }
}

/** Both as text if they differ; members may stand in any order. */
function difference(actual: unknown, expected: unknown): string | undefined {
  const [found, wanted] = [show(actual), show(expected)];
  return found === wanted ? undefined : `${found} instead of ${wanted}`;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function isOneOf(names: readonly string[]): (name: string) => boolean {
  return (name) => names.includes(name);
}
