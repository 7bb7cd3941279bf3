import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Returning } from "../../../../src/storage-node/chain/returning.js";
import { consortiumId, policy } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";
import { ChainWorld } from "../support/chain-world.js";

describe("a node that was suspended as unreachable", () => {
  async function returning(suspension: "unreachable" | undefined, ready = true) {
    const world = await ChainWorld.open();
    await world.commit(world.ledger.extend());
    const { head } = world.store;
    const node = head.members.storageNode("storage-1");
    const changed = { ...node, suspension, changedHeight: 1, changedAtMs: 1_000, absences: 1 };
    const said: bigint[] = [];
    const clock = { ms: 0, wallMs: 1_000 + policy.resumeWaitMs };
    const made = new Returning({
      nodeId: "storage-1",
      consortiumId,
      policy,
      head: () => ({ ...head, members: { storageNode: () => changed } }) as unknown as typeof head,
      isReady: () => ready,
      sign: (digest) => sign("storage-1", digest),
      tell: ({ heldHeight, suspendedHeight }) => {
        assert.equal(suspendedHeight, 1n);
        said.push(heldHeight);
      },
      monotonicMs: () => clock.ms,
      wallMs: () => clock.wallMs,
    });
    return { made, said, clock };
  }

  test("says that it is back, each second and after each block, once its wait is over", async () => {
    const { made, said, clock } = await returning("unreachable");
    clock.wallMs -= 1;
    made.tick();
    assert.deepEqual(said, []);
    clock.wallMs += 1;
    made.tick();
    made.tick();
    assert.deepEqual(said, [1n]);
    clock.ms += 1_000;
    made.tick();
    made.onAppended();
    made.tick();
    assert.deepEqual(said, [1n, 1n, 1n]);
  });

  test("says nothing before it is level, or when it is not suspended", async () => {
    for (const { made, said } of [
      await returning("unreachable", false),
      await returning(undefined),
    ]) {
      made.tick();
      assert.deepEqual(said, []);
    }
  });
});
