import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadProfile } from "../../../src/config/profile.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const text = `id: home-1
role: participant
consortium: ../../genesis.json
addresses: [127.0.0.1:7401, grid-b.example.org:7402]
tls: {certificate: tls.crt, key: tls.key, ca: ../../ca-bundle.pem}
signing_key: signing.key
`;

describe("loadProfile", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "profile.yaml");
  const load = (content: string) => {
    writeFileSync(file, content);
    return loadProfile(file);
  };

  test("reads who is calling and resolves paths against the profile's directory", () => {
    assert.deepEqual(load(text), {
      file,
      id: "home-1",
      role: "participant",
      genesisFile: join(directory, "../../genesis.json"),
      addresses: ["127.0.0.1:7401", "grid-b.example.org:7402"],
      tls: {
        certificate: join(directory, "tls.crt"),
        key: join(directory, "tls.key"),
        ca: join(directory, "../../ca-bundle.pem"),
      },
      signingKeyFile: join(directory, "signing.key"),
    });
  });

  test("refuses a directory and a node's config in one sentence", () => {
    assert.throws(() => loadProfile(directory), /: this is a directory, not a file; give the path/);
    const config = "role: manager\nid: manager-1\ndata_directory: data\nlisten: {port: 1}\n";
    assert.throws(() => load(config), {
      message: /^[^\n]+: this is a node's config\.yaml, not a profile; give the path[^\n]+$/,
    });
  });

  const mistakes: readonly (readonly [string, string, string, RegExp])[] = [
    ["an unknown role", "role: participant", "role: user", /:2: `role` is "user"; use one of part/],
    [
      "no addresses",
      "[127.0.0.1:7401, grid-b.example.org:7402]",
      "[]",
      /:4: `addresses` is a list; use a list of managers' host:port, at least one/,
    ],
    [
      "an address without a port",
      "127.0.0.1:7401",
      "127.0.0.1",
      /:4: `addresses\[0\]` is "127\.0\.0\.1"; use host:port/,
    ],
    [
      "a mistyped key",
      "addresses:",
      "adresses:",
      /:4: unknown key `adresses`; did you mean `addresses`\?$/,
    ],
  ];
  for (const [title, from, to, message] of mistakes) {
    test(`refuses ${title}`, () => {
      assert.throws(() => load(text.replace(from, to)), { name: "ConfigError", message });
    });
  }

  test("says what a profile is when there is none", () => {
    assert.throws(() => loadProfile(join(directory, "none")), {
      message: /none: no such file; give the path of a profile\.yaml with --profile/,
    });
  });
});
