/**
 * The primitives for browsers, held against those of Node.js. What follows from them runs here as
 * it does there, with the same tests.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import * as baseOfNode from "../../../src/base/platform/node.js";
import * as base from "../../../src/base/platform/portable.js";
import * as ofNode from "../../../src/crypto/platform/node.js";
import * as portable from "../../../src/crypto/platform/portable.js";
import { flipped } from "./vectors.js";

/** Bytes that are not the same at any two places nearby. */
const bytes = (length: number, start = 0) =>
  Uint8Array.from({ length }, (_, i) => (start + i * 167) % 256);

describe("the portable primitives", () => {
  test("are those of Node.js, by name", () => {
    assert.deepEqual(Object.keys(portable).sort(), Object.keys(ofNode).sort());
    assert.deepEqual(Object.keys(base).sort(), Object.keys(baseOfNode).sort());
  });

  test("write, read and compare the same bytes", () => {
    for (const length of [0, 1, 2, 64, 129, 300]) {
      const some = bytes(length);
      const hex = baseOfNode.hexOf(some);
      assert.equal(base.hexOf(some), hex);
      assert.deepEqual(base.bytesOfHex(hex.toUpperCase()), some);
      for (const [start, end] of [[0, length] as const, [1, length - 1] as const]) {
        const text = baseOfNode.latin1Of(some, start, Math.max(start, end));
        assert.equal(base.latin1Of(some, start, Math.max(start, end)), text);
      }
      for (const other of [some.slice(), flipped(some, 0), flipped(some, length - 1)]) {
        assert.equal(base.sameContent(some, other), baseOfNode.sameContent(some, other));
      }
    }
  });

  test("hash the same, of one part and of several, at the edges of blocks", () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 4_096, 5_000]) {
      for (const cut of [0, 1, Math.floor(length / 2), length]) {
        const parts = [bytes(length).subarray(0, cut), bytes(length).subarray(cut)];
        assert.deepEqual(portable.sha256OfParts(parts), ofNode.sha256OfParts(parts));
        assert.equal(portable.sha256TextOfParts(parts), ofNode.sha256TextOfParts(parts));
        assert.deepEqual(portable.sha512(...parts), ofNode.sha512(...parts));
      }
    }
  });

  test("sign the same, and find the same signatures right", async () => {
    for (let i = 0; i < 8; i++) {
      const [seed, message] = [bytes(32, i), bytes(i * 20, i)];
      const { publicKey, sign } = ofNode.createSigner(seed);
      const signature = sign(message);
      const mine = portable.createSigner(seed);
      assert.deepEqual(mine.publicKey, publicKey);
      assert.deepEqual(mine.sign(message), signature);
      for (const signed of [signature, flipped(signature, 1), flipped(signature, 33)]) {
        const answer = ofNode.equationHolds(publicKey, message, signed);
        assert.equal(portable.equationHolds(publicKey, message, signed), answer);
        assert.equal(await portable.equationHoldsLater(publicKey, message, signed), answer);
      }
    }
  });

  test("leave the bytes of a Buffer as they are", () => {
    const [seed, message] = [Buffer.from(bytes(32)), bytes(20)];
    const { publicKey, sign } = portable.createSigner(seed);
    const signature = Buffer.from(sign(message));
    seed.fill(0);
    assert.deepEqual(new Uint8Array(signature), sign(message));
    for (let i = 0; i < 2; i++) assert.ok(portable.equationHolds(publicKey, message, signature));
  });

  test("call back after the turn", async () => {
    const order: string[] = [];
    const called = new Promise<void>((resolve) => {
      portable.afterTurn(() => {
        order.push("later");
        resolve();
      });
    });
    order.push("now");
    await called;
    assert.deepEqual(order, ["now", "later"]);
  });
});

describe("with the portable primitives, as package.json chooses them for browsers", () => {
  for (const name of ["ed25519", "hash", "vrf"]) {
    test(`the tests of ${name}.ts pass`, () => {
      const file = join(import.meta.dirname, `${name}.test.js`);
      const { NODE_TEST_CONTEXT: _, NODE_V8_COVERAGE: __, ...env } = process.env;
      const options = ["--conditions=browser", "--test-reporter=tap", "--test", file];
      const { status, stdout } = spawnSync(process.execPath, options, { encoding: "utf8", env });
      assert.equal(status, 0, stdout);
      assert.match(stdout, /^# pass [1-9]/m);
      assert.match(stdout, /^# fail 0$/m);
    });
  }
});
