import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readReceipt } from "../../../../src/cli/records/verify.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

test("a file without any receipt is said to be empty, and another one what it is", () => {
  const file = join(temporaryDirectory(), "receipts.jsonl");
  for (const [text, what] of [
    ["", /receipts\.jsonl holds no receipt: it is empty/],
    ["no JSON", /receipts\.jsonl: This text is no receipt: /],
  ] as const) {
    writeFileSync(file, text);
    assert.throws(() => readReceipt(file), { name: "CliError", message: what });
  }
});
