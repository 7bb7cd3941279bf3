import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Returning } from "../../../../src/storage-node/chain/returning.js";
import { genesis, policy } from "../../ledger/support/consortium.js";
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
    const store = { head: { ...head, members: { storageNode: () => changed } } };
    const made = new Returning({
      nodeId: "storage-1",
      genesis,
      store: store as unknown as typeof world.store,
      links: {
        send: ({ message }) => {
          assert.equal(message?.case, "returnNode");
          assert.equal(message.value.suspendedHeight, 1n);
          said.push(message.value.heldHeight ?? 0n);
          return true;
        },
      },
      isReady: () => ready,
      sign: (digest) => sign("storage-1", digest),
      time: { monotonicMs: () => clock.ms, wallMs: () => clock.wallMs },
    });
    return { made, said, clock, store };
  }

  test("says that it is back, each second and after each block, once its wait is over", async () => {
    const { made, said, clock, store } = await returning("unreachable");
    clock.wallMs -= 1;
    made.tick();
    assert.deepEqual(said, []);
    clock.wallMs += 1;
    made.tick();
    made.tick();
    assert.deepEqual(said, [1n]);
    clock.ms += 1_000;
    made.tick();
    store.head.height += 1;
    made.tick();
    made.tick();
    assert.deepEqual(said, [1n, 1n, 2n]);
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
