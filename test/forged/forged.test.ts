/**
 * The corpus of receipts, proofs and chains, held against this library's verifier, and mutants of
 * all that is valid. The clients in other languages run the same.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { Chain, receiptFromBinary, verifyReceipt } from "../../src/client/index.js";
import { checkedBlock, UntrueAnswer } from "../../src/client/verify/answers.js";
import { ed25519Verify, ed25519VerifyAsync } from "../../src/crypto/ed25519.js";
import { type BlockView, BlockViewSchema } from "../../src/gen/bss/v1/query_pb.js";
import { type GenesisState, parseGenesis } from "../../src/ledger/genesis.js";
import { verifyConsistency, verifyInclusion } from "../../src/ledger/merkle/verify.js";
import { repositoryRoot } from "../support/tree.js";
import { accepted } from "../unit/ledger/support/outcome.js";
import { nameOf } from "./chains.js";
import {
  base64,
  bytesOf,
  type ChainFacts,
  type ChainItem,
  corpusFiles,
  corpusPath,
  type GenesisItem,
  type ReceiptFacts,
  readCorpus,
} from "./corpus.js";
import {
  generate,
  mutationsOf,
  originalBlocks,
  originalReceipts,
  validReceipts,
} from "./generate.js";
import { mutant } from "./mutations.js";

/** Together 100,000. */
const mutantsOf = { receipts: 96_000, blocks: 4_000 } as const;

const corpus = readCorpus();
const genesisFiles = new Map<string, GenesisState>(
  corpus
    .filter((item): item is GenesisItem => item.kind === "genesis")
    .map(({ name, file }) => [name, accepted(parseGenesis(bytesOf(file)))]),
);

const genesisOf = (name: string) => defined(genesisFiles.get(name), "the corpus has the genesis");

type Outcome = { readonly facts: ReceiptFacts } | { readonly refused: string };

function checkReceipt(genesis: GenesisState, bytes: Uint8Array, record?: Uint8Array): Outcome {
  const receipt = receiptFromBinary(bytes);
  if (receipt === undefined) return { refused: "encoding" };
  const verified = verifyReceipt(receipt, genesis, record === undefined ? {} : { record });
  if (!verified.ok) return { refused: verified.error.step };
  const { recordHash, height, blockId, timeMs, position, treeSize, previousTreeSize, signers } =
    verified.value;
  const ids = { recordHash: base64(recordHash), height, blockId: base64(blockId) };
  return { facts: { ...ids, timeMs, position, treeSize, previousTreeSize, signers } };
}

/** A chain, and what it has proven. */
class Followed {
  readonly #chain: Chain;
  #blockId: Uint8Array;
  readonly #operations: string[] = [];
  readonly #changes = new Map<string, string[]>();

  constructor(genesis: GenesisState) {
    this.#chain = new Chain(genesis);
    this.#blockId = genesis.consortiumId;
  }

  /** Throws for a block that does not decode or does not follow. */
  async add(encoded: Uint8Array): Promise<void> {
    const view = viewOf(encoded);
    checkedBlock(view);
    const { blockId, operations, changes } = await this.#chain.add(view);
    this.#blockId = blockId;
    this.#operations.push(...operations.map(nameOf));
    for (const { nodeId, kind } of changes) {
      this.#changes.set(nodeId, [...(this.#changes.get(nodeId) ?? []), kind]);
    }
  }

