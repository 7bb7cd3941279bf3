/** How a manager without a network watches storage nodes, and takes in operations of members. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { RpcError } from "../../../../src/rpc/rpc-error.js";
import { until } from "../../../support/rpc-consortium.js";
import * as invitations from "../../ledger/support/invitations.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { type FinalBlock, LedgerWorld } from "../support/ledger-world.js";
import { headOf, LoneManager, peer } from "../support/lone-manager.js";
import { attestations } from "../support/votes.js";

const one = () => ({ candidates: [submitted([documentBytes()])] });

/** It lasts until 2100: the manager runs by the machine's clock. */
const invitation = invitations.invitationBytes({ expiresAtUnixMs: 4_102_444_800_000n });
const admissionOf = (nodeId: string) => invitations.admissionOf(nodeId, { invitation });

describe("a manager's supervision of storage nodes", () => {
  let world: LedgerWorld;
  let node: LoneManager;

  beforeEach(async () => {
    world = await LedgerWorld.create();
    node = await LoneManager.start(world);
    await until(() => node.manager?.abstaining() === undefined);
  });
  afterEach(() => node.manager?.close());

  const submit = (nodeId: string) =>
    node.manager?.operations.submit(admissionOf(nodeId), new AbortController().signal);

  /** The others show that they have these blocks, and give them. */
  const extend = async (...made: readonly FinalBlock[]) => {
    await node.hear({ case: "head", value: headOf(world) });
    await node.answer(...made);
    await until(() => world.store.head.height === made.length);
  };

  test("tells everybody of an admission, and the caller of the block that carries it", async () => {
    const answer = submit("storage-9");
    await until(() => node.told("operation").length > 0);
    assert.deepEqual(node.told("operation"), Array(3).fill(admissionOf("storage-9")));
    const made = [world.make(one()), world.make({ control: [admissionOf("storage-9")] })];
    await extend(...made, world.make(one()));
    assert.deepEqual(await answer, { height: 2 });
    assert.equal(node.manager?.storageSupervision.waiting.operations, 0);
  });

  test("keeps what another manager took in until a block carries it", async () => {
    await node.hear({ case: "operation", value: admissionOf("storage-9") });
    assert.equal(node.manager?.storageSupervision.waiting.operations, 1);
    assert.deepEqual(node.told("operation"), []);
    assert.ok(
      node.manager.storageSupervision.callsForBlock() || node.manager.status().step !== "idle",
    );
  });

  test("gives its callers up when the manager stops", async () => {
    const answer = submit("storage-9")?.catch((error: RpcError) => error.reason);
    await until(() => node.told("operation").length > 0);
    await node.manager?.close();
    assert.equal(await answer, "NODE_STOPPING");
  });

  test("keeps attestations of the open height, and wants those of a decided one", async () => {
    const earlier = [world.make(one()), world.make(one())];
    const made = world.make(one());
    await extend(...earlier, made);
    const [late] = attestations(made.executed.facts);
    assert.ok(late);
    assert.equal(node.manager?.storageSupervision.wantsLate(late), true);
    await node.hear({ case: "attestation", value: late }, peer);
    assert.equal(node.manager?.storageSupervision.wantsLate(late), false);
  });
});
