/** The whole corpus, made anew: the same bytes each time. */
import { chains } from "./chains.js";
import { former, other, own } from "./consortium.js";
import {
  base64,
  type CorpusFile,
  type CorpusItem,
  corpusText,
  type MutationsItem,
} from "./corpus.js";
import { mutationsOf, originalBlocks, originalReceipts } from "./originals.js";
import { proofs } from "./proofs.js";
import { receipts } from "./receipts.js";
import { signatures } from "./signatures.js";

/** The text of each file. */
export async function generate(): Promise<Readonly<Record<CorpusFile, string>>> {
  const [allReceipts, allChains] = [await receipts(), chains()];
  const mutations: readonly MutationsItem[] = [
    mutationsOf("receipt", originalReceipts(allReceipts)),
    mutationsOf("chain", originalBlocks(allChains)),
  ];
  const files: Readonly<Record<CorpusFile, readonly CorpusItem[]>> = {
    genesis: Object.entries({ own, other, former }).map(([name, { file }]) => {
      return { kind: "genesis", name, file: base64(file) };
    }),
    signatures: signatures(),
    receipts: allReceipts,
    proofs: proofs(),
    chains: allChains,
    mutations,
  };
  return {
    genesis: corpusText(files.genesis),
    signatures: corpusText(files.signatures),
    receipts: corpusText(files.receipts),
    proofs: corpusText(files.proofs),
    chains: corpusText(files.chains),
    mutations: corpusText(files.mutations),
  };
}
