import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withSettings } from "../../../bench/peers/cometbft/config.js";
import { kvTransaction } from "../../../bench/peers/cometbft/loop.js";

describe("settings in a config.toml", () => {
  const toml = [
    "# laddr of nothing",
    'laddr = "top"',
    "[rpc]",
    '  # laddr = "a comment"',
    'laddr = "tcp://127.0.0.1:26657"',
    "[p2p]",
    "laddr = 1",
    'flush_throttle_timeout = "100ms"',
  ].join("\n");

  test("replace the key of their section alone", () => {
    const lines = withSettings(toml, { "p2p.laddr": '"x"', laddr: '"y"' }).split("\n");
    assert.equal(lines[1], 'laddr = "y"');
    assert.equal(lines[4], 'laddr = "tcp://127.0.0.1:26657"');
    assert.equal(lines[6], 'laddr = "x"');
    assert.equal(lines.length, 8);
  });

  test("that the program does not know are refused, so that a typing error tunes nothing", () => {
    assert.throws(() => withSettings(toml, { "p2p.flush": "1" }), /no setting p2p\.flush/);
  });
});

describe("a transaction of the key-value app", () => {
  test("has the length that is asked for, one sign of equality and a key of its own", () => {
    const [one, two] = [kvTransaction(66), kvTransaction(66)];
    assert.equal(one.length, 66);
    assert.equal(one.toString("latin1").split("=").length, 2);
    assert.notDeepEqual(one, two);
  });

  test("is not shorter than a key", () => assert.throws(() => kvTransaction(10)));
});
