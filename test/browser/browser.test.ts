/**
 * The verifier in a headless Chromium: the file that browsers get takes and refuses what the corpus
 * says, and the primitives that it uses pass the tests of those of Node.js. `make test-browser`
 * runs this; `.ci/chromium` installs a Chromium.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { defined } from "../../src/base/assert.js";
import { toHex, utf8 } from "../../src/base/bytes.js";
import { receiptFromBinary, receiptToJson } from "../../src/client/index.js";
import { sha256 } from "../../src/crypto/hash.js";
import {
  base64,
  bytesOf,
  type CorpusItem,
  type ReceiptFacts,
  type ReceiptItem,
} from "../forged/corpus.js";
import { readCorpus } from "../forged/read-corpus.js";
import { repositoryRoot } from "../support/tree.js";
import { buildPage } from "./build-page.js";
import { Chromium, findChromium } from "./chromium.js";
import { PageServer } from "./page-server.js";
import type { CorpusReport } from "./pages/corpus.js";

/** Together 100,000, as everywhere. */
const mutants = { receipts: 96_000, blocks: 4_000 } as const;
/** Not a measure: when a page counts as hung. */
const reportTimeoutMs = 10 * 60_000;

/** What a page says if its script cannot be loaded, or fails before it begins. */
const reportErrors = `onerror = (crashed) =>
  fetch("/report", { method: "POST", body: JSON.stringify({ crashed }) })`;

const program = findChromium();
const skip = program === undefined && "no Chromium is installed: .ci/chromium installs one";

describe("in Chromium", { skip }, () => {
  /** Opens a page that runs the script, and gives what it reports. */
  async function run<T>(script: string, { query = "", given = "" } = {}): Promise<T> {
    const html = `<!doctype html><body><script>${reportErrors}</script>
      <script type="module" src="/page.js${query}"></script>`;
    const pages = new Map(
      Object.entries({ "/index.html": html, "/page.js": script, "/given.json": given }),
    );
    const server = await PageServer.start(pages);
    const chromium = new Chromium(program ?? "", server.url("/index.html"));
    const ended = chromium.ended().then((output) => {
      throw new Error(`Chromium has ended: ${output}`);
    });
    const timeout = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(new Error("the page says nothing")), reportTimeoutMs);
      timer.unref();
    });
    try {
      const report = await Promise.race([server.report(), ended, timeout]);
      assert.equal((report as { crashed?: string }).crashed, undefined);
      return report as T;
    } finally {
      await chromium.close();
      await server.close();
    }
  }

  test("signatures, hashes, proofs and the VRF pass their unit tests", async () => {
    const script = await buildPage("unit-tests");
    const report = await run<{ passed: number; failures: readonly string[] }>(script);
    assert.deepEqual(report.failures, []);
    assert.ok(report.passed > 50, `${report.passed} tests`);
  });

  test("the corpus and 100,000 mutants prove what they do in Node.js", async (context) => {
    const script = await buildPage("corpus");
    const query = `?receipts=${mutants.receipts}&blocks=${mutants.blocks}`;
    const report = await run<CorpusReport>(script, { query });
    context.diagnostic(JSON.stringify(report));
    assert.deepEqual(report.problems, []);
    assert.equal(report.mutants, 100_000);
    assert.ok(report.heldReceipts > 0 && report.heldBlocks > 0);
    for (const kind of ["receipt", "inclusion", "consistency", "chain"]) {
      assert.ok((report.valid[kind] ?? 0) > 0, `no valid ${kind}`);
      assert.ok((report.forged[kind] ?? 0) > 0, `no forged ${kind}`);
    }
  });

  test("the example shows what a receipt proves, and refuses a forged one", async () => {
    const corpus = readCorpus();
    const genesis = defined(corpus.find(isNamed("genesis", "own")), "the corpus has a genesis");
    const good = defined(corpus.find(isNamed("receipt", "of record 2")), "and a receipt");
    const forged = defined(corpus.find(isNamed("receipt", "a bit of the seal digest")), "and this");
    const files = {
      "genesis.json": genesis.file,
      "receipt.json": fileOf(good),
      "forged.json": fileOf(forged),
    };
    const consortiumId = toHex(sha256(bytesOf(genesis.file)));
    const script = readFileSync(join(repositoryRoot(), "test/browser/pages/drop-files.js"), "utf8");
    const given = JSON.stringify({ consortiumId, files });
    const { answers } = await run<{ answers: readonly Shown[] }>(script, { given });
    const { facts } = good as { facts: ReceiptFacts };
    const [proven, refused, again, otherId] = answers;
    assert.equal(proven?.kind, "proven");
    assert.match(proven?.text ?? "", new RegExp(toHex(bytesOf(facts.recordHash))));
    assert.match(proven?.text ?? "", new RegExp(`Block ${facts.height} added it at position`));
    assert.doesNotMatch(proven?.text ?? "", /confirm|attest/i);
    assert.equal(refused?.kind, "refused");
    assert.match(refused?.text ?? "", /at step “inclusion”.*Nothing is proven/s);
    assert.deepEqual(again, proven);
    assert.equal(otherId?.kind, "refused");
    assert.match(otherId?.text ?? "", /at step “genesis”/);
  });
});

/** What the example shows. */
type Shown = { readonly kind: string; readonly text: string };

function isNamed<K extends "genesis" | "receipt">(kind: K, name: string) {
  return (item: CorpusItem): item is Extract<CorpusItem, { kind: K }> =>
    item.kind === kind && item.name === name;
}

/** A receipt as a file of protobuf JSON, as base64. */
function fileOf({ receipt }: ReceiptItem): string {
  const read = defined(receiptFromBinary(bytesOf(receipt)), "it is encoded right");
  return base64(utf8(receiptToJson(read)));
}
