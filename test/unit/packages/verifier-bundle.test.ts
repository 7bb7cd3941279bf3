/** The verifier as browsers get it: one file, small, which proves what the library proves. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import * as library from "../../../src/client/verify/index.js";
import { CorpusCheck } from "../../forged/checks.js";
import { readCorpus } from "../../forged/read-corpus.js";
import { repositoryRoot } from "../../support/tree.js";

const gzipBytesMax = 60 * 1024;

const path = join(repositoryRoot(), "dist/browser/verify.js");
const source = readFileSync(path);
const bundle: typeof library = await import(pathToFileURL(path).href);

describe("the verifier for browsers", () => {
  test(`has less than ${gzipBytesMax} bytes as gzip`, () => {
    const { length } = gzipSync(source, { level: 9 });
    assert.ok(length < gzipBytesMax, `${length} bytes`);
  });

  test("exports what the library's verifier exports, and imports nothing", () => {
    assert.deepEqual(Object.keys(bundle).sort(), Object.keys(library).sort());
    const found = /\bfrom\s*["']|\bimport\s*[("'{*]|node:|\brequire\(/.exec(source.toString());
    assert.equal(found, null);
  });

  test("takes and refuses what the corpus says", async () => {
    const corpus = readCorpus();
    const check = new CorpusCheck(bundle, corpus);
    for (const item of corpus) {
      assert.equal(await check.item(item), undefined, `${item.kind} ${item.name}`);
    }
    const { held, problems } = check.receiptMutants(0, 5_000);
    assert.deepEqual(problems, []);
    assert.ok(held > 0);
  });
});
