import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { utf8 } from "../../../src/base/bytes.js";
import { StoreIdentitySchema, StoreRole } from "../../../src/gen/bss/store/v1/identity_pb.js";
import type { GenesisState } from "../../../src/ledger/genesis.js";
import { buckets } from "../../../src/store/buckets.js";
import { bucketKey } from "../../../src/store/key-codec.js";
import type { KeyValueStore } from "../../../src/store/key-value-store.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { createMemoryDisk, openMemoryStore } from "../../../src/store/memory-store.js";
import { StorageNodeStore } from "../../../src/store/storage-node-store.js";
import { storeFormat } from "../../../src/store/store-identity.js";
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
          message: new RegExp(`has format ${format}, this software reads and writes format 3: `),
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
