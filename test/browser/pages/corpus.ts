/** The corpus and its mutants, held against the verifier as browsers get it. */
import type * as verify from "../../../src/client/verify/index.js";
import { CorpusCheck } from "../../forged/checks.js";
import { bytesOf, type CorpusItem, corpusFiles, itemsOf } from "../../forged/corpus.js";
import { validReceipts } from "../../forged/originals.js";
import { report } from "./report.js";

/** What the test reads. */
export type CorpusReport = {
  readonly problems: readonly string[];
  /** Items by kind, apart from those that are forged. */
  readonly valid: Readonly<Record<string, number>>;
  readonly forged: Readonly<Record<string, number>>;
  readonly mutants: number;
  readonly heldReceipts: number;
  readonly heldBlocks: number;
  /** Of one receipt, the median of all that are valid. */
  readonly receiptMs: number;
  readonly totalMs: number;
};

await report(async (): Promise<CorpusReport> => {
  const startedMs = performance.now();
  const query = new URLSearchParams(new URL(import.meta.url).search);
  const [receipts, blocks] = [Number(query.get("receipts")), Number(query.get("blocks"))];
  const file = "/dist/browser/verify.js";
  const verifier: typeof verify = await import(file);
  const corpus: CorpusItem[] = [];
  for (const each of corpusFiles) {
    const response = await fetch(`/test/vectors/forged/${each}.jsonl`);
    corpus.push(...itemsOf(await response.text()));
  }
  const check = new CorpusCheck(verifier, corpus);
  const problems: string[] = [];
  const [valid, forged]: Record<string, number>[] = [{}, {}];
  for (const item of corpus) {
    const problem = await check.item(item);
    if (problem !== undefined) problems.push(`${item.kind} ${item.name}: ${problem}`);
    const isForged = "refused" in item || ("valid" in item && !item.valid);
    const counts = (isForged ? forged : valid) ?? {};
    counts[item.kind] = (counts[item.kind] ?? 0) + 1;
  }
  const ofReceipts = check.receiptMutants(0, receipts);
  const ofBlocks = await check.blockMutants(blocks);
  problems.push(...ofReceipts.problems, ...ofBlocks.problems);
  return {
    problems,
    valid: valid ?? {},
    forged: forged ?? {},
    mutants: receipts + blocks,
    heldReceipts: ofReceipts.held,
    heldBlocks: ofBlocks.held,
    receiptMs: medianMs(verifier, corpus),
    totalMs: performance.now() - startedMs,
  };
});

function medianMs(verifier: typeof verify, corpus: readonly CorpusItem[]): number {
  const genesis = corpus.find((item) => item.kind === "genesis" && item.name === "own");
  if (genesis?.kind !== "genesis") throw new Error("the corpus has its own genesis");
  const parsed = verifier.parseGenesis(bytesOf(genesis.file));
  if (!parsed.ok) throw new Error("the genesis is valid");
  const times: number[] = [];
  for (const { receipt } of validReceipts(corpus)) {
    const bytes = bytesOf(receipt);
    const startedMs = performance.now();
    const read = verifier.receiptFromBinary(bytes);
    if (read !== undefined) verifier.verifyReceipt(read, parsed.value);
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
