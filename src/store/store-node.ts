/**
 * Which node's store it is. What a manager has said about the height that is being voted on, and
 * what a storage node has attested, stand in its store: under another id they would be sent as that
 * one's, or be missing there. So a store belongs to the first node that opens it. A store without a
 * name is taken unless what was signed in it is another's.
 */
import { create } from "@bufbuild/protobuf";
import { utf8 } from "../base/bytes.js";
import { StoreNodeSchema } from "../gen/bss/store/v1/identity_pb.js";
import { AttestationSchema } from "../gen/bss/v1/vote_pb.js";
import { buckets } from "./buckets.js";
import { putMessage, storedMessage } from "./chain/stored-values.js";
import { bucketKey, bucketRange } from "./key-codec.js";
import type { KeyValueStore } from "./key-value-store.js";
import { decodeEntry } from "./signing/statement-codec.js";
import { StoreError } from "./store-error.js";
import type { NodeRole } from "./store-identity.js";

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
