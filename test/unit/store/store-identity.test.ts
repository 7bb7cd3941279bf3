import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { utf8 } from "../../../src/base/bytes.js";
import { StoreIdentitySchema, StoreRole } from "../../../src/gen/bss/store/v1/identity_pb.js";
import {
  AttestationSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../../src/gen/bss/v1/vote_pb.js";
import type { GenesisState } from "../../../src/ledger/genesis.js";
import { buckets } from "../../../src/store/buckets.js";
import { voteKey } from "../../../src/store/double-sign-protection/vote-log.js";
import { bucketKey, u64Part } from "../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { StorageNodeStore } from "../../../src/store/storage-node-store.js";
import {
  claimStore,
  isOwnStore,
  type StoreNode,
  storeFormat,
} from "../../../src/store/store-identity.js";
import { createMemoryDisk, openMemoryStore } from "../../support/memory-store.js";
import { genesis } from "../ledger/support/consortium.js";
import { seedOf } from "../ledger/support/records.js";
import { contentOf } from "./support/disks.js";

type Opener = (kv: KeyValueStore, genesis: GenesisState) => Promise<unknown>;

const roles: readonly (readonly [string, Opener, Opener])[] = [
  ["manager", ManagerStore.open, StorageNodeStore.open],
  ["storage node", StorageNodeStore.open, ManagerStore.open],
];
const identityKey = bucketKey(buckets.meta, utf8("identity"));

for (const [role, open, openOther] of roles) {
  describe(`the store of a ${role}`, () => {
    test("opens again for the same consortium, and changes nothing", async () => {
      const kv = await openMemoryStore();
      await open(kv, genesis);
      const content = await contentOf(kv);
      await open(kv, genesis);
      assert.deepEqual(await contentOf(kv), content);
    });

    test("refuses another consortium, names both, and changes nothing", async () => {
      const kv = await openMemoryStore();
      await open(kv, genesis);
      const content = await contentOf(kv);
      const other = { ...genesis, consortiumId: seedOf("another consortium") };
      await assert.rejects(open(kv, other), {
        name: "StoreError",
        code: "MISMATCH",
        message: /belongs to consortium [0-9a-f]{64}, the genesis file is that of [0-9a-f]{64}: /,
      });
      assert.deepEqual(await contentOf(kv), content);
    });

    test("refuses the other role's node", async () => {
      const kv = await openMemoryStore();
      await open(kv, genesis);
      await assert.rejects(openOther(kv, genesis), {
        code: "MISMATCH",
        message: /is not one of a/,
      });
    });

    for (const [whose, format] of [
      ["another version", storeFormat + 1],
      ["previews, whose false objections and rules differ", 2],
      ["previews that kept a row for each record and node of the log", 3],
    ] as const) {
      test(`refuses the format of ${whose}`, async () => {
        const kv = await openMemoryStore();
        await open(kv, genesis);
        const { consortiumId } = genesis;
        const stored = { format, role: StoreRole.MANAGER, consortiumId };
        const value = toBinary(StoreIdentitySchema, create(StoreIdentitySchema, stored));
        await kv.write([{ type: "put", key: identityKey, value }], "sync");
        await assert.rejects(open(kv, genesis), {
          code: "MISMATCH",
          message: new RegExp(
            `has format ${format}, this software reads and writes format ${storeFormat}: `,
          ),
        });
      });
    }

    test("refuses data without an identity, and an identity that does not decode", async () => {
      const kv = await openMemoryStore();
      await open(kv, genesis);
      const value = Uint8Array.of(0xff);
      await kv.write([{ type: "put", key: identityKey, value }], "sync");
      await assert.rejects(open(kv, genesis), { code: "CORRUPT" });
      await kv.write([{ type: "delete", key: identityKey }], "sync");
      await assert.rejects(open(kv, genesis), { code: "CORRUPT", message: /identity .* missing/ });
    });

    test("has all of genesis or nothing, when the first write fails", async () => {
      for (const outcome of ["lost", "kept"] as const) {
        const disk = createMemoryDisk();
        disk.failNextWrite({ outcome });
        await assert.rejects(open(await disk.open(), genesis), { code: "IO" });
        disk.crash();
        const found = await disk.open();
        const isEmpty = (await contentOf(found)).size === 0;
        assert.equal(isEmpty, outcome === "lost");
        await open(found, genesis);
        const reference = await openMemoryStore();
        await open(reference, genesis);
        assert.deepEqual(await contentOf(found), await contentOf(reference));
      }
    });
  });
}

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
