import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex } from "../../../../src/base/bytes.js";
import { parseHashBytes } from "../../../../src/cli/arguments.js";
import { parseHashArgument, wholeHash } from "../../../../src/cli/records/hash-argument.js";
import type { BssClient } from "../../../../src/client/bss-client.js";

const hex = "fbef00112233445566778899aabbccddeeff00112233445566778899aabbccff";
const hash = new Uint8Array(Buffer.from(hex, "hex"));
const near = new Uint8Array(Buffer.from(`fbef001122${hex.slice(10).replace("3", "4")}`, "hex"));
const far = new Uint8Array(32);

describe("a hash on the command line", () => {
  const base64 = hash.length === 32 ? Buffer.from(hash).toString("base64") : "";
  const forms = [
    ...[hex, hex.toUpperCase(), base64, base64.replace("=", "")],
    ...[Buffer.from(hash).toString("base64url"), `${Buffer.from(hash).toString("base64url")}=`],
  ];
  for (const form of forms) {
    test(`may be ${form}`, () => {
      assert.deepEqual(parseHashBytes(form), hash);
      assert.deepEqual(parseHashArgument(form), hash);
    });
  }

  test("may be its first digits where one can be looked up", () => {
    assert.equal(parseHashArgument("FBEF0011"), "fbef0011");
    assert.equal(parseHashArgument(hex.slice(0, 63)), hex.slice(0, 63));
    assert.equal(parseHashArgument(hex.slice(0, 43)), hex.slice(0, 43), "not base64");
    assert.equal(parseHashBytes("fbef0011"), undefined);
  });

  // The last character of base64 of 32 bytes has two bits that say nothing.
  const wrong = [
    "",
    hex.slice(0, 7),
    `${hex}0`,
    "fbef001g",
    `${base64}=`,
    `${base64.slice(0, 42)}9=`,
  ];
  for (const text of wrong) {
    test(`is never ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseHashArgument(text), /A hash has 64 hex digits, or 44 characters/);
    });
  }
});

describe("the beginning of a hash", () => {
  /** Says what it is asked for, too. */
  function client(role: "participant" | "auditor", hashes: readonly Uint8Array[]) {
    const asked: string[] = [];
    const fake = {
      profile: { id: "participant-1", role },
      async *listRecords({ participantId }: { participantId: string }) {
        asked.push(participantId);
        for (const each of hashes) yield { hash: each };
      },
      async *listBlocks() {
        asked.push("blocks");
        yield { block: { leaves: hashes.map((recordHash) => ({ recordHash })) } };
        yield { block: undefined };
      },
    };
    return { client: fake as unknown as BssClient, asked };
  }

  for (const role of ["participant", "auditor"] as const) {
    test(`is that of the one record, for the profile of one ${role}`, async () => {
      const { client: asker, asked } = client(role, [far, hash, near, hash]);
      assert.deepEqual(
        await wholeHash(asker, hex.slice(0, 16)),
        hash,
        "a hash that comes twice is one",
      );
      assert.deepEqual(asked, [role === "participant" ? "participant-1" : "blocks"]);
      await assert.rejects(wholeHash(asker, hex.slice(0, 8)), /2 records .*fbef0011.*more digits/);
      await assert.rejects(wholeHash(asker, "12345678"), /no record .*begins with 12345678;/);
    });
  }

  test("is not looked up when the whole hash is given", async () => {
    const { client: asker, asked } = client("participant", []);
    assert.deepEqual(await wholeHash(asker, fromHex(hex) ?? far), hash);
    assert.deepEqual(asked, []);
  });

  test("is not searched for in a large ledger", async () => {
    const { client: asker } = client("auditor", Array<Uint8Array>(11).fill(far));
    await assert.rejects(wholeHash(asker, "12345678", 10), /more than 10 records .*whole hash/);
    const { client: full } = client("auditor", Array<Uint8Array>(10).fill(far));
    assert.deepEqual(await wholeHash(full, "00000000", 10), far);
  });
});
