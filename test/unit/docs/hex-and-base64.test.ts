/** Holds docs/hex-and-base64.md to what it says: its commands, its example, its prefixes. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseHashBytes } from "../../../src/cli/arguments.js";
import { ed25519KeyPairFromSeed, ed25519Verify } from "../../../src/crypto/ed25519.js";
import { repositoryRoot } from "../../support/tree.js";

const text = readFileSync(join(repositoryRoot(), "docs", "hex-and-base64.md"), "utf8");
const [, hex = "", base64 = ""] = /`([0-9a-f]{64})` is\s+`([^`]{44})`/.exec(text) ?? [];

/** The two cells of a row, without their quotes. */
function row(name: string): readonly [toBase64: string, toHex: string] {
  const line = text.split("\n").find((each) => each.startsWith(`| ${name} | `)) ?? "";
  const [, first = "", second = ""] = /^\| [^|]+ \| `(.*)` \| `(.*)` \|$/.exec(line) ?? [];
  return [first.replaceAll("\\|", "|"), second.replaceAll("\\|", "|")];
}

describe("docs/hex-and-base64.md", () => {
  test("shows one hash in both forms", () => {
    assert.equal(Buffer.from(hex, "hex").toString("base64"), base64);
    const bytes = new Uint8Array(Buffer.from(hex, "hex"));
    assert.deepEqual([base64, hex].map(parseHashBytes), [bytes, bytes]);
  });

  test("has commands of bash that convert", (t) => {
    if (spawnSync("xxd", ["-v"]).error) return t.skip("there is no xxd");
    const env = { ...process.env, HEX: hex, B64: base64 };
    const bash = (command: string) =>
      execFileSync("bash", ["-c", command], { env, encoding: "utf8" }).trim();
    const [toBase64, toHex] = row("bash");
    assert.equal(bash(toBase64), base64);
    assert.equal(bash(toHex), hex);
  });

  test("has expressions of Node.js that convert", () => {
    const [toBase64, toHex] = row("Node.js");
    const evaluate = (expression: string) =>
      new Function("HEX", "B64", `return ${expression}`)(hex, base64);
    assert.equal(evaluate(toBase64), base64);
    assert.equal(evaluate(toHex), hex);
  });

  test("has the prefixes that make DER of raw Ed25519 keys", () => {
    const prefixOf = (kind: string) => {
      const [, found = ""] = new RegExp(`\\| ${kind}[^|]*\\| \`([0-9a-f]+)\` \\|`).exec(text) ?? [];
      return Buffer.from(found, "hex");
    };
    const seed = new Uint8Array(32).fill(0x11);
    const { publicKey } = ed25519KeyPairFromSeed(seed);
    const message = Buffer.from("a digest");
    const der = Buffer.concat([prefixOf("private"), seed]);
    const signature = sign(
      null,
      message,
      createPrivateKey({ key: der, format: "der", type: "pkcs8" }),
    );
    assert.ok(ed25519Verify(publicKey, message, signature));
    const spki = Buffer.concat([prefixOf("public"), publicKey]);
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    assert.ok(verify(null, message, key, signature));
    assert.match(text, new RegExp(`printf ${prefixOf("private").toString("hex")};`));
  });
});
