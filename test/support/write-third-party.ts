/** Writes THIRD-PARTY.md from the lockfile: `node dist/test/support/write-third-party.js`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderThirdParties, thirdParties } from "./third-party.js";
import { repositoryRoot } from "./tree.js";

const root = repositoryRoot();
const lockText = readFileSync(join(root, "package-lock.json"), "utf8");
writeFileSync(join(root, "THIRD-PARTY.md"), renderThirdParties(thirdParties(lockText)));