  facts(): ChainFacts {
    const { height, treeSize, root, members } = this.#chain;
    return {
      height,
      blockId: base64(this.#blockId),
      treeSize,
      root: base64(root),
      operations: this.#operations,
      nodes: members.storageNodes.map(({ nodeId: id, credit, reward, paid }) => ({
        id,
        credit,
        reward: String(reward),
        paid: String(paid),
        changes: this.#changes.get(id) ?? [],
      })),
    };
  }
}

/** As a call does it: what does not decode never reaches the library. */
function viewOf(bytes: Uint8Array): BlockView {
  try {
    return fromBinary(BlockViewSchema, bytes);
  } catch {
    throw new UntrueAnswer("the bytes are no block");
  }
}

describe("the corpus", () => {
  test("is what its generator writes", async () => {
    const texts = await generate();
    for (const file of corpusFiles) {
      assert.ok(
        texts[file] === readFileSync(corpusPath(file), "utf8"),
        `${file}.jsonl is not up to date: run node dist/test/forged/write.js`,
      );
    }
  });

  test("is of the size that docs/testing.md says", () => {
    const text = readFileSync(join(repositoryRoot(), "docs", "testing.md"), "utf8");
    for (const kind of ["signature", "receipt", "inclusion", "consistency", "chain"]) {
      const items = corpus.filter((item) => item.kind === kind);
      const holding = items.filter((item) => ("valid" in item ? item.valid : "facts" in item));
      const row = `| ${kind} | ${holding.length} | ${items.length - holding.length} |`;
      assert.ok(text.includes(`\n${row} `), `docs/testing.md should have the row "${row}"`);
    }
  });

  for (const item of corpus) {
    switch (item.kind) {
      case "signature":
        test(`signature: ${item.name}`, async () => {
          const [key, digest, signature] = [item.key, item.digest, item.signature].map(bytesOf) as [
            Uint8Array,
            Uint8Array,
            Uint8Array,
          ];
          assert.equal(ed25519Verify(key, digest, signature), item.valid);
          assert.equal(await ed25519VerifyAsync(key, digest, signature), item.valid);
        });
        break;
      case "receipt":
        test(`receipt ${item.name}`, () => {
          const record = item.record === undefined ? undefined : bytesOf(item.record);
          const outcome = checkReceipt(genesisOf(item.genesis), bytesOf(item.receipt), record);
          if ("facts" in item) assert.deepEqual(outcome, { facts: item.facts });
          else
            assert.ok(
              "refused" in outcome && item.refused.includes(outcome.refused),
              show(outcome),
            );
        });
        break;
      case "inclusion":
        test(`inclusion: ${item.name}`, () => {
          const { leafHash, root, proof, leafIndex, treeSize } = item;
          const hashes = { leafHash: bytesOf(leafHash), root: bytesOf(root) };
          const claim = { ...hashes, leafIndex, treeSize, proof: proof.map(bytesOf) };
          assert.equal(verifyInclusion(claim), item.valid);
        });
        break;
      case "consistency":
        test(`consistency: ${item.name}`, () => {
          const { fromRoot, toRoot, proof, fromSize, toSize } = item;
          const roots = { fromRoot: bytesOf(fromRoot), toRoot: bytesOf(toRoot) };
          const claim = { ...roots, fromSize, toSize, proof: proof.map(bytesOf) };
          assert.equal(verifyConsistency(claim), item.valid);
        });
        break;
      case "chain":
        test(`chain: ${item.name}`, () => checkChain(item));
        break;
      case "mutations":
        test(`mutants ${item.name}`, () => {
          const originals =
            item.of === "receipt" ? originalReceipts(corpus) : originalBlocks(corpus);
          assert.deepEqual(mutationsOf(item.of, originals), item);
        });
        break;
      default:
    }
  }
});

const show = (value: unknown) => JSON.stringify(value);

async function checkChain(item: ChainItem): Promise<void> {
  const valid = originalBlocks(corpus);
  const blocks = [...valid.slice(0, item.after ?? 0), ...item.blocks.map(bytesOf)];
  const chain = new Followed(genesisOf(item.genesis));
  const held = "facts" in item ? blocks : blocks.slice(0, -1);
  for (const block of held) await chain.add(block);
  if ("facts" in item) {
    assert.deepEqual(chain.facts(), item.facts);
    return;
  }
  const before = structuredClone(chain.facts());
  const refused = defined(blocks.at(-1), "a forged chain has a block");
  await assert.rejects(chain.add(refused), { name: "UntrueAnswer" });
  assert.deepEqual(chain.facts(), before, "the refused block has left something behind");
  const next = valid[held.length];
  if (next !== undefined) await chain.add(next);
}

describe("a mutant proves nothing else than what it was made of", () => {
  test(`${mutantsOf.receipts} of receipts`, () => {
    const originals = validReceipts(corpus);
    const bytes = originalReceipts(corpus);
    const genesis = genesisOf("own");
    let held = 0;
    for (let i = 0; i < mutantsOf.receipts; i++) {
      const outcome = checkReceipt(genesis, mutant(bytes, i).bytes);
      if ("refused" in outcome) continue;
      held += 1;
      const { signers, ...facts } = outcome.facts;
      const same = originals.some(({ facts: { signers: of, ...original } }) => {
        return show(original) === show(facts) && signers.every((each) => of.includes(each));
      });
      assert.ok(same, `mutant ${i} proves ${show(outcome.facts)}`);
    }
    assert.ok(held > 0, "none of them holds, so the mutants are too far from what is valid");
  });

  test(`${mutantsOf.blocks} of blocks`, async () => {
    const originals = originalBlocks(corpus);
    const genesis = genesisOf("own");
    const reached = async (height: number) => {
      const chain = new Followed(genesis);
      for (const block of originals.slice(0, height)) await chain.add(block);
      return chain;
    };
    const chains: Followed[] = [];
    for (const [height] of [...originals, undefined].entries()) chains.push(await reached(height));
    let held = 0;
    for (let i = 0; i < mutantsOf.blocks; i++) {
      const { of, bytes } = mutant(originals, i);
      const chain = defined(chains[of], "there is one for each block");
      try {
        await chain.add(bytes);
      } catch {
        continue;
      }
      held += 1;
      assert.deepEqual(chain.facts(), chains[of + 1]?.facts(), `mutant ${i}`);
      chains[of] = await reached(of);
    }
    assert.ok(held > 0, "none of them holds, so the mutants are too far from what is valid");
  });
});
