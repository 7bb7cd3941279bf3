/** Writes docs/api.md from the proto files: `node dist/test/support/write-api-reference.js`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderApiReference } from "./api-reference.js";
import { repositoryRoot } from "./tree.js";

writeFileSync(join(repositoryRoot(), "docs", "api.md"), renderApiReference());
