import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { defaultPolicy } from "../../../src/cli/init/defaults.js";
import { managerLimitsOf, managerLimitsSchema } from "../../../src/config/limit-settings.js";
import { CompactBlockSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { certificatesBytesMax, controlBytesMax } from "../../../src/ledger/blocks/block-parsing.js";
import { wireProblem } from "../../../src/ledger/wire-bounds.js";
import { memoryBound, memoryParts } from "../../../src/manager/memory-bound.js";
import { compactKeptMax } from "../../../src/manager/ring/compact-bodies.js";
import { rpcLimitsOf } from "../../../src/node/rpc-options.js";

const MiB = 2 ** 20;

describe("a manager's memory bound", () => {
  const policy = defaultPolicy(7);
  const limits = managerLimitsOf(managerLimitsSchema.parse({}));
  const server = rpcLimitsOf(limits, 8_192);

  test("is the sum of its parts, of which none is without a bound", () => {
    const parts = memoryParts({ policy, limits, server, managers: 4 });
    for (const { what, bytes } of parts) assert(Number.isSafeInteger(bytes) && bytes > 0, what);
    const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
    assert.equal(memoryBound({ policy, limits, server, managers: 4 }), sum);
  });

  test("grows with what the limits allow, with the managers, and with the policy's blocks", () => {
    const bound = memoryBound({ policy, limits, server, managers: 4 });
    const more = { ...limits, poolBytesMax: limits.poolBytesMax + MiB };
    assert.equal(memoryBound({ policy, limits: more, server, managers: 4 }), bound + MiB);
    const queues = 2 * limits.peerQueueBytesMax;
    assert(memoryBound({ policy, limits, server, managers: 5 }) >= bound + queues);
    const larger = { ...policy, blockBytesMax: policy.blockBytesMax + 1 };
    assert(memoryBound({ policy: larger, limits, server, managers: 4 }) > bound);
  });

  test("counts the entries of compact blocks as the bounds on messages do", () => {
    const parts = memoryParts({ policy, limits, server, managers: 4 });
    const { bytes } = parts.find(({ what }) => what === "compact blocks") ?? { bytes: 0 };
    const entry = { submissionId: new Uint8Array(32), recordBits: new Uint8Array(125) };
    const entries = Array.from({ length: 10_000 }, () => entry);
    const wire = toBinary(CompactBlockSchema, create(CompactBlockSchema, { entries }));
    const memoryBytes = bytes / compactKeptMax - controlBytesMax - certificatesBytesMax;
    assert.equal(
      wireProblem(CompactBlockSchema, wire, { elements: 30_000, memoryBytes }),
      undefined,
    );
  });

  test("follows the limits of the server as they come out of the config", () => {
    const bound = memoryBound({ policy, limits, server, managers: 4 });
    const configured = { answer_bytes_max: 512 * MiB, peer_queue_bytes_max: 80 * MiB };
    const more = managerLimitsOf(managerLimitsSchema.parse(configured));
    const larger = rpcLimitsOf(more, 16_384);
    const answers = larger.answers ?? {};
    const partOf = (what: string, of: typeof server, some = limits) =>
      memoryParts({ policy, limits: some, server: of, managers: 4 }).find(
        (part) => part.what === what,
      )?.bytes ?? 0;
    const answersBefore = partOf("unread answers", server);
    const clients = 2 * (512 - 128) * MiB;
    assert(partOf("unread answers", larger, more) >= answersBefore + clients);
    assert.equal(partOf("connections", larger, more), 2 * partOf("connections", server));
    assert.equal(answers.clientsBytesMax, 512 * MiB);
    assert(memoryBound({ policy, limits: more, server: larger, managers: 4 }) > bound);
  });
});
