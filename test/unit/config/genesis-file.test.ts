import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { toJsonString } from "@bufbuild/protobuf";
import { ConfigError } from "../../../src/config/config-error.js";
import { readGenesis } from "../../../src/config/genesis-file.js";
import { GenesisSchema } from "../../../src/gen/bss/v1/genesis_pb.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { consortiumId, genesisMessage } from "../ledger/support/consortium.js";

describe("a genesis file", () => {
  const file = join(temporaryDirectory(), "genesis.json");
  const right = toJsonString(GenesisSchema, genesisMessage);

  test("is what its bytes are: they make the consortium's id", () => {
    writeFileSync(file, right);
    assert.deepEqual(readGenesis(file).consortiumId, consortiumId);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    [
      "is not JSON",
      "{",
      /genesis\.json: not a valid genesis file: The file is not a genesis message /,
    ],
    ["has no managers", '{"consortiumName": "x"}', /not a valid genesis file: \w+/],
    ["has a field that there is not", right.replace("{", '{"mangers": [],'), /not a valid genesis/],
  ];
  for (const [what, text, message] of wrong) {
    test(`is refused with its name and what to do when it ${what}`, () => {
      writeFileSync(file, text);
      const failure = failureOf(() => readGenesis(file));
      assert.ok(failure instanceof ConfigError);
      assert.match(failure.message, message);
      assert.match(failure.message, /; copy the genesis file of the consortium again/);
    });
  }

  test("is named when it is not there", () => {
    assert.throws(() => readGenesis(`${file}.not`), /genesis\.json\.not: no such file/);
  });
});

function failureOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
