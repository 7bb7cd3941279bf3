/**
 * The corpus of receipts, proofs and chains, held against this library's verifier, and mutants of
 * all that is valid. The clients in other languages run the same.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import * as verifier from "../../src/client/verify/index.js";
import { repositoryRoot } from "../support/tree.js";
import { CorpusCheck } from "./checks.js";
import { corpusFiles } from "./corpus.js";
import { generate } from "./generate.js";
import { corpusPath, readCorpus } from "./read-corpus.js";

/** Together 100,000. */
const mutantsOf = { receipts: 96_000, blocks: 4_000 } as const;

const corpus = readCorpus();
const check = new CorpusCheck(verifier, corpus);

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
    test(`${item.kind} ${item.name}`, async () => {
      assert.equal(await check.item(item), undefined);
    });
  }
});

describe("a mutant proves nothing else than what it was made of", () => {
  const noneHeld = "none of them holds, so the mutants are too far from what is valid";

  test(`${mutantsOf.receipts} of receipts`, () => {
    const { held, problems } = check.receiptMutants(0, mutantsOf.receipts);
    assert.deepEqual(problems, []);
    assert.ok(held > 0, noneHeld);
  });

  test(`${mutantsOf.blocks} of blocks`, async () => {
    const { held, problems } = await check.blockMutants(mutantsOf.blocks);
    assert.deepEqual(problems, []);
    assert.ok(held > 0, noneHeld);
  });
});
