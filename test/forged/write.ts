/** Writes the corpus: `node dist/test/forged/write.js`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { corpusFiles } from "./corpus.js";
import { generate } from "./generate.js";
import { corpusPath } from "./read-corpus.js";

const texts = await generate();
for (const file of corpusFiles) {
  mkdirSync(dirname(corpusPath(file)), { recursive: true });
  writeFileSync(corpusPath(file), texts[file]);
}
