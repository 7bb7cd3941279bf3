import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ProvenObjectionSchema } from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { createMemoryDisk } from "../../../../src/store/memory-store.js";
import {
  FalseObjections,
  falseObjectionsKept,
} from "../../../../src/store/signing/false-objections.js";

const by = (managerId: string, height: number, record = 1) =>
  create(ProvenObjectionSchema, {
    signature: { managerId },
    objection: { height: BigInt(height), recordHash: new Uint8Array(32).fill(record) },
  });

describe("the false objections that a manager keeps", () => {
  test("are there after a power failure, each with its author", async () => {
    const disk = createMemoryDisk();
    const kept = await FalseObjections.open(await disk.open());
    assert.ok(await kept.add(by("manager-2", 7)));
    assert.ok(await kept.add(by("manager-2", 7, 2)));
    assert.ok(await kept.add(by("manager-22", 7)));
    disk.crash();
    const reopened = await FalseObjections.open(await disk.open());
    const counts = ["manager-2", "manager-22", "manager-3"].map((id) => reopened.countOf(id));
    assert.deepEqual(counts, [2, 1, 0]);
    const found = await reopened.of("manager-2");
    assert.deepEqual(found, [by("manager-2", 7), by("manager-2", 7, 2)]);
    assert.equal(await reopened.add(by("manager-2", 7)), false, "known from before");
  });

  test("are bounded for each author: the oldest go, the count goes on", async () => {
    const disk = createMemoryDisk();
    const kept = await FalseObjections.open(await disk.open());
    await kept.add(by("manager-3", 1));
    for (let height = 1; height <= falseObjectionsKept + 5; height++) {
      await kept.add(by("manager-2", height));
    }
    const checks = async (each: FalseObjections) => {
      const found = await each.of("manager-2");
      assert.equal(found.length, falseObjectionsKept);
      assert.equal(found[0]?.objection?.height, 6n);
      assert.equal(each.countOf("manager-2"), falseObjectionsKept + 5);
      assert.equal((await each.of("manager-3")).length, 1);
    };
    await checks(kept);
    disk.crash();
    await checks(await FalseObjections.open(await disk.open()));
  });
});
