import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultPolicy } from "../../../src/cli/consortium/default-policy.js";
import { managerLimitsOf, managerLimitsSchema } from "../../../src/config/limits.js";
import { memoryBound, memoryParts } from "../../../src/manager/memory-bound.js";

const MiB = 2 ** 20;

describe("a manager's memory bound", () => {
  const policy = defaultPolicy(7);
  const limits = managerLimitsOf(managerLimitsSchema.parse({}));

  test("is the sum of its parts, of which none is without a bound", () => {
    const parts = memoryParts({ policy, limits, managers: 4 });
    for (const { what, bytes } of parts) assert(Number.isSafeInteger(bytes) && bytes > 0, what);
    const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
    assert.equal(memoryBound({ policy, limits, managers: 4 }), sum);
  });

  test("grows with what the limits allow, with the managers, and with the policy's blocks", () => {
    const bound = memoryBound({ policy, limits, managers: 4 });
    const more = { ...limits, poolBytesMax: limits.poolBytesMax + MiB };
    assert.equal(memoryBound({ policy, limits: more, managers: 4 }), bound + MiB);
    const queues = 2 * limits.peerQueueBytesMax;
    assert(memoryBound({ policy, limits, managers: 5 }) >= bound + queues);
    const larger = { ...policy, blockBytesMax: policy.blockBytesMax + 1 };
    assert(memoryBound({ policy: larger, limits, managers: 4 }) > bound);
  });
});
