import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fromHex } from "../../../src/base/bytes.js";
import { readGenesisFile, readSeedFile, readTlsFiles } from "../../../src/config/key-files.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const seedHex = "00112233445566778899aabbccddeeff".repeat(2);

describe("readSeedFile", () => {
  const directory = temporaryDirectory();
  const write = (name: string, content: string, mode = 0o600) => {
    const file = join(directory, name);
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };

  test("reads 32 bytes from hex, with or without a newline", () => {
    assert.deepEqual(readSeedFile(write("a", `${seedHex}\n`)), fromHex(seedHex));
    assert.deepEqual(readSeedFile(write("b", seedHex, 0o400)), fromHex(seedHex));
  });

  for (const mode of [0o644, 0o640, 0o604, 0o660, 0o602, 0o610]) {
    const octal = `0${mode.toString(8)}`;
    test(`refuses a key of mode ${octal}`, () => {
      const file = write(`mode-${octal}`, seedHex, mode);
      assert.throws(() => readSeedFile(file), {
        name: "ConfigError",
        message: `${file}: this secret can be read by others (mode ${octal}); run chmod 600 ${file}`,
      });
    });
  }

  test("looks at the file behind a link", () => {
    write("open", seedHex, 0o644);
    symlinkSync("open", join(directory, "link"));
    assert.throws(() => readSeedFile(join(directory, "link")), /read by others/);
  });

  test("refuses a key that belongs to somebody else", (t) => {
    if (process.getuid?.() !== 0) return t.diagnostic("only root can give a file away");
    const file = write("foreign", seedHex);
    chownSync(file, 4242, 4242);
    assert.throws(() => readSeedFile(file), /belongs to another user \(4242\)/);
  });

  const malformed = [
    "",
    "zz".repeat(32),
    seedHex.slice(2),
    `${seedHex}00`,
    `${seedHex} ${seedHex}`,
  ];
  for (const [index, content] of malformed.entries()) {
    test(`refuses malformed content ${index} without repeating it`, () => {
      const file = write(`malformed-${index}`, content);
      assert.throws(() => readSeedFile(file), {
        name: "ConfigError",
        message: `${file}: this is not a key of 64 hex digits; restore it from a backup`,
      });
    });
  }

  test("refuses what is missing, a directory, or far too large", () => {
    assert.throws(
      () => readSeedFile(join(directory, "none")),
      /none: no such file; check the path/,
    );
    mkdirSync(join(directory, "dir"));
    assert.throws(() => readSeedFile(join(directory, "dir")), /not a regular file/);
    assert.throws(() => readSeedFile(write("big", "0".repeat(100_000))), /larger than 65536 bytes/);
  });
});

describe("readTlsFiles", () => {
  const directory = temporaryDirectory();
  const files = {
    certificate: join(directory, "tls.crt"),
    key: join(directory, "tls.key"),
    ca: join(directory, "ca.pem"),
  };
  const certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  const key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
  const write = (content: Partial<Record<keyof typeof files, string>> = {}, keyMode = 0o600) => {
    writeFileSync(files.certificate, content.certificate ?? certificate);
    writeFileSync(files.key, content.key ?? key);
    writeFileSync(files.ca, content.ca ?? certificate);
    chmodSync(files.key, keyMode);
  };

  test("gives the three PEM texts", () => {
    write();
    assert.deepEqual(readTlsFiles(files), {
      certPem: certificate,
      keyPem: key,
      caPem: certificate,
    });
  });

  test("refuses a key that others can read, but not a certificate", () => {
    write({}, 0o644);
    assert.throws(() => readTlsFiles(files), /tls\.key: this secret can be read by others/);
  });

  test("says which file holds the wrong thing", () => {
    write({ key: certificate });
    assert.throws(
      () => readTlsFiles(files),
      /tls\.key: this file holds no private key .*; check .* tls\.key/,
    );
    write({ certificate: key });
    assert.throws(
      () => readTlsFiles(files),
      /tls\.crt: this file holds no certificate .*; .* tls\.certificate/,
    );
    write({ ca: "" });
    assert.throws(
      () => readTlsFiles(files),
      /ca\.pem: this file holds no certificate .*; .* tls\.ca/,
    );
  });
});

describe("readGenesisFile", () => {
  test("gives the exact bytes, whoever may read them", () => {
    const file = join(temporaryDirectory(), "genesis.json");
    writeFileSync(file, "{}\r\n", { mode: 0o644 });
    assert.deepEqual(readGenesisFile(file), new Uint8Array(Buffer.from("{}\r\n")));
  });
});
