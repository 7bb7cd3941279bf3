import { buckets } from "../buckets.js";
import { bucketKey, u64Part } from "../key-codec.js";

/** Where a storage node keeps the block of a height. */
export function storageBlockKey(height: number): Uint8Array {
  return bucketKey(buckets.storageBlock, u64Part(height));
}
