import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../support/tree.js";
import { type CorpusFile, type CorpusItem, corpusFiles, itemsOf } from "./corpus.js";

export function corpusPath(file: CorpusFile): string {
  return join(repositoryRoot(), "test", "vectors", "forged", `${file}.jsonl`);
}

export function readCorpus(): readonly CorpusItem[] {
  return corpusFiles.flatMap((file) => itemsOf(readFileSync(corpusPath(file), "utf8")));
}
