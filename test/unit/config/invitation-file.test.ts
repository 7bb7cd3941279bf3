import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { readProfile } from "../../../src/client/client-profile.js";
import { signInvitation } from "../../../src/client/joining.js";
import { ConfigError } from "../../../src/config/config-error.js";
import { invitationFileText, readInvitationFile } from "../../../src/config/invitation-file.js";
import { InvitedRole } from "../../../src/gen/bss/v1/genesis_pb.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("an invitation file", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "invitation.json");
  let fields: Record<string, unknown> = {};

  before(async () => {
    const path = join(directory, "consortium");
    const counts = { managers: 1, storage: 1, participants: 0 };
    await initConsortium(path, { name: "demo", basePort: 7400, ...counts });
    const profile = readProfile(join(path, "operators", "operator-1", "profile.yaml"));
    const { genesis, tls } = profile;
    const [blockId, membersDigest] = [genesis.consortiumId, genesis.members.digest()];
    const signed = signInvitation(profile, {
      role: InvitedRole.STORAGE,
      usesMax: 3,
      expiresAtUnixMs: 9n,
      checkpoint: { height: 0n, blockId, membersDigest },
    });
    assert.ok(signed);
    const text = invitationFileText({
      ...signed,
      genesisBytes: readFileSync(join(path, "genesis.json")),
      addresses: ["127.0.0.1:7401"],
      tls: {
        certPem: String(tls.certPem),
        keyPem: String(tls.keyPem),
        caPem: String(tls.caPem),
      },
    });
    fields = JSON.parse(text);
  });

  const read = (changes: Record<string, unknown> = {}) => {
    writeFileSync(file, JSON.stringify({ ...fields, ...changes }), { mode: 0o600 });
    return readInvitationFile(file);
  };

  test("comes back as it was written", () => {
    const { invitation, genesis, addresses } = read();
    assert.equal(invitation.usesMax, 3);
    assert.equal(invitation.operatorId, "operator-1");
    assert.deepEqual(invitation.consortiumId, genesis.consortiumId);
    assert.deepEqual(addresses, ["127.0.0.1:7401"]);
  });

  const bytes = (length: number) => Buffer.alloc(length, 7).toString("base64");
  const wrong: readonly [string, Record<string, unknown>, RegExp][] = [
    ["a forged signature", { signature: bytes(64) }, /not signed by an operator/],
    ["no signature", { signature: "" }, /not signed by an operator/],
    ["the seed of another key", { bearer_seed: bytes(32) }, /bearer_seed is not that of its/],
    ["half a seed", { bearer_seed: bytes(16) }, /bearer_seed is not that of its/],
    ["another invitation", { invitation: bytes(80) }, /invitation cannot be read/],
    ["no genesis", { genesis: bytes(80) }, /genesis is not valid/],
    ["no address", { addresses: [] }, /not an invitation file/],
    ["no base64", { invitation: "*" }, /not an invitation file/],
    ["an unknown field", { colour: "red" }, /not an invitation file/],
  ];
  for (const [what, changes, message] of wrong) {
    test(`is refused with ${what}`, () => {
      assert.throws(
        () => read(changes),
        (error) => error instanceof ConfigError && message.test(error.message),
      );
    });
  }

  test("is refused when it is no JSON, or others can read it", () => {
    writeFileSync(file, "role: storage", { mode: 0o600 });
    assert.throws(() => readInvitationFile(file), /not an invitation file; ask the operator/);
    writeFileSync(file, JSON.stringify(fields));
    chmodSync(file, 0o644);
    assert.throws(() => readInvitationFile(file), /this secret can be read by others/);
  });
});
