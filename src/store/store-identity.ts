/**
 * What a store is and to whom it belongs. It is written with the first batch, so a directory either
 * has all of genesis or nothing, and a node never opens what another role, consortium or format
 * left.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes, toHex, utf8 } from "../base/bytes.js";
import { StoreIdentitySchema, StoreRole } from "../gen/bss/store/v1/identity_pb.js";
import { buckets } from "./buckets.js";
import { damaged, putMessage, storedMessage } from "./chain/stored-values.js";
import { bucketKey } from "./key-codec.js";
import type { KeyValueStore, WriteOperation } from "./key-value-store.js";
import { StoreError } from "./store-error.js";

/** Layout of keys and values. A number is never reused. */
export const storeFormat = 3;

export type NodeRole = "manager" | "storage";

export type StoreOwner = {
  readonly role: NodeRole;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
};

const roles: Readonly<Record<NodeRole, StoreRole>> = {
  manager: StoreRole.MANAGER,
  storage: StoreRole.STORAGE,
};

const identityKey = bucketKey(buckets.meta, utf8("identity"));

/** Part of the first batch. */
export function identityWrite({ role, consortiumId }: StoreOwner): WriteOperation {
  const identity = { format: storeFormat, role: roles[role], consortiumId };
  return putMessage(identityKey, StoreIdentitySchema, create(StoreIdentitySchema, identity));
}

/**
 * Whether the store is new and empty; false for one that this owner has written before.
 *
 * @throws StoreError MISMATCH for a store of another owner, CORRUPT for one without an owner
 */
export async function isNewStore(kv: KeyValueStore, owner: StoreOwner): Promise<boolean> {
  const bytes = await kv.get(identityKey);
  if (bytes === undefined) {
    const everything = { gte: Uint8Array.of(1), lt: Uint8Array.of(0xff) };
    const [entry] = await kv.range({ ...everything, limit: 1 });
    if (entry === undefined) return true;
    throw damaged("the identity of a store that holds data", "is missing");
  }
  const { format, role, consortiumId } = storedMessage(
    StoreIdentitySchema,
    bytes,
    "the store's identity",
  );
  if (format !== storeFormat) {
    const message =
      `the store has format ${format}, this software reads and writes format ${storeFormat}: ` +
      "start the version that wrote it, or let this one catch up into an empty directory";
    throw new StoreError("MISMATCH", message);
  }
  if (role !== roles[owner.role]) {
    const what = `the store is not one of a ${owner.role} node`;
    const message = `${what}: configure this node's own directory`;
    throw new StoreError("MISMATCH", message);
  }
  if (!equalBytes(consortiumId, owner.consortiumId)) {
    const message =
      `the store belongs to consortium ${toHex(consortiumId)}, the genesis file is that of ` +
      `${toHex(owner.consortiumId)}: configure the matching directory or genesis file`;
    throw new StoreError("MISMATCH", message);
  }
  return false;
}
