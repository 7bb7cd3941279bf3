import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.js";
import {
  type ManagerLimits,
  managerLimitsOf,
  managerLimitsSchema,
} from "../../../src/config/limit-settings.js";
import type { NodeConfig } from "../../../src/config/node-config.js";
import { blockBytesBound, recordBytesBound } from "../../../src/ledger/message-sizes.js";
import { checkLimits } from "../../../src/node/limits-check.js";
import { policy } from "../ledger/consortium.js";

const MiB = 2 ** 20;
const defaults = managerLimitsOf(managerLimitsSchema.parse({}));
const longest = { ...policy, blockRecordsMax: 1, blockBytesMax: blockBytesBound };

function configWith(changes: Partial<ManagerLimits> = {}, role: "manager" | "storage" = "manager") {
  const limits = { ...defaults, ...changes };
  return { file: "config.yaml", role, limits } as NodeConfig;
}

describe("a node's own limits", () => {
  test("suffice for every policy when they are left as they are", () => {
    for (const each of [policy, longest, { ...longest, recordBytesMax: recordBytesBound }]) {
      checkLimits(configWith(), each);
      checkLimits(configWith({}, "storage"), each);
    }
  });

  const tooLow: readonly [Partial<ManagerLimits>, RegExp][] = [
    [
      { peerMessageBytesMax: 8 * MiB },
      /^config\.yaml: `limits\.peer_message_bytes_max` is 8388608, .* needs (1\d{7}); set it to \1/,
    ],
    [{ peerQueueBytesMax: MiB }, /`limits\.peer_queue_bytes_max` is 1048576, but/],
    [{ messageBytesMax: 65_536 }, /`limits\.message_bytes_max` is 65536, but .* needs 66048;/],
    [{ poolBytesMax: 16 * MiB }, /`limits\.pool_bytes_max` is 16777216, but .* needs 3\d{7};/],
    [{ poolSubmissionsMax: 3 }, /`limits\.pool_submissions_max` is 3, but .* needs 4;/],
  ];
  for (const [changes, message] of tooLow) {
    test(`that are too low refuse the start: ${Object.keys(changes).join()}`, () => {
      const refuses = (error: unknown) =>
        error instanceof ConfigError && message.test(error.message);
      assert.throws(() => checkLimits(configWith(changes), policy), refuses);
    });
  }

  test("are all named at once", () => {
    const changes = { peerMessageBytesMax: 8 * MiB, poolBytesMax: MiB };
    assert.throws(
      () => checkLimits(configWith(changes), policy),
      (error: unknown) => error instanceof ConfigError && error.issues.length === 2,
    );
  });

  test("may be as low as the policy allows", () => {
    const small = { ...policy, blockRecordsMax: 100, blockBytesMax: MiB };
    checkLimits(configWith({ peerMessageBytesMax: 8 * MiB, peerQueueBytesMax: 8 * MiB }), small);
  });
});
