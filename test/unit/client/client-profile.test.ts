import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { readProfile } from "../../../src/client/client-profile.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("a profile whose files are not one party's", () => {
  const directory = join(temporaryDirectory(), "consortium");
  const one = join(directory, "participants", "participant-1");
  const two = join(directory, "participants", "participant-2");

  before(async () => {
    const counts = { managers: 1, storage: 1, participants: 2 };
    await initConsortium(directory, { name: "demo", basePort: 7400, ...counts });
  });

  /** The profile of participant-1 with another text in it. */
  const changed = (from: string, to: string) => {
    const file = join(one, "changed.yaml");
    const text = readFileSync(join(one, "profile.yaml"), "utf8");
    assert.ok(text.includes(from), from);
    writeFileSync(file, text.replace(from, to));
    return file;
  };

  test("is one party's as bss init writes it, whatever the role", () => {
    for (const party of ["participants/participant-1", "auditors/auditor-1"]) {
      readProfile(join(directory, party, "profile.yaml"));
    }
  });

  const mismatches: readonly (readonly [string, string, string, RegExp])[] = [
    [
      "another's certificate",
      "certificate: tls.crt",
      "certificate: ../participant-2/tls.crt",
      /tls\.crt is that of participant participant-2, not of participant participant-1; /,
    ],
    [
      "another id",
      "id: participant-1",
      "id: participant-2",
      /is that of participant participant-1, not of participant participant-2; /,
    ],
    [
      "another role",
      "role: participant",
      "role: auditor",
      /is that of participant participant-1, not of auditor participant-1; /,
    ],
    [
      "a certificate that is an authority's",
      "certificate: tls.crt",
      "certificate: ../../ca-bundle.pem",
      /ca-bundle\.pem names no party of a consortium; /,
    ],
    [
      "another's signing key",
      "signing_key: signing.key",
      "signing_key: ../participant-2/signing.key",
      /the signing key is participant-2's, not participant-1's; give that of participant-1/,
    ],
  ];
  for (const [what, from, to, message] of mismatches) {
    test(`is refused with ${what}, naming both`, () => {
      assert.throws(() => readProfile(changed(from, to)), { name: "ConfigError", message });
    });
  }

  test("is refused with a key that nobody has registered", () => {
    const key = join(one, "new.key");
    copyFileSync(join(two, "signing.key"), key);
    writeFileSync(key, `${"5a".repeat(32)}\n`);
    assert.throws(() => readProfile(changed("signing_key: signing.key", "signing_key: new.key")), {
      message: /the signing key is not the one that is registered for participant-1; give/,
    });
  });

  test("is refused with the genesis file of another consortium", async () => {
    const other = join(temporaryDirectory(), "other");
    const counts = { managers: 1, storage: 1, participants: 0 };
    await initConsortium(other, { name: "valley", basePort: 7400, ...counts });
    const file = changed("../../genesis.json", join(other, "genesis.json"));
    assert.throws(() => readProfile(file), {
      message: /tls\.crt is of consortium demo, not valley; /,
    });
  });
});
