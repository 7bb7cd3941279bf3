import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { chosenManagers } from "../../../../src/consensus/attestation/links.js";
import { ReachWatch } from "../../../../src/manager/storage-nodes/reach-watch.js";
import { membersOf } from "../../ledger/consortium.js";
import { PublicHead } from "../support/public-head.js";

const policy = { unreachableAfterMs: 60_000 };

describe("the watch over who is heard", () => {
  let world: PublicHead;
  let connected: string[];
  let watch: ReachWatch;

  beforeEach(() => {
    world = new PublicHead();
    connected = ["storage-4"];
    const links = {
      get connectedIds() {
        return connected;
      },
    };
    watch = new ReachWatch({ ...world.ports, policy }, links);
  });

  const after = (ms: number) => {
    world.nowMs += ms;
    return watch.tick();
  };

  const attested = (nodeId: string, height: number, round = 0) =>
    watch.heard(nodeId, { height, round });

  test("counts from its own start for nodes that it has never heard", () => {
    assert.deepEqual(after(59_999), []);
    assert.deepEqual(after(1), ["storage-1", "storage-2", "storage-3"]);
  });

  test("says nothing while it hears nobody: it may be cut off itself", () => {
    connected = [];
    assert.deepEqual(after(600_000), []);
    attested("storage-1", 1);
    assert.deepEqual(after(59_999), ["storage-2", "storage-3", "storage-4"]);
    assert.deepEqual(after(1), []);
  });

  test("hears a node whose link is up, and for as long after it went", () => {
    connected = ["storage-2", "storage-4"];
    assert.deepEqual(after(60_000), ["storage-1", "storage-3"]);
    connected = ["storage-4"];
    assert.deepEqual(after(59_999), ["storage-1", "storage-3"]);
    assert.deepEqual(after(1), ["storage-1", "storage-2", "storage-3"]);
  });

  test("hears a node whose attestation came, and claims no more", () => {
    assert.deepEqual(after(60_000), ["storage-1", "storage-2", "storage-3"]);
    attested("storage-3", 1);
    attested("a stranger", 1);
    assert.deepEqual(after(0), ["storage-1", "storage-2"]);
  });

  test("hears no node whose old attestations somebody sends again", () => {
    assert.deepEqual(after(60_000), ["storage-1", "storage-2", "storage-3"]);
    attested("storage-3", 7, 2);
    assert.deepEqual(after(59_999), ["storage-1", "storage-2"]);
    attested("storage-3", 7, 2);
    attested("storage-3", 7, 1);
    attested("storage-3", 6, 9);
    assert.deepEqual(after(1), ["storage-1", "storage-2", "storage-3"]);
    attested("storage-3", 7, 3);
    assert.deepEqual(after(0), ["storage-1", "storage-2"]);
    assert.deepEqual(after(60_000), ["storage-1", "storage-2", "storage-3"]);
    attested("storage-3", 8, 0);
    assert.deepEqual(after(0), ["storage-1", "storage-2"]);
  });

  test("says nothing of a node that is out, and gives one that is back as long as a new one", () => {
    world.change("storage-1", { suspension: "unreachable", changedHeight: 3 });
    assert.deepEqual(after(60_000), ["storage-2", "storage-3"]);
    assert.deepEqual(after(60_000), ["storage-2", "storage-3"]);
    world.change("storage-1", { suspension: undefined, changedHeight: 9 });
    assert.deepEqual(after(0), ["storage-2", "storage-3"]);
    assert.deepEqual(after(60_000), ["storage-1", "storage-2", "storage-3"]);
  });

  test("is off where the policy has no such time", () => {
    const ports = { ...world.ports, policy: { unreachableAfterMs: 0 } };
    watch = new ReachWatch(ports, { connectedIds: [] });
    assert.deepEqual(after(10_000_000), []);
  });

  test("expects only nodes that have to link here", () => {
    const members = membersOf({ managers: 22, storage: 40 });
    const ids = members.storageNodes.map(({ nodeId }) => nodeId);
    const [first] = members.managers;
    assert.ok(first);
    const here = ids.filter((id) => chosenManagers(id, members).includes(first));
    assert.ok(here.length > 0 && here.length < ids.length);
    const connectedHere = here[0] ?? "";
    watch = new ReachWatch(
      {
        ...world.ports,
        policy,
        selfId: first.managerId,
        members: () => members,
      },
      { connectedIds: [connectedHere] },
    );
    assert.deepEqual(after(60_000), here.slice(1));
  });
});
