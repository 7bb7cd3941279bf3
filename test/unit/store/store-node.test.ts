import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttestationSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../../src/gen/bss/v1/vote_pb.js";
import { buckets } from "../../../src/store/buckets.js";
import { bucketKey, u64Part } from "../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { openMemoryStore } from "../../../src/store/memory-store.js";
import { voteKey } from "../../../src/store/signing/statement-codec.js";
import { StorageNodeStore } from "../../../src/store/storage-node-store.js";
import { claimStore, isOwnStore, type StoreNode } from "../../../src/store/store-node.js";
import { genesis } from "../ledger/support/consortium.js";
import { seedOf } from "../ledger/support/records.js";
import { contentOf } from "./support/disks.js";

const manager = (id: string): StoreNode => ({ role: "manager", id });
const storage = (id: string): StoreNode => ({ role: "storage", id });

const put = (kv: KeyValueStore, key: Uint8Array, value: Uint8Array) =>
  kv.write([{ type: "put", key, value }], "sync");

const voteOf = (managerId: string): Vote =>
  create(VoteSchema, {
    kind: VoteKind.COMMIT,
    height: 1n,
    validRound: -1,
    blockId: seedOf("block"),
    managerId,
  });

async function refuses(kv: KeyValueStore, node: StoreNode, owner: string): Promise<void> {
  const content = await contentOf(kv);
  const message = new RegExp(`the store is that of ${owner}, this node is ${node.id}: configure`);
  for (const open of [claimStore, isOwnStore]) {
    await assert.rejects(open(kv, node), { code: "MISMATCH", message });
  }
  assert.deepEqual(await contentOf(kv), content, "nothing is written");
}

describe("the node of a store", () => {
  test("is the first that opens it, and no other", async () => {
    const kv = await openMemoryStore();
    await ManagerStore.open(kv, genesis);
    assert.equal(await isOwnStore(kv, manager("manager-3")), false);
    await claimStore(kv, manager("manager-3"));
    await claimStore(kv, manager("manager-3"));
    assert.equal(await isOwnStore(kv, manager("manager-3")), true);
    await refuses(kv, manager("manager-2"), "manager-3");
  });

  test("of a manager's store without a name is who has voted there", async () => {
    const kv = await openMemoryStore();
    await ManagerStore.open(kv, genesis);
    const vote = voteOf("manager-3");
    await put(kv, voteKey(vote), toBinary(VoteSchema, vote));
    await refuses(kv, manager("manager-2"), "manager-3");
    await claimStore(kv, manager("manager-3"));
  });

  test("of a storage node's store without a name is who has attested there", async () => {
    const kv = await openMemoryStore();
    await StorageNodeStore.open(kv, genesis);
    const attestation = create(AttestationSchema, { height: 1n, nodeId: "storage-3" });
    const key = bucketKey(buckets.attestationLog, u64Part(1), u64Part(0));
    await put(kv, key, toBinary(AttestationSchema, attestation));
    await refuses(kv, storage("storage-2"), "storage-3");
    await claimStore(kv, storage("storage-3"));
    await refuses(kv, storage("storage-2"), "storage-3");
  });
});
