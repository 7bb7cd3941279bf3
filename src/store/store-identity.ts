/**
 * Whose store it is. Format, role and consortium are written with the first batch, so a directory
 * has either all of genesis or nothing, and a node never opens what another role, consortium or
 * format has left.
 *
 * The id of the node is written when the node first opens the store. For what a manager has said
 * about the height that is being voted on, and what a storage node has attested, are in it: under
 * another id, these would be sent as that node's, or be missing there. A store without an id is
 * taken over unless what was signed in it is another node's.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes, toHex, utf8 } from "../base/bytes.js";
import {
  StoreIdentitySchema,
  StoreNodeSchema,
  StoreRole,
} from "../gen/bss/store/v1/identity_pb.js";
import { AttestationSchema } from "../gen/bss/v1/vote_pb.js";
import { buckets } from "./buckets.js";
import { damaged, putMessage, storedMessage } from "./chain/stored-values.js";
import { decodeEntry } from "./double-sign-protection/vote-log.js";
import { bucketKey, bucketRange } from "./key-codec.js";
import type { KeyValueStore, WriteOperation } from "./key-value-store.js";
import { StoreError } from "./store-error.js";

/** Layout of keys and values. A number is never reused. */
export const storeFormat = 5;

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

export type StoreNode = { readonly role: NodeRole; readonly id: string };

const nodeKey = bucketKey(buckets.meta, utf8("node"));

/** Makes an opened store the node's own. @throws StoreError MISMATCH when it is another node's */
export async function claimStore(kv: KeyValueStore, node: StoreNode): Promise<void> {
  if (await isOwnStore(kv, node)) return;
  const named = create(StoreNodeSchema, { nodeId: node.id });
  await kv.write([putMessage(nodeKey, StoreNodeSchema, named)], "sync");
}

/**
 * Whether the store says that it is the node's; false when it names nobody. Writes nothing.
 *
 * @throws StoreError MISMATCH when it is another node's
 */
export async function isOwnStore(kv: KeyValueStore, { role, id }: StoreNode): Promise<boolean> {
  const bytes = await kv.get(nodeKey);
  const owner =
    bytes === undefined
      ? await signerOf(kv, role)
      : storedMessage(StoreNodeSchema, bytes, "the store's node").nodeId;
  if (owner !== undefined && owner !== id) {
    const message =
      `the store is that of ${owner}, this node is ${id}: configure this node's own directory, or ` +
      "an empty one, into which it reads the chain from others";
    throw new StoreError("MISMATCH", message);
  }
  return bytes !== undefined;
}

/** Who signed what is kept about the height that is being decided; undefined if nothing is. */
async function signerOf(kv: KeyValueStore, role: NodeRole): Promise<string | undefined> {
  const bucket = role === "manager" ? buckets.voteLog : buckets.attestationLog;
  for await (const [key, value] of kv.scan(bucketRange(bucket))) {
    if (role === "storage") return storedMessage(AttestationSchema, value, "an attestation").nodeId;
    const entry = decodeEntry(key, value);
    if (entry.kind === "vote") return entry.vote.managerId;
    if (entry.kind === "proposal") return entry.proposal.managerId;
  }
  return undefined;
}
