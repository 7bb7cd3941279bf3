/**
 * Writes docs/errors.md from the table of reasons: `node
 * dist/test/support/write-error-reference.js`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderErrorReference } from "./error-reference.js";
import { repositoryRoot } from "./tree.js";

writeFileSync(join(repositoryRoot(), "docs", "errors.md"), renderErrorReference());
