import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { payoutErrorOf } from "../../../../src/cli/nodes/storage.js";
import { CliError } from "../../../../src/cli/text/cli-error.js";
import { cliErrorOf } from "../../../../src/cli/text/rpc-advice.js";
import type { Reason } from "../../../../src/rpc/reasons.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";

describe("the advice for a node that cannot be reached", () => {
  const otherConsortium = /; check the CA bundle and the address in the profile/;
  const cases: readonly (readonly [string, RegExp])[] = [
    ["h:1: connect ECONNREFUSED", /; check that the managers run/],
    ["h:1: self-signed certificate in certificate chain", otherConsortium],
    ["h:1: unable to verify the first certificate", otherConsortium],
    [
      "h:1: certificate has expired",
      /; check the clock of this machine; .* certificates of their nodes have expired/,
    ],
    ["h:1: the certificate of this client expired at", /; ask .* to run 'bss reissue'/],
    [
      "h:1: TLS: wrong version number",
      /; check the port in the address: no TLS is spoken there, as on a metrics port$/,
    ],
    ["the server is storage storage-1, expected manager", /; use the address of a manager$/],
  ];
  for (const [message, advice] of cases) {
    test(`fits "${message}"`, () => {
      const error = cliErrorOf(new RpcError("NODE_UNREACHABLE", message));
      assert.ok(error instanceof Error);
      assert.match(error.message, advice);
    });
  }

  test("is for that reason only", () => {
    const error = cliErrorOf(new RpcError("RECORD_UNKNOWN", "self-signed"));
    assert.ok(error instanceof Error && /check the hash/.test(error.message));
  });
});

test("the advice for a message that is too long is not to try it again", () => {
  const error = cliErrorOf(new RpcError("MESSAGE_TOO_LARGE", "the message has 5000243 bytes"));
  assert.ok(error instanceof CliError);
  assert.match(error.message, /; send less in one message/);
  assert.doesNotMatch(error.message, /again/);
});

describe("the advice for a payout whose answer did not come", () => {
  const cases: readonly (readonly [Reason, RegExp])[] = [
    [
      "DEADLINE",
      /; the payout may be recorded .+: see 'bss storage statement pc-7' before you repeat it$/,
    ],
    [
      "NODE_UNREACHABLE",
      /; the payout may be recorded all the same: see 'bss storage statement pc-7' before/,
    ],
    ["PAYOUT_OUTDATED", /; check the payouts of the node with 'bss storage statement' before/],
    ["OPERATION_INVALID", /; correct the value/],
  ];
  for (const [reason, advice] of cases) {
    test(`fits ${reason}`, () => {
      const error = payoutErrorOf(new RpcError(reason, "no answer"), "pc-7");
      assert.ok(error instanceof CliError);
      assert.match(error.message, advice);
    });
  }

  test("is for refusals by nodes only", () => {
    const error = new Error("a fault of ours");
    assert.equal(payoutErrorOf(error, "pc-7"), error);
  });
});
