import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkNodeDirectories } from "../../../src/config/file-access.js";
import { readGenesisFile, readManagerKeys, readSeedFile } from "../../../src/config/key-files.js";
import type { ManagerConfig } from "../../../src/config/node-config.js";
import { loadProfile } from "../../../src/config/profile.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const seedHex = "00112233445566778899aabbccddeeff".repeat(2);

describe("who else may touch a node's files", () => {
  const parent = temporaryDirectory();
  const directory = (name: string, mode: number) => {
    const path = join(parent, name);
    mkdirSync(path);
    chmodSync(path, mode);
    return path;
  };
  const file = (name: string, content: string, mode: number) => {
    const path = join(parent, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  const octal = (mode: number) => `0${mode.toString(8)}`;

  for (const place of ["dataDirectory", "signerStateDirectory"] as const) {
    const config = { dataDirectory: join(parent, "none"), signerStateDirectory: parent };
    for (const mode of [0o777, 0o770, 0o720, 0o755, 0o701]) {
      test(`${place} of mode ${octal(mode)} is refused, with the remedy`, () => {
        const path = directory(`${place}-${octal(mode)}`, mode);
        assert.throws(() => checkNodeDirectories({ ...config, [place]: path }), {
          message:
            `${path}: others can use this directory of the node (mode ${octal(mode)}); ` +
            `run chmod 700 ${path}`,
        });
      });
    }
    test(`${place} may be read by a group, or not exist yet`, () => {
      for (const mode of [0o700, 0o750]) {
        const path = directory(`${place}-${octal(mode)}`, mode);
        checkNodeDirectories({ ...config, [place]: path });
      }
      checkNodeDirectories({ ...config, [place]: join(parent, "later") });
    });
  }

  test("a file in the place of a directory is called that, whatever its mode", () => {
    const path = file("data", "", 0o644);
    assert.throws(
      () => checkNodeDirectories({ dataDirectory: path, signerStateDirectory: parent }),
      { message: `${path}: this is no directory; check the path in config.yaml` },
    );
  });

  test("a wrap is a secret", () => {
    const secret = file("secret.key", seedHex, 0o600);
    const wrap = file("epoch-0.wrap", "00".repeat(80), 0o644);
    const config = { signingKeyFile: secret, vrfKeyFile: secret, hpkeKeyFile: secret };
    const named = { ...config, epochWrapFiles: [wrap] } as unknown as ManagerConfig;
    assert.throws(() => readManagerKeys(named), {
      message: `${wrap}: this secret can be read by others (mode 0644); run chmod 600 ${wrap}`,
    });
  });

  test("a secret lies where nobody else can replace it", () => {
    const open = directory("open", 0o777);
    const key = file("open/signing.key", seedHex, 0o600);
    assert.throws(() => readSeedFile(key), {
      message: `${open}: everybody can write to this directory of secrets (mode 0777); run chmod 700 ${open}`,
    });
    chmodSync(open, 0o1777);
    assert.equal(readSeedFile(key).length, 32);
  });

  test("what says whom to trust is not everybody's to write", () => {
    const genesis = file("genesis.json", "{}", 0o646);
    assert.throws(() => readGenesisFile(genesis), {
      message: `${genesis}: everybody can write to this file (mode 0646); check whether somebody has changed it, then run chmod 644 ${genesis}`,
    });
    const profile = file("profile.yaml", "id: home-1\n", 0o666);
    assert.throws(() => loadProfile(profile), /profile\.yaml: everybody can write to this file/);
    chmodSync(profile, 0o664);
    assert.throws(() => loadProfile(profile), /key `role` is missing/);
  });
});
